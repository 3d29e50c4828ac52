"""What a bridge is known by: the address of its local port, and its datapath id
(ovs-vswitchd.conf.db(5), ``other_config:hwaddr`` and ``datapath-id`` of the Bridge table)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from vnet.base.ids import Mac, mac_text
from vnet.ovs.flow.hashing import hash_bytes
from vnet.ovs.ovsdb.atoms import Uuid
from vnet.ovs.vlog.vlog import LogModule
from vnet.ovs.vswitchd.config import BridgeConfig, BridgePortConfig
from vnet.ovs.vswitchd.interface import Interface

DEFAULT_MTU_BYTES = 1500

_LOCAL = 0x02
_GROUP = 0x01
_ZERO = bytes(6)
_MAC = re.compile(r"[0-9a-fA-F]{1,2}(?::[0-9a-fA-F]{1,2}){5}")
_RESERVED_UNICAST = frozenset(
    bytes.fromhex(digits) for digits in ("00e02b000000", "00e02b000004", "00e02b000006")
)
"""Extreme's. All other reserved addresses are of groups."""


def read_mac(text: str) -> Mac | None:
    """An address as Open vSwitch reads it in settings; None for what is none."""
    found = _MAC.fullmatch(text)
    return found and Mac(bytes(int(part, 16) for part in text.split(":")))


def wanted_mac(config: BridgeConfig, log: LogModule) -> Mac | None:
    """The address that was asked for, if it is one that a port may have."""
    mac = read_mac(config.other_config.get("hwaddr", ""))
    if mac is None:
        return None
    if mac[0] & _GROUP:
        log.err(
            f"bridge {config.name}: cannot set MAC address to multicast address {mac_text(mac)}"
        )
        return None
    if mac == _ZERO:
        log.err(f"bridge {config.name}: cannot set MAC address to zero")
        return None
    return mac


def lent_mac(config: BridgeConfig, interfaces: Mapping[str, Interface]) -> Mac | None:
    """The lowest address that a maker gave to one of the ports."""
    outputs = {mirror.output_port for mirror in config.mirrors}
    ports = (port for port in config.ports if port.name not in outputs)
    return min((mac for port in ports for mac in _lent(config, port, interfaces)), default=None)


def _lent(
    config: BridgeConfig, port: BridgePortConfig, interfaces: Mapping[str, Interface]
) -> Iterator[Mac]:
    """The address of a port: its own, or that of the first of its interfaces by name."""
    running = [interfaces[i.name] for i in port.interfaces if i.name in interfaces]
    if not running:
        return
    mac = read_mac(port.mac or "")
    if mac is None:
        first = min(running, key=lambda interface: interface.port.name)
        if first.port.name == config.name:
            return
        mac = first.port.mac
    if not mac[0] & (_LOCAL | _GROUP) and mac != _ZERO and mac not in _RESERVED_UNICAST:
        yield mac


def own_mac(identity: object, name: str) -> Mac:
    """The address of a bridge that no port lends one: the beginning of its row's identity."""
    if isinstance(identity, Uuid):
        digits = bytes.fromhex(identity.replace("-", ""))
        drawn = digits[3::-1] + digits[7:5:-1]  # as words lie in the memory of most machines
    else:
        drawn = hash_bytes(name.encode(), 0).to_bytes(4, "big") + b"\0\0"
    return Mac(bytes((drawn[0] & ~_GROUP | _LOCAL,)) + drawn[1:])


def least_mtu_bytes(interfaces: Mapping[str, Interface]) -> int:
    """What all ports can carry, but for internal ones, which follow."""
    devices = (i.port.device for i in interfaces.values() if not i.is_internal)
    return min((d.mtu_bytes for d in devices if d is not None), default=DEFAULT_MTU_BYTES)
