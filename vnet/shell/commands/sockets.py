"""``ss``: sockets of a node."""

from __future__ import annotations

from collections.abc import Mapping

from vnet.linux.tcp.states import State
from vnet.shell.context import ShellContext, machines
from vnet.shell.options import Arguments, Option
from vnet.shell.output import Output
from vnet.shell.registry import Group, NodeUse, command
from vnet.shell.socket_filter import CONNECTED, EVERY, LISTENING, parse_filter, split_states
from vnet.shell.views.sockets import Columns, rows_of, sockets_text, summary_text


@command(
    "ss",
    "NODE [-t] [-u] [-a] [-l] [-n] [-p] [-i] [-s] [-4] [-6] [-H] [-O] [state STATE] [FILTER]",
    "sockets of a node: connections, who waits for them (-l), or all (-a)",
    group=Group.NODE,
    node=NodeUse.FIRST,
    words=(1, None),
    options={
        "-t": Option("tcp"),
        "-u": Option("udp"),
        "-n": Option("numeric"),
        "-a": Option("all"),
        "-l": Option("listening"),
        "-i": Option("info"),
        "-p": Option("processes"),
        "-s": Option("summary"),
        "-4": Option("family", value=4),
        "-6": Option("family", value=6),
        "-H": Option("bare"),
        "-O": Option("one_line"),
    },
    examples=["vm1 ss -t", "vm1 ss -tani", "vm1 ss -tan state established dst 10.0.0.0/8"],
    completes=[machines],
)
def ss(context: ShellContext, arguments: Arguments) -> Output:
    """-i adds round-trip times, windows and retransmissions. A FILTER is as in ss(8): sport, dport,
    src and dst with =, !=, <, >, joined by and, or, not and parentheses. Whose sockets they are
    (-p) is not shown, for programs have no process numbers here.
    """
    name, *words = arguments.words
    options, rows = arguments.options, rows_of(context.namespace(name))
    if "summary" in options:
        return summary_text(rows)
    protocols = {kind for kind in ("tcp", "udp") if kind in options} or {"tcp", "udp"}
    states, expression = split_states(words, _states(options, protocols))
    test = parse_filter(expression)
    shown = [
        row
        for row in rows
        if row.protocol in protocols
        and row.state in states
        and options.get("family", row.family) == row.family
        and test(row)
    ]
    return sockets_text(
        shown,
        Columns(
            len(protocols) > 1,
            len(states) > 1,
            "numeric" in options,
            "bare" not in options,
            "info" in options,
        ),
    )


def _states(options: Mapping[str, object], protocols: set[str]) -> frozenset[str]:
    """Those that are looked for where no state is named."""
    if "all" in options:
        return EVERY
    if "listening" in options:
        return LISTENING
    if protocols == {"udp"}:
        return frozenset((State.ESTABLISHED.value,))
    return CONNECTED - {State.TIME_WAIT.value, State.SYN_RECEIVED.value}
