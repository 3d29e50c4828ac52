"""A checked packet expression becomes a Scapy packet.

Left to itself Scapy completes a packet from the machine it runs on: the source address
from the kernel's routing table, the destination MAC by a real ARP request, a timestamp
from the clock. In the lab such a field is filled here, from the vNIC that will send the
packet, so that the same file gives the same bytes everywhere.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

from vnet.base.errors import VnetError
from vnet.base.ids import (
    MAC_BROADCAST,
    ip_from_text,
    ip_text,
    is_multicast_ip,
    mac_text,
    multicast_mac_of,
)
from vnet.base.text import quote
from vnet.guest.dissect import BUILD_ERRORS, build_reason
from vnet.topology.packets.expression import MAX_PACKET_BYTES, Layer, PacketExpression, Value
from vnet.topology.packets.layers import MODULE_OF

_ETHERNET_HEADER_BYTES = 14


def build(expression: PacketExpression, *, mac: bytes, ip4: bytes, ip6: bytes) -> Any:
    """The packet, complete: ``bytes()`` of it asks nothing of the machine it runs on.

    ``mac``, ``ip4`` and ``ip6`` are the sender's (packed; empty for none) and stand
    where the expression names no source. An unset Ethernet destination is the group's
    MAC for a group address, else broadcast. Raises :class:`VnetError` when Scapy
    refuses a value, or the packet is longer than IP allows.
    """
    shown = quote(expression.text)
    try:
        packet = _layer(expression.parts[0])
        for part in expression.parts[1:]:
            packet = packet / (_layer(part) if isinstance(part, Layer) else part)
        _complete(packet, mac_text(mac), ip4, ip6)
        length = len(bytes(packet))
    except BUILD_ERRORS as error:
        raise VnetError(f"packet {shown} cannot be built: {build_reason(error)}") from None
    if length > MAX_PACKET_BYTES + _ETHERNET_HEADER_BYTES:
        raise VnetError(f"packet {shown} is {length} bytes long", "64 KiB is the limit of IP")
    return packet


def _layer(value: Any) -> Any:
    """Interpret one checked layer."""
    cls = getattr(import_module(MODULE_OF[value.name]), value.name)
    known = {field.name for field in cls.fields_desc}
    for name, _ in value.fields:
        if name not in known:
            raise VnetError(f"{value.name} of this Scapy has no field {quote(name)}")
    return cls(**{name: _value(item) for name, item in value.fields})


def _value(value: Value) -> Any:
    if isinstance(value, Layer):
        return _layer(value)
    if isinstance(value, list):
        return [_value(item) for item in value]
    if isinstance(value, tuple):
        return tuple(_value(item) for item in value)
    return value


def _complete(packet: Any, mac: str, ip4: bytes, ip6: bytes) -> None:
    """Fill what Scapy would ask the machine for, layer by layer."""
    sender4 = ip_text(ip4) if ip4 else "0.0.0.0"
    sender6 = ip_text(ip6) if ip6 else "::"
    layer = packet
    while layer:
        name = type(layer).__name__
        if name in ("Ether", "Dot3"):
            _default(layer, src=mac, dst=_destination_mac(layer))
        elif name == "ARP":
            _default(layer, hwsrc=mac, psrc=sender4)
        elif name in ("IP", "IPerror"):
            _default(layer, src=sender4)
        elif name in ("IPv6", "IPerror6"):
            _default(layer, src=sender6)
        elif name in ("ICMPv6NDOptSrcLLAddr", "ICMPv6NDOptDstLLAddr"):
            _default(layer, lladdr=mac)
        elif name in ("ICMP", "ICMPerror"):
            _default(layer, ts_ori=0, ts_rx=0, ts_tx=0)
        layer = layer.payload


def _default(layer: Any, **values: Any) -> None:
    for name, value in values.items():
        if name not in layer.fields and name not in layer.overloaded_fields:
            layer.setfieldval(name, value)


def _destination_mac(ether: Any) -> str:
    inner = ether.payload
    while type(inner).__name__ in ("Dot1Q", "Dot1AD"):
        inner = inner.payload
    if type(inner).__name__ in ("IP", "IPv6"):
        destination = ip_from_text(inner.getfieldval("dst") or "::1")
        if is_multicast_ip(destination):
            return mac_text(multicast_mac_of(destination))
    return mac_text(MAC_BROADCAST)
