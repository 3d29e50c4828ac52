"""The bridge's own addresses: one entry for each MAC, whichever port has it."""

from __future__ import annotations

import pytest

from vnet.base.chance import Chance
from vnet.base.ids import Mac
from vnet.linux.bridge.bridge import Bridge
from vnet.linux.netns.namespace import Namespace
from vnet.netdev.pair import PairDevice, pair_up
from vnet.sim.scheduler import Scheduler

SHARED = Mac(b"\xfe\xff\xff\xff\xff\xff")
OTHER = Mac(b"\x02\0\0\0\0\x07")


def local_entries(bridge: Bridge) -> dict[str, str]:
    return {entry.mac.hex(":"): entry.port.device.name for entry in bridge.entries()}


@pytest.fixture
def namespace() -> Namespace:
    """A namespace whose br0 has ports a, b and c, all with the MAC of back ends."""
    scheduler = Scheduler()
    namespace = Namespace(scheduler, "host", Chance(1))
    namespace.add_bridge("br0")
    for name in "abc":
        port, far = PairDevice(scheduler, name, SHARED), PairDevice(scheduler, "far", OTHER)
        pair_up(port, far)
        namespace.add_device(port)
        namespace.enslave(name, "br0")
    return namespace


def test_the_first_port_with_a_mac_has_its_entry(namespace: Namespace) -> None:
    assert local_entries(namespace.bridges["br0"]) == {"fe:ff:ff:ff:ff:ff": "a"}


def test_a_port_that_leaves_hands_the_entry_to_another(namespace: Namespace) -> None:
    bridge = namespace.bridges["br0"]
    namespace.release("a")
    assert local_entries(bridge) == {"fe:ff:ff:ff:ff:ff": "b"}
    namespace.release("b")
    namespace.release("c")
    assert local_entries(bridge) == {}


def test_a_port_that_changes_its_mac_hands_the_old_one_over(namespace: Namespace) -> None:
    namespace.set_mac("a", OTHER)
    assert local_entries(namespace.bridges["br0"]) == {
        "02:00:00:00:00:07": "a",
        "fe:ff:ff:ff:ff:ff": "b",
    }


def test_the_bridge_takes_the_lowest_mac_among_its_ports(namespace: Namespace) -> None:
    bridge = namespace.bridges["br0"]
    assert bridge.device.mac == SHARED
    namespace.set_mac("b", OTHER)
    assert bridge.device.mac == OTHER
    namespace.release("b")
    assert bridge.device.mac == SHARED
