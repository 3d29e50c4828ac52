"""A match written as a list of fields: NXM and OXM without what is around them.

Most matches of a table differ in a few values only. So which fields are said of a kind of match
is found out once for each kind. Sources: ovs-fields(7); OpenFlow 1.5.1, section 7.2.3.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import NamedTuple

from vnet.ovs.flow.field_access import VLAN_VID_MASK
from vnet.ovs.flow.fields import Field
from vnet.ovs.flow.flow import CFI, Bits, Flow
from vnet.ovs.flow.match import Match, TunOption
from vnet.ovs.flow.match_fields import match_fields, said_value
from vnet.ovs.flow.protocol_numbers import IPPROTO_ICMPV6
from vnet.ovs.openflow.wire.oxm import COOKIE_HEADER, COOKIE_HEADER_MASKED, header_of

_ALL_COOKIE = (1 << 64) - 1


class _Said(NamedTuple):
    """A field that is said of a kind of match: what stands before and behind its value."""

    header: bytes
    value_of: Callable[[Flow], int]
    n_bytes: int
    mask: bytes


def encode_field_list(match: Match, version: int, cookie: int = 0, cookie_mask: int = 0) -> bytes:
    """The fields of a match in a version of OpenFlow, or with NXM (nx_put_raw)."""
    value, mask, tun_options = match
    parts: list[bytes] = []
    flow = Flow(value)
    for header, value_of, n_bytes, mask_bytes in _said_of(
        mask, _deciding(value, mask), tun_options, version
    ):
        parts += (header, value_of(flow).to_bytes(n_bytes, "big"), mask_bytes)
    if cookie_mask:
        parts.append(_encode_cookie(cookie & cookie_mask, cookie_mask))
    return b"".join(parts)


def _encode_cookie(cookie: int, mask: int) -> bytes:
    if mask == _ALL_COOKIE:
        return COOKIE_HEADER + cookie.to_bytes(8, "big")
    return COOKIE_HEADER_MASKED + cookie.to_bytes(8, "big") + mask.to_bytes(8, "big")


def _masks(*members: Bits) -> int:
    return sum(bits.mask for bits in members)


_DECIDING = _masks(Flow.packet_type, Flow.dl_type, Flow.nw_proto, Flow.ct_nw_proto)
_DECIDING_ICMPV6 = _DECIDING | _masks(Flow.tp_src, Flow.tp_dst)
_VID = (VLAN_VID_MASK | CFI) << Flow.vlan_tci.shift


def _deciding(value: int, mask: int) -> int:
    """The values in a match that decide which fields are said of it."""
    is_icmpv6 = Flow.nw_proto.of(value) == IPPROTO_ICMPV6
    deciding = value & (_DECIDING_ICMPV6 if is_icmpv6 else _DECIDING)
    # Of a VLAN it matters only whether there is one.
    return deciding | (mask & _VID if value & _VID else 0)


@lru_cache(maxsize=1024)
def _said_of(
    mask: int, deciding: int, tun_options: tuple[TunOption, ...], version: int
) -> tuple[_Said, ...]:
    said = match_fields(Match(deciding, mask, tun_options), version)
    options = {f"tun_metadata{option.number}": option for option in tun_options}
    return tuple(
        _said(field, field_mask, options.get(field.name), version) for field, _, field_mask in said
    )


def _said(field: Field, mask: int, option: TunOption | None, version: int) -> _Said:
    n_bytes = field.n_bytes if option is None else option.n_bytes
    is_masked = mask != field.ones
    return _Said(
        header_of(field, version, is_masked=is_masked, n_bytes=n_bytes),
        said_value(field) if option is None else _value_of_option(option),
        n_bytes,
        mask.to_bytes(n_bytes, "big") if is_masked else b"",
    )


def _value_of_option(option: TunOption) -> Callable[[Flow], int]:
    return lambda flow: flow.key >> option.shift & option.ones
