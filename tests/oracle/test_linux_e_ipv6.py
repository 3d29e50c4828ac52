"""The recording ``linux/e_ipv6``: SLAAC from a router, neighbour discovery, ICMPv6 errors.

Two hosts and a router on a bridge, and a host beyond the router. The bridge's ports speak IPv6 as
well, so the router has a neighbour that asks it for advertisements and never answers.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from tests.oracle.linux_kit import RecordedChance, Stage, station
from tests.oracle.recording import MS, Recording
from tests.oracle.replayed import FramesAgree, Recorded
from vnet.base.ids import IPV6_ANY, ip_from_text
from vnet.linux.services.advertising import RouterAdvertising
from vnet.linux.services.router_advertiser import RouterAdvertiser
from vnet.shell.views.address import addresses_text
from vnet.shell.views.neighbor import neighbors_text
from vnet.shell.views.route import routes_text
from vnet.wire import icmpv6, ipv6

RECORDED = Recorded("e_ipv6")
COMPARED = {"ties": True}
pytestmark = RECORDED.marks

EPOCH_NS = 10_164 * MS
"""Puts the wheel's 256 ms slots where the recording has them."""

DRAWS = {
    # When DAD starts; the spread of the first interval of solicitations; DAD of the next address.
    "h1:eth0 addrconf": [0.95, 0.5, 0.295],
    "h2:eth0 addrconf": [0.4, 0.5, 0.655, 0.34],
    "sw:p1 addrconf": [0.12, 0.2],
    "sw:p2 addrconf": [0.94, 0.75],
    "sw:p3 addrconf": [0.5, 0.45, 0.75, 0.95],
    "far:eth0 addrconf": [0.3, 0.3, 0.5, 0.5],
    # The first advertisement a second after the daemon's start, the next 18 s later.
    "r:eth0 router advertisements": [0.25, 0.88],
}

LINK_UP = "link up: MLD, DAD, RS, RA, SLAAC"
FAR = "fd00:2::2"


