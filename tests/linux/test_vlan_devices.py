"""VLAN devices: what they send and take, and what they take over from the device below."""

from __future__ import annotations

from typing import Any

import pytest
from scapy.layers.inet import ICMP, IP
from scapy.layers.l2 import ARP, Dot1AD, Dot1Q, Ether

from tests.linux.kit import BROADCAST, Lab, Probe, address, drops, host_mac, probe_mac
from vnet.base.errors import UsageError
from vnet.base.ids import mac_from_text
from vnet.linux.netns.namespace import Namespace
from vnet.linux.netns.vlan_devices import add_vlan_device
from vnet.netdev.vlan_device import VlanDevice
from vnet.shell.views.link import links_text
from vnet.wire.ether import TYPE_QINQ


class Host:
    """A machine with eth0, on which eth0.10 stands, and a probe at the cable's end."""

    def __init__(self) -> None:
        self.lab = Lab()
        self.machine: Namespace = self.lab.machine("host")
        self.probe: Probe = self.lab.probe(self.machine, "eth0")
        self.vlan = self.add("eth0.10", 10)
        self.machine.set_up("eth0.10")
        address(self.machine, "eth0.10", "10.0.10.1/24")

    def add(self, name: str, vid: int, **settings: Any) -> VlanDevice:
        link = settings.pop("link", "eth0")
        made = add_vlan_device(self.machine, link, name, vid, **settings).device
        assert isinstance(made, VlanDevice)
        return made

    @property
    def eth0(self) -> Any:
        return self.machine.interface("eth0").device

    def ask(self, *tags: Any, target: str = "10.0.10.1") -> list[Any]:
        """What the host answers to an ARP request behind these tags."""
        packet = Ether(src=probe_mac(1), dst=BROADCAST)
        for tag in tags:
            packet = packet / tag
        query = ARP(hwsrc=probe_mac(1), psrc="10.0.10.2", pdst=target)
        self.probe.send(packet / query)
        answers = self.probe.of(ARP)
        self.probe.forget()
        return answers


@pytest.fixture
def host() -> Host:
    return Host()


def test_its_frames_have_a_tag_on_the_wire_and_none_on_the_device(host: Host) -> None:
    (answer,) = host.ask(Dot1Q(vlan=10, prio=5))
    assert (answer[Dot1Q].vlan, answer[Dot1Q].prio) == (10, 0)
    assert (host.vlan.rx_packets, host.vlan.rx_bytes) == (1, 28)
    assert (host.vlan.tx_packets, host.vlan.tx_bytes) == (1, 42)


def test_the_device_below_has_nothing_of_it(host: Host) -> None:
    address(host.machine, "eth0", "10.0.0.1/24")
    assert len(host.ask(target="10.0.0.1")) == 1
    (answer,) = host.ask(Dot1Q(vlan=10), target="10.0.0.1")
    assert Dot1Q in answer  # the weak host model answers for any address, but in the VLAN


def test_another_vlan_is_nobodys(host: Host) -> None:
    assert host.ask(Dot1Q(vlan=11)) == []
    assert drops(host.eth0) == {"no-vlan-device": 1}


def test_the_protocols_of_tags_are_told_apart(host: Host) -> None:
    assert host.ask(Dot1AD(vlan=10)) == []
    service = host.add("s10", 10, protocol=TYPE_QINQ)
    host.machine.set_up("s10")
    assert [Dot1AD in answer for answer in host.ask(Dot1AD(vlan=10))] == [True]
    assert service.rx_packets == 1


def test_a_vlan_may_stand_on_a_vlan(host: Host) -> None:
    host.add("inner", 20, link="eth0.10")
    host.machine.set_up("inner")
    (answer,) = host.ask(Dot1Q(vlan=10), Dot1Q(vlan=20))
    assert [answer.getlayer(Dot1Q, n).vlan for n in (1, 2)] == [10, 20]


def test_a_priority_tag_is_looked_through(host: Host) -> None:
    (answer,) = host.ask(Dot1Q(vlan=0, prio=7), Dot1Q(vlan=10))
    assert answer[Dot1Q].vlan == 10


