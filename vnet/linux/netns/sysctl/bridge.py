"""net.bridge: whether bridged frames are shown to the filters of IP (br_netfilter)."""

from __future__ import annotations

from dataclasses import dataclass

from vnet.linux.netns.sysctl.knob import knob


@dataclass(frozen=True, slots=True)
class BridgeKnobs:
    """net.bridge; ``bridge_nf_call_iptables`` is spelled with hyphens there."""

    bridge_nf_call_arptables: int = knob(1)
    bridge_nf_call_ip6tables: int = knob(1)
    bridge_nf_call_iptables: int = knob(1)
    bridge_nf_filter_pppoe_tagged: int = knob(0)
    bridge_nf_filter_vlan_tagged: int = knob(0)
    bridge_nf_pass_vlan_input_dev: int = knob(0)
