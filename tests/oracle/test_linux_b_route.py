"""The recording ``linux/b_route``: a host that routes for its guests, and a router beyond it.

Guests g1 and g2 believe that everybody of 192.0.2.0/24 is on their wire; dom0 stands in for the
others by proxy ARP. r2 is the router towards ``far``, over a link with a smaller MTU.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tests.oracle.linux_kit import RecordedChance, Stage, station
from tests.oracle.recording import MS, Recording
from tests.oracle.replayed import FramesAgree, Recorded
from vnet.base.ids import Mac, ip_from_text, prefix_from_text
from vnet.linux.netns.namespace import Namespace
from vnet.shell.views.neighbor import neighbors_text
from vnet.shell.views.route import routes_text
from vnet.shell.views.route_get import route_get_text
from vnet.tables.fib import Nexthop, Route, RouteType
from vnet.wire import icmp, ipv4, udp
from vnet.wire.ether import TYPE_IPV4
from vnet.wire.ether import frame as ether_frame

RECORDED = Recorded("b_route")
COMPARED = {"ties": True}
pytestmark = RECORDED.marks

START_MS = 8
EPOCH_NS = 10_100 * MS
"""Puts the wheel's 256 ms slots where the recording has them."""

DRAWS = {
    # How long a neighbour counts as reachable, 15 to 45 s.
    "dom0:eth0 ipv4 reachable time": [0.10],
    "g1:eth0 ipv4 reachable time": [0.62],
    "far:eth0 ipv4 reachable time": [0.02],
    "r2:eth1 ipv4 reachable time": [0.97],
    # How long dom0 waits before it answers for somebody else, of 0.8 s.
    "dom0 proxy arp": [0.78, 0.70, 0.0, 0.58, 0.34, 0.62, 0.14, 0.74, 0.70, 0.99],
}

VIF_MAC = Mac(b"\xfe\xff\xff\xff\xff\xff")
FAR = "198.51.100.2"
TO_EXT = "g1 -> ext ping: proxy ARP for on-subnet target"
REDIRECT = "redirect: ext -> 203.0.113.9 via r2, better gw dom0 on same iface"
TOO_BIG = "frag needed: 1472B DF ping over 1400 link"
NUD = "NUD: g1 pings then idle: STALE/DELAY/PROBE unicast ARP"


