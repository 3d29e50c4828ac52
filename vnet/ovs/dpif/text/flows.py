"""Datapath flows in text: what ``dpctl/dump-flows`` prints, and what is read back.

A flow's ``in_port`` is a port of the datapath here. Bad text raises
:class:`~vnet.ovs.flow.errors.OvsTextError`.
"""

from __future__ import annotations

from vnet.ovs.dpif.dpif import DatapathFlow
from vnet.ovs.dpif.text.actions import actions_text
from vnet.ovs.dpif.text.attribute import attributes_text
from vnet.ovs.dpif.text.from_flow import key_attributes, mask_attributes
from vnet.ovs.dpif.text.kind import PortNames, Style
from vnet.ovs.dpif.text.stats import stats_text
from vnet.ovs.flow.extract import DEFAULT_VLAN_LIMIT
from vnet.ovs.flow.flow import Flow


def flow_text(
    key: int,
    mask: int,
    *,
    port_names: PortNames | None = None,
    verbose: bool = False,
    vlan_limit: int = DEFAULT_VLAN_LIMIT,
) -> str:
    """``recirc_id(0),in_port(1),eth_type(0x0800),ipv4(frag=no)``.

    The input port of a datapath flow is always exact. ``verbose`` shows what is wildcarded, too.
    """
    mask |= Flow.in_port.mask
    return attributes_text(
        key_attributes(key, mask, vlan_limit=vlan_limit),
        mask_attributes(key, mask, vlan_limit=vlan_limit),
        Style(verbose, port_names),
    )


def key_text(key: int, *, vlan_limit: int = DEFAULT_VLAN_LIMIT) -> str:
    """A flow without a mask, every attribute in full (``odp_flow_key_format``)."""
    return attributes_text(key_attributes(key, vlan_limit=vlan_limit), None, Style(verbose=True))


def dump_line(
    flow: DatapathFlow,
    now_ns: int,
    *,
    port_names: PortNames | None = None,
    verbose: bool = False,
    vlan_limit: int = DEFAULT_VLAN_LIMIT,
) -> str:
    """A flow with its statistics and actions, as a dump shows it."""
    shown = flow_text(
        flow.key, flow.mask, port_names=port_names, verbose=verbose, vlan_limit=vlan_limit
    )
    actions = actions_text(flow.actions, port_names=port_names)
    return f"{shown}, {stats_text(flow.stats, now_ns)}, actions:{actions}"
