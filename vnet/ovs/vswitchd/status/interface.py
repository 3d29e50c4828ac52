"""What the Interface table says of an interface that runs, or does not."""

from __future__ import annotations

from vnet.base.ids import mac_text
from vnet.netdev.device import NetDevice
from vnet.ovs.netdev.dummy import DummyDevice
from vnet.ovs.ofproto.backer import Backer
from vnet.ovs.ofproto.ports.ofport import OfPort
from vnet.ovs.vswitchd.interface import Interface
from vnet.ovs.vswitchd.status.writer import NOTHING, Status, one, pairs

_BPS_PER_MBPS = 1_000_000
_NO_PORT = -1

NO_INTERFACE: Status = {
    "ofport": one(_NO_PORT),
    **dict.fromkeys(
        (
            *("status", "admin_state", "duplex", "link_speed", "link_state", "mac_in_use", "mtu"),
            *("cfm_fault", "cfm_fault_status", "cfm_remote_mpids", "lacp_current", "statistics"),
            "ifindex",
        ),
        NOTHING,
    ),
}
"""Of an interface that could not be made; what is wrong with it is ``error``."""


def link_status(interface: Interface) -> Status:
    """What a device says of itself and its link."""
    device = interface.port.device
    bps = None if device is None else (device.speed_mbps or 0) * _BPS_PER_MBPS or None
    return {
        "status": NOTHING if device is None else _driver(device),
        "admin_state": one("up" if device is None or device.admin_up else "down"),
        "link_state": one("up" if device is None or device.running else "down"),
        "link_resets": one(interface.n_link_resets),
        "duplex": one(None if bps is None else "full"),
        "link_speed": one(bps),
        "mtu": one(None if device is None else device.mtu_bytes),
        "mac_in_use": one(mac_text(interface.port.mac)),
        "ifindex": one(0 if device is None else device.ifindex),
    }


def _driver(device: NetDevice) -> tuple[tuple[str, str], ...]:
    return () if isinstance(device, DummyDevice) else (("driver_name", device.kind),)


def statistics(interface: Interface) -> Status:
    """What has passed by an interface."""
    counted = interface.port.counters()
    counters = {
        "rx_packets": counted.rx_packets,
        "rx_bytes": counted.rx_bytes,
        "tx_packets": counted.tx_packets,
        "tx_bytes": counted.tx_bytes,
    }
    device = interface.port.device
    if isinstance(device, DummyDevice):
        counters |= device.custom_statistics()
    return {"statistics": pairs(counters)}


def error_of(port: OfPort, backer: Backer, datapath_type: str) -> str | None:
    """What is wrong with an interface that has a port all the same."""
    if port.peer is None or backer.patch_peer(port) is not None:
        return None
    return f"No usable peer '{port.peer}' exists in '{datapath_type}' datapath."
