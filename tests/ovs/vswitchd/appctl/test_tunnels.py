"""Tunnels as ``dpif/show`` and ``dpctl/show`` tell of them, against the real daemon."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.ovs.private_ovs import IS_INSTALLED
from tests.ovs.vswitchd.appctl.kit import OurDaemon, check_same, real_daemon

TUNNELS = (
    "type=vxlan options:remote_ip=1.2.3.4",
    "type=vxlan options:remote_ip=1.2.3.5 options:dst_port=5000 options:key=7",
    "type=geneve options:remote_ip=flow options:key=flow options:csum=true",
    "type=gre options:remote_ip=1.2.3.4 options:local_ip=5.6.7.8 options:ttl=9 options:tos=16",
    "type=gre options:remote_ip=1.2.3.9 options:in_key=1 options:out_key=2 options:tos=inherit "
    "options:ttl=inherit options:seq=true options:packet_type=ptap",
    "type=geneve options:remote_ip=1.2.3.4 options:df_default=false options:egress_pkt_mark=3",
)


@pytest.mark.ovs
@pytest.mark.skipif(not IS_INSTALLED, reason="Open vSwitch is not installed")
def test_what_is_set_of_tunnels_is_shown(tmp_path: Path) -> None:
    ours = OurDaemon()
    ours.set_up()
    with real_daemon(tmp_path) as real:
        for number, options in enumerate(TUNNELS, start=10):
            name = f"t{number}"
            words = f"add-port br0 {name} -- set interface {name} {options}"
            words = f"{words} ofport_request={number}"
            ours.switch.vsctl(*words.split())
            real.vsctl(*words.split())
        check_same(ours, real, ("dpif/show", "dpctl/show"))
