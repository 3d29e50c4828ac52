"""Switches of Open vSwitch in labs: they do what any switch does there, and what flows say."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from scapy.layers.inet import ICMP, IP

from vnet.base.errors import UsageError, VnetError
from vnet.lab.lab import Lab
from vnet.lab.report import Report
from vnet.lab.switch_handle import SwitchHandle
from vnet.ovs.flow.errors import OvsTextError
from vnet.ovs.flow.flow import Flow
from vnet.ovs.openflow.errors import OpenFlowError
from vnet.ovs.openflow.messages import FlowMod
from vnet.sim.trace import TraceNode

FABRIC = """\
version: 1
name: fabric
hosts:
  h1:
    hypervisor: %(first)s
    nics: {eth0: {ip: 192.0.2.1/24}}
    switches: {br0: {type: %(type)s%(more)s}}
  h2:
    hypervisor: kvm
    nics: {eth0: {ip: 192.0.2.2/24}}
    switches: {br0: {type: %(type)s}}
vms:
  vm1: {host: h1, vnics: [{ip: 10.0.0.1/24}]}
  vm2: {host: h1, vnics: [{ip: 10.0.0.2/24}]}
  vm3: {host: h2, vnics: [{ip: 10.0.0.3/24}]}
switches: {sw1: {type: %(type)s}}
links:
  - {ends: ['h1:eth0', 'sw1:p1'], latency: 1ms}
  - {ends: ['h2:eth0', 'sw1:p2'], latency: 1ms}
captures: ['vm1:eth0', 'h1:br0', 'h1:eth0', 'sw1:p2', 'h1:nlmon']
scenario:
%(steps)s
"""


def fabric(
    *steps: str, more: str = "", kind: str = "ovs", first: str = "kvm", **options: Any
) -> Lab:
    """Two hosts on a switch; the bridge of the first has ``more`` keys."""
    written = "\n".join(f"  - {step}" for step in steps or ("{wait: 1s}",))
    words = {"type": kind, "more": f", {more}" if more else "", "first": first, "steps": written}
    return Lab.from_text(FABRIC % words, **options)


def outcome(lab: Lab) -> Report:
    report = lab.run()
    assert report.held, report
    return report


PING = "{ping: {from: vm1, to: %s, count: 2}, expect: {received: %d}}"

# -- as any switch

SCENARIO = (
    PING % ("vm2", 2),
    PING % ("vm3", 2),
    "{ping: {from: h1, to: h2, count: 2}, expect: {received: 2}}",
    "{fdb: {switch: 'h2:br0', mac: vm1}, expect: {port: eth0}}",
    "{fdb: {switch: sw1, mac: vm1}, expect: {port: p1, moves: 0}}",
    "{fdb: {switch: sw1, mac: '02:00:00:00:00:09'}, expect: {port: none}}",
    "{counters: {device: 'h2:br0'}, expect: {tx_packets: '>= 3', rx_packets: '>= 3'}}",
    "{counters: {device: 'sw1:p1'}, expect: {drops: 0}}",
    "{link: {end: 'h2:eth0', state: down}}",
    "{ping: {from: vm1, to: vm3, count: 1, timeout: 1s}, expect: {received: 0}}",
    "{link: {end: 'h2:eth0', state: up}}",
    PING % ("vm3", 2),
    # What flows counted in the half second before a move says where the station was, and for
    # some milliseconds after one, flows are as they were.
    "{wait: 600ms}",
    "{move: {vm: vm1, to: h2}}",
    "{wait: 10ms}",
    "{fdb: {switch: sw1, mac: vm1}, expect: {port: p2, moves: 1}}",
    PING % ("vm2", 2),
    "{fdb: {switch: 'h2:br0', mac: vm1}, expect: {port: vnet1}}",
    "{wait: 600ms}",
    "{move: {vm: vm1, to: h1}}",
    "{wait: 10ms}",
    PING % ("vm3", 2),
)


@pytest.mark.parametrize("first", ["kvm", "xen", "vmware", "hyperv"])
@pytest.mark.parametrize("kind", ["linux", "ovs"])
def test_one_scenario_holds_with_either_kind(kind: str, first: str) -> None:
    with fabric(*SCENARIO, kind=kind, first=first) as lab:
        outcome(lab)


def test_both_kinds_stand_in_one_host_and_keep_apart() -> None:
    text = """
