"""Properties: type, length and value, padded to 8 bytes (1.4+, section 7.2.2).

A property's type is a plain number, or for an experimenter's ``vendor << 32 | its type``.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import NamedTuple

from vnet.ovs.openflow.errors import OpenFlowError

_HEADER = struct.Struct("!HH")
_EXPERIMENTER_HEADER = struct.Struct("!HHII")
_EXPERIMENTER = 0xFFFF
_U16 = struct.Struct("!H")
_U32 = struct.Struct("!I")
_U64 = struct.Struct("!Q")
_U32_MASK = 0xFFFFFFFF


class Property(NamedTuple):
    """One property: ``raw`` is all of it but the padding, and its value begins at ``offset``."""

    type: int
    raw: bytes
    offset: int

    @property
    def value(self) -> bytes:
        """What follows the header."""
        return self.raw[self.offset :]

    @property
    def nested(self) -> bytes:
        """What follows the header and its padding: properties, or a number of 8 bytes."""
        start = self.offset + -self.offset % 8
        if len(self.raw) < start:
            raise OpenFlowError("OFPBPC_BAD_LEN")
        return self.raw[start:]

    def u8(self) -> int:
        """A value of 8 bits, whatever follows."""
        return self._least(1)[0]

    def u16(self) -> int:
        """A value of 16 bits, whatever follows."""
        return int(_U16.unpack_from(self._least(_U16.size))[0])

    def u32(self) -> int:
        """A value of 32 bits and nothing else."""
        return int(_U32.unpack(self._exactly(_U32.size))[0])

    def u64(self) -> int:
        """A value of 64 bits and nothing else, behind padding."""
        value = self.nested
        if len(value) != _U64.size:
            raise OpenFlowError("OFPBPC_BAD_LEN")
        return int(_U64.unpack(value)[0])

    def _least(self, n_bytes: int) -> bytes:
        value = self.value
        if len(value) < n_bytes:
            raise OpenFlowError("OFPBPC_BAD_LEN")
        return value

    def _exactly(self, n_bytes: int) -> bytes:
        value = self.value
        if len(value) != n_bytes:
            raise OpenFlowError("OFPBPC_BAD_LEN")
        return value


def experimenter_type(vendor: int, number: int) -> int:
    """The type of an experimenter's property."""
    return vendor << 32 | number


def properties(
    data: bytes, *, alignment: int = 8, least_experimenter: int = _EXPERIMENTER
) -> Iterator[Property]:
    """The properties that ``data`` consists of. Raises :class:`OpenFlowError` when it comes to one
    that is cut off; types from ``least_experimenter`` on are those of experimenters."""
    at = 0
    while at < len(data):
        if len(data) - at < _HEADER.size:
            raise OpenFlowError("OFPBPC_BAD_LEN")
        kind, n_bytes = _HEADER.unpack_from(data, at)
        next_at = at + n_bytes + -n_bytes % alignment
        if n_bytes < _HEADER.size or next_at > len(data):
            raise OpenFlowError("OFPBPC_BAD_LEN")
        offset = _HEADER.size
        if kind >= least_experimenter:
            offset = _EXPERIMENTER_HEADER.size
            if n_bytes < offset:
                raise OpenFlowError("OFPBPC_BAD_LEN")
            _, _, vendor, number = _EXPERIMENTER_HEADER.unpack_from(data, at)
            if not vendor:
                raise OpenFlowError("OFPBPC_BAD_EXPERIMENTER")
            kind = experimenter_type(vendor, number)
        yield Property(kind, bytes(data[at : at + n_bytes]), offset)
        at = next_at


def refuse_unknown(kind: int, module: str, what: str) -> OpenFlowError:
    """What is said of a property of an unknown type, among the properties of ``what``."""
    vendor, number = kind >> 32, kind & _U32_MASK
    if vendor:
        text = f"unknown {what} property type for exp_id 0x{vendor:x}, exp_type {number}"
        return OpenFlowError("OFPBPC_BAD_EXP_TYPE", warning=(module, text))
    text = f"unknown {what} property type {number}"
    return OpenFlowError("OFPBPC_BAD_TYPE", warning=(module, text))


def put(kind: int, value: bytes = b"") -> bytes:
    """A property with its padding."""
    vendor = kind >> 32
    if vendor:
        n_bytes = _EXPERIMENTER_HEADER.size + len(value)
        header = _EXPERIMENTER_HEADER.pack(_EXPERIMENTER, n_bytes, vendor, kind & _U32_MASK)
    else:
        n_bytes = _HEADER.size + len(value)
        header = _HEADER.pack(kind, n_bytes)
    return header + value + bytes(-n_bytes % 8)


def put_u16(kind: int, value: int) -> bytes:
    """One of 16 bits. Where it is no experimenter's, padding counts as part of it."""
    return put(kind, _U16.pack(value) + (b"" if kind >> 32 else bytes(2)))


def put_u32(kind: int, value: int) -> bytes:
    """One of 32 bits."""
    return put(kind, _U32.pack(value))


def put_nested(kind: int, value: bytes) -> bytes:
    """One whose value begins at a multiple of 8 bytes."""
    header = _EXPERIMENTER_HEADER if kind >> 32 else _HEADER
    return put(kind, bytes(-header.size % 8) + value)


def put_u64(kind: int, value: int) -> bytes:
    """One of 64 bits. Four bytes of padding stand before it."""
    return put(kind, bytes(4) + _U64.pack(value))
