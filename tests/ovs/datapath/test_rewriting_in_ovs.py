"""The real datapath of Open vSwitch rewrites every frame, whole or faulty, to the same bytes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest

from tests.ovs.datapath.kit import Table, output
from tests.ovs.flow.frames import FRAMES, mutated
from tests.ovs.private_ovs import IS_INSTALLED, PrivateOvs, private_ovs
from vnet.ovs.dpif.actions import (
    KeyPart,
    OdpAction,
    OdpActions,
    PopMpls,
    PopVlan,
    PushMpls,
    PushVlan,
    Set,
    Trunc,
)
from vnet.ovs.dpif.text.actions import actions_text
from vnet.ovs.flow.extract import extract
from vnet.ovs.flow.flow import Bits, Flow

pytestmark = [
    pytest.mark.ovs,
    pytest.mark.skipif(not IS_INSTALLED, reason="ovs-vswitchd is not installed"),
]

N_CASES = 60

_ARP = (Flow.nw_src, Flow.nw_dst, Flow.nw_proto, Flow.arp_sha, Flow.arp_tha)
_IPV4 = (Flow.nw_src, Flow.nw_dst, Flow.nw_tos, Flow.nw_ttl)
_IPV6 = (Flow.ipv6_src, Flow.ipv6_dst, Flow.nw_tos, Flow.nw_ttl)
_PORTS = (Flow.tp_src, Flow.tp_dst)
_BY_PROTOCOL: dict[int, tuple[KeyPart, tuple[Bits, ...]]] = {
    6: (KeyPart.TCP, _PORTS),
    17: (KeyPart.UDP, _PORTS),
    132: (KeyPart.SCTP, _PORTS),
    58: (KeyPart.ND, (Flow.nd_target, Flow.arp_sha, Flow.arp_tha)),
}
_WILD = {
    0x0800: "ipv4(src=0.0.0.0/0.0.0.0,dst=0.0.0.0/0.0.0.0,proto=0/0,tos=0/0,ttl=0/0)",
    0x86DD: "ipv6(src=::/::,dst=::/::,label=0/0,proto=0/0,tclass=0/0,hlimit=0/0)",
    0x0806: "arp(sip=0.0.0.0/0.0.0.0,tip=0.0.0.0/0.0.0.0,op=0/0)",
    0x8847: "mpls(label=0/0,tc=0/0,ttl=0/0,bos=0/0)",
}
"""What a flow of these types must mention, wildcarded."""
_ANY_MAC = "00:00:00:00:00:00/00:00:00:00:00:00"


def _writable(flow: Flow) -> list[tuple[KeyPart, tuple[Bits, ...]]]:
    """The parts of a frame that there are to be written."""
    parts: list[tuple[KeyPart, tuple[Bits, ...]]]
    parts = [(KeyPart.ETHERNET, (Flow.dl_src, Flow.dl_dst))]
    if flow.dl_type in (0x0800, 0x86DD) and flow.nw_proto:
        is_v4 = flow.dl_type == 0x0800
        parts.append((KeyPart.IPV4, _IPV4) if is_v4 else (KeyPart.IPV6, _IPV6))
        if flow.nw_proto in _BY_PROTOCOL:
            parts.append(_BY_PROTOCOL[flow.nw_proto])
    if flow.dl_type == 0x0806 and flow.arp_sha:
        parts.append((KeyPart.ARP, _ARP))
    return parts


def _set(random: Random, flow: Flow) -> Set:
    part, members = random.choice(_writable(flow))
    value = mask = 0
    for bits in members:
        written = random.choice((0, bits.ones, bits.ones, random.getrandbits(bits.width)))
        wanted = random.choice((0, 1, bits.ones, random.getrandbits(bits.width)))
        value |= (wanted & written) << bits.shift
        mask |= written << bits.shift
    return Set(part, value, mask, mask != sum(bits.mask for bits in members))


def _actions(random: Random, flow: Flow) -> OdpActions:
    others: tuple[OdpAction, ...] = (
        *(PushVlan(0x8100, 0x1005), PushVlan(0x88A8, 0x1006), PopVlan(), PopMpls(0x0800)),
        *(PushMpls(random.getrandbits(32), 0x8847), Trunc(random.randrange(14, 90))),
    )
    actions = [
        random.choice(others) if random.random() < 0.25 else _set(random, flow)
        for _ in range(random.randrange(1, 4))
    ]
    return (*actions, *output(2))


def _flow_text(flow: Flow) -> str:
    """A flow of all frames of this one's types."""
    text = f"recirc_id(0),in_port(1),eth(src={_ANY_MAC},dst={_ANY_MAC})"
    inner = f"eth_type({flow.dl_type:#06x})"
    if flow.dl_type in _WILD:
        inner += f",{_WILD[flow.dl_type]}"
    if flow.vlan_tci:
        return f"{text},eth_type({flow.vlan_tpid:#06x}),vlan(vid=0/0,pcp=0/0),encap({inner})"
    return f"{text},{inner}"


class _Bridge:
    """The real one, with ports 1 and 2."""

    def __init__(self, ovs: PrivateOvs) -> None:
        self._ovs = ovs
        self._capture = ovs.directory / "p2.pcap"
        ports = [
            word
            for number in (1, 2)
            for word in (
                *("--", "add-port", "br0", f"p{number}", "--", "set", "interface", f"p{number}"),
                *("type=dummy", f"ofport_request={number}"),
                f"options:tx_pcap={ovs.directory}/p{number}.pcap",
            )
        ]
        ovs.vsctl("add-br", "br0", "--", "set", "bridge", "br0", "datapath_type=dummy", *ports)
        # Else flows that no OpenFlow flow explains would vanish at any time.
        ovs.appctl("revalidator/pause")
        self._read = len(self._capture.read_bytes())

    def forward(self, frame: bytes, flow: str, actions: str) -> list[bytes] | None:
        """What leaves by port 2; None where there can be no such flow."""
        self._ovs.appctl("dpctl/del-flows")
        _out, refusal = self._ovs.appctl("dpctl/add-flow", flow, actions)
        if refusal:
            return None
        self._ovs.appctl("netdev-dummy/receive", "p1", frame.hex())
        # The daemon takes the frame in before it answers again.
        self._ovs.appctl("version")
        return self._sent()

    def _sent(self) -> list[bytes]:
        frames = []
        records = self._capture.read_bytes()
        while self._read < len(records):
            n_bytes = int.from_bytes(records[self._read + 8 : self._read + 12], "little")
            self._read += 16 + n_bytes
            frames.append(records[self._read - n_bytes : self._read])
        return frames


@pytest.fixture(scope="module")
def bridge(tmp_path_factory: pytest.TempPathFactory) -> Iterator[_Bridge]:
    directory: Path = tmp_path_factory.mktemp("ovs")
    with private_ovs(directory) as ovs:
        yield _Bridge(ovs)


def test_frames_are_rewritten_to_the_same_bytes(bridge: _Bridge) -> None:
    random = Random(1)
    n_compared = 0
    for number in range(N_CASES):
        frame = mutated(random) if number % 2 else random.choice(FRAMES)
        flow = Flow(extract(frame, 1))
        if not len(frame) >= 14 or flow.dl_type < 0x600:
            continue
        actions = _actions(random, flow)
        theirs = bridge.forward(frame, _flow_text(flow), actions_text(actions))
        if theirs is None:
            continue
        table = Table(2)
        table.put(frame, actions)
        table.send(frame)
        assert table.sent().get(2, []) == theirs, (frame.hex(), actions_text(actions))
        n_compared += 1
    assert n_compared > N_CASES // 2
