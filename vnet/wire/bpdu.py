"""Spanning tree frames: 802.1D BPDUs behind LLC (IEEE 802.1D-1998 and -2004, clause 9).

dst 6 | src 6 | length 2 | 42 42 03 | BPDU

BPDU       | 0 2 | version | type | (nothing more for a topology change notice, type 0x80)
           | flags | root 8 | cost 4 | bridge 8 | port 2 | age 2 | max age 2 | hello 2 | delay 2
rapid one  | ... | 0

Identifiers are whole numbers: a bridge's are 16 bits of priority before its MAC address, a port's
its priority before its number. Times are in units of 1/256 second.
"""

from __future__ import annotations

import struct
from enum import IntEnum, IntFlag
from typing import NamedTuple

from vnet.wire.ether import HEADER_BYTES

TARGET = b"\x01\x80\xc2\x00\x00\x00"
LLC = b"\x42\x42\x03"

TIME_UNIT_NS = 1_000_000_000 // 256
"""1/256 second, which is a whole number of nanoseconds."""

PAYLOAD_AT = HEADER_BYTES + len(LLC)
"""Where the BPDU starts in an untagged frame."""

_PROTOCOL_ID = 0
_HEADER = struct.Struct("!HBB")
_BODY = struct.Struct("!BQIQHHHHH")

HEADER_BPDU_BYTES = _HEADER.size
CONFIG_BYTES = _HEADER.size + _BODY.size
RAPID_BYTES = CONFIG_BYTES + 1


class BpduType(IntEnum):
    CONFIG = 0x00
    RAPID = 0x02
    TOPOLOGY_CHANGE_NOTICE = 0x80


class BpduFlags(IntFlag):
    """Bits 2 and 3 are the role of the sender's port; see :class:`BpduRole`."""

    NONE = 0
    TOPOLOGY_CHANGE = 0x01
    PROPOSAL = 0x02
    LEARNING = 0x10
    FORWARDING = 0x20
    AGREEMENT = 0x40
    TOPOLOGY_CHANGE_ACK = 0x80


class BpduRole(IntEnum):
    """What a port is that sends a rapid BPDU."""

    UNKNOWN = 0
    ALTERNATE_OR_BACKUP = 1
    ROOT = 2
    DESIGNATED = 3


_ROLE_SHIFT = 2
_ROLE_MASK = 0x0C


class Bpdu(NamedTuple):
    """A BPDU of any type; in a notice, nothing counts but ``type`` and ``version``.

    ``message_age`` to ``forward_delay`` are times in units of 1/256 second.
    """

    type: BpduType
    flags: int = 0
    root_id: int = 0
    root_path_cost: int = 0
    bridge_id: int = 0
    port_id: int = 0
    message_age: int = 0
    max_age: int = 0
    hello_time: int = 0
    forward_delay: int = 0
    version: int = 0

    @property
    def role(self) -> BpduRole:
        """What the sender says its port is. A configuration BPDU says so by being one."""
        if self.type is BpduType.CONFIG:
            return BpduRole.DESIGNATED
        return BpduRole((self.flags & _ROLE_MASK) >> _ROLE_SHIFT)

    def has(self, flag: BpduFlags) -> bool:
        """Whether a flag is set."""
        return bool(self.flags & flag)


TOPOLOGY_CHANGE_NOTICE = Bpdu(BpduType.TOPOLOGY_CHANGE_NOTICE)


def role_flags(role: BpduRole) -> int:
    """The bits of ``flags`` that say what role a port has."""
    return role << _ROLE_SHIFT


def parse(data: bytes) -> Bpdu | None:
    """A BPDU, without its LLC header; None if cut short or of no known protocol or type.

    Bytes that follow are padding. The version does not matter: later ones must be readable.
    """
    if len(data) < _HEADER.size:
        return None
    protocol_id, version, kind = _HEADER.unpack_from(data)
    if protocol_id != _PROTOCOL_ID:
        return None
    if kind == BpduType.TOPOLOGY_CHANGE_NOTICE:
        return Bpdu(BpduType.TOPOLOGY_CHANGE_NOTICE, version=version)
    if kind == BpduType.CONFIG and len(data) >= CONFIG_BYTES:
        return _announcement(BpduType.CONFIG, version, data)
    if kind == BpduType.RAPID and len(data) >= RAPID_BYTES:
        return _announcement(BpduType.RAPID, version, data)
    return None


def _announcement(kind: BpduType, version: int, data: bytes) -> Bpdu:
    return Bpdu(kind, *_BODY.unpack_from(data, _HEADER.size))._replace(version=version)


def emit(bpdu: Bpdu) -> bytes:
    """A BPDU without its LLC header. What does not fit its field is cut to it."""
    header = _HEADER.pack(_PROTOCOL_ID, bpdu.version, bpdu.type)
    if bpdu.type is BpduType.TOPOLOGY_CHANGE_NOTICE:
        return header
    body = _BODY.pack(
        bpdu.flags,
        bpdu.root_id,
        bpdu.root_path_cost & 0xFFFF_FFFF,
        bpdu.bridge_id,
        bpdu.port_id,
        *(time & 0xFFFF for time in bpdu[6:10]),
    )
    return header + body + b"\0" if bpdu.type is BpduType.RAPID else header + body


def frame(source: bytes, bpdu: bytes) -> bytes:
    """A frame that carries a BPDU from ``source`` to the bridges on its LAN."""
    payload = LLC + bpdu
    return TARGET + source + len(payload).to_bytes(2, "big") + payload


def payload_of(data: bytes) -> bytes | None:
    """The bytes of a frame, known to be untagged and for bridges, behind its LLC header; None
    where that is cut short.

    What stands behind the length that the frame gives is padding and left out.
    """
    end = min(len(data), HEADER_BYTES + int.from_bytes(data[12:14], "big"))
    return data[PAYLOAD_AT:end] if end >= PAYLOAD_AT else None
