"""Values under their qualifiers: ``src host 10.0.0.1``, ``tcp port http``, ``ip proto 17``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from vnet.base.text import did_you_mean, quote
from vnet.wire.ether import TYPE_ARP, TYPE_IPV4, TYPE_IPV6
from vnet.wire.filter import checks, syntax
from vnet.wire.filter.checks import Check, Layer
from vnet.wire.filter.errors import FilterError
from vnet.wire.filter.names import (
    ETHER,
    ETHER_PROTOCOLS,
    IP_PROTOCOLS,
    PORTS,
    TRANSPORTS,
    TYPE_RARP,
)

_IP4_PLACES = {"ip": {TYPE_IPV4: (12, 16)}, "arp": {TYPE_ARP: (14, 24)}}
_IP4_PLACES["rarp"] = {TYPE_RARP: (14, 24)}
_IP4_PLACES[""] = _IP4_PLACES["ip"] | _IP4_PLACES["arp"] | _IP4_PLACES["rarp"]
_IP6_PLACES = {TYPE_IPV6: (8, 24)}

_WHOLE = 0xFFFFFFFF
_MAX_PORT = 0xFFFF
_PORT_DIGITS = 5


def match_value(node: syntax.Match, layer: Layer) -> Check:
    """The check for one value; raises :class:`FilterError` where the qualifier forbids it."""
    kind = node.qualifier.kind
    if kind in ("port", "portrange"):
        return _ports(node, layer)
    if kind == "proto":
        return _protocol(node, layer)
    return _address(node, layer)


# Addresses.


def _address(node: syntax.Match, layer: Layer) -> Check:
    qualifier, operand = node.qualifier, node.operand
    match operand:
        case syntax.EtherAddress():
            if qualifier.protocol != ETHER or qualifier.kind == "net":
                hint = "write 'ether host', 'ether src' or 'ether dst' before it"
                raise FilterError("a MAC address belongs to 'ether'", hint, operand.column)
            return checks.ether_ends(checks.ends(qualifier.direction, checks.is_mac(operand.mac)))
        case syntax.Name():
            hint = "write its MAC address" if qualifier.protocol == ETHER else "write its address"
            raise FilterError(
                f"the name {quote(operand.text)} is not looked up", hint, operand.column
            )
        case syntax.Ipv6():
            return _ip6(qualifier, operand, layer)
        case syntax.Ipv4Net():
            if qualifier.kind != "net":
                raise FilterError("a mask belongs to 'net'", "write 'net'", operand.column)
            return _ip4(qualifier, operand.value, operand.mask, operand.column, layer)
        case syntax.Ipv4():
            shift = 32 - operand.bits
            value, mask = operand.value << shift, _WHOLE << shift & _WHOLE
            return _ip4(qualifier, value, mask, operand.column, layer)
        case syntax.Number():
            value, mask = operand.value, _WHOLE
            if qualifier.kind == "net":
                value, mask = _short_net(value)
            return _ip4(qualifier, value, mask, operand.column, layer)


def _short_net(value: int) -> tuple[int, int]:
    """``net 10`` is 10.0.0.0/8: the bytes given are the first ones."""
    mask = _WHOLE
    while value and not value >> 24:
        value, mask = value << 8, mask << 8 & _WHOLE
    return value, mask


def _ip4(qualifier: syntax.Qualifier, value: int, mask: int, column: int, layer: Layer) -> Check:
    places = _IP4_PLACES.get(qualifier.protocol)
    if places is None:
        hint = "'ip', 'arp', 'rarp' or nothing goes before it"
        raise FilterError(f"'{qualifier.protocol}' has no IPv4 addresses", hint, column)
    matches = checks.ends(qualifier.direction, checks.is_ipv4(value, mask))
    return checks.network_ends(layer, places, matches)


def _ip6(qualifier: syntax.Qualifier, operand: syntax.Ipv6, layer: Layer) -> Check:
    if qualifier.protocol not in ("", "ip6"):
        hint = "'ip6' or nothing goes before it"
        what = f"'{qualifier.protocol}' has no IPv6 addresses"
        raise FilterError(what, hint, operand.column)
    if operand.prefix_length != 128 and qualifier.kind != "net":
        raise FilterError("a prefix length belongs to 'net'", "write 'net'", operand.column)
    matches = checks.ends(qualifier.direction, checks.is_ipv6(operand.value, operand.prefix_length))
    return checks.network_ends(layer, _IP6_PLACES, matches)


# Ports.


class _Range(NamedTuple):
    """Ports, and the transport that a service's name binds them to; empty where none does."""

    low: int
    high: int
    transport: str = ""