@pytest.mark.parametrize(
    ("target", "taken"),
    [(host_mac(1), True), ("02:00:00:00:00:77", True), ("02:00:00:00:00:78", False)],
)
def test_frames_for_its_own_mac_and_for_the_cards_are_taken(
    host: Host, target: str, taken: bool
) -> None:
    host.machine.set_mac("eth0.10", mac_from_text("02:00:00:00:00:77"))
    host.probe.answers_arp("10.0.10.2")
    ping = IP(src="10.0.10.2", dst="10.0.10.1") / ICMP()
    host.probe.send(Ether(src=probe_mac(1), dst=target) / Dot1Q(vlan=10) / ping)
    assert (host.vlan.tx_packets > 0) is taken
    assert ("other-host" in drops(host.vlan)) is not taken


# -- what it takes over


def test_it_has_the_mac_of_the_card_until_it_is_given_one(host: Host) -> None:
    assert host.vlan.mac == host.eth0.mac
    host.machine.set_mac("eth0", mac_from_text("02:00:00:00:00:55"))
    assert host.vlan.mac == host.eth0.mac
    host.machine.set_mac("eth0.10", mac_from_text("02:00:00:00:00:77"))
    host.machine.set_mac("eth0", mac_from_text("02:00:00:00:00:66"))
    assert host.vlan.mac == mac_from_text("02:00:00:00:00:77")


def test_its_mtu_shrinks_with_the_cards_and_does_not_grow_back(host: Host) -> None:
    host.machine.set_mtu("eth0", 1400)
    assert host.vlan.mtu_bytes == 1400
    host.machine.set_mtu("eth0", 1500)
    assert host.vlan.mtu_bytes == 1400
    host.machine.set_mtu("eth0.10", 1500)
    with pytest.raises(UsageError, match="Numerical result out of range"):
        host.machine.set_mtu("eth0.10", 1501)


def test_it_goes_down_and_up_with_the_card(host: Host) -> None:
    host.machine.set_down("eth0")
    assert not host.vlan.admin_up
    with pytest.raises(UsageError, match="Network is down"):
        host.machine.set_up("eth0.10")
    host.machine.set_up("eth0")
    assert host.vlan.running


def test_its_carrier_is_the_cards(host: Host) -> None:
    host.probe.device.set_admin(False)
    assert (host.vlan.admin_up, host.vlan.carrier) == (True, False)
    host.probe.device.set_admin(True)
    assert host.vlan.running


def test_it_goes_with_the_card(host: Host) -> None:
    host.machine.remove_device("eth0")
    assert list(host.machine.interfaces) == ["lo"]


def test_without_it_the_card_has_its_frames_again(host: Host) -> None:
    host.machine.remove_device("eth0.10")
    assert host.ask(Dot1Q(vlan=10)) == []
    assert drops(host.eth0) == {"no-vlan-device": 1}
    assert host.eth0.vlan_devices is None


def test_a_bridge_does_not_see_the_frames_of_a_vlan_on_its_port(host: Host) -> None:
    bridge = host.machine.add_bridge("br0")
    host.machine.enslave("eth0", "br0")
    host.machine.set_up("br0")
    assert len(host.ask(Dot1Q(vlan=10))) == 1
    assert [entry for entry in bridge.fdb if entry.is_dynamic] == []


# -- what cannot be


@pytest.mark.parametrize(
    ("vid", "settings", "message"),
    [
        (4095, {}, "Error: 8021q: Invalid VLAN id."),
        (10, {}, "Error: 8021q: VLAN device already exists."),
        (11, {"mtu_bytes": 1501}, "RTNETLINK answers: Invalid argument"),
        (11, {"link": "eth9"}, 'device "eth9" does not exist'),
    ],
)
def test_what_cannot_be_made(host: Host, vid: int, settings: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError) as caught:
        host.add("new", vid, **settings)
    assert message in str(caught.value)
    assert "new" not in host.machine.interfaces


def test_ip_link_says_on_what_it_stands(host: Host) -> None:
    shown = links_text([host.machine.interface("eth0.10")]).splitlines()
    assert shown[0] == (
        "3: eth0.10@eth0: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1500 qdisc noqueue state UP "
        "mode DEFAULT group default qlen 1000"
    )
    host.probe.device.set_admin(False)
    shown = links_text([host.machine.interface("eth0.10")]).splitlines()
    assert "<NO-CARRIER,BROADCAST,MULTICAST,UP>" in shown[0]
    assert "state LOWERLAYERDOWN" in shown[0]
    host.machine.set_down("eth0")
    shown = links_text([host.machine.interface("eth0.10")]).splitlines()
    assert "<BROADCAST,MULTICAST,M-DOWN>" in shown[0]
