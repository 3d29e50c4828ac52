"""A locked port: only stations that are known to be there may speak (802.1X on a bridge).

Who may is for a user space program to say, by an entry of the forwarding database at that port.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from vnet.base.drops import drop_reason
from vnet.linux.bridge.state import PortState
from vnet.netdev.device import RxHandler
from vnet.sim.frame import Frame
from vnet.wire.ether import HEADER_BYTES, RESERVED_PREFIX

if TYPE_CHECKING:
    from vnet.linux.bridge.port import BridgePort

PORT_LOCKED = drop_reason(
    "bridge-port-locked",
    cause="the bridge port is locked, and the sender is not known to be behind it",
    cure="bridge fdb add MAC dev PORT master static, or bridge link set dev PORT locked off",
)


class LockedIngress:
    """Lets frames of known stations through to ``behind``."""

    __slots__ = ("_behind", "_port")

    def __init__(self, port: BridgePort, behind: RxHandler) -> None:
        self._port = port
        self._behind = behind

    def handle(self, frame: Frame) -> None:
        """A frame came in by the port's device."""
        port, data = self._port, frame.data
        # What goes no further than the bridge, as an 802.1X supplicant's request, is let in.
        is_reserved = data[0:5] == RESERVED_PREFIX and len(data) >= HEADER_BYTES and data[5] < 0x10
        if port.state is PortState.FORWARDING and len(data) >= HEADER_BYTES and not is_reserved:
            vid = port.bridge.vid_of(port, frame)
            entry = None if vid is None else port.bridge.fdb.get(data[6:12], vid)
            if vid is not None and (entry is None or entry.is_local or entry.port is not port):
                return port.device.drop(frame, PORT_LOCKED)
        return self._behind(frame)
