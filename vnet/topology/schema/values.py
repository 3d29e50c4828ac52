"""How single values are read from a topology file, and what they turn into.

Each function takes what YAML gave (text, a number, a list) and hands on the unit the lab works
in: ``1ms`` becomes nanoseconds, ``10.0.0.1/24`` a packed address with its length. A value that
will not do raises :class:`RefusedError`, a ``ValueError`` that knows a hint; pydantic passes it
through and :mod:`vnet.topology.reading.explain` prints it.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime
from ipaddress import ip_address
from math import isfinite
from typing import TypeVar

from vnet.base.ids import IpAddress, Mac, mac_from_text, network_of
from vnet.base.text import quote
from vnet.base.units import NS_PER_S, parse_duration_ns, parse_rate_bps, parse_share
from vnet.linux.netns.sysctl.names import nearest_name, parse_setting
from vnet.netdev.device_name import MOST_NAME_BYTES, is_device_name
from vnet.topology.model import Address, Dynamic, Endpoint

NAME_PATTERN = "[A-Za-z0-9][A-Za-z0-9._-]{0,62}"
_NAME = re.compile(NAME_PATTERN, re.ASCII)
_STARRED = re.compile(rf"({NAME_PATTERN}\*?):({NAME_PATTERN}\*?)", re.ASCII)
_SETTING = re.compile(
    r"-?[0-9]{1,10}([ \t]+-?[0-9]{1,10}){0,7}|[0-9,-]{1,100}|[a-z][a-z0-9_]{0,31}", re.ASCII
)
_SYSCTL = re.compile("[A-Za-z0-9_]+([./][A-Za-z0-9_:*-]+){1,9}", re.ASCII)
NAME_HINT = "a letter or digit, then up to 62 letters, digits, '.', '_' or '-'"

MAX_DURATION_NS = 366 * 24 * 3600 * NS_PER_S
MAX_RATE_BPS = 1_000 * 10**12
_MAX_QUANTITY_LENGTH = 40
_LAST_EPOCH_S = 7_258_118_400  # 2200-01-01: pcapng counts nanoseconds in 64 bits.


_Number = TypeVar("_Number", int, float)


class RefusedError(ValueError):
    """A value that cannot be used: what is wrong with it, and a hint."""

    def __init__(self, what: str, hint: str = "") -> None:
        super().__init__(what)
        self.what = what
        self.hint = hint


def kind_of(value: object) -> str:
    """What a YAML value is, in words a reader of YAML uses."""
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return f"the number {value}"
    if isinstance(value, str):
        return f"the text {quote(value)}"
    return "a map" if isinstance(value, dict) else "a list"


def _text(value: object, noun: str, example: str) -> str:
    if not isinstance(value, str):
        raise RefusedError(f"wants {noun}, not {kind_of(value)}", f"for example {example}")
    return value


def parse_version(value: object) -> int:
    """The number 1, and not what merely equals it (true, 1.0)."""
    if type(value) is not int or value != 1:
        raise RefusedError(f"version is 1, not {kind_of(value)}", "this vnet reads version 1 only")
    return value


def parse_name(value: object) -> str:
    """A name of anything: it ends up in file names and on the screen, so it is tame."""
    if not isinstance(value, str):
        hint = "put it in quotes" if isinstance(value, int | float) else NAME_HINT
        raise RefusedError(f"wants a name, not {kind_of(value)}", hint)
    if not _NAME.fullmatch(value):
        raise RefusedError(f"{quote(value)} is not a name", NAME_HINT)
    return value


def parse_interface_name(value: object) -> str:
    """A name of a device, which the kernel must take."""
    name = parse_name(value)
    if not is_device_name(name):
        hint = f"the kernel takes up to {MOST_NAME_BYTES} characters, and not 'all' or 'default'"
        raise RefusedError(f"{quote(name)} is not a name for a device", hint)
    return name


def _quantity(value: object, noun: str, example: str, parse: Callable[[str], _Number]) -> _Number:
    if isinstance(value, int | float) and not isinstance(value, bool):
        if value == 0:
            return parse("0")
        if value < 0:
            raise RefusedError(f"{value} is negative", f"for example {example}")
        raise RefusedError(f"{value} has no unit", f"for example {example}")
    text = _text(value, f"a {noun}", example)
    if text.lstrip().startswith("-"):
        raise RefusedError(f"{quote(text)} is negative", f"for example {example}")
    if len(text) > _MAX_QUANTITY_LENGTH:
        raise RefusedError(f"{quote(text)} is not a {noun}", f"for example {example}")
    try:
        return parse(text)
    except ValueError as error:
        hint = str(error).rpartition(": ")[2]
        raise RefusedError(f"{quote(text)} is not a {noun}", hint) from None


def parse_duration(value: object) -> int:
    """``1ms`` to nanoseconds, a year at most."""
    ns = _quantity(value, "duration", "10ms", parse_duration_ns)
    if ns > MAX_DURATION_NS:
        raise RefusedError(f"{quote(value)} is more than a year")
    return ns


def parse_rate(value: object) -> int:
    """``1gbit`` to bits per second, at least one."""
    bps = _quantity(value, "rate", "1gbit", parse_rate_bps)
    if bps == 0:
        raise RefusedError("a bandwidth of 0 carries nothing", "leave it out for no limit")
    if bps > MAX_RATE_BPS:
        raise RefusedError(f"{quote(value)} is more than 1000tbit")
    return bps


def parse_share_value(value: object) -> float:
    """``2.5%`` to 0.025, at most 1."""
    share = _quantity(value, "percentage", "1%", parse_share)
    if share > 1:
        raise RefusedError(f"{quote(value)} is more than 100%")
    return share


def parse_mac(value: object) -> Mac:
    """The address of one card: group addresses and all zeros are refused."""
    text = _text(value, "a MAC address", "'52:54:00:12:34:56'")
    try:
        mac = mac_from_text(text)
    except ValueError:
        what = f"{quote(text)} is not a MAC address"
        raise RefusedError(what, "for example 52:54:00:12:34:56") from None
    if mac[0] & 1:
        raise RefusedError(f"MAC {text} is a group address", "the first byte must be even")
    if not any(mac):
        raise RefusedError(f"MAC {text} is nobody's address")
    return mac


def parse_ip(value: object) -> IpAddress:
    """The address of one machine, IPv4 or IPv6, without a prefix length."""
    text = _text(value, "an IP address", "'10.0.0.1' or '2001:db8::1'")
    if "/" in text:
        raise RefusedError(f"{quote(text)} has a prefix length", "only the address belongs here")
    return _host_ip(text, text)


def _host_ip(ip: str, shown: str) -> IpAddress:
    try:
        address = ip_address(ip)
    except ValueError:
        address = None
    if address is None or "%" in ip:
        raise RefusedError(f"{quote(shown)} is not an IP address")
    if address.is_multicast or ip == "255.255.255.255":
        raise RefusedError(f"{quote(shown)} is a group address, not one machine's")
    if address.is_unspecified:
        raise RefusedError(f"{quote(shown)} is nobody's address")
    if address.is_loopback:
        raise RefusedError(f"{quote(shown)} is a loopback address")
    return IpAddress(address.packed)


def _prefix_length(text: str, bits: int, shown: str) -> int:
    if not re.fullmatch("[0-9]{1,3}", text, re.ASCII) or int(text) > bits:
        raise RefusedError(f"{quote(shown)} has a bad prefix length", f"a number from 0 to {bits}")
    return int(text)


def parse_address(value: object) -> Address:
    """``10.0.0.1/24``: a machine's address and how much of it names the network."""
    text = _text(value, "an address with prefix length", "10.0.0.1/24")
    ip_part, slash, length_part = text.partition("/")
    ip = _host_ip(ip_part, text)
    bits = len(ip) * 8
    if not slash:
        example = f"{ip_part}/24" if bits == 32 else f"{ip_part}/64"
        raise RefusedError(f"{quote(text)} has no prefix length", f"for example {example}")
    length = _prefix_length(length_part, bits, text)
    if length == 0:
        raise RefusedError(f"{quote(text)} has a bad prefix length", f"a number from 1 to {bits}")
    check_host_part(Address(ip, length), text)
    return Address(ip, length)


