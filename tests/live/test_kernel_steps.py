"""Steps on the kernel that say the same as in virtual time."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.live.files import leasing
from vnet import Lab
from vnet.lab.report import Report
from vnet.live.kernel.apps.traces import read_tracepath
from vnet.live.kernel.lab import bring_down, bring_up
from vnet.topology.load import parse_topology
from vnet.wire.pcapng import read_pcapng

WIRE = """
version: 1
name: {name}
hosts:
  h1: {{nics: {{eth0: {{ip: 192.0.2.1/24}}}}{more}}}
routers:
  r1: {{nics: {{eth0: {{ip: 192.0.2.2/24}}}}{beyond}}}
links: [{{ends: ['h1:eth0', 'r1:eth0']{cable}}}]
captures: ['h1:eth0']
scenario:
"""


def on_the_kernel(text: str, folder: Path) -> Report:
    topology = parse_topology(text)
    try:
        with bring_up(topology, pcap_dir=folder) as lab:
            lab.play()
            return lab.finish()
    finally:
        bring_down(topology.name)


def in_virtual_time(text: str) -> Report:
    with Lab.from_text(text) as lab:
        return lab.run()


def both(text: str, folder: Path) -> tuple[list[Any], list[Any]]:
    """What the steps saw in virtual time, and on the kernel."""
    ours, theirs = in_virtual_time(text), on_the_kernel(text, folder)
    return [step.seen for step in ours.steps], [step.seen for step in theirs.steps]


@pytest.mark.kernel
def test_what_refuses_a_datagram_says_the_same_in_both(lab_name: str, tmp_path: Path) -> None:
    refuse = "-j REJECT --reject-with icmp-host-prohibited"
    text = WIRE.format(
        name=lab_name,
        more=f", iptables: {{filter: {{OUTPUT: ['-p udp --dport 11 {refuse}']}}}}",
        beyond=f", iptables: {{filter: {{INPUT: ['-p udp --dport 10 {refuse}']}}}}",
        cable="",
    )
    text += """
  - {at: 100ms, udp: {from: h1, to: r1, port: 10, count: 2, interval: 10ms, timeout: 200ms}}
  - {udp: {from: h1, to: r1, port: 11, count: 2, interval: 10ms, timeout: 200ms}}
"""
    ours, theirs = both(text, tmp_path)
    assert [seen["errors"] for seen in ours] == [2, 4], "sendto(2) says it too where a rule is ours"
    assert theirs == ours


@pytest.mark.kernel
def test_a_card_has_queues_of_its_own_beside_those_of_its_cable(
    lab_name: str, tmp_path: Path
) -> None:
    text = WIRE.format(name=lab_name, more="", beyond="", cable=", bandwidth: 1Mbit, queue: 20")
    text += """
  - {tc: {device: 'h1:eth0', command: 'qdisc add root handle 7: pfifo limit 100'}}
  - {tc: {device: 'h1:eth0', handle: '7:'}, expect: {kind: pfifo}}
"""
    topology = parse_topology(text)
    with bring_up(topology, pcap_dir=tmp_path, stays=False) as lab:
        if lab.notes:
            pytest.skip(lab.notes[0])
        lab.play()
        command = ["tc", "-n", f"vnet-{lab_name}--wires", "qdisc", "show", "dev", "cable0b"]
        shown = subprocess.run(command, capture_output=True, text=True, check=True).stdout
        report = lab.finish()
    assert report.held, report
    assert "qdisc tbf 1: root" in shown, "what h1 sends into the cable"
    assert " parent 1: limit 20p" in shown, "frames, not bytes"


def test_who_answered_a_tracepath_is_told_once() -> None:
    printed = """\
 1?: [LOCALHOST]                      pmtu 1500
 1:  10.0.1.254                                            0.124ms
 2:  192.0.2.2                                             0.101ms
 3:  192.0.2.2                                             0.054ms pmtu 1400
 3:  192.0.2.6                                             0.183ms
 4:  no reply
 5:  10.0.3.3                                              0.222ms reached
     Resume: pmtu 1400 hops 5 back 5
