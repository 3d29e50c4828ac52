"""The recording ``linux/a1_bridge``: learning, flooding, reserved addresses, multicast snooping,
port flags, ageing.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from scapy.layers.inet import ICMP, IP, UDP
from scapy.layers.l2 import LLC, STP, Dot1Q, Ether

from tests.oracle.linux_kit import RecordedChance, Stage, station
from tests.oracle.recording import MS, Recording
from tests.oracle.replayed import FramesAgree, Recorded
from vnet.base.ids import ip_from_text, mac_text
from vnet.shell.views.mdb import groups_text

RECORDED = Recorded("a1_bridge")
COMPARED = {"periodic": True}
pytestmark = RECORDED.marks

BROADCAST = "ff:ff:ff:ff:ff:ff"

DRAWS = {
    "h1:eth0 ipv4 reachable time": [0.2],
    "h2:eth0 ipv4 reachable time": [0.9],
    "h2:eth0 igmp": [0.475, 0.3],
}
"""How long the two stations trusted each other's MAC, as their later probes show, and when h2
answered the query, as the age of its membership does."""


def mac(number: int, prefix: int = 2) -> str:
    return mac_text(station(number, prefix))


def plain(source: int, target: str, payload: bytes, prefix: int = 2) -> bytes:
    """A frame of the experimental EtherType."""
    return bytes(Ether(src=mac(source, prefix), dst=target, type=0x88B5) / payload)


def udp(target: str, ip: str = "10.0.0.99", payload: bytes = b"", **fields: int) -> bytes:
    header = IP(src="10.0.0.1", dst=ip, **fields) / UDP(sport=1000, dport=9)
    return bytes(Ether(src=mac(1), dst=target) / header / payload)


def bpdu() -> bytes:
    header = Ether(src=mac(0xB0), dst="01:80:c2:00:00:00", type=38)
    return bytes(header / LLC(dsap=0x42, ssap=0x42, ctrl=3) / STP(rootid=1, bridgeid=1))


def tagged_ping() -> bytes:
    head = Ether(src=mac(1), dst=mac(2)) / Dot1Q(vlan=10, prio=5)
    return bytes(head / IP(src="10.0.0.1", dst="10.0.0.2") / ICMP(id=7))


def tagged_full() -> bytes:
    head = Ether(src=mac(1), dst=mac(2)) / Dot1Q(vlan=10)
    packet = IP(src="10.0.0.1", dst="10.0.0.2", id=1) / UDP(sport=1000, dport=9) / (b"z" * 1472)
    return bytes(head / packet)


class Scenario:
    """The stage of a1, and its steps in order."""

    def __init__(self, folder: Path) -> None:
        self.stage = stage = Stage(Recording(folder), RecordedChance(DRAWS), 2_000 * MS)
        stage.namespace("br", "h1", "h2", "h3")
        for number in (1, 2, 3):
            stage.veth(number, f"h{number}", "br")
        self.bridge = stage.bridge("br", ["p1", "p2", "p3"])
        stage.nodes["br"].set_up("br0")
        for number in (1, 2, 3):
            stage.address(f"h{number}", "eth0", f"10.0.0.{number}/24")
            stage.capture(f"h{number}", "eth0")
            stage.capture("br", f"p{number}", "in", "out")
        stage.capture("br", "br0")

    def fdb(self) -> list[str]:
        return self.stage.fdb(self.bridge)

    def learned(self, number: int) -> list[str]:
        return [line for line in self.fdb() if mac(number) in line]

    def raw(self, name: str, node: str, data: bytes, **state: Callable[[], Any]) -> None:
        self.stage.step(name, lambda: self.stage.raw(node, data), state=state)

    def play(self) -> None:
        self.learning()
        self.odd_sources()
        self.reserved_addresses()
        self.odd_frames()
        self.snooping()
        self.port_flags()
        self.ageing()

    def learning(self) -> None:
        stage, fdb = self.stage, self.fdb
        neighbors = {f"neigh_{node}": partial(stage.neighbors, node) for node in ("h1", "h2", "h3")}
        stage.step("defaults", lambda: None, 200, {"fdb": fdb})
        ping = lambda: stage.ping("h1", "10.0.0.2")  # noqa: E731
        stage.step("ping h1->h2 cold", ping, state={"fdb": fdb, **neighbors})
        stage.step("ping h1->h2 warm", ping)
        unknown = udp(mac(0x99), payload=b"unknown")
        self.raw("unknown unicast floods to all other ports and not br0", "h1", unknown)
        own = mac_text(self.bridge.device.mac)
        self.raw("unicast to bridge own MAC, no IP on br0", "h1", udp(own))
        self.raw("unicast to another port MAC (06::02) is local", "h1", udp(mac(2, 6)))
        moved = plain(1, BROADCAST, b"move")
        self.raw("station move: h3 sends with h1 MAC", "h3", moved, fdb=fdb)
        self.raw("frame for h1 now goes to p3", "h2", plain(2, mac(1), b"x"))
        self.raw("move back", "h1", plain(1, BROADCAST, b"back"), fdb=fdb)

    def odd_sources(self) -> None:
        group = bytes(Ether(src="03:00:00:00:00:77", dst=BROADCAST, type=0x88B5) / b"x")
        self.raw("src multicast MAC dropped", "h1", group, fdb=self.fdb)
        zero = bytes(Ether(src="00:00:00:00:00:00", dst=BROADCAST, type=0x88B5) / b"x")
        self.raw("src zero MAC", "h1", zero)
        own = plain(1, BROADCAST, b"x", prefix=6)
        self.raw("src = port own MAC (06::01) arriving on p2", "h2", own, fdb=self.fdb)

    def reserved_addresses(self) -> None:
        for last in (0, 1, 2, 3, 4, 0xE, 0xF, 0x10, 0x21):
            target = f"01:80:c2:00:00:{last:02x}"
            name = f"link-local dst {target}"
            data = plain(0xA0 + last, target, b"ll")
            self.raw(name, "h1", data, learned=partial(self.learned, 0xA0 + last))
        self.raw("STP multicast LLC frame with stp off", "h1", bpdu())

    def odd_frames(self) -> None:
        self.raw("runt 20-byte frame not padded", "h1", plain(1, mac(2), b"short!"))
        self.raw("802.1Q tagged through VLAN-unaware bridge", "h1", tagged_ping())
        self.raw("tagged 1518+4 full frame", "h1", tagged_full())
        ospf = udp("01:00:5e:00:00:05", "224.0.0.5", ttl=1)
        self.raw("multicast 224.0.0.5", "h1", ospf)
        group = udp("01:00:5e:01:01:01", "239.1.1.1", ttl=1)
        self.raw("multicast 239.1.1.1 (no member, no querier)", "h1", group)

    def snooping(self) -> None:
        stage, multicast = self.stage, self.bridge.multicast
        membership = stage.nodes["h2"].interface("eth0").igmp
        wanted = ip_from_text("239.1.1.1")

        def ask_and_join() -> str:
            multicast.set_querier(True)
            stage.wait(304 * MS)
            membership.join(wanted)
            stage.wait(1_996 * MS)
            return groups_text([self.bridge])

        stage.step("querier on + h2 joins 239.1.1.1", ask_and_join)
        group = udp("01:00:5e:01:01:01", "239.1.1.1", ttl=1)
        self.raw("multicast 239.1.1.1 with member on p2", "h1", group)
        detailed = lambda: groups_text([self.bridge], details=True, statistics=True)  # noqa: E731
        later = "multicast 239.1.1.1 with member on p2, 11 s after querier start"
        stage.step(later, lambda: stage.raw("h1", group), 310, {"mdb": detailed})
        other = udp("01:00:5e:02:02:02", "239.2.2.2", ttl=1)
        self.raw("multicast 239.2.2.2 unregistered with querier", "h1", other)
        stage.step("leave", lambda: membership.leave(wanted), 2_500)
        multicast.set_querier(False)

    def port_flags(self) -> None:
        p1, p2, p3 = self.bridge.ports

        def learn_then_send() -> None:
            self.stage.raw("h1", plain(0x51, BROADCAST, b"learn"))
            self.stage.wait(50 * MS)
            self.stage.raw("h1", plain(1, mac(0x51), b"hp-off"))

        self.stage.step("hairpin off: dst learned on same port", learn_then_send)
        p1.hairpin = True
        self.raw("hairpin on: reflected", "h1", plain(1, mac(0x51), b"hp-on"))
        self.raw("hairpin on: broadcast reflected too", "h1", plain(1, BROADCAST, b"hp-bc"))
        p1.hairpin = False
        p1.isolated = p2.isolated = True
        self.raw("isolated p1,p2: h1->h2", "h1", plain(1, mac(2), b"iso"))
        self.raw("isolated p1,p2: broadcast h1", "h1", plain(1, BROADCAST, b"iso"))
        p1.isolated = p2.isolated = False
        p3.unicast_flood = False
        self.raw("p3 flood off: unknown unicast", "h1", udp(mac(0x99), payload=b"unknown"))
        p3.unicast_flood = True

    def ageing(self) -> None:
        stage, br, h2 = self.stage, self.stage.nodes["br"], self.stage.nodes["h2"]

        def shrink(mtu: int) -> None:
            br.set_mtu("p2", mtu)
            h2.set_mtu("eth0", mtu)

        stage.wait(20 * MS)
        shrink(1400)
        stage.step(
            "p2 mtu 1400: 1500-byte ping h1->h2 silently dropped",
            lambda: stage.ping("h1", "10.0.0.2", 1472, pmtu="do", wait_ms=1000),
            state={"mtu": lambda: str(self.bridge.device.mtu_bytes)},
        )
        shrink(1500)
        self.bridge.set_ageing(5_000 * MS)
        stage.step("ageing 5 s", self.watch_an_entry_age)
        stage.step("port down flushes fdb", self.h2_goes_down, state={"fdb_after": self.fdb})
        h2.set_up("eth0")

        def host_pings() -> None:
            stage.address("br", "br0", "10.0.0.254/24")
            stage.ping("br", "10.0.0.1")

        stage.step("br0 with IP: bridge host pings h1", host_pings)

    def watch_an_entry_age(self) -> str:
        self.stage.raw("h1", plain(0x52, BROADCAST, b"age"))
        began_ns = self.stage.scheduler.now_ns
        self.stage.wait(MS)
        while self.learned(0x52):
            self.stage.wait(100 * MS)
        seconds = (self.stage.scheduler.now_ns - began_ns) / 1e9
        return f"entry removed after {seconds:.1f}s (ageing 5.00s)"

    def h2_goes_down(self) -> list[str]:
        self.stage.raw("h2", plain(2, BROADCAST, b"x"))
        self.stage.wait(100 * MS)
        before = self.fdb()
        self.stage.nodes["h2"].set_down("eth0")
        self.stage.wait(200 * MS)
        return before


class TestFrames(FramesAgree):
    """Each step's, place by place."""


def test_state(step: str, scenario: Scenario) -> None:
    recorded = scenario.stage.recording.steps[step]
    for key, seen in scenario.stage.played[step].state.items():
        assert seen == without_ages(recorded.state[key]), key


def test_an_entry_of_five_seconds_is_gone_after_a_little_more(scenario: Scenario) -> None:
    recorded = scenario.stage.recording.steps["ageing 5 s"]
    assert scenario.stage.played["ageing 5 s"].result == recorded.result


def test_what_was_learned_before_the_port_went_down(scenario: Scenario) -> None:
    step = "port down flushes fdb"
    recorded = scenario.stage.recording.steps[step].result
    assert scenario.stage.played[step].result == without_ages(recorded)


def without_ages(state: Any) -> Any:
    """``used 4/4`` says how many seconds ago; the moments differ by the recorder's own pace."""
    if isinstance(state, str):
        return state
    words = [line.split() for line in state]
    return [
        " ".join(w for i, w in enumerate(line) if w != "used" and (i == 0 or line[i - 1] != "used"))
        for line in words
    ]