def parse_card_address(value: object) -> Address | Dynamic:
    """As :func:`parse_address`, or ``dhcp``: whatever a server has to give."""
    return Dynamic.DHCP if value == Dynamic.DHCP.value else parse_address(value)


def check_host_part(address: Address, shown: str) -> None:
    """Refuse an IPv4 address that names its network or all of it (RFC 3021 spares /31)."""
    if len(address.ip) == 16 or address.prefix_length >= 31:
        return
    host_bits = (1 << (32 - address.prefix_length)) - 1
    host = int.from_bytes(address.ip, "big") & host_bits
    if host == 0:
        raise RefusedError(f"{quote(shown)} is the address of its network, not of a machine")
    if host == host_bits:
        raise RefusedError(f"{quote(shown)} is the broadcast address of its network")


def parse_network(value: object) -> tuple[IpAddress, int] | None:
    """``10.0.0.0/8``, or None for ``default`` (whose family is its gateway's)."""
    text = _text(value, "a network", "10.0.0.0/8 or default")
    if text == "default":
        return None
    ip_part, slash, length_part = text.partition("/")
    try:
        address = ip_address(ip_part)
    except ValueError:
        address = None
    if address is None or "%" in ip_part:
        raise RefusedError(f"{quote(text)} is not a network", "for example 10.0.0.0/8 or default")
    ip = IpAddress(address.packed)
    bits = len(ip) * 8
    length = _prefix_length(length_part, bits, text) if slash else bits
    network = network_of(ip, length)
    if network != ip:
        hint = f"the network is {ip_address(network)}/{length}"
        raise RefusedError(f"{quote(text)} has host bits set", hint)
    return ip, length