def _ports(node: syntax.Match, layer: Layer) -> Check:
    qualifier, operand = node.qualifier, node.operand
    protocol = qualifier.protocol
    if protocol and protocol not in TRANSPORTS:
        hint = "'tcp', 'udp', 'sctp' or nothing goes before it"
        raise FilterError(f"'{protocol}' has no ports", hint, operand.column)
    ports = _range(operand, qualifier.kind)
    if ports.high > _MAX_PORT:
        raise FilterError(f"there is no port {ports.high}", f"at most {_MAX_PORT}", operand.column)
    if protocol and ports.transport not in ("", protocol):
        what = f"this service is known over {ports.transport} alone"
        hint = f"write '{ports.transport}' or the number"
        raise FilterError(what, hint, operand.column)
    only = protocol or ports.transport
    protocols = frozenset((TRANSPORTS[only],) if only else TRANSPORTS.values())
    matches = checks.ends(qualifier.direction, checks.is_port(ports.low, ports.high))
    return checks.port_ends(layer, protocols, matches)


def _range(operand: syntax.Operand, kind: str) -> _Range:
    if isinstance(operand, syntax.Number):
        return _Range(operand.value, operand.value)
    if not isinstance(operand, syntax.Name):
        hint = "a port is a number or the name of a service"
        raise FilterError(f"an address is no {kind}", hint, operand.column)
    if kind == "port":
        return _service(operand.text, operand.column)
    first, dash, last = operand.text.partition("-")
    if not dash:
        hint = "write '80-90'"
        raise FilterError(f"{quote(operand.text)} is no range", hint, operand.column)
    bounds = [_bound(text, operand.column) for text in (first, last)]
    transports = {bound.transport for bound in bounds}
    return _Range(
        min(bounds).low, max(bounds).high, transports.pop() if len(transports) == 1 else ""
    )


def _service(text: str, column: int) -> _Range:
    if text not in PORTS:
        hint = did_you_mean(text, sorted(PORTS), "write its number, or one of")
        if text[:1].isdigit() and "-" in text:
            hint = f"a range is written 'portrange {text[:20]}'"
        raise FilterError(f"{quote(text)} is no port known here", hint, column)
    port, transports = PORTS[text]
    return _Range(port, port, transports[0] if len(transports) == 1 else "")


def _bound(text: str, column: int) -> _Range:
    """One end of a range: a decimal number, even behind a 0, or a service."""
    if not (text.isascii() and text.isdigit()):
        return _service(text, column)
    port = int(text) if len(text.lstrip("0")) <= _PORT_DIGITS else _MAX_PORT + 1
    if port > _MAX_PORT:
        hint = f"at most {_MAX_PORT}"
        raise FilterError(f"there is no port {quote(text)}", hint, column)
    return _Range(port, port)


# Protocols by number.


def _protocol(node: syntax.Match, layer: Layer) -> Check:
    protocol, operand = node.qualifier.protocol, node.operand
    if protocol == ETHER:
        return checks.link_type(layer, _protocol_number(operand, ETHER_PROTOCOLS, 0xFFFF))
    by_version = {
        "": checks.ip_protocol,
        "ip": checks.ip4_protocol,
        "ip6": checks.ip6_protocol,
    }
    if protocol not in by_version:
        hint = "'ether', 'ip', 'ip6' or nothing goes before it"
        raise FilterError(f"'{protocol} proto' has no meaning", hint, operand.column)
    return by_version[protocol](layer, _protocol_number(operand, IP_PROTOCOLS, 0xFF))


def _protocol_number(operand: syntax.Operand, names: Mapping[str, int], limit: int) -> int:
    if isinstance(operand, syntax.Number):
        if operand.value > limit:
            what = f"there is no protocol {operand.value}"
            raise FilterError(what, f"at most {limit}", operand.column)
        return operand.value
    if not isinstance(operand, syntax.Name):
        raise FilterError("an address is no protocol", "write its number", operand.column)
    number = names.get(operand.text.lower())
    if number is None:
        what = f"{quote(operand.text)} is no protocol known here"
        hint = did_you_mean(operand.text, sorted(names), "write its number, or one of")
        raise FilterError(what, hint, operand.column)
    return number
