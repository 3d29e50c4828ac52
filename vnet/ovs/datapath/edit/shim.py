"""Writing what stands between link and network layer: MPLS (RFC 3032), NSH (RFC 8300), and PBB's
service tag (IEEE 802.1Q clause 9.7)."""

from __future__ import annotations

from vnet.ovs.datapath.edit.checksums import put
from vnet.ovs.datapath.edit.layout import Edit, Layout
from vnet.ovs.flow.flow import Bits, Flow

_WORD_BYTES = 4
_LABEL = Flow.mpls_lse[0]

_NSH_FIXED_BYTES = 8
_NSH_CONTEXT_BYTES = 16
_NSH_FLAGS_SHIFT = 12
_NSH_TTL_SHIFT = 6
_NSH_TTL_BITS = 0x3F
_NSH_FLAGS_BITS = 0x3
_NSH_MD_TYPE_1 = 1


def edit_mpls(value: int, mask: int, layout: Layout) -> Edit | None:
    """The outermost label stack entry."""
    return _edit_word(_LABEL, value, mask, layout.l2_5)


def edit_pbb(value: int, mask: int, layout: Layout) -> Edit | None:
    """The TCI of the outermost service tag."""
    return _edit_word(Flow.pbb_tci, value, mask, layout.l3)


def _edit_word(bits: Bits, value: int, mask: int, at: int | None) -> Edit | None:
    if at is None:
        return None
    end = at + _WORD_BYTES
    new, kept = bits.of(value & mask), ~bits.of(mask)

    def write(data: bytes, _padding: int) -> bytes:
        if len(data) < end:
            return data
        old = int.from_bytes(data[at:end], "big")
        return data[:at] + (old & kept | new).to_bytes(_WORD_BYTES, "big") + data[end:]

    return write


def edit_nsh(value: int, mask: int, layout: Layout) -> Edit | None:
    """Flags, TTL and path; the contexts where they are of fixed length."""
    if layout.l3 is None:
        return None
    at = layout.l3
    word_mask = (
        (Flow.nsh_flags.of(mask) & _NSH_FLAGS_BITS) << _NSH_FLAGS_SHIFT
        | (Flow.nsh_ttl.of(mask) & _NSH_TTL_BITS) << _NSH_TTL_SHIFT
    )  # fmt: skip
    word = Flow.nsh_flags.of(value) << _NSH_FLAGS_SHIFT | Flow.nsh_ttl.of(value) << _NSH_TTL_SHIFT
    word &= word_mask
    path, kept_path = Flow.nsh_path_hdr.of(value & mask), ~Flow.nsh_path_hdr.of(mask)
    contexts, contexts_mask = _contexts(value & mask), _contexts(mask)

    def write(data: bytes, _padding: int) -> bytes:
        if len(data) < at + _NSH_FIXED_BYTES:
            return data
        old_word = int.from_bytes(data[at : at + 2], "big")
        data = put(data, at, (old_word & ~word_mask | word).to_bytes(2, "big"))
        old_path = int.from_bytes(data[at + 4 : at + 8], "big")
        data = put(data, at + 4, (old_path & kept_path | path).to_bytes(4, "big"))
        end = at + _NSH_FIXED_BYTES + _NSH_CONTEXT_BYTES
        if data[at + 2] & 0xF != _NSH_MD_TYPE_1 or len(data) < end:
            return data
        old = int.from_bytes(data[at + _NSH_FIXED_BYTES : end], "big")
        new = old & ~contexts_mask | contexts
        return put(data, at + _NSH_FIXED_BYTES, new.to_bytes(_NSH_CONTEXT_BYTES, "big"))

    return write


def _contexts(key: int) -> int:
    """All four contexts, as they follow each other in the header."""
    return key >> Flow.nsh_context[-1].shift & (1 << _NSH_CONTEXT_BYTES * 8) - 1
