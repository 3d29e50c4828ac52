"""What a bridge is known by: the address of its local port, and its datapath id
(ovs-vswitchd.conf.db(5), ``other_config:hwaddr`` and ``datapath-id`` of the Bridge table)."""

from __future__ import annotations

import re
from collections.abc import Mapping

from vnet.base.ids import Mac, mac_text
from vnet.ovs.flow.hashing import hash_bytes
from vnet.ovs.ofproto.ofproto import Ofproto
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


def is_group(mac: Mac) -> bool:
    """Whether an address is of several."""
    return bool(mac[0] & _GROUP)


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
    lowest: Mac | None = None
    for port in config.ports:
        mac = _mac_of(config, port, interfaces)
        if (
            mac is not None
            and not mac[0] & (_LOCAL | _GROUP)
            and (lowest is None or mac < lowest)
            and mac != _ZERO
            and mac not in _RESERVED_UNICAST
            and port.name not in outputs
        ):
            lowest = mac
    return lowest


def _mac_of(
    config: BridgeConfig, port: BridgePortConfig, interfaces: Mapping[str, Interface]
) -> Mac | None:
    """The address of a port: its own, or that of the first of its interfaces by name."""
    running = [interfaces[i.name] for i in port.interfaces if i.name in interfaces]
    if not running:
        return None
    mac = read_mac(port.mac) if port.mac is not None else None
    if mac is not None:
        return mac
    first = min(running, key=_name_of) if len(running) > 1 else running[0]
    return None if first.port.name == config.name else first.port.mac


def _name_of(interface: Interface) -> str:
    return interface.port.name


def own_mac(identity: object, name: str) -> Mac:
    """The address of a bridge that no port lends one: the beginning of its row's identity."""
    if isinstance(identity, Uuid):
        digits = bytes.fromhex(identity.replace("-", ""))
        drawn = digits[3::-1] + digits[7:5:-1]  # as words lie in the memory of most machines
    else:
        drawn = hash_bytes(name.encode(), 0).to_bytes(4, "big") + b"\0\0"
    return Mac(bytes((drawn[0] & ~_GROUP | _LOCAL,)) + drawn[1:])


def describe(ofproto: Ofproto, config: BridgeConfig) -> None:
    """Have a bridge be, by OpenFlow, what its configuration says."""
    ofproto.openflow_full = config.openflow_full
    ofproto.description = config.description
    ofproto.serial_number = config.serial_number


def least_mtu_bytes(interfaces: Mapping[str, Interface]) -> int:
    """What all ports can carry, but for internal ones, which follow."""
    devices = (i.port.device for i in interfaces.values() if not i.is_internal)
    return min((d.mtu_bytes for d in devices if d is not None), default=DEFAULT_MTU_BYTES)


def drawn_mac(bridge: str, port: str) -> Mac:
    """The address of a port without a device, which it sends BPDUs from; Open vSwitch draws one."""
    label = f"{bridge} {port}".encode()
    drawn = hash_bytes(label, 0) << 32 | hash_bytes(label, 1)
    return Mac(b"\x02" + (drawn & (1 << 40) - 1).to_bytes(5, "big"))
