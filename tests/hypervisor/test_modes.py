"""How hosts wire themselves up: Xen's scripts step by step, today's style, and KVM's taps."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from vnet.base.chance import Chance
from vnet.base.ids import Mac, ip_from_text, ip_text, link_local_of, mac_from_text, prefix_from_text
from vnet.hypervisor.backend import BACKEND_MAC, BackEnd, FrontEnd, tap_mac
from vnet.hypervisor.modes.bridge import BridgeMode
from vnet.lab.lab import Lab
from vnet.linux.netns.changes import Change, LinkChange
from vnet.linux.netns.namespace import Namespace
from vnet.netdev.nic import Nic
from vnet.netdev.pair import pair_up
from vnet.sim.link import Link
from vnet.sim.scheduler import Scheduler

HIGHEST = mac_from_text("fe:ff:ff:ff:ff:ff")
CARD = mac_from_text("00:1b:21:00:00:01")
FIVE_MINUTES_NS = 300_000_000_000


class Host:
    """A namespace with a plugged card that is up and has two addresses."""

    def __init__(self, *, ipv6: bool = False) -> None:
        self.scheduler = Scheduler()
        self.namespace = Namespace(self.scheduler, "h1", Chance(1))
        nic = Nic(self.scheduler, "eth0", CARD)
        self.namespace.add_device(nic, ipv6=ipv6)
        nic.plug(Link(self.scheduler, ("h1:eth0", "sw:p1")).ends[0])
        self.namespace.set_up("eth0")
        for text in ["192.0.2.1/24", "198.51.100.1/25"] + (["2001:db8::1/64"] if ipv6 else []):
            self.namespace.add_address("eth0", *prefix_from_text(text))
        self.mode = BridgeMode(self.namespace)
        self.changes: list[Change] = []
        self.namespace.listeners.append(self.changes.append)

    def start_xen(self) -> None:
        self.mode.create_bridge("xenbr0", "network-bridge", ageing_ns=FIVE_MINUTES_NS, silent=True)
        self.mode.network_bridge("xenbr0", "eth0", "veth0", "vif0.0", "peth0")

    @property
    def commands(self) -> list[str]:
        return [step.command for step in self.mode.log.steps]

    def addresses(self, name: str) -> list[str]:
        return [
            f"{ip_text(a.ip)}/{a.prefix_length}"
            for a in self.namespace.interface(name).addresses
            if a.ip[0] != 0xFE
        ]


@pytest.fixture
def host() -> Host:
    return Host()


def test_network_bridge_step_by_step(host: Host) -> None:
    host.start_xen()
    assert host.commands == [
        "brctl addbr xenbr0",
        "brctl stp xenbr0 off",
        "brctl setfd xenbr0 0",
        "ip link set xenbr0 arp off multicast off",
        "ip addr add 192.0.2.1/24 dev veth0",
        "ip addr add 198.51.100.1/25 dev veth0",
        "ip link set eth0 down",
        "ip addr flush dev eth0",
        "ip link set eth0 name peth0",
        "ip link set veth0 name eth0",
        "ip link set peth0 address fe:ff:ff:ff:ff:ff",
        "ip link set peth0 arp off multicast off",
        "ip link set vif0.0 address fe:ff:ff:ff:ff:ff",
        "ip link set vif0.0 arp off multicast off",
        "ip link set eth0 address 00:1b:21:00:00:01 arp on",
        "ip link set xenbr0 up",
        "brctl addif xenbr0 vif0.0",
        "ip link set vif0.0 up",
        "brctl addif xenbr0 peth0",
        "ip link set peth0 up",
        "ip link set eth0 up",
    ]
    assert {(step.host, step.script) for step in host.mode.log.steps} == {("h1", "network-bridge")}
    assert str(host.mode.log.steps[0]) == "h1: network-bridge: brctl addbr xenbr0"


def test_the_steps_really_happen_in_that_order(host: Host) -> None:
    """What rtnetlink listeners are told is the same story."""
    states: list[tuple[str, bool]] = []

    def note(change: Change) -> None:
        if isinstance(change, LinkChange):
            states.append((change.device.name, change.device.admin_up))

    host.namespace.listeners.append(note)
    host.start_xen()
    milestones = [
        ("xenbr0", False),
        ("veth0", False),
        ("eth0", False),
        ("peth0", False),
        ("xenbr0", True),
        ("vif0.0", True),
        ("peth0", True),
        ("eth0", True),
    ]
    first_seen = [states.index(milestone) for milestone in milestones]
    assert first_seen == sorted(first_seen)


def test_the_state_after_network_bridge(host: Host) -> None:
    host.start_xen()
    interfaces = host.namespace.interfaces
    assert set(interfaces) == {"lo", "xenbr0", "vif0.0", "peth0", "eth0"}
    assert {n: i.device.mac for n, i in interfaces.items() if n != "lo"} == {
        "xenbr0": HIGHEST,
        "vif0.0": HIGHEST,
        "peth0": HIGHEST,
        "eth0": CARD,
    }
    flags = {n: (i.arp, i.multicast) for n, i in interfaces.items() if n != "lo"}
    assert flags == {
        "xenbr0": (False, False),
        "vif0.0": (False, False),
        "peth0": (False, False),
        "eth0": (True, True),
    }
    assert all(interface.device.running for interface in interfaces.values())
    assert host.addresses("eth0") == ["192.0.2.1/24", "198.51.100.1/25"]
    assert host.addresses("peth0") == host.addresses("xenbr0") == []
    bridge = host.namespace.bridges["xenbr0"]
    assert [port.device.name for port in bridge.ports] == ["vif0.0", "peth0"]
    assert bridge.tree.own_times.forward_delay == 0
    assert interfaces["peth0"].device.kind == "nic"
    routes = [(r.prefix_length, r.nexthops[0].device.name) for r in host.namespace.routing4.main]
    assert sorted(routes) == [(24, "eth0"), (25, "eth0")]
    owner = host.namespace.owner_of(ip_from_text("192.0.2.1"))
    assert owner is interfaces["eth0"]


def test_ipv6_addresses_move_too() -> None:
    host = Host(ipv6=True)
    host.start_xen()
    assert host.addresses("eth0")[2] == "2001:db8::1/64"
    assert host.addresses("peth0") == []


def test_a_domain_s_back_end_joins_and_comes_up(host: Host) -> None:
    host.start_xen()
    del host.mode.log.steps[:]
    mac = mac_from_text("00:16:3e:00:00:01")
    front = FrontEnd(host.scheduler, "eth0", mac, 1400)
    back = BackEnd(host.scheduler, "vif3.0", BACKEND_MAC, 1400)
    pair_up(front, back)
    assert not front.carrier
    host.mode.attach("xenbr0", back, "vif-bridge")
    assert host.commands == ["brctl addif xenbr0 vif3.0", "ip link set vif3.0 up"]
    assert host.mode.log.steps[0].script == "vif-bridge"
    assert (back.mac, back.mtu_bytes, back.kind, front.kind) == (BACKEND_MAC, 1400, "vif", "vnic")
    # No carrier until the guest opens its card, too.
    front.set_admin(True)
    assert [device.running for device in (front, back)] == [True, True]


def test_the_enslaved_style(host: Host) -> None:
    host.mode.create_bridge("br0", "ifup", ageing_ns=FIVE_MINUTES_NS)
    host.mode.enslave("br0", "eth0")
    assert host.commands == [
        "brctl addbr br0",
        "brctl stp br0 off",
        "brctl setfd br0 0",
        "ip addr add 192.0.2.1/24 dev br0",
        "ip addr add 198.51.100.1/25 dev br0",
        "brctl addif br0 eth0",
        "ip link set eth0 up",
        "ip link set br0 up",
    ]
    interfaces = host.namespace.interfaces
    assert interfaces["eth0"].device.mac == interfaces["br0"].device.mac == CARD
    assert host.addresses("br0") == ["192.0.2.1/24", "198.51.100.1/25"]
    assert host.addresses("eth0") == []
    assert {r.nexthops[0].device.name for r in host.namespace.routing4.main} == {"br0"}
    assert interfaces["br0"].arp


def test_a_bridge_without_a_card(host: Host) -> None:
    host.mode.create_bridge("br1", "ifup", ageing_ns=FIVE_MINUTES_NS)
    host.mode.standalone("br1")
    assert host.commands[-1] == "ip link set br1 up"
    assert host.namespace.interface("br1").device.admin_up


def test_libvirt_s_tap_macs() -> None:
    assert tap_mac(Mac(mac_from_text("52:54:00:12:34:56"))) == mac_from_text("fe:54:00:12:34:56")


# In a lab

XEN = """
version: 1
hosts:
  h1:
    hypervisor: xen
    nics: {eth0: {ip: 192.0.2.1/24, mac: '00:1b:21:00:00:01'}, eth1: {ip: 198.51.100.1/24}}
    switches: {xenbr0: {uplink: eth0}, xenbr1: {uplink: eth1}}
  h2: {hypervisor: xen, nics: {eth0: {ip: 192.0.2.2/24}, eth1: {ip: 198.51.100.2/24}},
       switches: {xenbr0: {uplink: eth0}, xenbr1: {uplink: eth1}}}
