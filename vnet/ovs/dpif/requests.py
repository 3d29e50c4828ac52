"""What userspace and the datapath say to each other, by the names of netlink.

Between ovs-vswitchd and the kernel's datapath these are messages of generic netlink
(linux/openvswitch.h), and textbooks explain Open vSwitch by them. Here they are calls of
:class:`~vnet.ovs.dpif.dpif.Dpif`, which whoever watches is told of. What only asks (``..._GET``) is
no news and is not told.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from typing import NamedTuple

from vnet.ovs.dpif.actions import OdpActions


class Command(Enum):
    """The commands of netlink. Those of ``OVS_PACKET_CMD_MISS`` and ``_ACTION`` go up, to
    userspace, and all others down."""

    DP_NEW = "OVS_DP_CMD_NEW"
    DP_SET = "OVS_DP_CMD_SET"
    DP_DEL = "OVS_DP_CMD_DEL"
    VPORT_NEW = "OVS_VPORT_CMD_NEW"
    VPORT_DEL = "OVS_VPORT_CMD_DEL"
    FLOW_NEW = "OVS_FLOW_CMD_NEW"
    FLOW_SET = "OVS_FLOW_CMD_SET"
    FLOW_DEL = "OVS_FLOW_CMD_DEL"
    PACKET_MISS = "OVS_PACKET_CMD_MISS"
    PACKET_ACTION = "OVS_PACKET_CMD_ACTION"
    PACKET_EXECUTE = "OVS_PACKET_CMD_EXECUTE"
    METER_SET = "OVS_METER_CMD_SET"
    METER_DEL = "OVS_METER_CMD_DEL"
    CT_LIMIT_SET = "OVS_CT_LIMIT_CMD_SET"
    CT_LIMIT_DEL = "OVS_CT_LIMIT_CMD_DEL"
    CT_DELETE = "IPCTNL_MSG_CT_DELETE"

    @property
    def goes_up(self) -> bool:
        """Whether the datapath says it to userspace."""
        return self in (Command.PACKET_MISS, Command.PACKET_ACTION)


class Request(NamedTuple):
    """One message. ``key``, ``mask`` and ``actions`` are those of a flow or packet, ``frame`` is
    the packet; ``detail`` is what the others lack, as ovs-dpctl writes it. ``number`` and ``name``
    are those of a port or meter; a flow may have a name, too."""

    time_ns: int
    command: Command
    key: int | None = None
    mask: int | None = None
    actions: OdpActions | None = None
    frame: bytes | None = None
    detail: str = ""
    number: int | None = None
    name: str = ""


RequestWatcher = Callable[[Request], None]
