"""The recording ``linux/c_nat``: a network of libvirt's behind a gateway that masquerades.

Guests g1 to g3 lease their addresses from the gateway's dnsmasq, on virbr0; ``ext`` is the
provider's router on the gateway's eth0, and ``far`` somebody beyond it.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tests.oracle.dnsmasq import Gateway
from tests.oracle.linux_kit import RecordedChance, Stage, station
from tests.oracle.programs import EchoServices, ask_tcp, ask_udp, send_udp
from tests.oracle.recording import MS, Recording
from tests.oracle.replayed import FramesAgree, Recorded
from vnet.base.ids import Mac, ip_from_text, mac_from_text, prefix_from_text
from vnet.linux.netfilter.conntrack_tool.tool import ConntrackTool
from vnet.linux.netns.namespace import Namespace
from vnet.linux.services.dns import query
from vnet.linux.timer_wheel import JIFFY_NS
from vnet.shell.views.route_get import route_get_text
from vnet.wire import icmp, ipv4, tcp, udp
from vnet.wire.ether import TYPE_IPV4
from vnet.wire.ether import frame as ether_frame

RECORDED = Recorded("c_nat")
KNOWN_PORTS = frozenset((*(7, 9, 53, 67, 68, 80, 99, 8080), *range(500, 508), 600, 700, 1023, 2000))
"""Others were chosen, by a program or by the gateway; only which are equal is compared."""

COMPARED = {
    "ties": True,
    "known_ports": KNOWN_PORTS,
    "unfinished": ("gw/virbr0", "52:54:00:00:00:fe"),
}
pytestmark = RECORDED.marks

EPOCH_NS = 10_828 * MS
"""When the first step begins. The bridge's ports forward by then."""

BEGUN_NS = 1_795_220_628_046_343_335
"""The time of day then."""

BRIDGE_MAC = Mac(b"\x52\x54\x00\x00\x00\xfe")
EXT, FAR, GATEWAY = "203.0.113.100", "198.51.100.2", "203.0.113.1"
CHOSEN = (
    *(5332, 10_807, 62_512, 5602, 62_410, 17_274, 14_908, 51_149, 30_761, 41_264, 6553, 64_271),
    *(21_860, 30_000, 494, 919, 889, 786, 848, 759, 709, 12_145, 63_776, 43_844, 62_936),
)
"""The ports that the kernel chose; the fourteenth is the identifier of an echo request."""


def _bits(port: int) -> int:
    """The random number that led to a port: how far it is from the first of its class."""
    return port - (1024 if port >= 1024 else 600 if port >= 512 else 1)


BITS = {"gw nat ports": [_bits(port) for port in CHOSEN]}


_OF_SERVICES = re.compile(r"dport=67|dport=53 ")


