"""What becomes of flows on a datapath that lacks something, against the real daemon."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.ovs.private_ovs import IS_INSTALLED
from tests.ovs.vswitchd.appctl.kit import OurDaemon, real_daemon

FLOWS = (
    "in_port=1,ip,actions=clone(ct(commit),output:2),output:br0",
    "in_port=1,arp,actions=output(port=2,max_len=100)",
    "in_port=1,dl_type=0x1234,actions=check_pkt_larger(60)->NXM_NX_REG0[0],"
    "load:0->NXM_OF_IN_PORT[],move:NXM_NX_REG0[0]->NXM_NX_REG1[0],output:2",
    "in_port=1,mpls,actions=pop_mpls:0x0800,output:2",
    "in_port=1,dl_type=0x1235,actions=encap(mpls),set_field:5->mpls_label,encap(ethernet),"
    "set_field:00:00:00:00:00:02->eth_dst,output:2",
)
PACKETS = (
    "in_port=1,icmp,nw_src=10.0.0.1",
    "in_port=1,arp",
    "in_port=1,dl_type=0x1234",
    "in_port=1,dl_type=0x8847,mpls_label=3,mpls_bos=1",
    "in_port=1,dl_type=0x1235",
)
SETTINGS = (
    (),
    ("trunc false", "check_pkt_len false", "add_mpls false", "clone false"),
    ("sample_nesting 2",),
    ("clone true", "trunc true", "check_pkt_len true", "add_mpls true"),
)


@pytest.mark.ovs
@pytest.mark.skipif(not IS_INSTALLED, reason="Open vSwitch is not installed")
def test_what_a_datapath_lacks_is_done_otherwise_or_by_userspace(tmp_path: Path) -> None:
    ours = OurDaemon()
    ours.set_up()
    with real_daemon(tmp_path) as real:
        for flow in FLOWS:
            ours.switch.ofctl(["-OOpenFlow15", "add-flow", "br0", flow])
            real.ofctl("-OOpenFlow15", "add-flow", "br0", flow)
        for settings in SETTINGS:
            for setting in settings:
                line = f"dpif/set-dp-features br0 {setting}"
                assert ours.ask(line) == real.appctl(*line.split()) == ("", "")
            for packet in PACKETS:
                shown, _ = real.appctl("ofproto/trace", "br0", packet)
                answer, error = ours.ask(f"ofproto/trace br0 {packet}")
                assert error == ""
                assert answer.splitlines() == shown.splitlines(), (settings, packet)