vms:
  a: {host: h1, vnics: [{switch: xenbr0, ip: 10.0.0.1/24}, {switch: xenbr1, ip: 10.1.0.1/24}]}
  b: {host: h1, vnics: [{switch: xenbr0, ip: 10.0.0.2/24}]}
  c: {host: h2, vnics: [{switch: xenbr1, ip: 10.1.0.3/24}]}
links:
  - {ends: ['h1:eth0', 'h2:eth0']}
  - {ends: ['h1:eth1', 'h2:eth1']}
"""

KVM = """
version: 1
hosts:
  h1: {hypervisor: kvm, nics: {eth0: {ip: 192.0.2.1/24}}, switches: {br0: {uplink: eth0}, br1: }}
vms:
  a: {host: h1, vnics: [{switch: br0, ip: 10.0.0.1/24}, {switch: br1}]}
  b: {host: h1, vnics: [{switch: br0, ip: 10.0.0.2/24}]}
"""


@pytest.fixture
def xen() -> Iterator[Lab]:
    with Lab.from_text(XEN) as lab:
        yield lab


def test_two_cards_behind_two_bridges(xen: Lab) -> None:
    namespace = xen.host("h1").namespace
    ports = {n: [p.device.name for p in b.ports] for n, b in namespace.bridges.items()}
    assert ports == {
        "xenbr0": ["vif0.0", "peth0", "vif1.0", "vif2.0"],
        "xenbr1": ["vif0.1", "peth1", "vif1.1"],
    }
    assert not [name for name in namespace.interfaces if name.startswith("veth")]


def test_guests_and_hosts_reach_each_other(xen: Lab) -> None:
    assert xen.vm("a").ping("10.0.0.2", count=1).received == 1
    assert xen.vm("a").ping("10.1.0.3", count=1).received == 1
    assert xen.host("h1").ping("192.0.2.2", count=1).received == 1
    assert xen.host("h1").ping("198.51.100.2", count=1).received == 1


@pytest.mark.parametrize("style", ["xen", "kvm"])
def test_hosts_speak_ipv6_by_their_moved_addresses(style: str) -> None:
    text = """
