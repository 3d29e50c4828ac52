"""What frames had Open vSwitch ask and answer, as comments in captures and as a log."""

from __future__ import annotations

from pathlib import Path

import pytest

from vnet import Lab
from vnet.base.units import NS_PER_S
from vnet.ovs.dpif.request_log import RequestLog
from vnet.wire.pcapng import read_pcapng

TOPOLOGY = """\
version: 1
name: talk
hosts: {h1: {switches: {br0: {type: ovs}}}}
vms:
  a: {host: h1, vnics: [{ip: 10.0.0.1/24}]}
  b: {host: h1, vnics: [{ip: 10.0.0.2/24}]}
captures: ['h1:vnet0']
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path


def comments(folder: Path) -> list[str]:
    with (folder / "talk.pcapng").open("rb") as stream:
        return [packet.comment for packet in read_pcapng(stream) if packet.comment]


def run(folder: Path, *, ovs_netlink: bool) -> list[str]:
    with Lab.from_text(TOPOLOGY, pcap_dir=folder, ovs_netlink=ovs_netlink) as lab:
        assert lab.vm("a").ping("10.0.0.2", count=3).received == 3
    return comments(folder)


def test_the_frame_that_was_not_known_says_what_came_of_it(folder: Path) -> None:
    asked, *_ = [each for each in run(folder, ovs_netlink=True) if "ipv4(src=10.0.0.1" in each]
    miss, flow, execute = asked.split("; ")
    assert miss.startswith("OVS_PACKET_CMD_MISS in_port(vnet0),eth(src=")
    assert miss.endswith("icmp(type=8), packet:98 bytes")
    assert flow.startswith("OVS_FLOW_CMD_NEW recirc_id(0),in_port(vnet0),")
    assert flow.endswith("ipv4(frag=no), actions:vnet1")
    assert execute == "OVS_PACKET_CMD_EXECUTE packet:98 bytes, actions:vnet1"


def test_frames_of_a_flow_that_is_known_say_nothing(folder: Path) -> None:
    said = run(folder, ovs_netlink=True)
    assert sum("OVS_PACKET_CMD_MISS" in each and "icmp(type=8)" in each for each in said) == 1


def test_nothing_is_said_unless_it_is_asked_for(folder: Path) -> None:
    assert run(folder, ovs_netlink=False) == []


def test_a_log_has_what_changes_the_datapath_in_its_order() -> None:
    with Lab.from_text(TOPOLOGY) as lab:
        switch = lab.switch("br0")
        datapath = switch.machine.datapath
        log = RequestLog(datapath, n_kept=100)
        lab.vm("a").ping("10.0.0.2", count=1)
        lab.advance(30 * NS_PER_S)
        switch.appctl("dpctl/ct-set-limits", "zone=5,limit=3")
        switch.appctl("dpctl/flush-conntrack", "zone=5")
        switch.add_meter("meter=1,kbps,band=type=drop,rate=100")
        log.stop()
        switch.appctl("revalidator/purge")
        said = [text.split()[0] for _, _, text in log.last()]
    assert said[:3] == ["OVS_PACKET_CMD_MISS", "OVS_FLOW_CMD_NEW", "OVS_PACKET_CMD_EXECUTE"]
    assert said.count("OVS_FLOW_CMD_DEL") == said.count("OVS_FLOW_CMD_NEW")
    assert said[-3:] == ["OVS_CT_LIMIT_CMD_SET", "IPCTNL_MSG_CT_DELETE", "OVS_METER_CMD_SET"]


def test_ports_come_and_go_and_the_datapath_with_them() -> None:
    with Lab.from_text(TOPOLOGY) as lab:
        machine = lab.switch("br0").machine
        log = RequestLog(machine.datapath)
        machine.remove_port("br0", "vnet0")
        machine.add_port("br0", "vnet0")
        said = [text for _, goes_up, text in log.last(2) if not goes_up]
    assert said == ["OVS_VPORT_CMD_DEL port 2: vnet0", "OVS_VPORT_CMD_NEW port 2: vnet0 (system)"]