class Scenario:
    """The stage of b, and its steps in order."""

    def __init__(self, folder: Path) -> None:
        self.stage = stage = Stage(Recording(folder), RecordedChance(DRAWS), EPOCH_NS)
        stage.namespace("dom0", "g1", "g2", "ext", "lan", "r2", "far")
        for number in (1, 2):
            stage.cable(f"g{number}/eth0", f"dom0/vif{number}.0", station(number), VIF_MAC)
        for node, port, number in (("dom0", "l0", 0x10), ("ext", "l1", 0x20), ("r2", "l2", 0x30)):
            stage.cable(f"{node}/eth0", f"lan/{port}", station(number), station(number, 6))
        stage.bridge("lan", ["l0", "l1", "l2"])
        stage.nodes["lan"].set_up("br0")
        stage.cable("r2/eth1", "far/eth0", station(0x31), station(0x40), mtu=1400)
        self._configure()
        for node, device in (
            ("g1", "eth0"),
            ("g2", "eth0"),
            ("dom0", "eth0"),
            ("dom0", "vif1.0"),
            ("ext", "eth0"),
            ("r2", "eth0"),
            ("r2", "eth1"),
            ("far", "eth0"),
        ):
            stage.capture(node, device)

    def _configure(self) -> None:
        stage = self.stage
        for node in ("dom0", "r2"):
            stage.nodes[node].sysctls["net.ipv4.ip_forward"] = 1
        stage.address("dom0", "eth0", "192.0.2.1/24")
        stage.address("ext", "eth0", "192.0.2.100/24")
        stage.address("r2", "eth0", "192.0.2.254/24")
        stage.address("r2", "eth1", "198.51.100.1/24")
        stage.address("far", "eth0", f"{FAR}/24")
        dom0 = stage.nodes["dom0"]
        dom0.sysctls["net.ipv4.conf.eth0.proxy_arp"] = 1
        for number in (1, 2):
            vif = f"vif{number}.0"
            stage.address("dom0", vif, "192.0.2.1/32")
            # pyroute2 gives routes the scope "global" unless told otherwise.
            hop = Nexthop(dom0.interface(vif).device)
            guest, own = ip_from_text(f"192.0.2.1{number}"), ip_from_text("192.0.2.1")
            dom0.routes.add(Route(guest, 32, (hop,), source=own, protocol="static"))
            dom0.sysctls[f"net/ipv4/conf/{vif}/proxy_arp"] = 1
            stage.address(f"g{number}", "eth0", f"192.0.2.1{number}/24")
            self._route(f"g{number}", "0.0.0.0/0", "192.0.2.1")
        self._route("ext", "0.0.0.0/0", "192.0.2.254")
        self._route("dom0", "198.51.100.0/24", "192.0.2.254")
        self._route("far", "0.0.0.0/0", "198.51.100.1")

    def _route(self, node: str, network: str, gateway: str) -> None:
        self.stage.nodes[node].add_route(*prefix_from_text(network), gateway=ip_from_text(gateway))

    # -- steps

    def step(
        self,
        name: str,
        action: Callable[[], Any],
        settle_ms: int = 300,
        state: dict[str, Callable[[], Any]] | None = None,
    ) -> None:
        """The recorder's programs took some time to start."""

        def started() -> None:
            self.stage.wait(START_MS * MS)
            action()

        self.stage.step(name, started, settle_ms, state)

    def play(self) -> None:
        self._neighbors()
        self._lifetimes()
        self._unreachable()
        self._sizes()
        self._routes()
        self._limits()
        self._refused()

    def _neighbors(self) -> None:
        step, ping = self.step, self.stage.ping
        routes = {"routes": lambda: routes_text(self.node("dom0"), 4)}
        step("g1 -> dom0 ping", partial(ping, "g1", "192.0.2.1"), state=routes)
        twice = partial(ping, count=2)
        step(TO_EXT, partial(twice, "g1", "192.0.2.100"), 1_000, {"neigh": self.neighbors})
        step("g1 -> g2 ping", partial(twice, "g1", "192.0.2.12"), 1_000)
        step("ext -> g2 ping: dom0 eth0 answers ARP", self.flush_and_ping, 1_300)
        step("arping own IP from g1 / dup (proxy must not answer)", self.check_own, 1_300)
        step("g1 -> far ping TTL decrement twice", partial(ping, "g1", FAR), 620)

    def _lifetimes(self) -> None:
        step, ping = self.step, partial(self.stage.ping, "g1", FAR)
        step("ttl=1 to far: time exceeded", partial(ping, ttl=1))
        step("ttl=2 to far: time exceeded from r2", partial(ping, ttl=2))
        step("ttl=3 to far: ok", partial(ping, ttl=3))
        long = partial(ping, size=1372, ttl=1)
        step("ttl=1 with 1400-byte payload: error payload size", long)

    def _unreachable(self) -> None:
        step, ping = self.step, self.stage.ping
        step("net unreachable at dom0 (no route)", partial(ping, "g1", "203.0.113.9"))
        step(
            "host unreachable: ARP failure on dom0 eth0",
            partial(ping, "g1", "192.0.2.55", wait_ms=3_800),
            1_000,
            {"neigh": self.neighbors},
        )
        often = partial(ping, "g1", "192.0.2.56", count=5, interval_ms=209, wait_ms=2_820)
        step("host unreachable burst: 5 pings 0.2s apart", often, 1_000)
        dead = partial(ping, "ext", "192.0.2.77", count=4, interval_ms=1_031, wait_ms=2_500)
        step("local host unreachable: ext pings dead on-link", dead, 1_000)
        step("udp to closed port on far: port unreachable", partial(self.datagram, 20))
        step("udp 1200B to closed port: error payload cap", partial(self.datagram, 1200, 1_100))
        other = ipv4.emit(ip_from_text("192.0.2.11"), ip_from_text(FAR), 200, b"proto200", ident=5)
        step("unknown IP protocol 200: protocol unreachable", partial(self.frame, other, 1_100))
        step("tcp SYN to closed port: RST", self.connect)

    def _sizes(self) -> None:
        step, ping = self.step, self.stage.ping
        cache = {"cache": lambda: route_get_text(self.node("g1"), ip_from_text(FAR))}
        step(TOO_BIG, self.too_big, state=cache)
        step("no DF: router fragments", partial(self.echo, 77, 1, 1472))
        whole = partial(ping, "g2", FAR, size=3000, pmtu="dont", wait_ms=830)
        step("oversize ping 3000B -M dont: sender fragments", whole)
        step(
            "fragment with missing last: reassembly timeout (30 s) omitted; first frag only",
            partial(self.echo, 78, 2, 1000, "192.0.2.1", ipv4.MORE_FRAGMENTS),
        )

    def _routes(self) -> None:
        stage, step = self.stage, self.step
        self._route("r2", "203.0.113.0/24", "192.0.2.1")
        cached = {
            "ext_cache": lambda: route_get_text(self.node("ext"), ip_from_text("203.0.113.9"))
        }
        thrice = partial(stage.ping, "ext", "203.0.113.9", count=3, interval_ms=507)
        step(REDIRECT, thrice, 1_000, cached)
        for kind, network in (
            (RouteType.UNREACHABLE, "203.0.114.0"),
            (RouteType.PROHIBIT, "203.0.115.0"),
            (RouteType.BLACKHOLE, "203.0.116.0"),
        ):
            route: Route[Any] = Route(ip_from_text(network), 24, type=kind)
            self.node("dom0").routes.add(route)
            target = network[:-1] + "9"
            step(
                f"{kind.word} route on dom0",
                partial(self.ping_later, target, 1_000 if kind is RouteType.BLACKHOLE else 0),
            )

    def _limits(self) -> None:
        step = self.step
        closed = "rate limit: 20 UDP to closed port in 0.2s (type 3)"
        step(closed, partial(self.burst, 64), 1_000)
        step("rate limit: 20 ttl=1 packets in 0.2s (type 11)", partial(self.burst, 1), 1_000)
        often = partial(self.stage.ping, "g2", FAR, count=20, interval_ms=10)
        step("echo requests are not limited: 20 pings 10 ms", often)
        step("broadcast ping ignored", self.ping_everybody)

    def _refused(self) -> None:
        step, dom0 = self.step, self.node("dom0")
        spoofed = self.spoofed(64)
        step("rp_filter strict drops spoof", partial(self.filtered, spoofed))
        dom0.sysctls["net.ipv4.conf.all.rp_filter"] = 0
        step("spoof passes without rp_filter", partial(self.frame, spoofed))
        step("forward disabled: packets dropped silently", self.unforwarded)
        dom0.sysctls["net.ipv4.ip_forward"] = 1
        crowd = partial(self.frame, self.spoofed(9, "192.0.2.11"), mac=Mac(b"\xff" * 6))
        step("frame to router with multicast dst MAC carrying unicast IP", crowd)
        step(NUD, self.idle, 500)
        step("reassembly timeout ICMP 11/1 (30 s after first fragment)", lambda: None, 4_000)

    # -- what is done in them

    def node(self, name: str) -> Namespace:
        return self.stage.nodes[name]

    def flush_and_ping(self) -> None:
        cache = self.node("ext").interface("eth0").arp_cache
        cache.flush(keep_permanent=True)
        self.stage.ping("ext", "192.0.2.12")

    def check_own(self) -> None:
        self.stage.arping("g1", "192.0.2.11", "0.0.0.0")
        self.stage.wait(1_000 * MS)
        self.stage.arping("g1", "192.0.2.11", "0.0.0.0")

    def datagram(self, size: int, wait_ms: int = 0) -> None:
        self.stage.wait(wait_ms * MS)
        socket = self.node("g1").sockets.open_udp(lambda *_: None)
        socket.send_to(ip_from_text(FAR), 9999, b"x" * size)

    def frame(self, packet: bytes, wait_ms: int = 0, mac: Mac = VIF_MAC) -> None:
        self.stage.wait(wait_ms * MS)
        self.stage.raw("g1", ether_frame(mac, station(1), TYPE_IPV4, packet))

    def connect(self) -> None:
        self.node("g1").sockets.tcp.connect(ip_from_text(FAR), 81)

    def too_big(self) -> None:
        """Two are asked for; the second is refused by the sender, which knows better by then."""
        self.stage.ping("g1", FAR, size=1472, pmtu="do")
        self.stage.wait(318 * MS)

    def echo(self, ident: int, sequence: int, size: int, target: str = FAR, flags: int = 0) -> None:
        """An echo request of Scapy's, in one piece."""
        rest = bytes((0, 7, 0, sequence))
        message = icmp.emit(icmp.Icmp(icmp.ECHO_REQUEST, 0, rest, b"f" * size))
        source = ip_from_text("192.0.2.11")
        self.frame(
            ipv4.emit(
                source,
                ip_from_text(target),
                icmp.PROTOCOL,
                message,
                ident=ident,
                flags_offset=flags,
            )
        )

    def ping_later(self, target: str, wait_ms: int) -> None:
        self.stage.wait(1_000 * MS)
        self.stage.ping("g1", target, wait_ms=wait_ms)

    def burst(self, ttl: int) -> None:
        """Twenty datagrams, each of another socket."""
        g2 = self.node("g2")
        source, target = ip_from_text("192.0.2.12"), ip_from_text(FAR)
        for number in range(20):
            segment = udp.emit(source, target, 40_000 + number, 9_000 + number, b"b")
            g2.ipv4.send(ipv4.emit(source, target, udp.PROTOCOL, segment, ttl=ttl))
            self.stage.wait(10 * MS)

    def ping_everybody(self) -> None:
        """A socket that may send to everybody is not connected, and so counts no packets."""
        self.stage.ping("g1", "192.0.2.255", pmtu="do", wait_ms=1_000)

    @staticmethod
    def spoofed(ttl: int, source: str = "9.9.9.9") -> bytes:
        one, other = ip_from_text(source), ip_from_text(FAR)
        segment = udp.emit(one, other, 1000, 9, b"")
        return ipv4.emit(one, other, udp.PROTOCOL, segment, ttl=ttl, ident=1)

    def filtered(self, packet: bytes) -> None:
        self.node("dom0").sysctls["net.ipv4.conf.all.rp_filter"] = 1
        self.frame(packet)

    def unforwarded(self) -> None:
        self.node("dom0").sysctls["net.ipv4.ip_forward"] = 0
        self.stage.ping("g1", FAR, wait_ms=1_000)

    def idle(self) -> None:
        self.node("g1").sysctls["net.ipv4.neigh.eth0.base_reachable_time_ms"] = 2_000
        self.stage.ping("g1", "192.0.2.1")
        self.stage.wait(4_100 * MS)
        self.stage.ping("g1", "192.0.2.1")
        self.stage.wait(8_000 * MS)

    # -- what ip(8) shows

    def neighbors(self) -> dict[str, list[str]]:
        return {
            node: neighbors_text(self.node(node), family=4).splitlines()
            for node in ("g1", "dom0", "ext")
        }


