"""``set`` writes the bits that it says, and checksums follow; Scapy judges them."""

from __future__ import annotations

import logging
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scapy.compat import raw
from scapy.layers.inet import ICMP, IP, TCP, UDP, IPOption_NOP
from scapy.layers.inet6 import (
    ICMPv6EchoRequest,
    ICMPv6ND_NA,
    ICMPv6ND_NS,
    ICMPv6NDOptDstLLAddr,
    ICMPv6NDOptSrcLLAddr,
    IPv6,
    IPv6ExtHdrDestOpt,
    IPv6ExtHdrFragment,
    IPv6ExtHdrRouting,
    in6_chksum,
)
from scapy.layers.l2 import ARP, Dot1Q, Ether
from scapy.layers.sctp import SCTP, SCTPChunkData
from scapy.packet import Packet as ScapyPacket
from scapy.packet import Raw
from scapy.utils import checksum as internet_checksum

from tests.ovs.datapath.kit import Table, output
from tests.ovs.flow.frames import NSH, ethernet, ipv4, label
from vnet.ovs.datapath.edit.checksums import change_of, updated
from vnet.ovs.dpif.actions import KeyPart, PushMpls, Set
from vnet.ovs.flow.extract import extract
from vnet.ovs.flow.flow import ALL_ONES, Bits, Flow
from vnet.wire.crc32c import crc32c

logging.getLogger("scapy.runtime").setLevel(logging.ERROR)

_PAYLOAD = Raw(bytes(range(33)))
_ETHER = Ether(src="02:00:00:00:00:01", dst="02:00:00:00:00:02")
_TAGGED = _ETHER / Dot1Q(vlan=5, prio=3)
_IP = IP(src="10.0.0.1", dst="10.255.255.255", ttl=64, tos=0x12)
_IP6 = IPv6(src="fe80::1", dst="2001:db8::2", tc=0x21, fl=0x12345, hlim=9)
_TCP = TCP(sport=1024, dport=80, seq=7) / _PAYLOAD
_UDP = UDP(sport=53, dport=65535) / _PAYLOAD
_SCTP = SCTP(sport=9, dport=8) / SCTPChunkData(data=b"ninebytes")
_ND_OPTION = ICMPv6NDOptSrcLLAddr(lladdr="02:00:00:00:00:07")

PACKETS: dict[str, ScapyPacket] = {
    "tcp": _ETHER / _IP / _TCP,
    "udp": _ETHER / _IP / _UDP,
    "udp, tagged": _TAGGED / _IP / _UDP,
    "tcp, with IP options": _ETHER / IP(src="10.0.0.1", options=[IPOption_NOP()] * 4) / _TCP,
    "sctp": _ETHER / _IP / _SCTP,
    "icmp": _ETHER / _IP / ICMP(id=1) / _PAYLOAD,
    "tcp6": _ETHER / _IP6 / _TCP,
    "udp6": _ETHER / _IP6 / _UDP,
    "udp6, tagged": _TAGGED / _IP6 / _UDP,
    "sctp6": _ETHER / _IP6 / _SCTP,
    "tcp6 behind options": _ETHER / _IP6 / IPv6ExtHdrDestOpt() / _TCP,
    "icmp6": _ETHER / _IP6 / ICMPv6EchoRequest(id=3) / _PAYLOAD,
    "neighbor solicitation": _ETHER / _IP6 / ICMPv6ND_NS(tgt="fe80::2") / _ND_OPTION,
    "neighbor advertisement": _ETHER
    / _IP6
    / ICMPv6ND_NA(tgt="fe80::2")
    / ICMPv6NDOptDstLLAddr(lladdr="02:00:00:00:00:08"),
    "arp": _ETHER / ARP(psrc="10.0.0.1", pdst="10.0.0.2", op=2),
}
FRAMES = {name: raw(packet) for name, packet in PACKETS.items()}

