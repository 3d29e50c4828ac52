"""Which of its addresses a machine sends from, when only a route can say."""

from __future__ import annotations

import pytest

from vnet.base.chance import Chance
from vnet.base.ids import IpAddress, Mac, ip_from_text, ip_text
from vnet.linux.netns.namespace import Namespace
from vnet.netdev.pair import PairDevice, pair_up
from vnet.sim.scheduler import Scheduler


@pytest.fixture
def machine() -> Namespace:
    """One card with two addresses of each family, past its duplicate checks."""
    scheduler = Scheduler()
    namespace = Namespace(scheduler, "host", Chance(1))
    card = PairDevice(scheduler, "eth0", Mac(b"\x02\0\0\0\0\1"))
    far = PairDevice(scheduler, "far", Mac(b"\x02\0\0\0\0\2"))
    pair_up(card, far)
    namespace.add_device(card, ipv6=True)
    namespace.set_up("eth0")
    far.rx_handler = lambda frame: None
    far.set_admin(True)
    for text, length in (("10.0.0.1", 24), ("10.9.0.1", 24), ("2001:db8::1", 64)):
        namespace.add_address("eth0", ip_from_text(text), length)
    scheduler.run(3_000_000_000)
    return namespace


def test_ipv4_sends_from_the_gateways_network(machine: Namespace) -> None:
    machine.add_route(IpAddress(bytes(4)), 0, gateway=ip_from_text("10.9.0.254"))
    assert ip_text(machine.sockets.source_for(ip_from_text("8.8.8.8"))) == "10.9.0.1"


def test_ipv6_sends_from_the_targets_scope_whatever_the_gateways(machine: Namespace) -> None:
    gateway = ip_from_text("fe80::1")
    machine.add_route(IpAddress(bytes(16)), 0, gateway=gateway, device="eth0")
    assert ip_text(machine.sockets.source_for(ip_from_text("2001:db8:9::1"))) == "2001:db8::1"
    assert machine.sockets.source_for(gateway)[0] == 0xFE


@pytest.mark.parametrize("text", ["fec0::1", "fe00::1"])
def test_only_fe80_is_link_local(machine: Namespace, text: str) -> None:
    """Site-local addresses (RFC 3513) begin alike and are routed like any other."""
    machine.add_route(IpAddress(bytes(16)), 0, gateway=ip_from_text("fe80::1"), device="eth0")
    assert ip_text(machine.sockets.source_for(ip_from_text(text))) == "2001:db8::1"