def parse_endpoint(value: object) -> Endpoint:
    """``h1:eth0``: a device on a node."""
    text = _text(value, "node:device", "h1:eth0")
    node, colon, device = text.partition(":")
    if not colon or not _NAME.fullmatch(node) or not _NAME.fullmatch(device):
        raise RefusedError(f"{quote(text)} is not of the form node:device", "for example h1:eth0")
    return Endpoint(node, device)


def parse_starred_name(value: object) -> str:
    """A name, or ``h*`` for every instance of template h."""
    if isinstance(value, str) and value.endswith("*") and _NAME.fullmatch(value[:-1]):
        return value
    return parse_name(value)


def parse_starred_endpoint(value: object) -> Endpoint:
    """``h1:eth0``, or with a star behind either name: ``h*:eth0``, ``tor*:p*``."""
    match = _STARRED.fullmatch(value) if isinstance(value, str) else None
    if match is not None:
        return Endpoint(match[1], match[2])
    if isinstance(value, str) and "*" in value:
        what = f"{quote(value)} is not of the form node:device"
        raise RefusedError(what, "a star ends a name, as in h*:eth0 or tor*:p*")
    return parse_endpoint(value)


def parse_source(value: object) -> tuple[str, str | None]:
    """``vm1`` or ``vm1:eth0``."""
    if isinstance(value, str) and ":" in value:
        end = parse_endpoint(value)
        return end.node, end.device
    return parse_name(value), None


def parse_station(value: object) -> Mac | tuple[str, str | None]:
    """A MAC address, or the card that has it: ``vm1``, ``vm1:eth0``."""
    try:
        return mac_from_text(str(value))
    except ValueError:
        return parse_source(value)


