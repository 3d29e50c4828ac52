"""Two devices back to back: what goes into one comes out of the other.

A veth(4) pair, a Xen vif with its netfront, a tap with its virtio card: the frame is the
same bytes on both sides. The far side receives it in an event of its own, later in the same
instant, as the kernel's backlog does; a call straight through would let an answer overtake
the rest of a flood, and a loop recurse.
"""

from __future__ import annotations

from vnet.base.drops import drop_reason
from vnet.base.ids import Mac
from vnet.netdev.device import NetDevice
from vnet.sim.frame import Frame
from vnet.sim.scheduler import Scheduler
from vnet.wire.ether import HEADER_BYTES, is_forwardable

OVER_PEER_MTU = drop_reason(
    "over-peer-mtu",
    cause="the frame is larger than the mtu of the device at the other end of the pair",
    cure="give both ends of the pair the same mtu",
)


class PairDevice(NetDevice):
    """One end of a pair. Both have a carrier while both are administratively up."""

    kind = "veth"

    __slots__ = ("peer",)

    def __init__(
        self, scheduler: Scheduler, name: str, mac: Mac, mtu_bytes: int = 1500, owner: str = ""
    ) -> None:
        super().__init__(scheduler, name, mac, mtu_bytes, owner)
        self.carrier = False
        self.peer: PairDevice = self

    @property
    def speed_mbps(self) -> int | None:
        """veth(4) and tap devices say 10 Gbit/s."""
        return 10_000

    @property
    def iflink(self) -> int:
        return self.peer.ifindex

    def _xmit(self, frame: Frame) -> None:
        peer, data = self.peer, frame.data
        if len(data) - HEADER_BYTES > peer.mtu_bytes and not is_forwardable(data, peer.mtu_bytes):
            # The driver refuses it: lost, and not sent.
            self.tx_packets -= 1
            self.tx_bytes -= len(data)
            return self.drop(frame, OVER_PEER_MTU)
        scheduler = self.scheduler
        # The very same number, not an equal one: the histories of all cards that hear a
        # flood then share it.
        scheduler.at(scheduler.now_ns, peer.receive, frame)
        return None

    def _admin_changed(self) -> None:
        self.carrier = self.admin_up and self.peer.admin_up
        self.peer.set_carrier(self.carrier)


def pair_up(one: PairDevice, other: PairDevice) -> None:
    """Join two fresh devices."""
    one.peer, other.peer = other, one
    one.carrier = other.carrier = one.admin_up and other.admin_up
