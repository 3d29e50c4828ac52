"""The switches of a lab that is up, told by the real ovs-vsctl and ovs-appctl."""

from __future__ import annotations

import os
import stat
import subprocess
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from tests.live.ports import Reserve
from tests.live.processes import PATIENCE_S, VnetProcess, wait_until
from tests.live.switch.certificates import Certificates
from tests.ovs.private_ovs import IS_INSTALLED
from vnet.live.lab.taking_down import take_down
from vnet.wire.pcapng import Packet, read_pcapng

pytestmark = [
    pytest.mark.ovs,
    pytest.mark.skipif(not IS_INSTALLED, reason="Open vSwitch is not installed"),
]

DROPPED = "ovs-flow-drops"
SENT_AT, GOT_AT = "h1:vnet0", "vm2:eth0"
N_ON_THEIR_WAY = 1
"""Echo requests that may be between vm1 and vm2 at any time: each waits for the one before."""

# Guests that ping each other for ever, across two hosts and a switch on the wire.
LAB = """
version: 1
name: three-switches
hosts:
  h1: {hypervisor: kvm, nics: {eth0: , eth1: },
       switches: {br0: {type: ovs, uplink: eth0, ports: {vnet0: {tag: 10}}}}}
  h2: {hypervisor: kvm, nics: {eth0: },
       switches: {br0: {type: ovs, uplink: eth0, ports: {vnet0: {tag: 10}}}}}
switches:
  s1: {type: ovs, ports: 2}
vms:
  vm1: {host: h1, vnics: [{ip: 10.0.0.1/24, switch: br0}]}
  vm2: {host: h2, vnics: [{ip: 10.0.0.2/24, switch: br0}]}
links:
  - {ends: ['h1:eth0', 's1:p1'], latency: 1ms}
  - {ends: ['s1:p2', 'h2:eth0'], latency: 1ms}
captures: ['vm2:eth0', 'h1:vnet0']
scenario:
  - repeat:
      count: forever
      interval: 50ms
      steps: [{ping: {from: vm1, to: vm2, count: 1, timeout: 100ms}}]
"""


class Lab:
    """A lab that is up, and the clients of each machine's switch."""

    def __init__(self, folder: Path) -> None:
        self.vnet = VnetProcess(folder)
        started = self.vnet.do("up", self.vnet.lab(LAB), "--detach")
        assert started.returncode == 0, started.stderr
        self.told = started.stdout
        self.directory = self.vnet.labs / "three-switches"

    def try_to(self, machine: str, *command: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            command,
            env=self.vnet.environment | {"OVS_RUNDIR": str(self.directory / machine)},
            capture_output=True,
            text=True,
            check=False,
            timeout=PATIENCE_S,
        )

    def do(self, machine: str, *command: str) -> str:
        done = self.try_to(machine, *command)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def requests(self) -> tuple[list[Packet], list[Packet]]:
        """The echo requests that vm1 has sent, and those that vm2 has got."""
        capture = self.vnet.folder / "pcaps/three-switches-live/three-switches.pcapng"
        found: dict[str, list[Packet]] = {SENT_AT: [], GOT_AT: []}
        for packet in read_pcapng(capture.read_bytes()):
            if packet.data[12:14] == b"\x08\x00" and packet.data[34] == 8:
                found[packet.interface.name].append(packet)
        return found[SENT_AT], found[GOT_AT]

    def newest_comment(self) -> str:
        """What is remarked on the request that vm1 has sent last."""
        return self.requests()[0][-1].comment


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    made = Lab(tmp_path_factory.mktemp("lab"))
    yield made
    assert take_down(made.directory)
    assert not made.directory.exists(), "nothing is left"


def more_arrive(lab: Lab) -> bool:
    """Whether of the next echo requests that vm1 sends any reaches vm2."""
    n_sent, n_got = map(len, lab.requests())
    n_more_got = 0

    def more_were_sent() -> bool:
        nonlocal n_more_got
        sent, got = lab.requests()
        n_more_got = len(got) - n_got
        return len(sent) > n_sent + N_ON_THEIR_WAY

    wait_until(more_were_sent)
    return n_more_got > 0


def test_each_machine_with_open_vswitch_has_a_directory_of_its_own(lab: Lab) -> None:
    machines = ["h1", "h2", "s1"]
    assert sorted(lab.told.splitlines()) == [
        f"export OVS_RUNDIR={lab.directory}/{name}" for name in machines
    ]
    pid = (lab.directory / "vnet.pid").read_text()
    for name in machines:
        folder = lab.directory / name
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
        assert (folder / "ovs-vswitchd.pid").read_text() == pid
        assert lab.do(name, "ovs-vsctl", "list-br") == ("s1\n" if name == "s1" else "br0\n")
        assert lab.do(name, "ovs-appctl", "version") == "ovs-vswitchd (Open vSwitch) 3.1.0\n"
    assert "vnet0" in lab.do("h1", "ovs-vsctl", "list-ports", "br0")
    assert "p1" in lab.do("s1", "ovs-vsctl", "list-ports", "s1")


