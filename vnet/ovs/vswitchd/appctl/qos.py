"""``qos/...``: the queues of interfaces."""

from __future__ import annotations

from collections.abc import Sequence

from vnet.ovs.flow.errors import OvsTextError
from vnet.ovs.ofproto.dump.queues import qos_show
from vnet.ovs.ofproto.ports.ofport import OfPort
from vnet.ovs.vswitchd.qos import types_for
from vnet.ovs.vswitchd.reconcile import Vswitchd


def show(vswitchd: Vswitchd, words: Sequence[str]) -> str:
    """``qos/show interface``."""
    return "\n".join(qos_show(_interface(vswitchd, words[0])))


def show_types(vswitchd: Vswitchd, words: Sequence[str]) -> str:
    """``qos/show-types interface``."""
    port = _interface(vswitchd, words[0])
    types = types_for(port)
    if not types:
        return f"No QoS types supported for interface: {port.name}"
    return "\n".join(f"QoS type: {name}" for name in types)


def _interface(vswitchd: Vswitchd, name: str) -> OfPort:
    ports = (bridge.port_by_name(name) for bridge in vswitchd.bridges.values())
    found = next((port for port in ports if port is not None), None)
    if found is None:
        raise OvsTextError("no such interface")
    return found
