"""Good files: what each spelling means, and what is filled in where a file is silent."""

from __future__ import annotations

import pytest

from vnet.base.ids import ip_from_text, mac_text
from vnet.sim.netem import GilbertElliott, Impairments
from vnet.topology.load import default_name, parse_topology
from vnet.topology.model import (
    Address,
    BridgeStyle,
    Endpoint,
    Hypervisor,
    Link,
    Nexthop,
    Route,
    Topology,
)
from vnet.topology.reading.explain import judge_wire
from vnet.topology.schema.wire import change_of
from vnet.topology.steps import (
    ArpingStep,
    Expectation,
    LinkStep,
    PingStep,
    SendStep,
    UdpStep,
    WaitStep,
)

EVERYTHING = """\
version: 1
name: all
seed: 7
epoch: 2030-01-01T00:00:00.5Z
hosts:
  x1:
    hypervisor: xen
    nics:
      eth0: {ip: [192.0.2.1/24, '2001:db8::1/64'], mac: '00:1b:21:00:00:01', mtu: 9000, ipv6: true}
      eth1:
    switches: {xenbr0: , xenbr1: {uplink: eth1, ageing: 10s}}
    gateway: [192.0.2.254, '2001:db8::fe']
    routes: [{to: 10.0.0.0/8, via: 192.0.2.253}]
    sysctls: {net.ipv4.ip_forward: 1, net/ipv4/conf/all/arp_notify: false}
  k1: {nics: {eth0: }, switches: {br0: {uplink: none}, br1: }}
vms:
  a: {host: k1, vnics: [{ip: 10.0.0.1/24, switch: br1}, {switch: br0}]}
  b: {host: x1, vnics: [{switch: xenbr0}]}
switches: {sw: }
routers:
  r1: {nics: {e0: {ip: 10.0.0.254/24}, e1: }, routes: [{to: default, via: 10.0.0.1}]}
links:
  - {ends: ['x1:eth0', 'sw:left'], latency: 1ms, bandwidth: 10gbit, queue: 9, mtu: 900, up: false}
  - {ends: ['sw:right', 'r1:e0']}
captures: ['a:eth1', 'x1:peth0', 'x1:vif0.1', 'x1:nlmon', 'k1:vnet1', 'sw:left', 'r1:e1']
scenario:
  - {at: 1500ms, ping: {from: a, to: r1}, expect: {received: '>= 2', lost: 0, rtt_avg_ms: '< 2.5'}}
  - ping: {from: x1, to: '2001:DB8::0:9', count: 1, interval: 10ms, size: 0, ttl: 1, df: true}
  - {arping: {from: a, to: r1, mode: announce}, expect: {duplicate: false, mac: 02:00:00:00:00:0A}}
  - udp: {from: a, to: r1, port: 9, size: 10, echo: false, timeout: 2s}
  - send: {from: a, packet: 'Ether()/ARP(pdst="10.0.0.2")'}
  - send: {from: 'a:eth1', packet: IPv6(), count: 2}
  - {link: {end: 'r1:e0', state: down}, expect: {state: down}}
  - wait: 2s
"""


@pytest.fixture(scope="module")
def lab() -> Topology:
    return parse_topology(EVERYTHING, "lab.yaml")


def test_the_smallest_file() -> None:
    topology = parse_topology("version: 1", "dir/some lab.yaml")
    assert (topology.name, topology.seed) == ("some-lab", 1)
    assert topology.epoch_ns == 1_735_689_600 * 10**9
    assert topology.file == "dir/some lab.yaml"
    assert not topology.hosts
    assert topology.scenario == ()


def test_empty_sections_are_empty() -> None:
    text = "version: 1\nhosts:\nvms:\nswitches:\nrouters:\nlinks:\ncaptures:\nscenario:\n"
    assert parse_topology(text).links == ()


@pytest.mark.parametrize(
    ("file", "name"),
    [("<text>", "text"), ("a/b.yaml", "b"), ("..", "lab"), ("ä.yaml", "lab"), ("", "lab")],
)
def test_a_lab_without_a_name_is_called_like_its_file(file: str, name: str) -> None:
    assert default_name(file) == name


def test_top_level_values(lab: Topology) -> None:
    assert (lab.name, lab.seed) == ("all", 7)
    assert lab.epoch_ns == 1_893_456_000_500_000_000


def test_a_host_of_every_key(lab: Topology) -> None:
    host = lab.hosts["x1"]
    assert host.hypervisor is Hypervisor.XEN
    assert host.bridge_style is BridgeStyle.NETWORK_BRIDGE
    eth0 = host.nics["eth0"]
    assert mac_text(eth0.mac) == "00:1b:21:00:00:01"
    assert eth0.addresses == (
        Address(ip_from_text("192.0.2.1"), 24),
        Address(ip_from_text("2001:db8::1"), 64),
    )
    assert (eth0.mtu_bytes, eth0.ipv6) == (9000, True)
    assert host.routes == (
        Route(ip_from_text("0.0.0.0"), 0, (Nexthop(ip_from_text("192.0.2.254")),)),
        Route(ip_from_text("::"), 0, (Nexthop(ip_from_text("2001:db8::fe")),)),
        Route(ip_from_text("10.0.0.0"), 8, (Nexthop(ip_from_text("192.0.2.253")),)),
    )
    assert host.sysctls == {"net.ipv4.ip_forward": "1", "net.ipv4.conf.all.arp_notify": "0"}
    assert host.switches["xenbr1"].ageing_ns == 10 * 10**9


