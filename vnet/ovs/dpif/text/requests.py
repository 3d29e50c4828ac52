"""A message between userspace and the datapath in text: its name, and its attributes as
ovs-dpctl(8) writes them."""

from __future__ import annotations

from collections.abc import Iterator

from vnet.ovs.dpif.dpif import Dpif
from vnet.ovs.dpif.requests import Request
from vnet.ovs.dpif.text.actions import actions_text
from vnet.ovs.dpif.text.flows import flow_text
from vnet.ovs.flow.flow import MEMBERS


def request_text(request: Request, dpif: Dpif) -> str:
    """``OVS_FLOW_CMD_NEW recirc_id(0),in_port(vif1.0),..., actions:peth0``: ports by name."""
    return " ".join((request.command.value, ", ".join(_attributes(request, dpif)))).rstrip()


def _attributes(request: Request, dpif: Dpif) -> Iterator[str]:
    names: dict[int, str] = {port.number: port.name for port in dpif.ports()}
    if request.key is not None:
        mask = request.mask
        if mask is None:
            # A packet's flow has no mask: all of it is said that is anything.
            mask = sum(bits.mask for bits in MEMBERS if bits.mask & request.key)
        yield flow_text(request.key, mask, port_names=names, vlan_limit=dpif.vlan_limit)
    if request.frame is not None:
        yield f"packet:{len(request.frame)} bytes"
    if request.detail:
        yield request.detail
    if request.actions is not None:
        yield f"actions:{actions_text(request.actions, port_names=names)}"
