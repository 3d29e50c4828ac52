"""What a daemon's log says that a new datapath can do, in the order in which Open vSwitch tries."""

from __future__ import annotations

from vnet.ovs.ofproto.features import BOOT_FEATURES
from vnet.ovs.vlog.vlog import Vlog

_SENTENCES = {
    "recirc": "Datapath supports recirculation",
    "max_vlan_headers": "VLAN header stack length probed as {}",
    "max_mpls_depth": "MPLS label stack length probed as {}",
    "trunc": "Datapath supports truncate action",
    "ufid": "Datapath supports unique flow ids",
    "clone": "Datapath supports clone action",
    "sample_nesting": "Max sample nesting level probed as {}",
    "ct_eventmask": "Datapath supports eventmask in conntrack action",
    "ct_clear": "Datapath supports ct_clear action",
    "max_hash_alg": "Max dp_hash algorithm probed to be {}",
    "check_pkt_len": "Datapath supports check_pkt_len action",
    "ct_timeout": "Datapath supports timeout policy in conntrack action",
    "ct_zero_snat": "Datapath supports ct_zero_snat",
    "add_mpls": "Datapath supports add_mpls action",
    "ct_state": "Datapath supports ct_state",
    "ct_zone": "Datapath supports ct_zone",
    "ct_mark": "Datapath supports ct_mark",
    "ct_label": "Datapath supports ct_label",
    "ct_state_nat": "Datapath supports ct_state_nat",
    "ct_orig_tuple": "Datapath supports ct_orig_tuple",
    "ct_orig_tuple6": "Datapath supports ct_orig_tuple6",
    "nd_ext": "Datapath supports IPv6 ND Extensions",
}


def tell_abilities(vlog: Vlog, datapath: str) -> None:
    """Say what a datapath, ``dummy@ovs-dummy``, can do."""
    log = vlog.module("ofproto_dpif")
    for feature, sentence in _SENTENCES.items():
        log.info(f"{datapath}: {sentence.format(BOOT_FEATURES[feature])}")