WRITES: dict[KeyPart, tuple[Bits, ...]] = {
    KeyPart.ETHERNET: (Flow.dl_src, Flow.dl_dst),
    KeyPart.IPV4: (Flow.nw_src, Flow.nw_dst, Flow.nw_tos, Flow.nw_ttl),
    KeyPart.IPV6: (Flow.ipv6_src, Flow.ipv6_dst, Flow.ipv6_label, Flow.nw_tos, Flow.nw_ttl),
    KeyPart.TCP: (Flow.tp_src, Flow.tp_dst),
    KeyPart.UDP: (Flow.tp_src, Flow.tp_dst),
    KeyPart.SCTP: (Flow.tp_src, Flow.tp_dst),
    KeyPart.ICMP: (Flow.tp_src, Flow.tp_dst),
    KeyPart.ICMPV6: (Flow.tp_src, Flow.tp_dst),
    KeyPart.ARP: (Flow.nw_src, Flow.nw_dst, Flow.nw_proto, Flow.arp_sha, Flow.arp_tha),
    KeyPart.ND: (Flow.nd_target, Flow.arp_sha, Flow.arp_tha),
}
_WIDTHS = {Flow.ipv6_label: 20}
_BYTE_WIDE = (KeyPart.ICMP, KeyPart.ICMPV6)

_PARTS: dict[str, tuple[KeyPart, ...]] = {
    "tcp": (KeyPart.IPV4, KeyPart.TCP),
    "udp": (KeyPart.IPV4, KeyPart.UDP),
    "udp, tagged": (KeyPart.IPV4, KeyPart.UDP),
    "tcp, with IP options": (KeyPart.IPV4, KeyPart.TCP),
    "sctp": (KeyPart.IPV4, KeyPart.SCTP),
    "icmp": (KeyPart.IPV4, KeyPart.ICMP),
    "tcp6": (KeyPart.IPV6, KeyPart.TCP),
    "udp6": (KeyPart.IPV6, KeyPart.UDP),
    "udp6, tagged": (KeyPart.IPV6, KeyPart.UDP),
    "sctp6": (KeyPart.IPV6, KeyPart.SCTP),
    "tcp6 behind options": (KeyPart.IPV6, KeyPart.TCP),
    "icmp6": (KeyPart.IPV6, KeyPart.ICMPV6),
    "neighbor solicitation": (KeyPart.IPV6, KeyPart.ND),
    "neighbor advertisement": (KeyPart.IPV6, KeyPart.ND),
    "arp": (KeyPart.ARP,),
}
CASES = [(name, part) for name, parts in _PARTS.items() for part in (KeyPart.ETHERNET, *parts)]


def with_right_checksums(frame: bytes) -> bytes:
    """The frame with every checksum as Scapy computes it."""
    packet = Ether(frame)
    layer = packet
    while layer:
        for name in ("chksum", "cksum"):
            if name in layer.fields and not (isinstance(layer, UDP) and layer.chksum == 0):
                delattr(layer, name)
        layer = layer.payload
    return bytes(packet)


def is_in_order(frame: bytes) -> bool:
    """Whether all checksums are right. ICMP's are added up, for Scapy makes other things than
    checksums anew where the type says so."""
    packet = Ether(frame)
    if IP in packet and packet[IP].proto == 1:
        header_bytes = packet[IP].ihl * 4
        packet_bytes = raw(packet[IP])
        return not internet_checksum(packet_bytes[:header_bytes]) and not internet_checksum(
            packet_bytes[header_bytes:]
        )
    if IPv6 in packet and packet[IPv6].nh == 58:
        return not in6_chksum(58, packet[IPv6], raw(packet[IPv6].payload))
    return with_right_checksums(frame) == frame


