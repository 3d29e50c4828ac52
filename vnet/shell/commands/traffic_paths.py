"""The way to a machine: traceroute and tracepath."""

from __future__ import annotations

from vnet.base.errors import UsageError
from vnet.base.text import quote
from vnet.guest.apps.traceroute import MOST_BYTES, MOST_HOPS, MOST_PROBES, MOST_QUERIES
from vnet.shell.context import ShellContext, machines
from vnet.shell.options import Arguments, Option, duration, whole_number
from vnet.shell.output import Output
from vnet.shell.registry import Group, NodeUse, command

_HOPS = Option("hops", whole_number(1, MOST_HOPS))
_PORT = Option("port", whole_number(1, 65_535))
_NUMERIC = Option("numeric")
_FAMILY = {"-4": Option("family", value=4), "-6": Option("family", value=6)}


def _waits(text: str) -> dict[str, str | float]:
    """``MAX``, or ``MAX,HERE,NEAR``: seconds, and two factors."""
    most, *factors = text.split(",")
    if len(factors) > 2:
        raise ValueError(f"{quote(text)} has more than MAX,HERE,NEAR")
    found: dict[str, str | float] = {"wait": duration(most)}
    for name, factor in zip(("here", "near"), factors, strict=False):
        found[name] = float(whole_number(0, 1_000)(factor))
    return found


@command(
    "traceroute",
    "SRC DST [PACKETLEN] [-4|-6] [-n] [-I] [-F] [-f FIRST] [-m HOPS] [-q QUERIES] [-N AT_ONCE] "
    "[-p PORT] [-w MAX[,HERE,NEAR]]",
    "who lies on the way to a machine or an address, by UDP or by ICMP (-I)",
    group=Group.TRAFFIC,
    node=NodeUse.FIRST,
    words=(2, 3),
    options={
        "-n": _NUMERIC,
        "-I": Option("icmp", value=True),
        "-F": Option("df", value=True),
        "-f": Option("first", whole_number(1, MOST_HOPS)),
        "-m": _HOPS,
        "-q": Option("queries", whole_number(1, MOST_QUERIES)),
        "-N": Option("at_once", whole_number(1, MOST_PROBES)),
        "-p": _PORT,
        "-w": Option("waits", _waits),
        **_FAMILY,
    },
    examples=["traceroute vm1 vm2", "vm1 traceroute -n -I -q 1 10.0.0.2"],
    completes=[machines, machines],
)
def traceroute(context: ShellContext, arguments: Arguments) -> Output:
    """-n shows addresses only, -F forbids fragments; a PACKETLEN counts the headers, too."""
    source, target = arguments.words[:2]
    options = dict(arguments.options)
    numeric = "numeric" in options
    options.pop("numeric", None)
    options |= options.pop("waits", {})
    length = arguments.word(2)
    if length is not None:
        try:
            options["size"] = whole_number(0, MOST_BYTES)(length)
        except ValueError:
            raise UsageError(f"traceroute: {quote(length)} is no packet length") from None
    result = context.machine(source).traceroute(context.target(target, source), **options)
    return result.text(None if numeric else context.name_of)


@command(
    "tracepath",
    "SRC DST [-4|-6] [-n] [-b] [-l LENGTH] [-m HOPS] [-p PORT]",
    "the way to a machine or an address, and the largest packet that it takes",
    group=Group.TRAFFIC,
    node=NodeUse.FIRST,
    words=(2, 2),
    options={
        "-n": _NUMERIC,
        "-b": Option("both"),
        "-l": Option("size", whole_number(1, 128_000)),
        "-m": _HOPS,
        "-p": _PORT,
        **_FAMILY,
    },
    examples=["tracepath vm1 vm2", "vm1 tracepath -n 10.0.0.2"],
    completes=[machines, machines],
)
def tracepath(context: ShellContext, arguments: Arguments) -> Output:
    """-n shows addresses, -b names and addresses."""
    source, target = arguments.words
    options = dict(arguments.options)
    names = None if options.pop("numeric", False) is not False else context.name_of
    both = options.pop("both", False) is not False
    result = context.machine(source).tracepath(context.target(target, source), **options)
    return result.text(names, both=both)
