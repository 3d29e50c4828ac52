"""What Open vSwitch's daemon and its datapath say to each other."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vnet.base.errors import UsageError
from vnet.base.text import quote
from vnet.base.units import duration_text
from vnet.shell.context import ShellContext, Words
from vnet.shell.openvswitch import machine_for
from vnet.shell.options import Arguments
from vnet.shell.output import Output, plural
from vnet.shell.registry import Group, NodeUse, command

if TYPE_CHECKING:
    from vnet.ovs.dpif.request_log import RequestLog


@command(
    "ovs-netlink",
    "on | off | show [N]",
    "what ovs-vswitchd and its datapath say to each other, by the names of netlink",
    group=Group.SWITCH,
    node=NodeUse.MAYBE,
    words=(1, 2),
    options={},
    examples=["ovs-netlink on", "h1 ovs-netlink show 5"],
    completes=[Words("on", "off", "show")],
)
def ovs_netlink(context: ShellContext, arguments: Arguments) -> Output:
    """`on` begins to listen on a machine, `show` has the last N messages, or all of the last
    thousand, and `off` ends it. Those that go up come from the datapath: OVS_PACKET_CMD_MISS asks
    what to do with a frame, and OVS_FLOW_CMD_NEW and OVS_PACKET_CMD_EXECUTE answer. What only asks
    for something (..._GET) is left out.
    """
    from vnet.ovs.dpif.request_log import RequestLog

    machine, _ = machine_for(context, (), arguments.node)
    logs, owner = context.netlink_logs, machine.owner
    match tuple(arguments.words):
        case ("on",):
            if owner in logs:
                raise UsageError(f"ovs-netlink is on at {owner} already", "ovs-netlink show")
            logs[owner] = RequestLog(machine.datapath)
            return f"ovs-netlink listens at {owner}"
        case ("off",) if owner in logs:
            log = logs.pop(owner)
            log.stop()
            return f"{plural(log.n_seen, 'message')} at {owner}"
        case ("show", *count) if owner in logs:
            return _messages(logs[owner], *count)
        case ("off",) | ("show", *_):
            raise UsageError(f"ovs-netlink is not on at {owner}", "ovs-netlink on begins")
    known = "on, off and show [N]"
    raise UsageError(f"ovs-netlink: there is no {quote(' '.join(arguments.words))}", known)


def _messages(log: RequestLog, count: str = "") -> str:
    if count and not count.isdecimal():
        raise UsageError(f"ovs-netlink show: {quote(count)} is no number", "ovs-netlink show 10")
    return "\n".join(
        f"{duration_text(said.time_ns):>12}  {'up  ' if said.goes_up else 'down'}  {said.text}"
        for said in log.last(int(count) if count else None)
    )