@st.composite
def sets(draw: st.DrawFn) -> tuple[str, Set, int]:
    """A packet's name, a ``set`` for it, and the bits that it writes."""
    name, part = draw(st.sampled_from(CASES))
    is_masked = draw(st.booleans())
    value = mask = 0
    for bits in WRITES[part]:
        ones = (1 << (8 if part in _BYTE_WIDE else _WIDTHS.get(bits, bits.width))) - 1
        edges = st.sampled_from((0, 1, ones, ones - 1))
        wanted = draw(edges | st.integers(0, ones))
        written = draw(edges | st.integers(0, ones)) if is_masked else ones
        value |= (wanted & written) << bits.shift
        mask |= written << bits.shift
    return name, Set(part, value, mask if is_masked else 0, is_masked), mask


@given(sets())
def test_a_set_writes_its_bits_and_checksums_follow(case: tuple[str, Set, int]) -> None:
    name, action, mask = case
    frame = FRAMES[name]
    key = extract(frame, 1)
    if action.part is KeyPart.ND:
        # A message has one of the two addresses.
        absent = [bits.mask for bits in (Flow.arp_sha, Flow.arp_tha) if not bits.of(key)]
        mask &= ~sum(absent)
    result = Table(2).result(frame, (action,))
    expected = key & ~mask | action.value & mask
    if action.part is KeyPart.ARP and Flow.nw_proto.of(action.value & mask) == 0xFF:
        expected = Flow.nw_proto.set(expected, 0)  # the operation 0xFFFF, which no flow has
    assert extract(result, 1) == expected
    assert is_in_order(result)
    assert len(result) == len(frame)


@given(st.lists(sets(), min_size=2, max_size=4))
def test_sets_of_one_flow_add_up(cases: list[tuple[str, Set, int]]) -> None:
    name = cases[0][0]
    parts = (KeyPart.ETHERNET, *_PARTS[name])
    actions = tuple(action for _name, action, _mask in cases if action.part in parts)
    frame = FRAMES[name]
    together = Table(2)
    together.put(frame, (*actions, *output(2)))
    together.send(frame, frame)
    one_by_one = frame
    for action in actions:
        one_by_one = Table(2).result(one_by_one, (action,))
    assert together.sent() == {2: [one_by_one, one_by_one]}


@pytest.mark.parametrize("name", ["udp", "udp6"])
def test_a_udp_checksum_of_zero_stays_zero(name: str) -> None:
    frame = FRAMES[name]
    at = frame.index(bytes(range(33))) - 2
    frame = frame[:at] + b"\0\0" + frame[at + 2 :]
    part = KeyPart.IPV6 if name == "udp6" else KeyPart.IPV4
    ports = Set(KeyPart.UDP, 5 << Flow.tp_src.shift, Flow.tp_src.mask)
    addresses = Set(part, 0, sum(bits.mask for bits in WRITES[part][:2]))
    result = Table(2).result(frame, (ports, addresses))
    assert result[at : at + 2] == b"\0\0"
    assert Flow(extract(result)).tp_src == 5


@pytest.mark.parametrize("name", ["udp", "udp6"])
def test_a_udp_checksum_never_becomes_zero(name: str) -> None:
    frame = FRAMES[name]
    for port in range(0, 65536, 4099):
        fields = Ether(frame)
        fields[UDP].sport = 0
        del fields[UDP].chksum
        # The port that makes all words of the datagram add up to zero.
        rest = Ether(raw(fields))[UDP].chksum
        action = Set(KeyPart.UDP, rest << Flow.tp_src.shift, Flow.tp_src.mask)
        first = Set(KeyPart.UDP, port << Flow.tp_src.shift, Flow.tp_src.mask)
        result = Table(2).result(frame, (first, action))
        assert Ether(result)[UDP].chksum == 0xFFFF


def test_a_wrong_checksum_stays_wrong_by_as_much() -> None:
    for name, at in (("tcp", 50), ("udp", 40), ("icmp", 36), ("sctp", 42)):
        frame = FRAMES[name]
        wrong = frame[:at] + bytes((frame[at] ^ 0x55,)) + frame[at + 1 :]
        ttl = Set(KeyPart.IPV4, 1 << Flow.nw_ttl.shift, Flow.nw_ttl.mask)
        ports = Set(_PARTS[name][1], 0x11 << Flow.tp_dst.shift, Flow.tp_dst.mask)
        right, result = (Table(2).result(one, (ttl, ports)) for one in (frame, wrong))
        assert not is_in_order(result)
        assert result[:at] + result[at + 4 :] == right[:at] + right[at + 4 :]