def test_the_first_switch_that_does_not_say_gets_the_first_free_card(lab: Topology) -> None:
    uplinks = {name: switch.uplink for name, switch in lab.hosts["x1"].switches.items()}
    assert uplinks == {"xenbr0": "eth0", "xenbr1": "eth1"}
    uplinks = {name: switch.uplink for name, switch in lab.hosts["k1"].switches.items()}
    assert uplinks == {"br0": None, "br1": "eth0"}
    three = parse_topology("version: 1\nhosts: {h: {nics: {a: , b: }, switches: {x: , y: , z: }}}")
    uplinks = {name: switch.uplink for name, switch in three.hosts["h"].switches.items()}
    assert uplinks == {"x": "a", "y": None, "z": None}


def test_wire_switches_have_the_ports_their_links_name(lab: Topology) -> None:
    assert lab.switches["sw"].ports == ("left", "right")
    counted = parse_topology("version: 1\nswitches: {s: {ports: 3}}")
    assert counted.switches["s"].ports == ("p1", "p2", "p3")


def test_links(lab: Topology) -> None:
    first, second = lab.links
    ends = (Endpoint("x1", "eth0"), Endpoint("sw", "left"))
    assert first == Link(ends, 1_000_000, 10**10, 9, 900, up=False)
    assert second == Link((Endpoint("sw", "right"), Endpoint("r1", "e0")))


@pytest.mark.parametrize(
    ("keys", "impairments"),
    [
        ("loss: 1%", Impairments(loss=0.01)),
        ("loss: 0, duplicate: 0%", Impairments()),
        (
            "jitter: 2ms, loss: 0.5%, duplicate: 2%, reorder: 25%, corrupt: 100%",
            Impairments(2_000_000, 0.005, 0.02, 0.25, 1.0),
        ),
        ("loss: {p: 1%}", Impairments(loss=GilbertElliott(0.01, 0.99, 1.0, 0.0))),
        (
            "loss: {p: 1%, r: 30%, 1-h: 80%, 1-k: 0.1%}",
            Impairments(loss=GilbertElliott(0.01, 0.3, 0.8, 0.001)),
        ),
        ("latency: 1ms, reorder: 5%", Impairments(reorder=0.05)),
    ],
)
def test_impairments_of_a_link(keys: str, impairments: Impairments) -> None:
    text = f"version: 1\nswitches: {{a: , b: }}\nlinks: [{{ends: ['a:p', 'b:p'], {keys}}}]"
    assert parse_topology(text).links[0].impairments == impairments


def test_a_change_is_what_was_written_and_nothing_else() -> None:
    assert change_of(judge_wire({})) == {}
    assert change_of(judge_wire({"loss": {"p": "1%"}, "bandwidth": None, "latency": 0})) == {
        "loss": GilbertElliott(0.01, 0.99),
        "bandwidth_bps": None,
        "latency_ns": 0,
    }


def test_captures_of_what_only_exists_once_the_lab_runs(lab: Topology) -> None:
    assert [str(point) for point in lab.captures] == [
        "a:eth1",
        "x1:peth0",
        "x1:vif0.1",
        "x1:nlmon",
        "k1:vnet1",
        "sw:left",
        "r1:e1",
    ]


def test_steps_with_all_defaults(lab: Topology) -> None:
    ping, _, arping, _, send = lab.scenario[:5]
    expect = (
        Expectation("received", ">=", 2),
        Expectation("lost", "==", 0),
        Expectation("rtt_avg_ms", "<", 2.5),
    )
    assert ping == PingStep(1_500_000_000, expect, 27, "a", "r1")
    answers = (
        Expectation("duplicate", "==", False),
        Expectation("mac", "==", "02:00:00:00:00:0a"),
    )
    assert arping == ArpingStep(None, answers, 29, "a", "r1", mode="announce")
    assert send == SendStep(None, (), 31, "a", "eth0", 'Ether()/ARP(pdst="10.0.0.2")')


def test_steps_with_every_key(lab: Topology) -> None:
    assert lab.scenario[1] == PingStep(
        None, (), 28, "x1", "2001:db8::9", 1, 10_000_000, 0, 1, True, 10 * 10**9
    )
    assert lab.scenario[3] == UdpStep(
        None, (), 30, "a", "r1", 9, 1, 10**9, 10, echo=False, timeout_ns=2 * 10**9
    )
    assert lab.scenario[5] == SendStep(None, (), 32, "a", "eth1", "IPv6()", 2)
    down = (Expectation("state", "==", "down"),)
    assert lab.scenario[6] == LinkStep(None, down, 33, Endpoint("r1", "e0"), {"up": False})
    assert lab.scenario[7] == WaitStep(None, (), 34, 2 * 10**9)


def test_yaml_1_2_words_are_text() -> None:
    """In YAML 1.1 ``no`` was false and ``12:30:00`` a number; here both are names or text."""
    topology = parse_topology("version: 1\nhosts: {no: {}, on: {}, 1: {}, 0x1: {}}")
    assert list(topology.hosts) == ["no", "on", "1", "0x1"]


def test_an_alias_may_stand_for_a_value() -> None:
    text = "version: 1\nhosts: {a: &host {nics: {eth0: {mtu: 9000}}}, b: *host}"
    assert parse_topology(text).hosts["b"].nics["eth0"].mtu_bytes == 9000