class Scenario:
    """The stage of c, and its steps in order."""

    def __init__(self, folder: Path) -> None:
        self.stage = stage = Stage(Recording(folder), RecordedChance({}, BITS), EPOCH_NS)
        stage.namespace("gw", "g1", "g2", "g3", "ext", "far")
        for number in (1, 2, 3):
            macs = station(number), station(number, 0xFE)
            stage.cable(f"g{number}/eth0", f"gw/vnet{number}", *macs)
        gw = stage.nodes["gw"]
        bridge = gw.add_bridge("virbr0", mac=BRIDGE_MAC)
        for number in (1, 2, 3):
            gw.enslave(f"vnet{number}", "virbr0")
        bridge.tree.set_forward_delay(2_000 * MS // JIFFY_NS)
        bridge.tree.start()
        gw.set_up("virbr0")
        stage.cable("gw/eth0", "ext/eth0", station(0x10), station(0x20))
        stage.cable("ext/eth1", "far/eth0", station(0x21), station(0x40))
        self._configure()
        for node, device in (
            *(("g1", "eth0"), ("g2", "eth0"), ("g3", "eth0"), ("gw", "virbr0")),
            *(("gw", "eth0"), ("ext", "eth0"), ("far", "eth0")),
        ):
            stage.capture(node, device)
        self.services = EchoServices(stage)
        self.gateway = Gateway(stage, BEGUN_NS - EPOCH_NS)

    def _configure(self) -> None:
        stage = self.stage
        stage.address("gw", "virbr0", "192.168.122.1/24")
        stage.address("gw", "eth0", f"{GATEWAY}/24")
        stage.address("ext", "eth0", f"{EXT}/24")
        stage.address("ext", "eth1", "198.51.100.1/24")
        stage.address("far", "eth0", f"{FAR}/24")
        self._route("gw", "0.0.0.0/0", EXT)
        self._route("far", "0.0.0.0/0", "198.51.100.1")
        for node in ("gw", "ext"):
            stage.nodes[node].sysctls["net.ipv4.ip_forward"] = 1
        stage.nodes["gw"].links.load_br_netfilter()
        rules = (stage.recording.folder / "iptables-rules.txt").read_text()
        self._rules.restore(rules)

    @property
    def _rules(self) -> Any:
        return self.stage.nodes["gw"].make_netfilter().rules4

    def _route(self, node: str, network: str, gateway: str) -> None:
        self.stage.nodes[node].add_route(*prefix_from_text(network), gateway=ip_from_text(gateway))

    # -- steps

    def step(
        self, name: str, action: Callable[[], Any], settle_ms: int = 300, **looks: Any
    ) -> None:
        self.stage.step(name, action, settle_ms, looks)

    def play(self) -> None:
        stage = self.stage
        stage.run_to(-700 * MS)
        self.gateway.start()
        self._leases()
        self._names()
        self.services.serve("ext", 7, 53)
        self.services.serve("g1", 80, 7)
        self.services.serve("far", 7)
        self._ports()
        self._connections()
        self._errors()
        self._inbound()
        self._hairpins()
        self._odd()
        self._classes()

    def _leases(self) -> None:
        step, gateway = self.step, self.gateway
        step("g1 DHCP DORA (fresh)", partial(gateway.lease, "g1"), 500, lease=gateway.lease_file)
        step("g2 DHCP DORA", partial(gateway.lease, "g2"))
        step("g3 DHCP reserved host", partial(gateway.lease, "g3"))
        step("g1 INIT-REBOOT (restart with lease file)", partial(gateway.reboot, "g1"))
        step(
            "g3 INIT-REBOOT wrong subnet: NAK then DORA",
            partial(gateway.reboot, "g3", "192.168.50.50"),
        )
        step("g3 RELEASE", partial(gateway.release, "g3"))
        self.g1, self.g2 = gateway.address("g1"), gateway.address("g2")

    def _names(self) -> None:
        step, look_up = self.step, self.gateway.look_up
        reverse = ".".join(reversed(self.g1.split("."))) + ".in-addr.arpa"
        step("DNS: configured name", partial(look_up, "g1", "www.example.test", 20))
        step("DNS: no upstream", partial(look_up, "g1", "nosuch.example.org", 12))
        step("DNS: reverse of leased", partial(look_up, "g1", reverse, 19, query.PTR))

    def _ports(self) -> None:
        step = self.step
        step("ping g1->ext", partial(self.ping, "g1", EXT), ct=self.connections)
        ask = partial(self.ask, data=b"hi", source_port=40_000)
        step("udp g1:40000 -> ext:7 port preserved", partial(ask, "g1"), ct=self.connections)
        step(
            "udp collision g2:40000 -> ext:7 port changed", partial(ask, "g2"), ct=self.connections
        )
        step(
            "udp same port other dst (no collision): g2:40000 -> far:7",
            partial(ask, "g2", target=FAR),
        )
        low = partial(self.ask, "g1", data=b"hi", source_port=500)
        step("udp low port g1:500 -> ext:7 mapped by --to-ports", low)
        step("20 collisions g2/g3: port distribution", self.collide)

    def _connections(self) -> None:
        step, stage = self.step, self.stage
        step(
            "tcp g1:42000 -> ext:7",
            partial(self.hung_up, 100_000, ask_tcp, stage, "g1", EXT, 7, 42_000),
            ct=self.connections,
        )
        step(
            "tcp collision g2:42000 -> ext:7 (TIME_WAIT entry)",
            partial(ask_tcp, stage, "g2", EXT, 7, 42_000),
        )
        step("icmp id collision: same id 7 from g1 and g2", self.echo_twice, ct=self.connections)

    def _errors(self) -> None:
        step, stage = self.step, self.stage
        step(
            "udp to closed port on ext: ICMP 3/3 translated back",
            partial(ask_udp, stage, "g1", EXT, 99, b"x" * 30, 43_000),
        )
        late = partial(send_udp, stage, "g1", FAR, 33_434, b"x" * 10, 44_000)
        step("ttl=2: time exceeded from ext translated back", partial(late, 2))
        step("ttl=1: time exceeded from gw itself (192.168.122.1)", partial(late, 1))
        for node, device in (("ext", "eth1"), ("far", "eth0")):
            stage.nodes[node].links.set_mtu(device, 1300)
        step(
            "frag needed from ext translated back",
            partial(self.ping, "g1", FAR, size=1400, pmtu="do"),
            g1=lambda: route_get_text(self.node("g1"), ip_from_text(FAR)),
        )
        step(
            "ping fragmented 3000B through NAT",
            partial(self.ping, "g1", EXT, size=3000, pmtu="dont"),
        )

    def _inbound(self) -> None:
        step, stage = self.step, self.stage
        self._route("ext", "192.168.122.0/24", GATEWAY)
        step(
            "inbound new from ext to guest: REJECT 3/3",
            partial(ask_udp, stage, "ext", self.g1, 7, b"in"),
        )
        step(
            "inbound to unused high port of gw: port unreachable by gw",
            partial(ask_udp, stage, "ext", GATEWAY, 45_000, b"in"),
        )
        step(
            "guest -> guest same bridge (br_netfilter?)",
            partial(self.ping, "g2", self.g1),
            nfcall=self.forward_rules,
        )
        step("guest -> gw external address", partial(self.ping, "g1", GATEWAY))

    def _hairpins(self) -> None:
        step, stage = self.step, self.stage
        self.iptables(
            f"-t nat -A PREROUTING -d {GATEWAY} -p tcp --dport 8080"
            f" -j DNAT --to-destination {self.g1}:80"
        )
        self.iptables(f"-I FORWARD 1 -d {self.g1} -p tcp --dport 80 -j ACCEPT")
        ask = partial(ask_tcp, stage, target=GATEWAY, port=8080)
        step(
            "DNAT ext -> gw:8080 -> g1:80",
            partial(ask, node="ext", source_port=46_000),
            ct=self.connections,
        )
        step(
            "hairpin NAT without SNAT rule: g2 -> gw:8080 (same subnet)",
            partial(self.hung_up, 50_000, ask, node="g2", source_port=47_000, most_ms=2_000),
        )
        settings = self.node("gw").sysctls
        settings["net.bridge.bridge-nf-call-iptables"] = 0
        step(
            "hairpin NAT without SNAT rule, bridge-nf-call-iptables=0",
            partial(ask, node="g2", source_port=55_000, most_ms=2_000),
        )
        settings["net.bridge.bridge-nf-call-iptables"] = 1
        self.iptables(
            f"-t nat -A POSTROUTING -s 192.168.122.0/24 -d {self.g1} -p tcp --dport 80"
            " -m conntrack --ctstate DNAT -j MASQUERADE"
        )
        step(
            "hairpin NAT with SNAT rule: g2 -> gw:8080",
            partial(ask, node="g2", source_port=48_000),
        )
        step("hairpin to self: g1 -> gw:8080", partial(ask, node="g1", source_port=49_000))

    def _odd(self) -> None:
        step = self.step
        g1, ext = ip_from_text(self.g1), ip_from_text(EXT)
        ack = tcp.emit(g1, ext, tcp.Tcp(50_000, 7, 1, 1, tcp.ACK, 8_192, 0, b"", b""))
        step(
            "unsolicited TCP ACK mid-stream from guest",
            partial(self.packet, "g1", EXT, tcp.PROTOCOL, ack),
        )
        bad = udp.emit(g1, ext, 51_000, 7, b"bad")
        bad = bad[:6] + b"\x12\x34" + bad[8:]
        step(
            "bad-checksum UDP not natted (INVALID)",
            partial(self.packet, "g1", EXT, udp.PROTOCOL, bad),
        )
        zero = udp.emit(g1, ext, 52_000, 7, b"zero")
        zero = zero[:6] + b"\0\0" + zero[8:]
        step("UDP checksum 0 stays 0", partial(self.packet, "g1", EXT, udp.PROTOCOL, zero))
        group = "239.1.1.1"
        crowd = udp.emit(g1, ip_from_text(group), 53_000, 9, b"")
        step(
            "multicast/broadcast from guest not masqueraded/forwarded",
            partial(
                self.packet,
                "g1",
                group,
                udp.PROTOCOL,
                crowd,
                mac=mac_from_text("01:00:5e:01:01:01"),
                ttl=8,
            ),
        )
        step(
            "proto 47 (GRE) masqueraded by generic rule",
            partial(self.packet, "g1", EXT, 200, b"generic"),
        )

    def _classes(self) -> None:
        step = self.step
        self.node("gw").make_netfilter().conntrack.flush()
        self.iptables("-t nat -F POSTROUTING")
        self.iptables("-t nat -A POSTROUTING -s 192.168.122.0/24 -o eth0 -j MASQUERADE")
        step(
            "MASQUERADE without range: low ports preserved",
            partial(self.ask, "g1", data=b"", source_port=500),
        )
        step("MASQUERADE without range: collision classes", self.collide_in_classes)
        step("conntrack timeouts table", self.connections)

    # -- what is done in them

    def node(self, name: str) -> Namespace:
        return self.stage.nodes[name]

    def iptables(self, line: str) -> None:
        self._rules.command(line.split())

    def hung_up(
        self, after_ns: int, ask: Callable[..., Any], *words: Any, **more: Any
    ) -> bytes | str:
        """A connection that the service closes sooner than usual: who is first is chance."""
        usual_ns, self.services.hang_up_ns = self.services.hang_up_ns, after_ns
        answer: bytes | str = ask(*words, **more)
        self.services.hang_up_ns = usual_ns
        return answer

    def ping(self, node: str, target: str, **more: Any) -> None:
        """ping needs some milliseconds to begin."""
        self.stage.wait(5 * MS)
        self.stage.ping(node, target, **more)

    def ask(self, node: str, *, data: bytes, source_port: int, target: str = EXT) -> bytes | str:
        return ask_udp(self.stage, node, target, 7, data, source_port)

    def collide(self) -> list[bytes | str]:
        answers = [self.ask(node, data=b"", source_port=41_000) for node in ("g1", "g2", "g3")]
        return answers + [self.ask("g2", data=b"", source_port=500 + n) for n in range(8)]

    def collide_in_classes(self) -> list[tuple[int, bytes | str]]:
        who = [(500, "g2")]
        who += [(port, g) for port in (600, 700, 1023, 2000, 54_000) for g in ("g1", "g2", "g3")]
        return [(port, self.ask(node, data=b"", source_port=port)) for port, node in who]

    def echo_twice(self) -> None:
        for wait_ms, node, source in ((2, "g1", self.g1), (9, "g2", self.g2)):
            self.stage.wait(wait_ms * MS)
            message = icmp.emit(icmp.Icmp(icmp.ECHO_REQUEST, 0, b"\0\x07\0\x01", b"abcdefgh"))
            self.packet(node, EXT, icmp.PROTOCOL, message, source=source)

    def packet(
        self,
        node: str,
        target: str,
        protocol: int,
        payload: bytes,
        *,
        source: str | None = None,
        mac: Mac = BRIDGE_MAC,
        ttl: int = 64,
    ) -> None:
        """One of Scapy's."""
        one, other = ip_from_text(source or self.g1), ip_from_text(target)
        data = ipv4.emit(one, other, protocol, payload, ttl=ttl, ident=1)
        frame = ether_frame(mac, station(int(node[1:])), TYPE_IPV4, data)
        self.stage.raw(node, frame)

    # -- what is looked at

    def connections(self) -> list[str]:
        """``conntrack -L``, without those of DHCP and DNS."""
        shown = ConntrackTool(self.node("gw").make_netfilter().conntrack, self.now_ns).run(["-L"])
        return [line for line in shown.out.splitlines() if not _OF_SERVICES.search(line)]

    @property
    def now_ns(self) -> int:
        return self.stage.scheduler.now_ns

    def forward_rules(self) -> str:
        """Whether bridged packets are shown, and ``iptables -nvL FORWARD | head -4``."""
        calls = self.node("gw").sysctls["net.bridge.bridge-nf-call-iptables"]
        shown = self._rules.command(["-nvL", "FORWARD"]).splitlines()[:4]
        return "\n".join((str(calls), *shown))


class TestFrames(FramesAgree):
    """Each step's, place by place."""


# -- what the programs show

_IDENTIFIER = re.compile(r"\bid=(?!7\b)\d+")
_EPHEMERAL = re.compile(r"(?<=port=)(?:3[3-9]|[45]\d|60)(?!000\b)\d{3}\b")
_TIMEOUT = re.compile(r"^(\S+ +\d+) \d+ ")


def connections(lines: list[str]) -> list[str]:
    """Without seconds, and what programs choose. The kernel lists a hash table, ours by age.

    Reports of IGMP are left out: when they were sent the recording does not show.
    """
    shown = (line for line in lines if not line.startswith("unknown  2"))
    hidden = (_IDENTIFIER.sub("id=N", _TIMEOUT.sub(r"\1 N ", line)) for line in shown)
    return sorted(_EPHEMERAL.sub(_hidden, line) for line in hidden)


def _hidden(port: re.Match[str]) -> str:
    return port[0] if int(port[0]) in CHOSEN else "N"


@pytest.mark.parametrize(
    "step",
    [
        "ping g1->ext",
        "udp g1:40000 -> ext:7 port preserved",
        "udp collision g2:40000 -> ext:7 port changed",
        "tcp g1:42000 -> ext:7",
        "icmp id collision: same id 7 from g1 and g2",
        "DNAT ext -> gw:8080 -> g1:80",
    ],
)
def test_connections(step: str, scenario: Scenario) -> None:
    ours = scenario.stage.played[step].state["ct"]
    recorded = scenario.stage.recording.steps[step].state["ct"]
    assert connections(ours) == connections(recorded)


def test_seconds_that_connections_have_left(scenario: Scenario) -> None:
    """Those of the last step, of which the recorder kept twelve at the most."""
    step = "conntrack timeouts table"
    ours = connections(scenario.stage.played[step].result)
    recorded = scenario.stage.recording.steps[step].result
    assert set(connections(recorded)) <= set(ours)
    for line in (*recorded, *scenario.stage.played[step].result):
        assert line.split()[2] in ("29", "28")


@pytest.mark.parametrize(
    ("step", "shown"),
    [
        ("g1 DHCP DORA (fresh)", "lease"),
        ("frag needed from ext translated back", "g1"),
        ("guest -> guest same bridge (br_netfilter?)", "nfcall"),
    ],
)
def test_leases_and_paths_and_counters(step: str, shown: str, scenario: Scenario) -> None:
    ours = scenario.stage.played[step].state[shown]
    recorded = scenario.stage.recording.steps[step].state[shown]
    assert lines(ours) == lines(recorded)


def lines(text: str) -> list[str]:
    return [line.strip() for line in text.strip().splitlines()]


@pytest.mark.parametrize(
    "step",
    [
        "udp g1:40000 -> ext:7 port preserved",
        "udp collision g2:40000 -> ext:7 port changed",
        "udp same port other dst (no collision): g2:40000 -> far:7",
        "udp low port g1:500 -> ext:7 mapped by --to-ports",
        "20 collisions g2/g3: port distribution",
        "MASQUERADE without range: low ports preserved",
        "MASQUERADE without range: collision classes",
    ],
)
def test_where_guests_seem_to_come_from(step: str, scenario: Scenario) -> None:
    ours = scenario.stage.played[step].result
    recorded = scenario.stage.recording.steps[step].result
    assert re.findall(r"[\d.]+:\d+", str(ours)) == re.findall(r"[\d.]+:\d+", str(recorded))