def _route(segments_left: int) -> ScapyPacket:
    return IPv6ExtHdrRouting(addresses=["2001:db8::9"], segleft=segments_left)


def _addresses(source: int, target: int) -> Set:
    value = source << Flow.ipv6_src.shift | target << Flow.ipv6_dst.shift
    return Set(KeyPart.IPV6, value, Flow.ipv6_src.mask | Flow.ipv6_dst.mask)


@pytest.mark.parametrize(
    ("header", "follows"),
    [
        (IPv6ExtHdrDestOpt(), True),
        (_route(0), True),
        (_route(1), False),
        (IPv6ExtHdrFragment(offset=0, m=1), True),
        (IPv6ExtHdrFragment(offset=0, m=0), False),
        (IPv6ExtHdrFragment(offset=3, m=1), False),
    ],
    ids=["options", "route that has ended", "route", "first fragment", "atomic", "later fragment"],
)
def test_which_extension_headers_let_the_checksum_follow(
    header: ScapyPacket, follows: bool
) -> None:
    frame = raw(_ETHER / _IP6 / header / _UDP)
    result = Table(2).result(frame, (_addresses(7, 8),))
    assert Flow(extract(result)).ipv6_src == 7
    at = frame.index(bytes(range(33))) - 2
    assert (result[at : at + 2] != frame[at : at + 2]) is follows


def test_later_fragments_are_mistaken_for_headers_as_open_vswitch_does() -> None:
    frame = ethernet(0x0800, ipv4(17, bytes(range(1, 41)), fragment=0x2003))
    source = Set(KeyPart.IPV4, 7 << Flow.nw_src.shift, Flow.nw_src.mask)
    result = Table(2).result(frame, (source,))
    assert result[34:40] + result[42:] == frame[34:40] + frame[42:]
    assert result[40:42] != frame[40:42]


def test_padding_behind_the_packet_is_not_its_payload() -> None:
    short = ethernet(0x0800, ipv4(6, bytes(12))) + bytes(30)
    ports = Set(KeyPart.TCP, ALL_ONES, 0, is_masked=False)
    source = Set(KeyPart.IPV4, 7 << Flow.nw_src.shift, Flow.nw_src.mask)
    result = Table(2).result(short, (ports, source))
    assert result[34:] == short[34:]
    table = Table(2)
    table.put(short, (ports, source, *output(2)))
    table.send(short)
    assert table.sent() == {2: [result]}


@pytest.mark.parametrize(
    ("value", "mask", "operation"),
    [(1, 0xFF, "0001"), (0xFF, 0xFF, "ffff"), (0xF1, 0xF0, "05f2"), (0, 0, "0502")],
)
def test_an_arp_operation_is_written_whole_if_its_lower_byte_is(
    value: int, mask: int, operation: str
) -> None:
    frame = FRAMES["arp"]
    frame = frame[:20] + b"\x05\x02" + frame[22:]
    action = Set(KeyPart.ARP, value << Flow.nw_proto.shift, mask << Flow.nw_proto.shift)
    assert Table(2).result(frame, (action,))[20:22] == bytes.fromhex(operation)


def test_nd_extensions_are_written_and_the_checksum_made_anew() -> None:
    frame = FRAMES["neighbor solicitation"]
    wrong = frame[:56] + b"\x12\x34" + frame[58:]
    value = 0xE0000000 << Flow.igmp_group_ip4.shift | 2 << Flow.tcp_flags.shift
    mask = Flow.igmp_group_ip4.mask | Flow.tcp_flags.mask
    result = Table(2).result(wrong, (Set(KeyPart.ND_EXTENSIONS, value, mask),))
    flow = Flow(extract(result))
    assert (flow.igmp_group_ip4, flow.tcp_flags) == (0xE0000000, 2)
    assert is_in_order(result)