def parse_tc(value: object) -> object:
    """A command of tc, which YAML may have taken for something else."""
    if isinstance(value, dict):
        raise RefusedError("a command of tc is text, not a map", "one with ': ' in it needs quotes")
    return value


def parse_target(value: object) -> str:
    """A node's name, or an IP address as it stands."""
    if isinstance(value, str):
        try:
            address = ip_address(value)
        except ValueError:
            if ":" in value:
                what = f"{quote(value)} is neither a name nor an IP address"
                raise RefusedError(what) from None
        else:
            if "%" in value:
                raise RefusedError(f"{quote(value)} has a zone", "write the address without it")
            return str(address)
    return parse_name(value)


_MOST_PORT = 65_535


def parse_server(value: object) -> tuple[str, int | None]:
    """A machine, and the port that it listens on: ``web`` or ``web:80``."""
    if not isinstance(value, str) or ":" not in value:
        return parse_name(value), None
    node, _, port = value.partition(":")
    if not port.isascii() or not port.isdecimal() or not 1 <= int(port[:6]) <= _MOST_PORT:
        what = f"{quote(value)} is not of the form machine:port"
        raise RefusedError(what, "for example web or web:80")
    return parse_name(node), int(port)


def parse_epoch(value: object) -> int:
    """An ISO 8601 time (UTC where it does not say) or Unix seconds, to nanoseconds."""
    example = "2025-01-01T00:00:00Z"
    seconds: float
    if isinstance(value, int) and not isinstance(value, bool):
        if not 0 <= value <= _LAST_EPOCH_S:
            raise RefusedError(f"{quote(value)} is not between the years 1970 and 2200")
        return value * NS_PER_S
    text = _text(value, "a time", example)
    try:
        moment = datetime.fromisoformat(text)
        moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment
        seconds = moment.timestamp()
    except (ValueError, OverflowError):
        raise RefusedError(f"{quote(text)} is not a time", f"for example {example}") from None
    if not 0 <= seconds <= _LAST_EPOCH_S:
        raise RefusedError(f"{quote(text)} is not between the years 1970 and 2200")
    return int(moment.replace(microsecond=0).timestamp()) * NS_PER_S + moment.microsecond * 1_000


def parse_table_number(value: object) -> int:
    """A key that is the number of a table of flows, 0 to 254."""
    text = str(value)
    if not (text.isascii() and text.isdecimal() and len(text) < 4 and int(text) < 255):
        raise RefusedError(f"there is no table {quote(text)}", "0 to 254")
    return int(text)


def parse_sysctl_name(value: object) -> str:
    """``net.ipv4.ip_forward``, or the same with slashes as below /proc/sys; one that exists.

    Whether there is the device that it may name, and whether it takes the value, is seen later.
    """
    if not isinstance(value, str) or not _SYSCTL.fullmatch(value):
        what = f"{quote(value)} is not the name of a kernel setting"
        raise RefusedError(what, "for example net.ipv4.ip_forward")
    name = parse_setting(value)
    if name is None:
        near = nearest_name(value)
        hint = f"did you mean {quote(near)}?" if near else "`vnet shell` lists them: sysctl -a"
        raise RefusedError(f"there is no kernel setting {quote(value)}", hint)
    return name.text


def parse_sysctl(value: object) -> str:
    """A kernel setting as /proc/sys would show it: a number, some, ranges of them, or a name."""
    if isinstance(value, bool):
        return "1" if value else "0"
    text = str(value) if isinstance(value, int) else _text(value, "a number", "1")
    if not _SETTING.fullmatch(text):
        raise RefusedError(f"{quote(text)} is not a kernel setting", "write a whole number")
    return text


def parse_expected(value: object) -> int | float | str | bool:
    """What ``expect`` compares with: a plain value, or text such as ``">= 2"``."""
    if isinstance(value, bool | int | float) and isfinite(value):
        return value
    return _text(value, "a value", "3 or '>= 2'")
