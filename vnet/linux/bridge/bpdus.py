"""BPDUs that a Linux bridge takes in: from the frame to the machine (802.1D-1998 clause 9; LLC).

Linux reads version 0 alone: what bridges of a rapid tree say is nothing to it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from vnet.base.drops import drop_reason
from vnet.linux.bridge.port import BAD_SOURCE_MAC, PORT_NOT_FORWARDING, PortState
from vnet.linux.bridge.spanning_tree import SpanningTree, in_jiffies
from vnet.wire import bpdu as wire
from vnet.wire.ether import HEADER_BYTES

if TYPE_CHECKING:
    from vnet.linux.bridge.port import BridgePort
    from vnet.sim.frame import Frame
    from vnet.wire.bpdu import Bpdu

BRIDGE_GROUP = wire.TARGET

BPDU_MALFORMED = drop_reason(
    "bridge-bpdu-malformed",
    cause="a frame to the bridges' group address is no BPDU, or one that is cut short",
    cure="mend the sender: a BPDU is behind LLC header 42 42 03 and has all its fields",
)
BPDU_VERSION = drop_reason(
    "bridge-bpdu-version",
    cause="the BPDU is of a rapid or multiple spanning tree, and Linux reads only 802.1D's of 1998",
    cure="let the neighbour fall back to STP, or do without STP on one of the two",
)
BPDU_TOO_OLD = drop_reason(
    "bridge-bpdu-too-old",
    cause="the BPDU is older (message age) than its own max age allows",
    cure="see whether max age is long enough for the way to the root",
)
BPDU_GUARDED = drop_reason(
    "bridge-bpdu-guard",
    cause="a BPDU came in by a port with bpdu guard, which is disabled by it",
    cure="have no bridge behind that port, or take the guard off",
)

_ZERO_MAC = bytes(6)


def receive_bpdu(tree: SpanningTree, port: BridgePort, frame: Frame) -> None:
    """A frame to the bridges' group address, while the bridge speaks STP."""
    device = port.device
    source = frame.data[6:12]
    if source[0] & 1 or source == _ZERO_MAC:
        return device.drop(frame, BAD_SOURCE_MAC)
    data = _payload(frame.data)
    if data is None or len(data) < wire.HEADER_BPDU_BYTES or data[0:2] != b"\0\0":
        return device.drop(frame, BPDU_MALFORMED)
    if data[2] != 0:
        return device.drop(frame, BPDU_VERSION)
    if port.state is PortState.DISABLED:
        return device.drop(frame, PORT_NOT_FORWARDING)
    if port.bpdu_guard:
        tree.bridge.say(f"BPDU received on blocked port {port.number}({device.name})")
        tree.disable(port.tree)
        return device.drop(frame, BPDU_GUARDED)
    read = wire.parse(data)
    if read is None or read.type is wire.BpduType.RAPID:
        return device.drop(frame, BPDU_MALFORMED)
    return _take(tree, port, frame, in_jiffies(read))


def _take(tree: SpanningTree, port: BridgePort, frame: Frame, bpdu: Bpdu) -> None:
    if bpdu.message_age > bpdu.max_age:
        tree.bridge.say(
            f"port {port.number} config from {frame.data[6:12].hex(':')} "
            f"(message_age {bpdu.message_age}l > max_age {bpdu.max_age}l)"
        )
        return port.device.drop(frame, BPDU_TOO_OLD)
    return tree.receive(port.tree, bpdu)


def _payload(data: bytes) -> bytes | None:
    """The BPDU, without padding; None for what has no LLC header of the protocol, or less than its
    length says."""
    end = HEADER_BYTES + int.from_bytes(data[12:14], "big")
    if end > len(data) or data[HEADER_BYTES : wire.PAYLOAD_AT] != wire.LLC:
        return None
    return data[wire.PAYLOAD_AT : end] if end >= wire.PAYLOAD_AT else None
