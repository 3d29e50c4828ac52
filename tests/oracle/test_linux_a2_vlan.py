"""The recording ``linux/a2_vlan``: VLAN filtering, access ports and trunks, and an SVI."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from scapy.layers.inet import IP, UDP
from scapy.layers.l2 import Dot1Q, Ether

from tests.oracle.linux_kit import RecordedChance, Stage, station
from tests.oracle.recording import MS, Recording
from tests.oracle.replayed import FramesAgree, Recorded
from vnet.base.ids import mac_text
from vnet.linux.netns.vlan_devices import add_vlan_device
from vnet.shell.views.bridge import fdb_text
from vnet.shell.views.bridge_vlan import vlans_text

RECORDED = Recorded("a2_vlan")
COMPARED = {"periodic": True}
pytestmark = RECORDED.marks

BROADCAST = "ff:ff:ff:ff:ff:ff"

DRAWS = {
    "h1:eth0 ipv4 reachable time": [0.2],
    "h2:eth0 ipv4 reachable time": [0.9],
}
"""How long the two stations trusted each other's MAC, as their later probes show."""


def mac(number: int) -> str:
    return mac_text(station(number))


def packet(payload: bytes = b"") -> Any:
    return IP(src="10.0.0.4", dst="10.0.0.255") / UDP(sport=1000, dport=9) / payload


def tagged(vid: int, source: int = 4, priority: int = 0) -> bytes:
    head = Ether(src=mac(source), dst=BROADCAST) / Dot1Q(vlan=vid, prio=priority)
    return bytes(head / packet(b"tagged"))


def untagged(source: int = 4, target: str = BROADCAST) -> bytes:
    return bytes(Ether(src=mac(source), dst=target) / packet(b"untagged"))


class Scenario:
    """The stage of a2, and its steps in order."""

    def __init__(self, folder: Path) -> None:
        self.stage = stage = Stage(Recording(folder), RecordedChance(DRAWS), 4_000 * MS)
        hosts = [f"h{number}" for number in range(1, 5)]
        stage.namespace("br", *hosts)
        for number, host in enumerate(hosts, 1):
            stage.veth(number, host, "br")
        self.bridge = stage.nodes["br"].add_bridge("br0")
        self.vlans = self.bridge.vlan_filter
        self.vlans.set_filtering(True)
        for number in range(1, 5):
            stage.nodes["br"].enslave(f"p{number}", "br0")
        stage.nodes["br"].set_up("br0")
        for number, host in enumerate(hosts, 1):
            stage.address(host, "eth0", f"10.0.0.{number}/24")
            stage.capture(host, "eth0")
            stage.capture("br", f"p{number}", "in", "out")
        stage.capture("br", "br0")

    def vlan(self) -> list[str]:
        return vlans_text([self.bridge]).splitlines()

    def fdb(self) -> list[str]:
        return fdb_text([self.bridge], statistics=True).splitlines()

    def raw(self, name: str, node: str, data: bytes, **state: Callable[[], Any]) -> None:
        self.stage.step(name, lambda: self.stage.raw(node, data), state=state)

    def play(self) -> None:
        self.access_ports()
        self.trunk()
        self.priority_tags()
        self.stations()
        self.the_bridge_itself()

    def access_ports(self) -> None:
        stage, look = self.stage, {"vlan": self.vlan, "fdb": self.fdb}
        stage.step(
            "defaults: PVID 1 untagged everywhere", lambda: stage.ping("h1", "10.0.0.2"), state=look
        )
        *access, trunk = self.bridge.ports
        for port, vid in zip(access, (10, 10, 20), strict=True):
            self.vlans.delete(port, 1)
            self.vlans.add(port, vid, pvid=True, untagged=True)
        self.vlans.delete(trunk, 1)
        for vid in (10, 20):
            self.vlans.add(trunk, vid)
        for host in ("h1", "h2"):
            stage.nodes[host].interface("eth0").arp_cache.flush()
        stage.step(
            "access10 -> access10 ping; trunk sees ARP tagged 10",
            lambda: stage.ping("h1", "10.0.0.2"),
            state=look,
        )
        stage.step(
            "access10 -> access20 ping fails",
            lambda: stage.ping("h1", "10.0.0.3", wait_ms=2_000),
            2_000,
        )

    def trunk(self) -> None:
        self.raw("trunk sends tag 10 bcast: untagged at p1,p2", "h4", tagged(10))
        five = tagged(20, priority=5)
        self.raw("trunk sends tag 20 bcast prio 5", "h4", five, fdb=self.fdb)
        self.raw("trunk sends tag 30 (not member): dropped", "h4", tagged(30))
        self.raw("trunk sends untagged (no PVID): dropped", "h4", untagged())
        self.raw("trunk sends priority tag vid 0 (no PVID)", "h4", tagged(0, priority=3))

    def priority_tags(self) -> None:
        three, two = tagged(0, 1, 3), tagged(10, 1, 2)
        self.raw("access p1 receives priority tag vid 0 prio 3", "h1", three)
        self.raw("access p1 receives frame tagged 10 (own vid): accepted", "h1", two)
        self.raw("access p1 receives frame tagged 20: dropped", "h1", tagged(20, 1))

    def stations(self) -> None:
        def twice() -> None:
            self.stage.raw("h3", untagged(1))
            self.stage.wait(100 * MS)
            self.stage.raw("h2", untagged(2, mac(1)))

        self.stage.step("same MAC in two vlans", twice, state={"fdb": self.fdb})
        unknown = untagged(1, mac(0x99))
        self.raw("unknown unicast in vlan 10 floods in vlan only", "h1", unknown)
        self.vlans.add(self.bridge.ports[3], 10, pvid=True, untagged=True)
        native = "native vlan 10 on trunk: vlan10 leaves untagged"
        self.raw(native, "h1", untagged(1), vlan=self.vlan)
        service = Ether(src=mac(1), dst=BROADCAST, type=0x88A8) / Dot1Q(vlan=10)
        inner = "QinQ inner tags: access p1 receives 802.1ad"
        self.raw(inner, "h1", bytes(service / packet()))

    def the_bridge_itself(self) -> None:
        self.raw("br0 self: not member of 10 so br0 gets nothing", "h1", untagged(1))
        self.vlans.add(self.bridge.own_port, 10)
        self.raw("br0 self member of 10 tagged", "h1", untagged(1), vlan=self.vlan)
        host = self.stage.nodes["br"]
        add_vlan_device(host, "br0", "br0.10", 10)
        self.stage.address("br", "br0.10", "10.0.0.254/24")
        host.set_up("br0.10")
        ping = lambda: self.stage.ping("br", "10.0.0.1")  # noqa: E731
        self.stage.step("SVI br0.10 pings access host", ping)


class TestFrames(FramesAgree):
    """Each step's, place by place."""


def test_state(step: str, scenario: Scenario) -> None:
    recorded = scenario.stage.recording.steps[step]
    played = scenario.stage.played[step]
    assert played.state.keys() == recorded.state.keys()
    for key, seen in played.state.items():
        assert without_ages(seen) == without_ages(recorded.state[key]), key


def without_ages(lines: list[str]) -> list[str]:
    """``used 4/4`` says how many seconds ago; the moments differ by the recorder's own pace."""
    words = [line.split() for line in lines]
    return [
        " ".join(w for i, w in enumerate(line) if "used" not in (w, line[max(0, i - 1)]))
        for line in words
    ]