def test_the_outer_label_is_written() -> None:
    frame = ethernet(0x8847, label(16, 0) + label(17, 1) + bytes(20))
    label_bits = Flow.mpls_lse[0]
    action = Set(KeyPart.MPLS, 99 << 12 << label_bits.shift, 0xFFFFF000 << label_bits.shift)
    result = Table(2).result(frame, (action,))
    assert result == ethernet(0x8847, label(99, 0) + label(17, 1) + bytes(20))


@given(st.integers(0, ALL_ONES), st.integers(0, ALL_ONES))
def test_nsh_fields_are_written(value: int, mask: int) -> None:
    frame = ethernet(0x894F, NSH + bytes(20))
    writable = (Flow.nsh_flags, Flow.nsh_ttl, Flow.nsh_path_hdr, *Flow.nsh_context)
    mask &= sum(bits.mask for bits in writable)
    mask &= ~(0xFC << Flow.nsh_flags.shift | 0xC0 << Flow.nsh_ttl.shift)
    result = Table(2).result(frame, (Set(KeyPart.NSH, value & mask, mask),))
    assert extract(result) == extract(frame) & ~mask | value & mask


def test_contexts_of_other_nsh_types_are_left_alone() -> None:
    frame = ethernet(0x894F, bytes.fromhex("0fc60203000007c8") + bytes(range(16)))
    action = Set(KeyPart.NSH, ALL_ONES, ALL_ONES, is_masked=False)
    result = Table(2).result(frame, (action,))
    assert result[22:] == frame[22:]
    assert result[18:22] == b"\xff" * 4


def test_ports_of_labelled_packets_are_still_found() -> None:
    frame = FRAMES["tcp"]
    ports = Set(KeyPart.TCP, 5 << Flow.tp_dst.shift, Flow.tp_dst.mask)
    labelled = Table(2).result(frame, (PushMpls(0x12340, 0x8847), ports))
    written = Table(2).result(frame, (ports,))
    assert labelled[18:] == written[14:]


@pytest.mark.parametrize(
    "make",
    [
        lambda frame: frame[:30],
        lambda frame: frame[:14],
        lambda frame: frame[:12] + b"\x00\x05" + frame[14:],
        lambda frame: frame[:12] + b"\x88\x47",
    ],
)
def test_what_is_too_short_to_be_written_is_left_alone(make: Callable[[bytes], bytes]) -> None:
    table = Table(2)
    for part in (*WRITES, KeyPart.MPLS, KeyPart.NSH, KeyPart.ND_EXTENSIONS):
        frame = make(FRAMES["tcp"])
        if part is not KeyPart.ETHERNET:
            result = table.result(frame, (Set(part, 0, 0, is_masked=False),))
            assert len(result) == len(frame)


_WORDS = st.sampled_from((0, 1, 0xFFFF, 0xFFFE, 0x8000)) | st.integers(0, 0xFFFF)


@given(_WORDS, st.lists(st.tuples(_WORDS, _WORDS), min_size=1, max_size=8))
def test_one_update_does_what_updates_word_by_word_would(
    checksum: int, words: list[tuple[int, int]]
) -> None:
    expected = checksum
    for old, new in words:
        total = (expected ^ 0xFFFF) + (old ^ 0xFFFF) + new
        while total >> 16:
            total = (total & 0xFFFF) + (total >> 16)
        expected = total ^ 0xFFFF
    old, new = (
        int.from_bytes(b"".join(pair[side].to_bytes(2, "big") for pair in words), "big")
        for side in (0, 1)
    )
    assert updated(checksum, change_of(old, new, 16 * len(words))) == expected


def test_crc32c_of_known_messages() -> None:
    assert crc32c(b"123456789") == 0xE3069283
    assert crc32c(bytes(32)) == 0x8A9136AA