"""
    seen = read_tracepath(printed)
    assert seen["path"] == "10.0.1.254 192.0.2.2 192.0.2.6 10.0.3.3"
    assert (seen["reached"], seen["pmtu"], seen["hops"], seen["back"]) == (True, 1400, 5, 5)
    gone = read_tracepath(" 1:  no reply\n     Too many hops: pmtu 1500\n     Resume: pmtu 1500 \n")
    assert gone == {"reached": False, "path": "", "pmtu": 1500, "hops": 0, "back": 0}


RULED = """
*filter
:INPUT ACCEPT [0:0]
:mine - [0:0]
-A INPUT -p icmp -j mine
-A INPUT -p udp -m comment --comment "-c 5 7" -j mine
-A mine -j RETURN
COMMIT
*nat
-A PREROUTING -p udp --dport 700 -j REDIRECT --to-ports 7
COMMIT
"""


@pytest.mark.kernel
def test_rules_and_connections_are_looked_at(lab_name: str, tmp_path: Path) -> None:
    beyond = f", iptables: {json.dumps(RULED)}"
    text = WIRE.format(name=lab_name, more="", beyond=beyond, cable="")
    text += """
  - {at: 100ms, ping: {from: h1, to: r1, count: 2, interval: 10ms}}
  - {udp: {from: h1, to: r1, port: 700, count: 1, timeout: 100ms}}
  - {udp: {from: h1, to: r1, port: 7, count: 1}}
  - {rules: {machine: r1}, expect: {rules: 3, packets: 8}}
  - {rules: {machine: r1, chain: mine}, expect: {rules: 1, packets: 4, policy_packets: 0}}
  - {rules: {machine: r1, chain: INPUT, rule: 2}, expect: {rules: 1, packets: 2}}
  - {rules: {machine: r1, table: nat, chain: PREROUTING}}
  - {conntrack: {machine: r1}}
  - {conntrack: {machine: r1, args: -p udp}, expect: {entries: 2}}
  - {conntrack: {machine: r1, args: -D -p udp}, expect: {entries: 2}}
  - {conntrack: {machine: r1, args: -D -p udp}, expect: {entries: 0}}
  - {conntrack: {machine: r1, args: -F}}
"""
    assert in_virtual_time(text).held
    ours, theirs = both(text, tmp_path)
    assert theirs[3:] == ours[3:]


NAMED = """
version: 1
name: {name}
hosts:
  h1:
    nics: {{eth0: {{ip: 192.0.2.1/24, dns: {{domain: lab.test, hosts: {{far: 192.0.2.2}}}}}}}}
routers:
  r1: {{nics: {{eth0: {{ip: 192.0.2.2/24}}}}, dns: {{servers: 192.0.2.1}}}}
links: [{{ends: ['h1:eth0', 'r1:eth0']}}]
captures: ['h1:eth0']
scenario:
  - {{at: 100ms, ping: {{from: r1, to: h1.lab.test, count: 1}}}}
  - {{udp: {{from: r1, to: h1.lab.test, count: 1, port: 700}}}}
  - {{ping: {{from: r1, to: nobody.lab.test, count: 1}}}}
"""


@pytest.mark.kernel
def test_targets_may_be_names(lab_name: str, tmp_path: Path) -> None:
    text = NAMED.format(name=lab_name)
    ours, theirs = in_virtual_time(text), on_the_kernel(text, tmp_path)
    for one, other in zip(ours.steps, theirs.steps, strict=True):
        assert one.remarks == other.remarks
        assert one.seen["received"] == other.seen["received"]
        assert not other.unjudged
    assert [step.seen["received"] for step in theirs.steps] == [1, 1, 0]


@pytest.mark.kernel
def test_leases_are_given_back_and_asked_for_again(lab_name: str, tmp_path: Path) -> None:
    text = (
        leasing(lab_name).partition("scenario:")[0]
        + """
scenario:
  - {dhcp: {vm: vm1}}
  - {dhcp: {vm: vm1, action: reboot}}
  - {dhcp: {vm: vm1, action: release}, expect: {address: none}}
  - {ping: {from: vm1, to: 10.0.0.1, count: 1, timeout: 100ms}, expect: {received: 0, errors: 1}}
  - {dhcp: {vm: vm1, action: start}}
  - {dhcp: {vm: vm1, action: renew}}
  - {ping: {from: vm1, to: 10.0.0.1, count: 1}, expect: {received: 1}}
"""
    )
    report = on_the_kernel(text, tmp_path)
    assert report.held, report
    addresses = [step.seen["address"] for step in report.steps if "address" in step.seen]
    assert addresses[1] == addresses[0] != "none"
    assert report.steps[5].unjudged == "dhclient cannot be told to renew a lease"
    assert dhcp_asked(tmp_path / f"{lab_name}.pcapng") == [
        *("discover", "request"),
        "request",  # of the one it had
        "release",
        *("discover", "request"),
    ]


def dhcp_asked(file: Path) -> list[str]:
    """What a client has sent, each once, however often it said it again."""
    words = {1: "discover", 3: "request", 7: "release"}
    frames = [packet.data for packet in read_pcapng(file.read_bytes(), strict=True)]
    asked = [data[42:] for data in frames if data[34:38] == b"\0D\0C"]
    told = dict.fromkeys((message[4:8], words[message[242]]) for message in asked)
    return [word for _transaction, word in told]
