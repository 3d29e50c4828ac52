"""Random traffic through the real Open vSwitch's tracker and through ours: the same in all.

The real switch writes the state of each packet into its Ethernet addresses. Its clock is
stopped and moved on by hand, so that timeouts can be compared as well. Nothing random in Open
vSwitch is asked for: ranges have one address and one port.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from random import Random
from struct import unpack_from

import pytest
from scapy.layers.inet import ICMP, IP, TCP, UDP
from scapy.layers.l2 import Ether
from scapy.packet import Packet, Raw
from scapy.utils import RawPcapReader

from tests.ovs.private_ovs import IS_INSTALLED, PrivateOvs, private_ovs
from tests.tables.conntrack_lab import Lab, framed
from vnet.base.ids import ip_text
from vnet.tables.conntrack.action import CtAction, NatKind, NatRange
from vnet.tables.conntrack.packet import IPV4, CtMeta, CtPacket

pytestmark = [
    pytest.mark.ovs,
    pytest.mark.skipif(not IS_INSTALLED, reason="Open vSwitch is not installed"),
]

HOSTS = ("10.0.0.1", "10.0.0.2", "10.0.0.3", "10.1.1.1")
PORTS = (53, 80, 600, 1000, 1001)
FLAGS = ("S", "S", "SA", "A", "A", "PA", "FA", "R", "RA", "SF")
CHECK_PORT = 9

STEPS = 25
PATIENCE = 3_000
"""How often the switch is asked whether it is done."""


def action_text(action: CtAction) -> str:
    """An action as ovs-ofctl reads it; what follows looks at the packet in table 1."""
    words = [word for word in ("commit", "force") if getattr(action, word)]
    words.append(f"zone={action.zone}")
    nat = action.nat
    if nat is not None:
        text = "nat"
        if nat.kind is not None and nat.first_address is not None:
            text += f"({nat.kind.value}={ip_text(nat.first_address)}"
            text += f":{nat.first_port}" if nat.first_port else ""
            text += f"-{nat.last_port})" if nat.last_port else ")"
        words.append(text)
    if action.mark is not None:
        words.append("exec(set_field:{:#x}/{:#x}->ct_mark)".format(*action.mark))
    return f"ct({','.join(words)},table=1)"


class Real:
    """The real switch. Frames for port N go through the Nth action."""

    def __init__(self, ovs: PrivateOvs) -> None:
        self._ovs = ovs
        self._capture = ovs.directory / "seen.pcap"
        self._n_seen = 0
        ovs.appctl("time/stop")
        ports = (1, 2, 3, CHECK_PORT)
        bridge = ("add-br", "br0", "--", "set", "bridge", "br0", "datapath_type=dummy")
        added: list[str] = []
        for number in ports:
            added += ["--", "add-port", "br0", f"p{number}", "--", "set", "interface"]
            added += [f"p{number}", "type=dummy", f"ofport_request={number}"]
        ovs.vsctl(*bridge, "fail-mode=secure", *added, f"options:tx_pcap={self._capture}")

    def program(self, actions: list[CtAction]) -> None:
        """Start anew with other actions."""
        flows = [f"in_port={at},ip,actions={action_text(it)}" for at, it in enumerate(actions, 1)]
        state = "move:NXM_NX_CT_STATE[]->NXM_OF_ETH_DST[0..31]"
        zone = "move:NXM_NX_CT_ZONE[]->NXM_OF_ETH_DST[32..47]"
        mark = "move:NXM_NX_CT_MARK[]->NXM_OF_ETH_SRC[0..31]"
        flows.append(f"table=1,actions={state},{zone},{mark},output:{CHECK_PORT}")
        (self._ovs.directory / "flows").write_text("\n".join(flows))
        self._ovs.ofctl("-O", "OpenFlow15", "replace-flows", "br0", "flows")
        # What is known of the actions before is forgotten at some time, or now.
        self._ovs.appctl("revalidator/purge")
        self._ovs.appctl("dpctl/flush-conntrack")

    def wait_ms(self, time_ms: int) -> None:
        """Move the clock on, until a thread of the switch's has swept up what has expired."""
        self._ovs.appctl("time/warp", str(time_ms), str(time_ms))
        for _ in range(PATIENCE):
            if int(self._ovs.appctl("dpctl/ct-get-nconns")[0]) == len(self.dump()):
                return
        raise TimeoutError("Open vSwitch keeps connections that have expired")

    def send(self, port: int, frame: bytes) -> list[tuple[int, int, int, bytes]]:
        """State, zone and mark of what comes out, and its network layer."""
        self._ovs.appctl("netdev-dummy/receive", f"p{port}", frame.hex())
        # The switch polls its ports before it answers: whoever has an answer was polled for.
        self._ovs.ofctl("-O", "OpenFlow15", "dump-desc", "br0")
        with RawPcapReader(str(self._capture)) as reader:
            seen = [data for data, _ in reader][self._n_seen :]
        self._n_seen += len(seen)
        words = [unpack_from("!HI2xI", it) for it in seen]
        return [
            (state, zone, mark, it[14:])
            for (zone, state, mark), it in zip(words, seen, strict=True)
        ]

    def dump(self) -> list[str]:
        """All connections, sorted."""
        out, _ = self._ovs.appctl("dpctl/dump-conntrack", "-m", "-s")
        return sorted(out.split())


