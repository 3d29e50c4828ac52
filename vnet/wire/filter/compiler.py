"""From tree to closures, from left to right: a ``vlan`` moves all that is read after it."""

from __future__ import annotations

from vnet.wire.ether import TYPE_QINQ, TYPE_VLAN
from vnet.wire.filter import arithmetic, checks, syntax, values
from vnet.wire.filter.checks import Check, Layer
from vnet.wire.filter.errors import FilterError
from vnet.wire.filter.names import (
    ETHER,
    ICMP6_PROTOCOL,
    IP4_ABBREVIATIONS,
    IP_ABBREVIATIONS,
    LINK_PROTOCOLS,
)

_VLAN_TPIDS = (TYPE_VLAN, TYPE_QINQ, 0x9100)
_MAX_VID = 0x0FFF
_MAC_BROADCAST = b"\xff" * 6


def compile_test(node: syntax.Test, layer: Layer) -> Check:
    """The check for a tree; raises :class:`FilterError` where it makes no sense."""
    match node:
        case syntax.Chain():
            first = compile_test(node.first, layer)
            return checks.chain(
                first, tuple((is_and, compile_test(test, layer)) for is_and, test in node.rest)
            )
        case syntax.Not():
            return checks.negation(compile_test(node.test, layer))
        case syntax.Relation():
            return arithmetic.relation(node, layer)
        case syntax.Match():
            return values.match_value(node, layer)
        case syntax.Protocol():
            return _protocol(node, layer)
        case syntax.Cast():
            return _cast(node, layer)
        case syntax.Vlan():
            return _vlan(node, layer)


def _protocol(node: syntax.Protocol, layer: Layer) -> Check:
    if node.name in LINK_PROTOCOLS:
        return checks.link_type(layer, LINK_PROTOCOLS[node.name])
    if node.name in IP_ABBREVIATIONS:
        return checks.ip_protocol(layer, IP_ABBREVIATIONS[node.name])
    if node.name in IP4_ABBREVIATIONS:
        return checks.ip4_protocol(layer, IP4_ABBREVIATIONS[node.name])
    if node.name == "icmp6":
        return checks.ip6_protocol(layer, ICMP6_PROTOCOL)
    hint = "it goes before 'host', 'src', 'dst', 'proto', 'broadcast', 'multicast' or '['"
    raise FilterError(f"'{node.name}' alone tests nothing", hint, node.column)


def _cast(node: syntax.Cast, layer: Layer) -> Check:
    if node.protocol in ("", ETHER):
        if node.kind == "broadcast":
            return checks.ether_ends(checks.ends("dst", checks.is_mac(_MAC_BROADCAST)))
        return checks.group_mac()
    if node.protocol == "ip" and node.kind == "broadcast":
        return checks.ip4_broadcast(layer)
    if node.protocol == "ip":
        return checks.ip4_multicast(layer)
    if node.protocol == "ip6" and node.kind == "multicast":
        return checks.ip6_multicast(layer)
    hint = "'ether' and 'ip' have broadcasts, 'ether', 'ip' and 'ip6' multicasts"
    raise FilterError(f"'{node.protocol}' has no {node.kind}", hint, node.column)


def _vlan(node: syntax.Vlan, layer: Layer) -> Check:
    if node.vid is not None and node.vid > _MAX_VID:
        raise FilterError(f"there is no VLAN {node.vid}", f"at most {_MAX_VID}", node.column)
    check = checks.vlan(layer, node.vid, _VLAN_TPIDS)
    layer.skip_tag()
    return check