version: 1
hosts:
  h1: {hypervisor: HV, nics: {eth0: {ip: '2001:db8::1/64'}}, switches: {br0: {uplink: eth0}}}
  h2: {hypervisor: HV, nics: {eth0: {ip: '2001:db8::2/64'}}, switches: {br0: {uplink: eth0}}}
links: [{ends: ['h1:eth0', 'h2:eth0']}]
""".replace("HV", style)
    with Lab.from_text(text) as lab:
        lab.advance("3s")
        assert lab.host("h1").ping("2001:db8::2", count=1).received == 1
        speaker = lab.host("h1").namespace.interface("eth0" if style == "xen" else "br0")
        link_local = link_local_of(speaker.device.mac)
        assert [a.ip for a in speaker.addresses if a.ip[0] == 0xFE] == [link_local]
        assert all(address.usable for address in speaker.addresses)


def test_the_bridge_never_answers_for_dom0(xen: Lab) -> None:
    """Only the new eth0 speaks ARP for the host's addresses."""
    app = xen.host("h2").arping("192.0.2.1", count=1)
    assert (app.received, app.mac) == (1, "00:1b:21:00:00:01")


def test_every_domain_starts_by_its_own_script(xen: Lab) -> None:
    steps = [s for s in xen.network.script_steps if s.script == "vif-bridge" and s.host == "h1"]
    assert [s.command for s in steps] == [
        "brctl addif xenbr0 vif1.0",
        "ip link set vif1.0 up",
        "brctl addif xenbr1 vif1.1",
        "ip link set vif1.1 up",
        "brctl addif xenbr0 vif2.0",
        "ip link set vif2.0 up",
    ]


def test_kvm_counts_its_taps() -> None:
    with Lab.from_text(KVM) as lab:
        namespace = lab.host("h1").namespace
        ports = {n: [p.device.name for p in b.ports] for n, b in namespace.bridges.items()}
        assert ports == {"br0": ["eth0", "vnet0", "vnet2"], "br1": ["vnet1"]}
        guest = lab.vm("a").vnic(0)
        assert namespace.interface("vnet0").device.mac.hex(":") == "fe" + guest.mac[2:]
        scripts = {s.script for s in lab.network.script_steps}
        assert scripts == {"ifup", "qemu-ifup"}
        assert lab.vm("a").ping("10.0.0.2", count=1).received == 1


def cost_of(lab: Lab, name: str) -> int:
    """What the spanning tree of h1 has for a port."""
    bridge = lab.host("h1").namespace.master_of(name)
    assert bridge is not None
    return next(port.path_cost for port in bridge.ports if port.device.name == name)


def test_netback_tells_no_speed_and_a_tap_that_of_10_gbit(xen: Lab) -> None:
    assert cost_of(xen, "vif1.0") == 100
    with Lab.from_text(KVM) as lab:
        assert cost_of(lab, "vnet0") == 2


def test_a_card_costs_by_the_bandwidth_of_its_link(xen: Lab) -> None:
    slow = "ends: ['h1:eth0', 'h2:eth0'], bandwidth: 100Mbit"
    with Lab.from_text(XEN.replace("ends: ['h1:eth0', 'h2:eth0']", slow)) as lab:
        assert (cost_of(xen, "peth0"), cost_of(lab, "peth0")) == (2, 19)
