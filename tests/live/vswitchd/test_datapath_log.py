"""What our switch's log says of its datapath is what the real one's says."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.live.processes import wait_until
from tests.live.vswitchd.test_on_a_real_database import BRIDGE, Switch
from tests.ovs.private_ovs import IS_INSTALLED

pytestmark = [
    pytest.mark.ovs,
    pytest.mark.skipif(not IS_INSTALLED, reason="Open vSwitch is not installed"),
]

PORTS = " -- ".join(
    f"add-port br0 {name} -- set interface {name} type=dummy" for name in ("p1", "p2")
)
TCP = (
    "in_port({}),packet_type(ns=0,id=0),eth(src=50:54:00:00:00:0{},dst=50:54:00:00:00:0{}),"
    "eth_type(0x0800),ipv4(src=10.0.0.2,dst=10.0.0.1,proto=6,tos=0,ttl=64,frag=no),"
    "tcp(src=8,dst=9),tcp_flags(ack)"
)
TOLD = re.compile(
    r"dpif_netdev\S*\|DBG\|(?:flow_|ovs-dummy: \w+ upcall)|"
    r"ofproto_dpif\|INFO|ct_dpif\|DBG|conntrack\|WARN|"
    r"dpif\S*\|DBG\|dummy@ovs-dummy: (?:added|put|flow_del|port_del)"
)
"""What is the same: all but the real one's probes of what it can do, and what it asks itself."""


COMMANDS = (
    f"netdev-dummy/receive p2 {TCP.format(2, 9, 'a')}",
    f"netdev-dummy/receive p1 {TCP.format(1, 'a', 9)}",
    "dpctl/flush-conntrack",
    "dpctl/flush-conntrack ct_nw_src=10.1.1.2,ct_nw_proto=1",
    "dpctl/flush-conntrack zone=5 "
    "ct_nw_src=1.1.1.2,ct_nw_dst=1.1.1.1,ct_nw_proto=17,ct_tp_src=1,ct_tp_dst=2",
    "revalidator/wait",
    "revalidator/purge",
)


@pytest.fixture(params=[True, False], ids=["ours", "theirs"])
def switch(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Switch]:
    switch = Switch(tmp_path / "switch", ours=request.param)
    yield switch
    switch.server.end_all()


def told(switch: Switch) -> list[str]:
    """The log's messages, without time, thread, and names that are drawn."""
    text = switch.switch.log("ovs-vswitchd")
    messages = re.split(r"^[^|\n]*\|\d+\|", text, flags=re.MULTILINE)
    found = [message.rstrip() for message in messages if TOLD.match(message)]
    return [re.sub(r"\([a-z]+[0-9]*\)\|", "|", re.sub(r"ufid:\S+", "ufid:U", one)) for one in found]


def test_flows_upcalls_and_connections_are_told_of(switch: Switch) -> None:
    switch.vsctl(BRIDGE.replace("fail_mode=secure", "fail_mode=standalone"))
    levels = "dpif_netdev:file:dbg", "dpif:file:dbg", "ct_dpif:file:dbg"
    assert switch.switch.appctl("ovs-vswitchd", "vlog/set", *levels).returncode == 0
    assert switch.switch.appctl("ovs-vswitchd", "vlog/disable-rate-limit").returncode == 0
    switch.vsctl(PORTS)
    for line in COMMANDS:
        words = line.split()
        switch.switch.appctl("ovs-vswitchd", *words)
    switch.vsctl("del-port br0 p2")
    wait_until(lambda: any("port_del" in line for line in told(switch)))
    lines = told(switch)
    assert [line for line in lines if "|INFO|" in line] == ABILITIES
    joined = "\n".join(lines)
    assert "dpif|DBG|dummy@ovs-dummy: added p2 as port 2" in lines
    for expected in EXPECTED:
        assert expected in joined


