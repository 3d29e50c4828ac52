"""The values below ``dhcp``: ranges, lease times, names and options."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import BeforeValidator, Field, PlainValidator, WithJsonSchema

from vnet.base.ids import IpAddress, ip_text
from vnet.base.text import did_you_mean, quote
from vnet.base.units import NS_PER_S
from vnet.linux.services.dhcp_server.settings import (
    FOREVER_S,
    LEAST_LEASE_S,
    DhcpOption,
    DhcpRange,
)
from vnet.topology.schema.fields import IpText, listed, one_or_list
from vnet.topology.schema.values import RefusedError, kind_of, parse_duration, parse_ip
from vnet.wire import dhcp_options
from vnet.wire.dhcp_options import BY_NAME, INTERNAL, OptionKind, OptionType

_LABEL = re.compile("[A-Za-z0-9]([A-Za-z0-9_-]{0,62})", re.ASCII)
_HEX = re.compile("[0-9A-Fa-f]{1,2}(:[0-9A-Fa-f]{1,2})+", re.ASCII)
_MOST_TEXT_BYTES = 255
_NONE = "none"
_FOREVER = "infinite"


def parse_range(value: object) -> DhcpRange:
    """``10.0.0.2-10.0.0.254``, or one address."""
    example = "for example 10.0.0.2-10.0.0.254"
    if not isinstance(value, str):
        raise RefusedError(f"wants a range of addresses, not {kind_of(value)}", example)
    first, dash, last = (part.strip() for part in value.partition("-"))
    start = parse_ip(first)
    end = parse_ip(last) if dash else start
    if len(start) != 4 or len(end) != 4:
        raise RefusedError(f"{quote(value)} is not a range of IPv4 addresses", example)
    if start > end:
        what = f"the range {quote(value)} ends before it begins"
        raise RefusedError(what, f"did you mean {ip_text(end)}-{ip_text(start)}?")
    return DhcpRange(start, end)


def parse_lease(value: object) -> int:
    """How long an address is lent, in seconds: ``1h``, or ``infinite``."""
    if value == _FOREVER:
        return FOREVER_S
    seconds, rest_ns = divmod(parse_duration(value), NS_PER_S)
    if rest_ns or seconds < LEAST_LEASE_S:
        what = f"{quote(value)} is no time for a lease"
        raise RefusedError(what, f"whole seconds, {LEAST_LEASE_S}s at least, or '{_FOREVER}'")
    return seconds


def parse_host_name(value: object) -> str:
    """The name of a host, without its domain."""
    if not isinstance(value, str) or not _LABEL.fullmatch(value):
        shown = quote(value) if isinstance(value, str) else kind_of(value)
        hint = "letters, digits, '-' and '_', 63 at most, and no dot"
        raise RefusedError(f"{shown} is not the name of a host", hint)
    return value


def parse_domain(value: object) -> str:
    """A domain's name: ``example.test``."""
    text = value.rstrip(".") if isinstance(value, str) else ""
    if len(text) > 253 or not all(_LABEL.fullmatch(label) for label in text.split(".")):
        shown = quote(value) if isinstance(value, str) else kind_of(value)
        raise RefusedError(f"{shown} is not the name of a domain", "for example lab.test")
    return text


def parse_client_id(value: object) -> bytes:
    """A client identifier: bytes in hexadecimal with colons, or text."""
    if not isinstance(value, str) or not 0 < len(value) <= _MOST_TEXT_BYTES:
        raise RefusedError(f"wants a client identifier, not {kind_of(value)}", "'01:52:54:...'")
    return _hex(value) or value.encode()


def parse_option(name: object, value: object) -> DhcpOption:
    """An option by its name or number, with what YAML has for its value."""
    text = str(name)
    kind = BY_NAME.get(text)
    if kind is None and text.isascii() and text.isdecimal() and len(text) < 4:
        code = int(text)
        named = (known for known in BY_NAME.values() if known.code == code)
        kind = next(named, OptionType(code, OptionKind.BYTES)) if 0 < code < 255 else None
    if kind is None:
        hint = did_you_mean(text, list(BY_NAME), "known are")
        raise RefusedError(f"there is no DHCP option {quote(text)}", hint)
    if kind.code in INTERNAL:
        raise RefusedError(f"DHCP option {quote(text)} is the protocol's own, not to be set")
    data, is_addresses, is_text = _option_value(kind, value)
    if len(data) > _MOST_TEXT_BYTES:
        raise RefusedError(f"the value of DHCP option {quote(text)} is longer than 255 bytes")
    return DhcpOption(kind.code, data, is_addresses, is_text)


