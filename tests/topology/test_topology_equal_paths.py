"""Routes with several gateways: what they become, and what is said about them."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from vnet.base.ids import ip_text
from vnet.lab.lab import Lab

ROUTER = (
    "version: 1\nrouters: {r1: {nics: {eth0: {ip: 10.0.0.1/24}, eth1: {ip: 10.0.1.1/24}}, "
    "sysctls: {net.ipv4.conf.all.ignore_routes_with_linkdown: 1}, "
    "routes: [{to: 10.9.0.0/16, via: %s}]}}\n"
)


def test_a_route_may_have_several_gateways_whose_links_come_later() -> None:
    with Lab.from_text(ROUTER % "[10.0.0.2, 10.0.1.2]") as lab:
        routes = lab.machine("r1").namespace.routing4.main
        hops = next(route.nexthops for route in routes if route.prefix_length == 16)
    shown = [(hop.device.name, ip_text(hop.gateway or b""), hop.weight) for hop in hops]
    assert shown == [("eth0", "10.0.0.2", 1), ("eth1", "10.0.1.2", 1)]


@pytest.mark.parametrize(
    ("via", "message"),
    [
        ("^[10.0.0.2, 10.0.0.2]", "the route has a gateway twice"),
        (
            "^[10.0.0.2, 10.0.7.2]",
            "gateway '10.0.7.2' is on no network of this machine "
            "(its networks: 10.0.0.0/24, 10.0.1.0/24)",
        ),
        (
            "^[10.0.0.2, '2001:db8::2']",
            "the gateway speaks another IP version than the network",
        ),
    ],
)
def test_each_gateway_is_judged(
    assert_problem: Callable[[str, str], None], via: str, message: str
) -> None:
    assert_problem(ROUTER % via, message)
