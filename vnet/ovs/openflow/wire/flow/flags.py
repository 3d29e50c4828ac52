"""Flags of flows (OFPFF_*), and of the changes that make them."""

from __future__ import annotations

from vnet.ovs.openflow.errors import OpenFlowError
from vnet.ovs.openflow.messages import FlowFlags
from vnet.ovs.openflow.version import OpenFlowVersion

_FLAGS = {1: 0b11, 2: 0b11, 3: 0b111, 4: 0b11111, 5: 0b11111, 6: 0b11111}
"""The flags that exist, by version; their bits are those of :class:`FlowFlags`."""
_EMERGENCY10 = 0b100
_RESET_COUNTS = int(FlowFlags.RESET_COUNTS)
_FLAGS_OF = tuple(FlowFlags(bits) for bits in range(32))


def encode_flags(flags: FlowFlags, version: int) -> int:
    """The flags that a version knows."""
    return int(flags) & _FLAGS[version]


def decode_flags(flags: int, version: int) -> FlowFlags:
    """The flags in a statistic of a flow. Raises OFPFMFC_BAD_FLAGS for unknown ones."""
    if flags & ~_FLAGS[version]:
        raise OpenFlowError("OFPFMFC_BAD_FLAGS")
    return _FLAGS_OF[flags]


def decode_flow_mod_flags(
    flags: int, version: OpenFlowVersion, *, is_added: bool, has_timeout: bool
) -> FlowFlags:
    """The flags in a change, which adds a flow or does something else, one with a timeout or
    without. Raises :class:`OpenFlowError`."""
    if version > OpenFlowVersion.OF11:
        return decode_flags(flags, version)
    known = _FLAGS[version] | (_EMERGENCY10 if version is OpenFlowVersion.OF10 else 0)
    if flags & ~known:
        raise OpenFlowError("OFPFMFC_BAD_FLAGS")
    if flags & _EMERGENCY10:
        # No emergency flows are kept, so there is no room for any.
        raise OpenFlowError("OFPFMFC_BAD_EMERG_TIMEOUT" if has_timeout else "OFPFMFC_TABLE_FULL")
    # To add always resets counters then, and nothing else does.
    return _FLAGS_OF[flags | _RESET_COUNTS if is_added else flags]