class Ours:
    """The same with our tracker."""

    def __init__(self, actions: list[CtAction]) -> None:
        self._lab = Lab()
        self._actions = actions

    def wait_ms(self, time_ms: int) -> None:
        """Moved on by hand, the real clock wakes the sweep each time; so it does here."""
        self._lab.wait_ms(time_ms)
        for conn in self._lab.tracker.store.table.expired(self._lab.now_ns // 1_000_000):
            self._lab.tracker.store.forget(conn)

    def send(self, port: int, frame: bytes) -> list[tuple[int, int, int, bytes]]:
        packet = CtPacket(frame, 14, IPV4, CtMeta())
        tracked = self._lab.tracker.execute(packet, self._actions[port - 1], self._lab.now_ns)
        return [(it.meta.state, it.meta.zone, it.meta.mark, it.data[14:]) for it in tracked]

    def dump(self) -> list[str]:
        return sorted(self._lab.dump(stats=True, verbose=True))


def random_action(chance: Random) -> CtAction:
    """Without what Open vSwitch refuses, and what it leaves to chance."""
    commit = chance.random() < 0.7
    nat = chance.choice((None, NatRange(), NatRange()))
    if commit and chance.random() < 0.6:
        kind = chance.choice((NatKind.SOURCE, NatKind.DESTINATION))
        address = IP(src=chance.choice(HOSTS))
        nat = NatRange(kind, bytes(address)[12:16], None, chance.choice((0, 0, 80, 1234)))
    mark = (chance.getrandbits(8), 0xFF) if commit and chance.random() < 0.3 else None
    return CtAction(zone=chance.choice((0, 5)), commit=commit, mark=mark, nat=nat)


def random_packet(chance: Random, seen: list[Packet]) -> Packet:
    """Something new, an answer to something seen, or an error about it."""
    about = chance.choice(seen[-8:]) if seen else None
    if about is not None and chance.random() < 0.4:
        return answer_to(about, chance)
    if about is not None and chance.random() < 0.2:
        quoted = Raw(bytes(about)[: chance.choice((28, 40, 100))])
        report = ICMP(type=chance.choice((3, 11)), code=1) / quoted
        return IP(src=about.dst, dst=about.src) / report
    sport, dport = chance.choice(PORTS), chance.choice(PORTS)
    header = chance.choice(
        (
            UDP(sport=sport, dport=dport),
            TCP(sport=sport, dport=dport, flags=chance.choice(FLAGS), seq=chance.choice((1, 2))),
            ICMP(type=chance.choice((8, 8, 0, 13)), id=chance.choice((1, 2))),
        )
    )
    payload = bytes(chance.choice((0, 1, 30)))
    return IP(src=chance.choice(HOSTS), dst=chance.choice(HOSTS)) / header / payload


def answer_to(about: Packet, chance: Random) -> Packet:
    """What the other end might send."""
    answer = about.copy()
    answer.src, answer.dst = about.dst, about.src
    del answer.chksum
    transport = answer.getlayer(TCP) or answer.getlayer(UDP)
    if transport is not None:
        transport.sport, transport.dport = transport.dport, transport.sport
        del transport.chksum
    elif answer.haslayer(ICMP):
        kinds = {8: 0, 0: 8, 13: 14, 14: 13}
        answer[ICMP].type = kinds.get(answer[ICMP].type, 0)
        del answer[ICMP].chksum
    if isinstance(transport, TCP):
        length = len(transport.payload) + bool(transport.flags & "SF")
        transport.seq, transport.ack = transport.ack, (transport.seq + length) & 0xFFFFFFFF
        transport.flags = "SA" if "S" in str(transport.flags) else chance.choice(FLAGS[3:])
    return answer


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Real]:
    directory: Path = tmp_path_factory.mktemp("conntrack")
    with private_ovs(directory) as ovs:
        yield Real(ovs)


@pytest.mark.parametrize("seed", range(6))
def test_random_traffic_fares_the_same(real: Real, seed: int) -> None:
    chance = Random(seed)
    actions = [random_action(chance) for _ in range(3)]
    ours = Ours(actions)
    real.program(actions)
    seen: list[Packet] = []
    for _ in range(STEPS):
        if chance.random() < 0.1:
            time_ms = chance.choice((1, 29_999, 30_000, 60_000))
            real.wait_ms(time_ms)
            ours.wait_ms(time_ms)
        port, packet = chance.randint(1, 3), random_packet(chance, seen)
        frame = framed(packet)
        expected = real.send(port, frame)
        assert len(expected) == 1
        assert ours.send(port, frame) == expected, (actions[port - 1], packet)
        seen.append(IP(frame[14:]))
        seen += [IP(data) for *_, data in expected if Ether(frame).type == IPV4]
    assert ours.dump() == real.dump()


def test_a_range_is_used_up_as_there(real: Real) -> None:
    """Which port each connection gets is left to chance, but not that all are given out."""
    nat = NatRange(NatKind.SOURCE, b"\x0a\x01\x01\x05", None, 2000, 2003)
    actions = [CtAction(commit=True, nat=nat)]
    real.program(actions)
    ours = Ours(actions)
    for client in range(1, 7):
        frame = framed(IP(src=f"10.9.0.{client}", dst="10.0.0.2") / UDP(sport=5, dport=6))
        (theirs,), (mine,) = real.send(1, frame), ours.send(1, frame)
        assert mine[:3] == theirs[:3]
    ports = [
        sorted(re.findall(r"reply=.*?dport=(\d+)", "\n".join(it.dump()))) for it in (real, ours)
    ]
    assert ports[0] == ports[1] == ["2000", "2001", "2002", "2003"]
