"""Which VLANs a port of a bridge is in, and what a VLAN does to a frame (IEEE 802.1Q clause 8).

A port, and the bridge itself as the host's port, has a :class:`VlanGroup`. A frame that was
let in is a :class:`Passage`: it belongs to one VLAN, and leaves each port as that port's group
says, with a tag or without.
"""

from __future__ import annotations

from collections.abc import Iterator

from vnet.base.drops import drop_reason
from vnet.linux.bridge.state import PortState
from vnet.sim.frame import Frame
from vnet.wire.ether import HEADER_BYTES

LARGEST_VID = 4094

NO_PVID = drop_reason(
    "bridge-vlan-no-pvid",
    cause="the frame has no VLAN, and the bridge port has no PVID to put it into one",
    cure="give the port a pvid, or have the sender tag its frames",
)
NOT_IN_VLAN = drop_reason(
    "bridge-vlan-not-allowed",
    cause="the bridge port that the frame came in by is not in the frame's VLAN",
    cure="add the VLAN to the port: bridge vlan add dev PORT vid N",
)
NO_WAY_OUT = drop_reason(
    "bridge-vlan-not-at-target",
    cause="the port that the frame's target was last heard at has left the frame's VLAN",
    cure="add the VLAN to the port: bridge vlan add dev PORT vid N",
)
HOST_NOT_IN_VLAN = drop_reason(
    "bridge-vlan-not-at-host",
    cause="the frame is for the bridge itself too, which is not in the frame's VLAN",
    cure="where the host should take part: bridge vlan add dev BRIDGE vid N self",
    routine=True,
)
VLAN_NOT_FORWARDING = drop_reason(
    "bridge-vlan-not-forwarding",
    cause="the bridge port does not forward in the frame's VLAN (bridge vlan set ... state)",
    cure="set the VLAN's state on the port to forwarding",
)


class VlanCounters:
    """What passed in a VLAN; bytes are counted without Ethernet header and tag, as Linux does."""

    __slots__ = ("rx_bytes", "rx_packets", "tx_bytes", "tx_packets")

    def __init__(self) -> None:
        self.rx_packets = self.rx_bytes = 0
        self.tx_packets = self.tx_bytes = 0


class Vlan:
    """A port's membership in a VLAN. ``untagged``: its frames leave the port without a tag.

    ``state`` is the port's in this VLAN alone: frames come in where it ``learns``, and go through
    where it ``forwards``.
    """

    __slots__ = ("counters", "forwards", "key", "learns", "state", "untagged", "vid")

    def __init__(self, vid: int, counters: VlanCounters) -> None:
        self.vid = vid
        self.untagged = False
        self.counters = counters
        self.key = vid.to_bytes(2, "big")
        """What stands behind a MAC in the forwarding database."""
        self.set_state(PortState.FORWARDING)

    def set_state(self, state: PortState) -> None:
        """Be in another state from now on."""
        self.state = state
        # Told apart for each frame, where an attribute is cheaper than an enum compare.
        self.forwards = state is PortState.FORWARDING
        self.learns = state in (PortState.FORWARDING, PortState.LEARNING)


class VlanGroup:
    """The VLANs of one port by number. ``pvid`` is the one of frames that name none; 0: none."""

    __slots__ = ("members", "pvid")

    def __init__(self) -> None:
        self.pvid = 0
        self.members: dict[int, Vlan] = {}

    def __iter__(self) -> Iterator[Vlan]:
        """By number."""
        return (self.members[vid] for vid in sorted(self.members))


class Passage:
    """A frame on its way through a bridge that filters: which VLAN it is in, and its two forms.

    ``tci`` is the tag control information that it leaves with where it leaves with a tag. It
    ``may_leave`` unless the VLAN is one that only learns at the port that it came in by.
    """

    __slots__ = ("_bare", "_tagged", "_tpid", "counts", "frame", "key", "may_leave", "tci", "vid")

    def __init__(
        self, frame: Frame, vlan: Vlan, tci: int, tpid: bytes, *, has_tag: bool, counts: bool
    ) -> None:
        self.frame = frame
        self.vid = vlan.vid
        self.key = vlan.key
        self.tci = tci
        self.counts = counts
        self.may_leave = vlan.forwards
        self._tpid = tpid
        self._bare = None if has_tag else frame
        self._tagged: Frame | None = None
        if has_tag and frame.data[14:16] == tci.to_bytes(2, "big"):
            self._tagged = frame

    def leaving(self, group: VlanGroup) -> Frame | None:
        """The frame as it leaves by a port with these VLANs; None where it may not."""
        vlan = group.members.get(self.vid)
        if vlan is None or not vlan.forwards:
            return None
        if self.counts:
            vlan.counters.tx_packets += 1
            vlan.counters.tx_bytes += len(self.bare.data) - HEADER_BYTES
        # The forms are looked at here first, for a flood asks for each of its ports.
        if vlan.untagged:
            return self._bare or self.bare
        return self._tagged or self.tagged

    @property
    def bare(self) -> Frame:
        """Without its VLAN tag; tags within stay."""
        if self._bare is None:
            self._bare = self.frame.with_data(untagged(self.frame.data))
        return self._bare

    @property
    def tagged(self) -> Frame:
        """With the tag of its VLAN, which keeps the priority that it came with."""
        if self._tagged is None:
            tag = self._tpid + self.tci.to_bytes(2, "big")
            self._tagged = self.frame.with_data(tagged(self.bare.data, tag))
        return self._tagged


def untagged(data: bytes) -> bytes:
    """A frame without its outermost tag."""
    return data[:12] + data[16:]


def tagged(data: bytes, tag: bytes) -> bytes:
    """A frame with one more tag."""
    return data[:12] + tag + data[12:]
