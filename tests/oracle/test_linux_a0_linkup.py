"""The recording ``linux/a0_linkup``: what hosts, ports and a bridge say when their links come up.

Everything here is driven by timers, most of them random. The kernel's draws are read off the
recording and given to our streams, so that frames meet the same closed or open port as they
did there; then every frame is compared, MLD reports and router solicitations too. Timers that
end in one tick run in no particular order, so frames that close together count as a set.
"""

from __future__ import annotations

from pathlib import Path

from tests.oracle.compare import known_differences
from tests.oracle.linux_kit import RecordedChance, Stage
from tests.oracle.recording import MS, Recording
from tests.oracle.replayed import FramesAgree, Recorded
from vnet.base.ids import ip_from_text

RECORDED = Recorded("a0_linkup")
COMPARED = {"periodic": True, "ties": True}
pytestmark = RECORDED.marks

EPOCH_NS = 1640 * MS
"""Puts the wheel's 32 ms and 256 ms slots where the recording has them."""

LAST_LINKWATCH_MS = 390
"""How long before the first step the kernel had last served all carrier events: something
else on that machine had changed. Port p1, whose events are not urgent, must wait for the rest
of the second."""

DRAWS = {
    # Each report is repeated within a second: after link up, after DAD, and so on.
    "h1:eth0 mld": [0.276, 0.872, 0.472, 0.392, 0.988],
    "h2:eth0 mld": [0.756, 0.452],
    "br:p1 mld": [0.144, 0.36, 0.308],
    "br:p2 mld": [0.66, 0.456],
    "br:br0 mld": [0.756, 0.676],
    "h1:eth0 igmp": [0.196, 0.744],
    # When DAD starts, then the spread of each interval between router solicitations.
    "h1:eth0 addrconf": [0.616, 0.18, 0.244, 0.5, 0.776, 0.46, 0.66, 0.245],
    "h2:eth0 addrconf": [0.59, 0.22, 0.16, 0.237],
    "br:p1 addrconf": [0.248, 0.18, 0.244, 0.939],
    "br:p2 addrconf": [0.49, 0.66, 0.267, 0.42],
    "br:br0 addrconf": [0.936, 0.42, 0.418, 0.746],
}

LINKS_UP = "all links up, IPv6 default on, no addresses"
FLAP = "arp_notify=1 then link flap: gratuitous ARP"


class Scenario:
    """The stage of a0, and its steps in order."""

    def __init__(self, folder: Path) -> None:
        self.stage = stage = Stage(Recording(folder), RecordedChance(DRAWS), EPOCH_NS)
        stage.namespace("br", "h1", "h2")
        for number in (1, 2):
            stage.veth(number, f"h{number}", "br", ipv6=True, up=False)
        stage.bridge("br", ["p1", "p2"], ipv6=True)
        for node, device in (("h1", "eth0"), ("h2", "eth0"), ("br", "br0")):
            stage.nodes[node].set_up(device)
            stage.capture(node, device)

    def play(self) -> None:
        stage = self.stage
        h1 = stage.nodes["h1"]
        group = ip_from_text("239.1.1.1")
        stage.run_to(0)
        stage.linkwatch.next_ns = stage.scheduler.now_ns + (1000 - LAST_LINKWATCH_MS) * MS
        stage.step(LINKS_UP, self.ports_up, 15_000)
        stage.step("add IPv4 addr (no gratuitous ARP, no IGMP)", self.first_addresses, 1_600)
        stage.step(FLAP, self.flap, 3_950)
        stage.step("arping -U (announce)", self.announce, 500)
        stage.step("arping -D duplicate detect", self.detect, 500)
        stage.step("second IPv4 + IPv6 addr", self.more_addresses, 2_990)
        stage.step(
            "join 239.1.1.1 (IGMPv3 report)", lambda: h1.interface("eth0").igmp.join(group), 2_990
        )
        stage.step("leave", lambda: h1.interface("eth0").igmp.leave(group), 2_000)

    def ports_up(self) -> None:
        for port in ("p1", "p2"):
            self.stage.nodes["br"].set_up(port)

    def first_addresses(self) -> None:
        self.stage.address("h1", "eth0", "10.0.0.1/24")
        self.stage.address("h2", "eth0", "10.0.0.2/24")

    def flap(self) -> None:
        h1 = self.stage.nodes["h1"]
        h1.sysctls["net.ipv4.conf.all.arp_notify"] = 1
        h1.set_down("eth0")
        self.stage.wait(208 * MS)
        h1.set_up("eth0")

    def announce(self) -> None:
        for _ in range(2):
            self.stage.arping("h2", "10.0.0.2", "10.0.0.2")
            self.stage.wait(1_000 * MS)

    def detect(self) -> None:
        self.stage.arping("h2", "10.0.0.1", "0.0.0.0")

    def more_addresses(self) -> None:
        self.stage.address("h1", "eth0", "10.0.0.11/24")
        self.stage.address("h1", "eth0", "fd00::1/64")


class TestFrames(FramesAgree):
    """Each step's, place by place."""


def test_frames_come_when_the_kernel_sent_them(scenario: Scenario) -> None:
    """Within a slot of the wheel, given the same draws: delays, doubling and rounding hold."""
    known = {key[0] for key in known_differences("a0_linkup")}
    for step in RECORDED.steps:
        if step in known:
            continue
        times = scenario.stage.times_ms(step)
        for place, recorded_ms in scenario.stage.recording.steps[step].times_ms.items():
            late = [
                abs(ours - theirs) for ours, theirs in zip(times[place], recorded_ms, strict=True)
            ]
            assert max(late) <= 40, f"{step} at {place}"


def test_the_host_ends_up_with_its_link_local_address(scenario: Scenario) -> None:
    recorded = scenario.stage.recording.steps[LINKS_UP].state["addr"]
    assert "inet6 fe80::ff:fe00:1/64 scope link" in recorded
    assert "tentative" not in recorded
    address = scenario.stage.nodes["h1"].interface("eth0").find(ip_from_text("fe80::ff:fe00:1"))
    assert address is not None
    assert (address.prefix_length, address.usable) == (64, True)
