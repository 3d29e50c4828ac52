"""A datapath as ``dpctl/show`` prints it."""

from __future__ import annotations

from collections.abc import Iterator

from vnet.ovs.dpif.dpif import DatapathPort, Dpif
from vnet.ovs.flow.ports import ODPP_LOCAL

_INTERNAL = {"netdev": "tap", "dummy": "dummy-internal"}
"""What devices that a datapath makes are called, by its type."""


def datapath_text(dpif: Dpif) -> str:
    """``netdev@ovs-netdev``: a datapath's type and name, which go together."""
    return f"{dpif.name.removeprefix('ovs-')}@{dpif.name}"


def port_kind(dpif: Dpif, port: DatapathPort) -> str:
    """The kind of device behind a port, as dumps show it."""
    return _INTERNAL[dpif.name.removeprefix("ovs-")] if port.kind == "internal" else port.kind


def show_datapath(dpif: Dpif) -> Iterator[str]:
    """Counters and ports. A datapath has a port of its own besides, which nothing ever passes."""
    stats = dpif.stats()
    yield f"{datapath_text(dpif)}:"
    yield f"  lookups: hit:{stats.n_hit} missed:{stats.n_missed} lost:{stats.n_lost}"
    yield f"  flows: {stats.n_flows}"
    for port in (DatapathPort(ODPP_LOCAL, dpif.name, "internal"), *dpif.ports()):
        kind = port_kind(dpif, port)
        yield f"  port {port.number}: {port.name}" + ("" if kind == "system" else f" ({kind})")
