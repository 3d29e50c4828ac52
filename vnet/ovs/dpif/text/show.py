"""A datapath as ``dpctl/show`` prints it."""

from __future__ import annotations

from collections.abc import Iterator

from vnet.ovs.dpif.dpif import DatapathPort, Dpif
from vnet.ovs.flow.ports import ODPP_LOCAL

_INTERNAL = {"netdev": "tap", "dummy": "dummy-internal"}
"""What devices that a datapath makes are called, by its type."""


def datapath_text(dpif: Dpif) -> str:
    """``netdev@ovs-netdev``: a datapath's type and name."""
    return f"{dpif.kind}@{dpif.name}"


def port_kind(dpif: Dpif, port: DatapathPort) -> str:
    """The kind of device behind a port, as dumps show it."""
    return _INTERNAL.get(dpif.kind, port.kind) if port.kind == "internal" else port.kind


def port_text(dpif: Dpif, port: DatapathPort) -> str:
    """The kind of device behind a port, and what is set of it."""
    settings = {} if port.device is None else port.device.settings
    shown = ", ".join(f"{name}={value}" for name, value in sorted(settings.items()))
    return port_kind(dpif, port) + (f": {shown}" if shown else "")


USUAL_PORTS = {"vxlan": 4789, "geneve": 6081}
"""The UDP ports of tunnels that need not be said."""

_TUNNELS = frozenset((*USUAL_PORTS, "gre", "ip6gre"))


def _kind_text(dpif: Dpif, port: DatapathPort) -> str:
    """The kind of a port and what is set of it: a tunnel's takes packets of any type."""
    stand_in = port.device is not None and port.device.kind == "dummy"
    if port.kind not in _TUNNELS or stand_in:
        return port_text(dpif, port)
    usual = USUAL_PORTS.get(port.kind, port.number)
    destination = "" if port.number == usual else f"dst_port={port.number}, "
    return f"{port.kind}: {destination}packet_type=ptap"


def show_datapath(dpif: Dpif, *, with_counters: bool = False) -> Iterator[str]:
    """Counters and ports, ``with_counters`` of each. A datapath has a port of its own besides,
    which nothing ever passes."""
    stats = dpif.stats()
    yield f"{datapath_text(dpif)}:"
    yield f"  lookups: hit:{stats.n_hit} missed:{stats.n_missed} lost:{stats.n_lost}"
    yield f"  flows: {stats.n_flows}"
    for port in (DatapathPort(ODPP_LOCAL, dpif.name, "internal"), *dpif.ports()):
        kind = _kind_text(dpif, port)
        yield f"  port {port.number}: {port.name}" + ("" if kind == "system" else f" ({kind})")
        if with_counters:
            yield from _counters(port)


def _counters(port: DatapathPort) -> Iterator[str]:
    """Errors and drops of their kinds are not told apart here, so they are unknown: ``?``."""
    rx_packets = rx_bytes = tx_packets = tx_bytes = 0
    if port.device is not None:
        rx_packets, rx_bytes = port.device.rx_packets, port.device.rx_bytes
        tx_packets, tx_bytes = port.device.tx_packets, port.device.tx_bytes
    yield f"    RX packets:{rx_packets} errors:? dropped:? overruns:? frame:?"
    yield f"    TX packets:{tx_packets} errors:? dropped:? aborted:? carrier:?"
    yield "    collisions:?"
    yield f"    RX bytes:{_size_text(rx_bytes)}  TX bytes:{_size_text(tx_bytes)}"


def _size_text(n_bytes: int) -> str:
    """``2048 (2.0 KiB)``."""
    for power, unit in ((40, "TiB"), (30, "GiB"), (20, "MiB"), (10, "KiB")):
        if n_bytes >= 1 << power:
            return f"{n_bytes} ({n_bytes / (1 << power):.1f} {unit})"
    return str(n_bytes)