class TestFrames(FramesAgree):
    """Each step's, place by place."""


# -- what ip(8) shows


def lines(text: str) -> list[str]:
    """Without spaces at the ends, and without the seconds that the recorder's pace decides."""
    return [re.sub(r"\d+sec", "Nsec", line).strip() for line in text.splitlines()]


@pytest.mark.parametrize(
    ("step", "shown"),
    [("g1 -> dom0 ping", "routes"), (TOO_BIG, "cache"), (REDIRECT, "ext_cache")],
)
def test_routes_and_what_is_known_of_paths(step: str, shown: str, scenario: Scenario) -> None:
    ours = scenario.stage.played[step].state[shown]
    recorded = scenario.stage.recording.steps[step].state[shown]
    assert lines(ours) == lines(recorded)


@pytest.mark.parametrize("step", [TO_EXT, "host unreachable: ARP failure on dom0 eth0"])
@pytest.mark.parametrize("node", ["g1", "dom0", "ext"])
def test_neighbours(step: str, node: str, scenario: Scenario) -> None:
    ours = scenario.stage.played[step].state["neigh"][node]
    recorded = scenario.stage.recording.steps[step].state["neigh"][node]
    # The kernel lists a hash table, in no order that means anything.
    assert sorted(map(str.strip, ours)) == sorted(map(str.strip, recorded))