def test_guests_talk_meanwhile_and_their_flows_count(lab: Lab) -> None:
    wait_until(lambda: more_arrive(lab))
    wait_until(lambda: "eth_type(0x0800)" in lab.do("h2", "ovs-appctl", "dpctl/dump-flows"))
    traced = lab.do("h1", "ovs-appctl", "ofproto/trace", "br0", "in_port=vnet0,icmp")
    assert "Datapath actions: push_vlan(vid=10,pcp=0)" in traced
    table = lab.do("s1", "ovs-appctl", "fdb/show", "s1")
    assert table.count("  10  ") == 2, table


def test_changes_take_effect_on_the_running_lab(lab: Lab) -> None:
    lab.do("h1", "ovs-vsctl", "set", "port", "vnet0", "tag=20")
    wait_until(lambda: not more_arrive(lab))
    lab.do("h1", "ovs-vsctl", "set", "port", "vnet0", "tag=10")
    wait_until(lambda: more_arrive(lab))
    lab.do("s1", "ovs-vsctl", "del-port", "s1", "p1")
    wait_until(lambda: not more_arrive(lab))
    lab.do("s1", "ovs-vsctl", "add-port", "s1", "p1")
    wait_until(lambda: more_arrive(lab))


def test_a_flow_that_drops_pings_stops_them_until_it_is_deleted(lab: Lab) -> None:
    wait_until(lambda: more_arrive(lab))
    lab.do("h1", "ovs-ofctl", "add-flow", "br0", "priority=100,icmp,actions=drop")
    wait_until(lambda: not more_arrive(lab))
    datapath = lab.do("h1", "ovs-appctl", "dpctl/dump-flows")
    (drop,) = [line for line in datapath.splitlines() if "proto=1" in line]
    assert "eth_type(0x0800)" in drop
    assert drop.endswith("actions:drop")
    (flow,) = [
        line
        for line in lab.do("h1", "ovs-ofctl", "dump-flows", "br0").splitlines()
        if "priority=100,icmp" in line
    ]
    assert "n_packets=0," not in flow, "what it has dropped counts"
    wait_until(lambda: DROPPED in lab.newest_comment())
    lab.do("h1", "ovs-ofctl", "--strict", "del-flows", "br0", "priority=100,icmp")
    wait_until(lambda: more_arrive(lab))
    wait_until(lambda: not lab.newest_comment())


def test_a_host_s_devices_can_become_ports_and_others_cannot(lab: Lab) -> None:
    lab.do("h1", "ovs-vsctl", "add-br", "br9", "--", "add-port", "br9", "eth1")
    assert "eth1" in lab.do("h1", "ovs-appctl", "dpif/show")
    assert (lab.directory / "h1/br9.mgmt").exists()
    refused = lab.try_to("h1", "ovs-vsctl", "add-port", "br9", "eth7")
    assert "could not open network device eth7 (No such device)" in refused.stderr
    lab.do("h1", "ovs-vsctl", "del-br", "br9")
    assert not (lab.directory / "h1/br9.mgmt").exists()


@pytest.mark.slow
def test_an_ssl_row_is_used_by_the_machine_that_has_it(lab: Lab, reserve_port: Reserve) -> None:
    certificates = Certificates(lab.vnet.folder)
    bridges, databases = reserve_port(), reserve_port()
    lab.do("h1", "ovs-vsctl", "set-ssl", *certificates.row())
    lab.do("h1", "ovs-vsctl", "set-manager", f"pssl:{databases}")
    lab.do("h1", "ovs-vsctl", "set-controller", "br0", f"pssl:{bridges}")
    assert certificates.is_bridge_at(bridges, partial(lab.try_to, "h1"))
    assert certificates.is_database_at(databases, partial(lab.try_to, "h1"))
    for command in ("del-controller br0", "del-manager", "del-ssl"):
        lab.do("h1", "ovs-vsctl", *command.split())


def test_no_switch_leaves_a_lab(lab: Lab) -> None:
    asked = lab.try_to("h1", "ovs-appctl", "exit")
    assert asked.returncode == 2
    assert "this switch is one of a lab's, which ends as a whole (vnet down)" in asked.stderr
    os.kill(int((lab.directory / "vnet.pid").read_text()), 0)
