"""``tc`` on a node."""

from __future__ import annotations

from vnet.shell.context import ShellContext, Words
from vnet.shell.options import Arguments
from vnet.shell.output import Output
from vnet.shell.registry import Group, NodeUse, command


@command(
    "tc",
    "[-s] [-d] qdisc|class|filter [add|change|replace|del|show] [dev DEV] ...",
    "queueing disciplines, their classes and filters, as tc(8) has them",
    group=Group.NODE,
    node=NodeUse.PREFIX,
    words=(1, None),
    examples=[
        "vm1 tc qdisc show",
        "vm1 tc qdisc add dev eth0 root handle 1: prio",
        "vm1 tc qdisc replace dev eth0 root tbf rate 1mbit burst 10kb latency 50ms",
        "vm1 tc qdisc replace dev eth0 root netem delay 10ms 2ms loss 1%",
        "vm1 tc -s qdisc show dev eth0",
        "vm1 tc class show dev eth0",
    ],
    completes=[Words(), Words("qdisc", "class", "filter"), Words("show", "add", "replace", "del")],
)
def tc(context: ShellContext, arguments: Arguments) -> Output:
    """Kinds of qdiscs are pfifo, bfifo, pfifo_fast, tbf, prio, netem and ingress; of filters,
    u32 and matchall."""
    node, *words = arguments.words
    return context.traffic_control(node).run(words)