EXPECTED = (
    "dpif_netdev|DBG|ovs-dummy: miss upcall:\n"
    "skb_priority(0),skb_mark(0),ct_state(0),ct_zone(0),ct_mark(0),ct_label(0),recirc_id(0),"
    "dp_hash(0),in_port(1),packet_type(ns=0,id=0),eth(src=50:54:00:00:00:0a,dst=50:54:00:00:00:09),"
    "eth_type(0x0800),ipv4(src=10.0.0.2,dst=10.0.0.1,proto=6,tos=0,ttl=64,frag=no),"
    "tcp(src=8,dst=9),tcp_flags(ack)\n"
    "tcp,vlan_tci=0x0000,dl_src=50:54:00:00:00:0a,dl_dst=50:54:00:00:00:09,nw_src=10.0.0.2,"
    "nw_dst=10.0.0.1,nw_tos=0,nw_ecn=0,nw_ttl=64,nw_frag=no,tp_src=8,tp_dst=9,tcp_flags=ack "
    "tcp_csum:",
    "dpif_netdev|DBG|flow_add: ufid:U mega_ufid:U recirc_id(0),in_port(1),packet_type(ns=0,id=0),"
    "eth(src=50:54:00:00:00:0a,dst=50:54:00:00:00:09),eth_type(0x0800),ipv4(frag=no), actions:2",
    "ct_dpif|DBG|dummy@ovs-dummy: ct_flush: <all>",
    "ct_dpif|DBG|dummy@ovs-dummy: ct_flush: zone=0 'ct_nw_src=10.1.1.2,ct_nw_dst=::,icmp_id=0,"
    "icmp_type=0,icmp_code=0,ct_nw_proto=1' 'ct_nw_src=::,ct_nw_dst=::,icmp_id=0,icmp_type=0,"
    "icmp_code=0'",
    "ct_dpif|DBG|dummy@ovs-dummy: ct_flush: zone=5 'ct_nw_src=1.1.1.2,ct_nw_dst=1.1.1.1,"
    "ct_tp_src=1,ct_tp_dst=2,ct_nw_proto=17' 'ct_nw_src=::,ct_nw_dst=::,ct_tp_src=0,ct_tp_dst=0'",
    "conntrack|WARN|Must flush tuple using the original pre-NATed tuple",
    "dpif|DBG|dummy@ovs-dummy: flow_del ufid:U skb_priority(0),skb_mark(0),ct_state(0),ct_zone(0),"
    "ct_mark(0),ct_label(0),recirc_id(0),dp_hash(0),in_port(1),packet_type(ns=0,id=0),"
    "eth(src=50:54:00:00:00:0a,dst=50:54:00:00:00:09),eth_type(0x0800),ipv4(src=10.0.0.2,"
    "dst=10.0.0.1,proto=6,tos=0,ttl=64,frag=no),tcp(src=8,dst=9),tcp_flags(ack), packets:0, "
    "bytes:0, used:never",
    "dpif|DBG|dummy@ovs-dummy: port_del(2)",
)
"""Both switches say these: the test runs with either."""

ABILITIES = [
    f"ofproto_dpif|INFO|dummy@ovs-dummy: {ability}"
    for ability in (
        "Datapath supports recirculation",
        "VLAN header stack length probed as 1",
        "MPLS label stack length probed as 3",
        "Datapath supports truncate action",
        "Datapath supports unique flow ids",
        "Datapath supports clone action",
        "Max sample nesting level probed as 10",
        "Datapath supports eventmask in conntrack action",
        "Datapath supports ct_clear action",
        "Max dp_hash algorithm probed to be 1",
        "Datapath supports check_pkt_len action",
        "Datapath supports timeout policy in conntrack action",
        "Datapath supports ct_zero_snat",
        "Datapath supports add_mpls action",
        "Datapath supports ct_state",
        "Datapath supports ct_zone",
        "Datapath supports ct_mark",
        "Datapath supports ct_label",
        "Datapath supports ct_state_nat",
        "Datapath supports ct_orig_tuple",
        "Datapath supports ct_orig_tuple6",
        "Datapath supports IPv6 ND Extensions",
    )
]