version: 1
hosts: {h: {switches: {br0: {type: ovs}, br1: }}}
vms:
  a: {host: h, vnics: [{ip: 10.0.0.1/24, switch: br0}]}
  b: {host: h, vnics: [{ip: 10.0.0.2/24, switch: br1}]}
scenario:
  - {ping: {from: a, to: b, count: 1}, expect: {received: 0}}
  - {move: {vm: b, to: h, switch: br0}}
  - {ping: {from: a, to: b, count: 1}, expect: {received: 1}}
  - {move: {vm: a, to: h, switch: br1}}
  - {ping: {from: a, to: b, count: 1}, expect: {received: 0}}
"""
    with Lab.from_text(text) as lab:
        outcome(lab)
        assert list(lab.switch("br0").ports) == ["br0", "vnet2"]
        assert list(lab.switch("br1").ports) == ["vnet3"]
        assert list(lab.host("h").namespace.bridges) == ["br1"]


def test_a_lab_writes_the_same_bytes_every_time(tmp_path: Path) -> None:
    found = []
    for run in ("one", "other"):
        with fabric(*SCENARIO, pcap_dir=tmp_path / run) as lab:
            lab.run()
        found.append({path.name: path.read_bytes() for path in (tmp_path / run).iterdir()})
    assert found[0] == found[1]


def test_an_idle_lab_comes_to_rest() -> None:
    with fabric(PING % ("vm3", 2)) as lab:
        outcome(lab)
        lab.scheduler.run()
        assert lab.scheduler.next_event_ns is None
        assert 300 < lab.now_ns / 1e9 < 700, "stations age five minutes, neighbours a little more"
        assert lab.switch("sw1").fdb() == []
        assert lab.switch("sw1").dump_megaflows() == []


def test_the_bridge_s_own_device_is_the_host_s() -> None:
    with fabric() as lab:
        host, graph = lab.host("h1").namespace, lab.graph
        bridge, card = (host.interface(name) for name in ("br0", "eth0"))
        assert bridge.device.kind == "openvswitch"
        assert bridge.device.mac == card.device.mac
        assert (len(bridge.addresses), len(card.addresses)) == (1, 0)
        assert graph.edges["h1:vnet0", "h1:br0"]["kind"] == "port"
        assert lab.switch("h1:br0").ports == {"br0": 65534, "eth0": 1, "vnet0": 2, "vnet1": 3}


@pytest.mark.parametrize("kind", ["linux", "ovs"])
def test_a_gateway_on_the_link_is_reached_by_the_bridge(kind: str) -> None:
    text = f"""
version: 1
hosts:
  h1:
    nics: {{eth0: {{ip: '2001:db8::1/64'}}}}
    gateway: fe80::1
    switches: {{br0: {{type: {kind}}}}}
"""
    with Lab.from_text(text) as lab:
        (default,) = [r for r in lab.host("h1").namespace.routing6.main if r.prefix_length == 0]
        assert default.nexthops[0].device.name == "br0"


RING = """
version: 1
name: ring
hosts: {h1: {nics: {eth0: {ip: 10.0.0.1/24}}}}
switches: {s1: {type: ovs}, s2: {type: ovs}, s3: }
links:
  - {ends: ['h1:eth0', 's1:h'], latency: 10us, bandwidth: 10mbit}
  - {ends: ['s1:a', 's2:a'], latency: 10us, bandwidth: 1mbit, queue: 20}
  - {ends: ['s2:b', 's3:b'], latency: 10us, bandwidth: 1mbit, queue: 20}
  - {ends: ['s3:c', 's1:c'], latency: 10us, bandwidth: 1mbit, queue: 20}
scenario:
  - {arping: {from: h1, to: 10.0.0.99, count: 1}}
  - {wait: 500ms}
