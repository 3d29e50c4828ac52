"""Random matches in ``ovs-ofctl`` syntax: sensible ones and ones that lack prerequisites."""

from __future__ import annotations

from functools import cache
from ipaddress import IPv4Address, IPv6Address

from hypothesis import strategies as st

from vnet.ovs.flow.fields import FIELDS, Field
from vnet.ovs.flow.flag_text import CT_STATES, TCP_FLAGS, TUNNEL_FLAGS
from vnet.ovs.flow.match_parse import PROTOCOLS

_PORTS = st.sampled_from(("1", "65279", "LOCAL", "in_port", "controller", "4294967294", "none"))
_FRAGMENTS = st.sampled_from(("no", "yes", "first", "later", "not_later"))
_FLAGS = {"ct state": CT_STATES, "TCP flags": TCP_FLAGS, "tunnel flags": {1: TUNNEL_FLAGS[1]}}
_PACKET_TYPES = ("(0,0)", "(1,0x800)", "(1,0x86dd)", "(1,0x806)", "(2,0x1234)")


def _number(bits: int) -> st.SearchStrategy[int]:
    return st.one_of(
        st.integers(0, (1 << bits) - 1), st.sampled_from((0, 1, 1 << bits - 1, (1 << bits) - 1))
    )


def _integers(field: Field) -> st.SearchStrategy[str]:
    bits = 160 if field.is_tun_metadata else field.n_bits
    value = _number(bits).map(lambda number: f"{number:#x}")
    return _maybe_masked(field, value, _number(bits).map(lambda number: f"{number:#x}"))


def _maybe_masked(
    field: Field, value: st.SearchStrategy[str], mask: st.SearchStrategy[str]
) -> st.SearchStrategy[str]:
    if not field.is_maskable:
        return value
    return st.one_of(value, st.tuples(value, mask).map("/".join))


def _mac() -> st.SearchStrategy[str]:
    return st.binary(min_size=6, max_size=6).map(lambda mac: mac.hex(":"))


def _flags(names: dict[int, str]) -> st.SearchStrategy[str]:
    flag = st.sampled_from(sorted(names.values()))
    signed = st.lists(st.tuples(st.sampled_from("+-"), flag), min_size=1, unique_by=lambda x: x[1])
    listed = st.lists(flag, min_size=1, unique=True).map("|".join)
    return st.one_of(signed.map(lambda flags: "".join(map("".join, flags))), listed)


def _ip(field: Field, bits: int) -> st.SearchStrategy[str]:
    of_number = IPv4Address if bits == 32 else IPv6Address
    address = _number(bits).map(lambda number: str(of_number(number)))
    # OVS takes the decimal digits that a mask of IPv6 begins with for a prefix length.
    mask = _number(bits - 4).map(lambda number: str(of_number(0xF << bits - 4 | number)))
    return _maybe_masked(field, address, st.one_of(mask, st.integers(0, bits).map(str)))


@cache
def values(field: Field) -> st.SearchStrategy[str]:
    """Texts of a field's value, under masks too where it can be masked."""
    match field.format_name:
        case "decimal" | "hexadecimal":
            return _integers(field)
        case "Ethernet":
            return _maybe_masked(field, _mac(), _mac())
        case "IPv4":
            return _ip(field, 32)
        case "IPv6":
            return _ip(field, 128)
        case "frag":
            return _FRAGMENTS
        case "packet type":
            return st.sampled_from(_PACKET_TYPES)
        case "OF1.0 port" | "OF1.1+ port":
            return _PORTS
        case flags:
            return _flags(_FLAGS[flags])


ALL_FIELDS = tuple(FIELDS.values())


@st.composite
def parts(draw: st.DrawFn, fields: tuple[Field, ...] = ALL_FIELDS) -> str:
    """``FIELD=VALUE``, by either name of the field."""
    field = draw(st.sampled_from(fields))
    name = draw(st.sampled_from((field.name, field.alias or field.name)))
    return f"{name}={draw(values(field))}"


@cache
def match_texts() -> st.SearchStrategy[str]:
    """Whole matches; most begin with a protocol, so that some of the rest makes sense."""
    protocol = st.sampled_from(("", "eth", *PROTOCOLS, *PROTOCOLS))
    several = st.lists(parts(), max_size=5, unique_by=lambda part: part.partition("=")[0])
    return st.tuples(protocol, several).map(
        lambda drawn: ",".join([drawn[0], *drawn[1]] if drawn[0] else drawn[1])
    )