class Scenario:
    """The stage of e, and its steps in order."""

    def __init__(self, folder: Path) -> None:
        self.stage = stage = Stage(Recording(folder), RecordedChance(DRAWS), EPOCH_NS)
        stage.namespace("r", "h1", "h2", "far", "sw")
        for number in (1, 2):
            stage.veth(number, f"h{number}", "sw", ipv6=True, up=False)
        # The machines that are up already when the recording begins.
        stage.run_to(-4_838 * MS)
        router = stage.nodes["r"]
        router.sysctls["net.ipv6.conf.all.forwarding"] = 1
        stage.cable("r/eth0", "sw/p3", station(0x10), station(0x10, 6), ipv6=True)
        stage.cable("r/eth1", "far/eth0", station(0x11), station(0x40), mtu=1400, ipv6=True)
        stage.bridge("sw", ["p1", "p2", "p3"])
        stage.nodes["sw"].set_up("br0")
        stage.address("r", "eth0", "fd00:1::1/64")
        stage.address("r", "eth1", "fd00:2::1/64")
        stage.address("far", "eth0", f"{FAR}/64")
        stage.run_to(-3_300 * MS)
        stage.nodes["far"].add_route(IPV6_ANY, 0, gateway=ip_from_text("fd00:2::1"))
        for node in ("h1", "h2"):
            stage.nodes[node].set_up("eth0")
        for node in ("h1", "h2", "r", "far"):
            stage.capture(node, "eth0")
        stage.run_to(-1_500 * MS)
        said = RouterAdvertising(interval_s=10, lifetime_s=300, valid_s=3600, preferred_s=3600)
        self.daemon = RouterAdvertiser(router.interface("eth0"), said)

    def play(self) -> None:
        stage = self.stage
        stage.step(LINK_UP, self.ports_up, 7_000, {"h1": self.shown("h1"), "h2": self.shown("h2")})
        h2 = "fd00:1::ff:fe00:2"
        stage.step("ping6 h1->h2 link-local", partial(self.ping_link, "fe80::ff:fe00:2"))
        stage.step("ping6 h1->h2 global", partial(stage.ping, "h1", h2))
        stage.step("ping6 h1->far routed", partial(stage.ping, "h1", FAR))
        stage.step("hop limit 1: time exceeded 3/0", partial(stage.ping, "h1", FAR, ttl=1))
        stage.step("hop limit 1, 1200 B: error size cap 1280", self.long_and_short_lived)
        stage.step("packet too big 2/0 (1400 link)", self.too_big)
        stage.step("no route 1/0", partial(stage.ping, "h1", "fd00:99::1"))
        nobody = partial(stage.ping, "h1", "fd00:2::77", wait_ms=3_100)
        stage.step("address unreachable 1/3 after 3 NS", nobody, 1_000)
        stage.step("udp port unreachable 1/4", partial(self.datagrams, 999))
        stage.step(
            "DAD conflict: h2 adds h1 address",
            partial(stage.address, "h2", "eth0", "fd00:1::ff:fe00:1/64"),
            2_500,
            {"addr": self.addresses("h2")},
        )
        stage.step("all-nodes ping ff02::1", partial(self.ping_link, "ff02::1"))
        closed = partial(self.datagrams, *range(900, 915))
        stage.step("rate limit 15 closed ports", closed, 1_000)
        stage.step("NUD after STALE: DELAY 5 s then unicast NS", lambda: None, 7_000)

    def ports_up(self) -> None:
        for port in ("p1", "p2"):
            self.stage.nodes["sw"].set_up(port)

    def ping_link(self, target: str) -> None:
        """An echo request out of eth0, with the hop limit that a group's packets have."""
        h1 = self.stage.nodes["h1"]
        out, to = h1.interface("eth0"), ip_from_text(target)
        source = out.source_for(to)
        assert source is not None
        request = icmpv6.Icmpv6(icmpv6.ECHO_REQUEST, 0, bytes((0x20, 0, 0, 1)) + bytes(56))
        message = icmpv6.emit(source, to, request)
        hops = 1 if to[0] == 0xFF else 64
        packet = ipv6.emit(source, to, icmpv6.PROTOCOL, message, hop_limit=hops)
        h1.ipv6.send(packet, out=out)

    def long_and_short_lived(self) -> None:
        self.stage.wait(300 * MS)
        self.stage.ping("h1", FAR, 1300, ttl=1)

    def too_big(self) -> None:
        """Two are asked for; the second is refused by the sender, which knows better by then."""
        self.stage.ping("h1", FAR, 1400)
        self.stage.wait(310 * MS)

    def datagrams(self, *ports: int) -> None:
        h1 = self.stage.nodes["h1"]
        for port in ports:
            h1.sockets.open_udp(lambda *_: None).send_to(ip_from_text(FAR), port, b"x")
            self.stage.wait(10 * MS)

    # -- what ip(8) shows

    def addresses(self, node: str) -> Callable[[], list[str]]:
        def look() -> list[str]:
            interface = self.stage.nodes[node].interface("eth0")
            lines = addresses_text([interface], family=6, one_device=True).splitlines()[1:]
            return [
                f"2: eth0{first}\\{second}"
                for first, second in zip(lines[::2], lines[1::2], strict=True)
            ]

        return look

    def shown(self, node: str) -> Callable[[], list[str]]:
        namespace = self.stage.nodes[node]

        def look() -> list[str]:
            routes = routes_text(namespace, 6)
            neighbors = neighbors_text(namespace, family=6)
            return [*self.addresses(node)(), *routes.splitlines(), *neighbors.splitlines()]

        return look


class TestFrames(FramesAgree):
    """Each step's, place by place."""


def without_seconds(lines: list[str]) -> list[str]:
    """Lifetimes in whole seconds differ by the recorder's own pace."""
    return [re.sub(r"\d+sec", "Nsec", line).rstrip() for line in lines]


@pytest.mark.parametrize("node", ["h1", "h2"])
def test_what_a_host_has_after_its_links_came_up(node: str, scenario: Scenario) -> None:
    ours = scenario.stage.played[LINK_UP].state[node]
    recorded = scenario.stage.recording.steps[LINK_UP].state["addr"][node]
    assert without_seconds(ours) == without_seconds(recorded)


def test_the_address_that_another_has_failed_its_check(scenario: Scenario) -> None:
    step = "DAD conflict: h2 adds h1 address"
    ours = scenario.stage.played[step].state["addr"]
    recorded = scenario.stage.recording.steps[step].state["addr"]
    assert without_seconds(ours) == without_seconds(recorded)