"""


def test_a_storm_is_seen_by_every_switch_of_its_loop() -> None:
    with Lab.from_text(RING) as lab:
        (storm,) = lab.run().storms
    assert storm.loop == ("s1", "s2", "s3")
    assert list(storm.copies) == ["s1", "s2", "s3"]
    assert storm.copies["s1"][1] == ("a", "c")
    assert all(frames > 100 for frames, _ports in storm.copies.values())


def test_where_no_loop_can_be_nobody_watches_for_one() -> None:
    with fabric() as lab:
        assert lab.network.switches["sw1"].ports["p1"].sniffers is None


# -- what the file says


def test_vlans_keep_guests_apart_and_go_with_them() -> None:
    ports = "ports: {vnet0: {tag: 10}, vnet1: {tag: 20}}"
    with fabric(
        PING % ("vm2", 0),
        PING % ("vm3", 0),
        "{move: {vm: vm1, to: h2}}",
        PING % ("vm3", 0),
        more=ports,
    ) as lab:
        outcome(lab)
        tagged = lab.captures["sw1:p2"].filter(lambda packet: "Dot1Q" in packet)
        assert {packet["Dot1Q"].vlan for packet in tagged} == {10}


def test_a_secure_bridge_without_flows_carries_nothing() -> None:
    with fabric(PING % ("vm2", 0), more="fail_mode: secure") as lab:
        report = outcome(lab)
        assert lab.switch("h1:br0").dump_flows() == []
    assert ("h1:vnet0", "ovs-flow-drops") in [(d.place, d.reason.word) for d in report.drops]


def test_flows_of_the_file_are_there_beside_the_standalone_one() -> None:
    flows = "flows: ['priority=10,icmp,in_port=vnet0,actions=drop']"
    with fabric(PING % ("vm2", 0), "{ping: {from: h1, to: h2}}", more=flows) as lab:
        outcome(lab)
        drop, normal = lab.switch("h1:br0").dump_flows()
        assert "priority=10,icmp,in_port=2 actions=drop" in drop
        assert "n_packets=2" in drop
        assert normal.endswith("priority=0 actions=NORMAL")
        steps = [str(step) for step in lab.network.script_steps]
        assert "h1: ovs-ifup: ovs-ofctl add-flows br0 - # 1" in steps


def test_groups_and_port_numbers_of_the_file() -> None:
    more = """ports: {vnet1: {ofport: 1}}, groups: ['group_id=5,type=all,bucket=vnet1'],
      flows: ['in_port=vnet0,actions=group:5', 'in_port=1,actions=vnet0']"""
    with fabric(PING % ("vm2", 2), more=more) as lab:
        outcome(lab)
        switch = lab.switch("h1:br0")
        assert switch.ports == {"br0": 65534, "eth0": 2, "vnet0": 3, "vnet1": 1}
        assert switch.dump_groups() == ["group_id=5,type=all,bucket=bucket_id:0,actions=output:1"]
        assert switch.dump_groups(names=True)[0].endswith("actions=output:vnet1")


def test_the_numbers_are_those_that_flows_of_the_file_were_read_with() -> None:
    with fabric(more="flows: ['in_port=vnet1,actions=drop']") as lab:
        (mod,) = lab.topology.openflow["h1:br0"]
        assert isinstance(mod, FlowMod)
        assert Flow.in_port.of(mod.match.value) == lab.switch("h1:br0").ports["vnet1"]


PATCHED = """
version: 1
hosts:
  h1:
    nics: {eth0: {ip: 192.0.2.1/24}}
    switches:
      br0: {type: ovs, ports: {patch0: {type: patch, options: {peer: patch1}}}}
      br1: {type: ovs, ports: {patch1: {type: patch, options: {peer: patch0}, tag: 5},
                               vnet1: {tag: 5}, vnet2: {tag: 6}}}
vms:
  a: {host: h1, vnics: [{ip: 10.0.0.1/24, switch: br0}]}
  b: {host: h1, vnics: [{ip: 10.0.0.2/24, switch: br1}]}
  c: {host: h1, vnics: [{ip: 10.0.0.3/24, switch: br1}]}
scenario:
  - {ping: {from: a, to: b, count: 3}, expect: {received: 3}}
  - {ping: {from: a, to: c, count: 1, timeout: 1s}, expect: {received: 0}}
  - {move: {vm: a, to: h1, switch: br1}}
  - {ping: {from: a, to: c, count: 1}, expect: {received: 0}}