def _option_value(kind: OptionType, value: object) -> tuple[bytes, bool, bool]:
    """The bytes, whether they are addresses, and whether they are text."""
    if value is None or value == _NONE:
        return b"", False, False
    if kind.kind is OptionKind.ADDRESSES:
        return b"".join(_address(each) for each in listed_values(value)), True, False
    if kind.kind is OptionKind.NAMES:
        return dhcp_options.emit_names(map(parse_domain, listed_values(value))), False, False
    if kind.kind is OptionKind.TEXT:
        if not isinstance(value, str):
            raise RefusedError(f"wants text, not {kind_of(value)}", "put it in quotes")
        return value.encode(), False, True
    if kind.kind is OptionKind.SECONDS and isinstance(value, str):
        value = parse_duration(value) // NS_PER_S
    if kind.kind in (OptionKind.NUMBER, OptionKind.SECONDS):
        return _number(value, kind.size_bytes), False, False
    return _bytes(value)


def listed_values(value: object) -> list[object]:
    """A list as it is, anything else as a list of one."""
    return value if isinstance(value, list) else [value]


def _address(value: object) -> IpAddress:
    if value == "0.0.0.0":
        return IpAddress(bytes(4))
    ip = parse_ip(value)
    if len(ip) != 4:
        raise RefusedError(f"{quote(value)} is not an IPv4 address")
    return ip


def _number(value: object, size_bytes: int) -> bytes:
    if isinstance(value, bool):
        value = int(value)
    if not isinstance(value, int) or not 0 <= value < 1 << 8 * size_bytes:
        most = (1 << 8 * size_bytes) - 1
        shown = quote(value) if isinstance(value, int) else kind_of(value)
        raise RefusedError(f"wants a number, not {shown}", f"0 to {most}")
    return value.to_bytes(size_bytes, "big")


def _bytes(value: object) -> tuple[bytes, bool, bool]:
    """What the value looks like decides: a number, addresses, hexadecimal or text."""
    values = listed_values(value)
    numbers = [each for each in values if isinstance(each, int) and 0 <= each < 256]
    if len(numbers) == len(values):
        return bytes(numbers), False, False
    try:
        return b"".join(_address(each) for each in values), True, False
    except RefusedError:
        if not isinstance(value, str):
            what = f"wants text, addresses or bytes, not {kind_of(value)}"
            raise RefusedError(what, "for example '0a:0b:0c'") from None
    data = _hex(value)
    return (value.encode(), False, True) if data is None else (data, False, False)


def _hex(text: str) -> bytes | None:
    if not _HEX.fullmatch(text):
        return None
    return bytes(int(byte, 16) for byte in text.split(":"))


def _server(value: object) -> object:
    """``none``: the clients are told of no such server."""
    return [] if value == _NONE else listed(value)


_RANGE_SCHEMA = {"type": "string", "examples": ["192.168.122.2-192.168.122.254"]}
Ranges = Annotated[
    list[Annotated[DhcpRange, PlainValidator(parse_range)]],
    Field(max_length=64),
    BeforeValidator(listed),
    one_or_list(_RANGE_SCHEMA),
]
LeaseTime = Annotated[
    int,
    PlainValidator(parse_lease),
    WithJsonSchema({"type": "string", "examples": ["1h", "10min", _FOREVER]}),
]
HostName = Annotated[str, PlainValidator(parse_host_name), WithJsonSchema({"type": "string"})]
DomainName = Annotated[str, PlainValidator(parse_domain), WithJsonSchema({"type": "string"})]
ClientId = Annotated[
    bytes,
    PlainValidator(parse_client_id),
    WithJsonSchema({"type": "string", "examples": ["01:52:54:00:12:34:56"]}),
]
Servers = Annotated[
    list[IpText],
    Field(max_length=16),
    BeforeValidator(_server),
    one_or_list({"type": "string", "examples": ["10.0.0.53", _NONE]}),
]