"""


def test_patch_ports_join_two_bridges_of_a_host() -> None:
    with Lab.from_text(PATCHED) as lab:
        assert lab.graph.edges["h1:br0", "h1:br1"]["kind"] == "patch"
        outcome(lab)
        br0 = lab.switch("br0")
        assert br0.ports == {"br0": 65534, "patch0": 1, "eth0": 2}
        counters = [line for line in br0.dump_ports(names=True) if "patch0" in line]
        assert counters[0].startswith("  port  patch0: rx pkts=4, bytes=")
        made = [str(step) for step in lab.network.script_steps if "add-br br1" in str(step)]
        assert made == [
            "h1: ifup: ovs-vsctl add-br br1 -- add-port br1 patch1 tag=5 "
            "-- set interface patch1 type=patch options:peer=patch0"
        ]


def test_controllers_of_the_file_are_in_the_database_and_the_steps() -> None:
    more = "fail_mode: secure, protocols: OpenFlow13, controller: 'tcp:10.9.9.9:6653'"
    with fabric(PING % ("vm2", 0), more=more) as lab:
        switch = lab.switch("h1:br0")
        assert switch.vsctl("get-controller", "br0") == "tcp:10.9.9.9:6653\n"
        assert switch.vsctl("get", "bridge", "br0", "protocols") == "[OpenFlow13]\n"
        made = [str(step) for step in lab.network.script_steps if "add-br br0" in str(step)]
        assert "h1: ifup: ovs-vsctl add-br br0 -- set bridge br0 fail_mode=secure " in made[0]
        assert made[0].endswith(" -- set-controller br0 tcp:10.9.9.9:6653")


def test_meters_mirrors_and_vlans_of_the_file() -> None:
    more = """meters: ['meter=1 pktps stats bands=type=drop rate=1'],
      flows: ['priority=9,icmp,in_port=vnet0,actions=meter:1,NORMAL'], flood_vlans: 0,
      mirrors: {m: {select_src_port: vnet0, output_port: eth0}}"""
    steps = (
        "{wait: 2s}",
        "{ping: {from: vm1, to: vm2, count: 20, interval: 1ms}, expect: {received: 1}}",
    )
    with fabric(*steps, more=more) as lab:
        outcome(lab)
        assert lab.switch("h1:br0").fdb() == []
        # The mirror copies what came in, dropped by the meter or not; nothing is flooded there.
        copies = lab.captures["h1:eth0"].filter(lambda packet: "ICMP" in packet)
        assert [packet["ICMP"].type for packet in copies] == [8] * 20
        (step,) = [str(step) for step in lab.network.script_steps if "meter" in str(step)]
        meter = "meter=1 pktps stats bands= type=drop rate=1"
        assert step == f"h1: ovs-ifup: ovs-ofctl add-meter br0 '{meter}'"


# -- from Python


def test_a_change_is_in_force_before_the_next_frame() -> None:
    with fabric() as lab:
        switch, vm1 = lab.switch("h1:br0"), lab.vm("vm1")
        assert vm1.ping("vm2", count=2).received == 2
        switch.add_flow("priority=9,icmp,actions=drop")
        assert vm1.ping("vm2", count=1, timeout="1s").received == 0
        switch.mod_flows("icmp,actions=NORMAL")
        assert vm1.ping("vm2", count=1).received == 1
        switch.del_flows("icmp")
        switch.add_flows(
            "priority=8,icmp,in_port=vnet0,actions=drop  # one way\n\narp,actions=drop"
        )
        assert vm1.ping("vm2", count=1, timeout="1s").received == 0
        switch.del_flows()
        assert switch.dump_flows() == []
        switch.add_flows(["in_port=vnet0,actions=vnet1", "in_port=vnet1,actions=vnet0"])
        switch.del_flows("in_port=vnet0", strict=True)
        assert len(switch.dump_flows()) == 1
        assert switch.dump_flows("in_port=vnet0") == []


def test_groups_are_added_and_listed() -> None:
    with fabric() as lab:
        switch = lab.switch("h1:br0")
        switch.add_group("group_id=1,type=select,bucket=vnet0,bucket=vnet1")
        assert len(switch.dump_groups()) == 1
        with pytest.raises(OpenFlowError, match="OFPGMFC_GROUP_EXISTS"):
            switch.add_group("group_id=1,type=all")


def test_groups_are_changed_and_deleted_with_the_flows_that_use_them() -> None:
    with fabric() as lab:
        switch, vm1 = lab.switch("h1:br0"), lab.vm("vm1")
        switch.add_group("group_id=1,type=indirect,bucket=vnet1")
        switch.add_flow("priority=9,ip,in_port=vnet0,actions=group:1")
        assert vm1.ping("vm2", count=3).received == 3
        (stats,) = switch.dump_group_stats()
        assert stats.startswith("group_id=1,duration=")
        assert stats.endswith(
            "ref_count=1,packet_count=3,byte_count=294,bucket0:packet_count=3,byte_count=294"
        )
        switch.mod_group("group_id=1,type=indirect,bucket=drop")
        assert vm1.ping("vm2", count=1, timeout="1s").received == 0
        with pytest.raises(OpenFlowError, match="OFPGMFC_UNKNOWN_GROUP"):
            switch.mod_group("group_id=2,type=all")
        switch.del_groups("group_id=1")
        assert switch.dump_groups() == []
        assert len(switch.dump_flows()) == 1
        assert vm1.ping("vm2", count=1).received == 1
        switch.add_group("group_id=3,type=all")
        switch.add_group("group_id=4,type=all")
        switch.del_groups()
        assert switch.dump_groups() == []


def test_counters_of_ports_and_connections_are_listed() -> None:
    with fabric(more="flows: ['priority=9,icmp,actions=ct(commit,zone=7),NORMAL']") as lab:
        switch = lab.switch("h1:br0")
        assert lab.vm("vm1").ping("vm2", count=2).received == 2
        first, *ports = switch.dump_ports(names=True)
        assert first == "4 ports"
        assert sum("vnet" in line for line in ports) == 2
        (connection,) = switch.dump_conntrack(zone=7)
        assert connection.startswith("icmp,orig=(src=10.0.0.1,dst=10.0.0.2,id=")
        assert ",zone=7" in connection
        assert switch.dump_conntrack(zone=8) == []


BAD = [
    ("ipp=1,actions=drop", "unknown keyword ipp", OvsTextError),
    ("in_port=vnet7,actions=drop", "vnet7: invalid or unknown port for in_port", OvsTextError),
    ("actions=group:1", "OFPBAC_BAD_OUT_GROUP", OpenFlowError),
]


@pytest.mark.parametrize(("text", "sentence", "kind"), BAD)
def test_a_bad_flow_changes_nothing(text: str, sentence: str, kind: type[VnetError]) -> None:
    with fabric() as lab:
        switch = lab.switch("h1:br0")
        before = switch.dump_flows()
        with pytest.raises(kind, match=sentence):
            switch.add_flow(text)
        with pytest.raises(kind, match=sentence):
            switch.add_flows(["tcp,actions=drop", text])
        assert switch.dump_flows() == before


def test_a_linux_bridge_has_no_flows() -> None:
    with fabric(kind="linux") as lab:
        with pytest.raises(UsageError, match="h1:br0 is a Linux bridge, which has no flows"):
            lab.switch("h1:br0").add_flow("actions=drop")
        assert lab.switch("h1:br0").ports == {"eth0": 1, "vnet0": 2, "vnet1": 3}
    with fabric() as lab, pytest.raises(UsageError, match="sw1 is a switch of Open vSwitch"):
        lab.switch("sw1").bridge  # noqa: B018


def test_meters_come_and_go_and_count() -> None:
    with fabric() as lab:
        switch, vm1 = lab.switch("h1:br0"), lab.vm("vm1")
        switch.add_meter("meter=1 pktps stats bands=type=drop rate=1")
        switch.add_flow("priority=9,icmp,in_port=vnet0,actions=meter:1,NORMAL")
        lab.advance("2s")
        assert vm1.ping("vm2", count=10, interval="1ms").received == 1
        first, band = switch.meter_stats()
        assert first.startswith("meter:1 flow_count:1 packet_in_count:10 byte_in_count:980 ")
        assert band == "0: packet_count:9 byte_count:882"
        switch.mod_meter("meter=1 pktps stats bands=type=drop rate=1000")
        assert switch.dump_meters("meter=1") == [
            "meter=1 pktps stats bands=",
            "type=drop rate=1000",
        ]
        lab.advance("2s")
        assert vm1.ping("vm2", count=10, interval="1ms").received == 10
        switch.del_meters()
        assert switch.dump_meters() == []
        assert len(switch.dump_flows()) == 1
        with pytest.raises(OpenFlowError, match="OFPMMFC_UNKNOWN_METER"):
            switch.mod_meter("meter=1 pktps bands=type=drop rate=1000")


def test_ports_are_described_and_set() -> None:
    with fabric() as lab:
        switch, vm1 = lab.switch("h1:br0"), lab.vm("vm1")
        assert vm1.ping("vm2", count=1).received == 1
        switch.mod_port("vnet1", "no-forward")
        lab.advance("1s")
        assert vm1.ping("vm2", count=1, timeout="1s").received == 0
        text = "\n".join(switch.dump_ports_desc())
        assert "3(vnet1): addr:fe:54:00" in text
        assert "config:     NO_FWD" in text
        assert text in switch.show().replace("\n ", "\n")
        switch.mod_port("vnet1", "forward")
        assert vm1.ping("vm2", count=1).received == 1
        with pytest.raises(OvsTextError, match="br0: couldn't find port `vnet7'"):
            switch.mod_port("vnet7", "up")


def test_tables_and_flows_are_summed_up() -> None:
    with fabric(more="flows: ['icmp,actions=resubmit(,1)', 'table=1,actions=NORMAL']") as lab:
        switch = lab.switch("h1:br0")
        lab.vm("vm1").ping("vm2", count=2)
        assert switch.dump_aggregate("icmp") == "packet_count=4 byte_count=392 flow_count=1"
        assert "  table 1:\n    active=1, lookup=4, matched=4\n" in switch.dump_tables()


def test_the_stations_are_listed_and_forgotten() -> None:
    with fabric() as lab:
        switch = lab.switch("h1:br0")
        lab.vm("vm1").ping("vm2", count=1)
        heading, *rows = switch.fdb_show()
        assert heading == " port  VLAN  MAC                Age"
        assert sorted(row.split()[0] for row in rows) == ["2", "3"]
        switch.fdb_flush()
        assert switch.fdb_show() == [heading]


def test_stations_and_megaflows_are_listed() -> None:
    with fabric() as lab:
        lab.vm("vm1").ping("vm3", count=3)
        switch = lab.switch("h1:br0")
        found = {row["mac"]: row["port"] for row in switch.fdb()}
        macs = [lab.vm(name).vnic(0).mac for name in ("vm1", "vm3")]
        assert [found[mac] for mac in macs] == ["vnet0", "eth0"]
        requests = "in_port(vnet0)", "eth_type(0x0800)"
        (line,) = [f for f in switch.dump_megaflows(names=True) if all(r in f for r in requests)]
        assert "packets:2, bytes:196" in line
        assert line.endswith("actions:eth0")
        assert line.replace("vnet0", "3").replace("eth0", "2") in switch.dump_megaflows()


def test_a_trace_is_ofproto_s_own() -> None:
    with fabric() as lab:
        switch = lab.switch("h1:br0")
        lines = switch.trace("in_port=vnet0,icmp").split("\n")
        assert lines[0].startswith("Flow: icmp,in_port=2,")
        assert 'bridge("br0")' in lines
        assert "    NORMAL" in lines
        assert lines[-1].startswith("Datapath actions: ")
        with pytest.raises(OvsTextError, match="Bad openflow flow syntax"):
            switch.trace("in_prot=1")
        assert switch.fdb() == []
        switch.trace("in_port=vnet0,icmp,dl_src=02:00:00:00:00:01", "-generate")
        assert [row["mac"] for row in switch.fdb()] == ["02:00:00:00:00:01"]


# -- traces


def events(root: TraceNode, place: str) -> list[str]:
    return [node.event for node in root.walk() if node.place == place]


def test_a_followed_frame_tells_what_was_decided_and_why() -> None:
    with fabric() as lab:
        packet = IP(dst="10.0.0.2") / ICMP()
        lab.vm("vm1").ping("vm2", count=1)
        lab.advance("20s")
        first, second = (lab.trace("vm1", packet) for _ in range(2))
        assert events(first, "h1:ovs-netdev")[0] == "upcall"
        assert set(events(second, "h1:ovs-netdev")) == {"megaflow hit"}
        told = [node for node in first.walk() if node.place == "h1:br0"]
        assert {node.event for node in told} == {"ofproto/trace"}
        notes = told[0].notes
        assert notes[0].startswith("Flow: icmp,in_port=vnet0,")
        assert " 0. priority 0" in notes
        assert " -> forwarding to learned port" in "\n".join(notes)
        assert notes[-1] == "Datapath actions: vnet1"
        assert all(note in str(first) for note in notes)
        assert "ofproto/trace" not in str(second)


def test_the_recorder_knows_how_a_frame_died_in_a_flow_table() -> None:
    with fabric(more="flows: ['priority=5,icmp,actions=drop']", follow=True) as lab:
        lab.vm("vm1").ping("vm2", count=1, timeout="1s")
        recorder = lab.flight_recorder
        assert recorder is not None
        assert recorder.last is not None
        assert recorder.last.leaf.drop is not None
        assert recorder.last.leaf.drop.word == "ovs-flow-drops"
        assert " 0. icmp, priority 5" in str(recorder.last.root)


@pytest.mark.parametrize(
    ("actions", "dies"),
    [
        ("controller", True),
        ("controller,controller(id=2)", True),
        ("clone(controller)", True),
        ("sample(probability=65535,collector_set_id=1),controller", True),
        ("controller,vnet1", False),
        ("clone(vnet1),controller", False),
        ("controller,NORMAL", False),
    ],
)
def test_what_goes_to_a_controller_alone_that_is_not_there_is_lost(
    actions: str, dies: bool
) -> None:
    flow = f"priority=5,icmp,in_port=vnet0,actions={actions}"
    with fabric(more=f"flows: ['{flow}']") as lab:
        ping = lab.vm("vm1").ping("vm2", count=3, interval="10ms", timeout="1s")
        assert ping.received == (0 if dies else 3)
        lost = [d for d in lab.report().drops if d.reason.word == "ovs-no-controller"]
        assert [(d.place, d.frames) for d in lost] == ([("h1:vnet0", 3)] if dies else [])
        trace = lab.trace("vm1", IP(dst="10.0.0.2") / ICMP())
        deaths = [node.drop.word for node in trace.walk() if node.drop is not None]
        assert ("ovs-no-controller" in deaths) is dies


# -- misses


def test_who_watches_upcalls_sees_each_miss_and_the_megaflow_that_it_left() -> None:
    with fabric(more="flows: ['icmp,in_port=vnet1,actions=drop', 'arp,actions=NORMAL']") as lab:
        switch = lab.switch("h1:br0")
        with switch.watch_upcalls() as seen:
            lab.vm("vm1").ping("vm2", count=2, timeout="1s")
        assert [(note.bridge, note.port) for note in seen[:2]] == [
            ("br0", "vnet0"),
            ("br0", "vnet1"),
        ]
        request, reply = (
            note for note in seen if "icmp" in note.steps[0] or "ipv4" in note.megaflow
        )
        assert request.frame[12:14] == b"\x08\x00"
        assert request.steps == ("0. priority 0", "forwarding to learned port")
        assert (request.actions, request.is_installed) == ("vnet1", True)
        assert f"{request.megaflow}, packets:1" in "\n".join(switch.dump_megaflows(names=True))
        assert reply.steps == ("0. icmp,in_port=vnet1, priority 32768",)
        assert (reply.port, reply.actions) == ("vnet1", "drop")
        count = len(seen)
        lab.vm("vm1").ping("vm3", count=1)
        assert len(seen) == count, "it watches no more"


def test_groups_meters_and_ports_are_told_by_their_numbers() -> None:
    with fabric() as lab:
        switch = lab.switch("h1:br0")
        for number in (1, 2):
            switch.add_meter(f"meter={number} kbps bands=type=drop rate=8")
            switch.add_group(f"group_id={number},type=all")
        assert switch.dump_meters(2)[0] == "meter=2 kbps bands="
        assert switch.meter_stats(1)[0].startswith("meter:1 ")
        assert [line.partition(",")[0] for line in switch.dump_group_stats(2)] == ["group_id=2"]
        switch.del_meters(1)
        switch.del_groups(1)
        assert switch.dump_meters()[0] == "meter=2 kbps bands="
        assert [line.partition(",")[0] for line in switch.dump_groups()] == ["group_id=2"]
        port = switch.ports["vnet0"]
        switch.mod_port(port, "down")
        assert switch.dump_ports(port) == switch.dump_ports("vnet0")
        assert "PORT_DOWN" in switch.ofctl("dump-ports-desc", port)


def test_what_the_database_is_told_is_in_force_before_the_next_frame() -> None:
    with fabric() as lab:
        switch, vm1 = lab.switch("h1:br0"), lab.vm("vm1")
        switch.vsctl("set", "port", "vnet1", "tag=7")
        assert vm1.ping("vm2", count=1).received == 0
        assert switch.vsctl("get", "port", "vnet1", "tag") == "7\n"
        switch.vsctl("clear", "port", "vnet1", "tag")
        assert vm1.ping("vm2", count=1).received == 1
        assert int(switch.vsctl("get", "interface", "vnet1", "statistics:rx_packets")) >= 1
        switch.vsctl("add-port", "br0", "p9", "--", "set", "interface", "p9", "type=patch")
        error = switch.vsctl("get", "interface", "p9", "error")
        assert error == "\"p9: patch type requires valid 'peer' argument\"\n"
        with pytest.raises(OvsTextError, match='no row "p8" in table Port'):
            switch.vsctl("set", "port", "p8", "tag=7")
        with pytest.raises(UsageError, match="what ovs-vsctl waits for is not so"):
            switch.vsctl("wait-until", "bridge", "br9")


@pytest.mark.parametrize(
    "call",
    [
        lambda switch: switch.add_flow(5),
        lambda switch: switch.add_flows([5]),
        lambda switch: switch.add_flows(5),
        lambda switch: switch.dump_flows(None),
        lambda switch: switch.add_group(1),
        lambda switch: switch.del_meters(True),
        lambda switch: switch.mod_port(1, 5),
        lambda switch: switch.trace(5),
        lambda switch: switch.trace("in_port=vnet0", b"x"),
        lambda switch: switch.ofctl(5),
        lambda switch: switch.appctl(["fdb/show"], "br0"),
    ],
)
def test_what_is_no_text_is_the_caller_s_mistake(call: Callable[[SwitchHandle], object]) -> None:
    with (
        fabric() as lab,
        pytest.raises(UsageError, match=r"is no text \(write what ovs-ofctl"),
    ):
        call(lab.switch("h1:br0"))


def test_of_a_closed_lab_a_switch_is_read_and_not_changed() -> None:
    with fabric() as lab:
        switch, link, vm1 = lab.switch("h1:br0"), lab.link("h1:eth0"), lab.vm("vm1")
        flows = switch.dump_flows()
    trace = "in_port=vnet0"
    assert switch.dump_flows() == flows
    assert "Datapath actions" in switch.trace(trace)
    assert len(switch.fdb_show()) == 1
    assert switch.vsctl("list-br") == "br0\n"
    for change in (
        lambda: switch.add_flow("actions=drop"),
        lambda: switch.del_flows(),
        lambda: switch.mod_port("vnet0", "down"),
        lambda: switch.fdb_flush(),
        lambda: switch.vsctl("del-br", "br0", "--", "show"),
        lambda: switch.trace(trace, "-generate"),
        lambda: link.set(latency="1ms"),
        lambda: link.down(),
        lambda: link.up(),
        lambda: vm1.serve_echo(),
    ):
        with pytest.raises(UsageError, match=r"the lab is closed \(load it again\)"):
            change()
    assert switch.dump_flows() == flows
