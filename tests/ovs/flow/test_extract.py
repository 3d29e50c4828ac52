"""What a switch reads of a frame, and where it stops reading."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.ovs.flow import frames
from tests.ovs.flow.frames import ethernet, ipv4, ipv6, tag
from vnet.ovs.flow.extract import extract, layers
from vnet.ovs.flow.flow import DL_TYPE_NONE, Flow


def flow_of(frame: bytes, in_port: int = 0, *, packet_type: int = 0, vlan_limit: int = 2) -> Flow:
    return Flow(extract(frame, in_port, packet_type=packet_type, vlan_limit=vlan_limit))


def test_a_plain_tcp_segment() -> None:
    assert flow_of(ethernet(0x0800, ipv4(6, frames.TCP)), 7) == Flow(
        sum(
            value << bits.shift
            for bits, value in (
                (Flow.in_port, 7),
                (Flow.dl_dst, 0x020000000002),
                (Flow.dl_src, 0x020000000001),
                (Flow.dl_type, 0x0800),
                (Flow.nw_src, 0x0A000001),
                (Flow.nw_dst, 0x0A000002),
                (Flow.nw_proto, 6),
                (Flow.nw_tos, 0x17),
                (Flow.nw_ttl, 33),
                (Flow.tp_src, 12345),
                (Flow.tp_dst, 80),
                (Flow.tcp_flags, 0x012),
            )
        )
    )


@pytest.mark.parametrize(
    ("protocol", "payload", "source", "target"),
    [
        (17, frames.UDP, 53, 0x1234),
        (132, frames.SCTP, 9, 8),
        (1, frames.ICMP, 8, 0),
        (2, frames.IGMP, 0x16, 0),
        (99, frames.TCP, 0, 0),
    ],
)
def test_ports_and_types(protocol: int, payload: bytes, source: int, target: int) -> None:
    for packet in (
        ethernet(0x0800, ipv4(protocol, payload)),
        ethernet(0x86DD, ipv6(protocol, payload)),
    ):
        flow = flow_of(packet)
        assert (flow.nw_proto, flow.tp_src, flow.tp_dst) == (protocol, source, target)


def test_a_group_of_igmp() -> None:
    assert flow_of(ethernet(0x0800, ipv4(2, frames.IGMP))).igmp_group_ip4 == 0xE0010203


@pytest.mark.parametrize("cut", range(1, 21))
def test_a_tcp_header_that_is_cut_short_has_no_ports(cut: int) -> None:
    flow = flow_of(ethernet(0x0800, ipv4(6, frames.TCP[:-cut])))
    assert (flow.nw_proto, flow.tp_src, flow.tcp_flags) == (6, 0, 0)


@pytest.mark.parametrize("offset", [0x40, 0x60, 0xF0])
def test_a_tcp_offset_that_cannot_be_hides_the_ports(offset: int) -> None:
    segment = frames.TCP[:12] + bytes((offset,)) + frames.TCP[13:]
    assert flow_of(ethernet(0x0800, ipv4(6, segment))).tp_src == 0


def test_padding_is_not_read() -> None:
    frame = ethernet(0x0800, ipv4(17) + frames.UDP)
    assert flow_of(frame).tp_src == 0
    assert layers(frame).end == 34


@pytest.mark.parametrize("more", [1, 20, 1000])
def test_a_packet_longer_than_its_frame_has_a_type_and_no_more(more: int) -> None:
    for ether_type, packet in (
        (0x0800, ipv4(17, frames.UDP, more=more)),
        (0x86DD, ipv6(17, frames.UDP, more=more)),
    ):
        flow = flow_of(ethernet(ether_type, packet))
        assert flow.dl_type == ether_type
        assert (flow.nw_src, flow.ipv6_src, flow.nw_proto, flow.nw_ttl) == (0, 0, 0, 0)


def test_too_much_padding_spoils_a_packet() -> None:
    frame = ethernet(0x0800, ipv4(17, frames.UDP))
    assert flow_of(frame + bytes(0xFFFF)).tp_src == 53
    assert flow_of(frame + bytes(0x10000)).nw_proto == 0


@pytest.mark.parametrize(
    ("word", "nw_frag", "has_ports"), [(0x4000, 0, True), (0x2000, 1, True), (0x0001, 3, False)]
)
def test_fragments_of_ipv4(word: int, nw_frag: int, has_ports: bool) -> None:
    flow = flow_of(ethernet(0x0800, ipv4(17, frames.UDP, fragment=word)))
    assert (flow.nw_proto, flow.nw_frag, bool(flow.tp_src)) == (17, nw_frag, has_ports)


@pytest.mark.parametrize(
    ("word", "nw_frag", "nw_proto"), [(0, 0, 17), (0x0001, 1, 17), (0x0006, 1, 17), (0x0008, 3, 44)]
)
def test_fragments_of_ipv6(word: int, nw_frag: int, nw_proto: int) -> None:
    packet = ipv6(44, frames.fragment_header(17, word) + frames.UDP)
    flow = flow_of(ethernet(0x86DD, packet))
    assert (flow.nw_frag, flow.nw_proto, bool(flow.tp_src)) == (nw_frag, nw_proto, nw_proto == 17)


def test_extension_headers_are_passed_over() -> None:
    chain = frames.option_header(43, 2) + frames.option_header(51) + frames.authentication_header(6)
    frame = ethernet(0x86DD, ipv6(0, chain + frames.TCP))
    flow = flow_of(frame)
    assert (flow.nw_proto, flow.tp_dst, flow.tcp_flags) == (6, 80, 0x012)
    assert (flow.nw_tos, flow.ipv6_label, flow.nw_ttl) == (0x5A, 0x12345, 44)
    assert layers(frame).l4 == 14 + 40 + len(chain)


def test_an_extension_header_that_is_cut_short_leaves_the_addresses() -> None:
    frame = ethernet(0x86DD, ipv6(0, frames.option_header(6, 9)[:-1]))
    flow = flow_of(frame)
    assert flow.ipv6_dst == int.from_bytes(frames.IPV6_PAIR[16:], "big")
    assert (flow.nw_proto, flow.ipv6_label, flow.nw_ttl) == (0, 0, 0)
    assert layers(frame).l4 is None


def test_neighbor_discovery() -> None:
    message = frames.neighbor(136, frames.TARGET_LINK, frames.SOURCE_LINK)
    flow = flow_of(ethernet(0x86DD, ipv6(58, message)))
    assert (flow.tp_src, flow.tp_dst, flow.igmp_group_ip4) == (136, 0, 0x60000001)
    assert flow.nd_target == int.from_bytes(frames.ND_TARGET, "big")
    assert (flow.arp_sha, flow.arp_tha) == (0x020000000007, 0x020000000008)
    assert flow.tcp_flags == 2  # the type of the first option


def test_an_option_that_comes_twice_spoils_neighbor_discovery() -> None:
    message = frames.neighbor(135, frames.SOURCE_LINK, frames.SOURCE_LINK)
    flow = flow_of(ethernet(0x86DD, ipv6(58, message)))
    assert (flow.nd_target, flow.arp_sha, flow.tcp_flags) == (0, 0, 1)


def test_arp() -> None:
    flow = flow_of(ethernet(0x0806, frames.ARP + bytes(18)))
    assert (flow.nw_proto, flow.nw_src, flow.nw_dst) == (1, 0x0A000001, 0x0A000002)
    assert (flow.arp_sha, flow.arp_tha) == (0x020000000007, 0x020000000008)


def test_an_arp_operation_of_16_bits_is_not_told() -> None:
    flow = flow_of(ethernet(0x0806, frames.ARP[:6] + b"\x01\x01" + frames.ARP[8:]))
    assert (flow.nw_proto, flow.nw_src) == (0, 0x0A000001)


def test_arp_for_something_else_than_ipv4_is_not_read() -> None:
    assert flow_of(ethernet(0x0806, b"\x00\x06" + frames.ARP[2:])).nw_src == 0


def test_tags_up_to_the_limit() -> None:
    frame = ethernet(0x0800, ipv4(17, frames.UDP), tag(9, 1, 0x88A8) + tag(7, 2))
    flow = flow_of(frame, vlan_limit=2)
    assert (flow.vlan_tpid, flow.vlan_tci) == (0x88A8, 0x3009)
    assert (flow.vlan1_tpid, flow.vlan1_tci, flow.tp_src) == (0x8100, 0x5007, 53)
    flow = flow_of(frame, vlan_limit=1)
    assert (flow.vlan_tci, flow.vlan1_tci, flow.dl_type) == (0x3009, 0, 0x8100)
    flow = flow_of(frame, vlan_limit=0)
    assert (flow.vlan_tci, flow.dl_type) == (0, 0x88A8)


def test_one_tag_is_read_unless_more_are_asked_for() -> None:
    frame = ethernet(0x0800, b"", tag(1) + tag(2))
    assert extract(frame) == extract(frame, vlan_limit=1)


def test_a_tag_without_a_type_behind_it_is_none() -> None:
    flow = flow_of(ethernet(0x8100, b"\x00\x05\x08"))
    assert (flow.vlan_tci, flow.dl_type) == (0, 0x8100)


@pytest.mark.parametrize(
    ("payload", "dl_type"),
    [
        (bytes.fromhex("424203") + bytes(35), DL_TYPE_NONE),
        (frames.SNAP + b"\x08\x00" + ipv4(17, frames.UDP), 0x0800),
        (frames.SNAP + b"\x00\x20" + bytes(20), DL_TYPE_NONE),
        (frames.SNAP, DL_TYPE_NONE),
        (b"\xaa\xaa\x03\x00\x00\x0c\x20\x00" + bytes(20), DL_TYPE_NONE),
    ],
)
def test_frames_of_ieee_802_2(payload: bytes, dl_type: int) -> None:
    flow = flow_of(ethernet(0x0040, payload))
    assert (flow.dl_type, flow.tp_src) == (dl_type, 53 if dl_type == 0x0800 else 0)


def test_three_labels_of_a_taller_stack() -> None:
    stack = b"".join(frames.label(number, number == 4) for number in range(1, 5))
    frame = ethernet(0x8847, stack + ipv4(6, frames.TCP))
    flow = flow_of(frame)
    assert [flow.get(bits) >> 12 for bits in Flow.mpls_lse] == [1, 2, 3]
    assert flow.nw_src == 0
    assert layers(frame)[:3] == (14, 30, None)


def test_the_bottom_ends_the_stack() -> None:
    flow = flow_of(ethernet(0x8848, frames.label(1, 1) + frames.label(2, 1)))
    assert [flow.get(bits) >> 12 for bits in Flow.mpls_lse] == [1, 0, 0]


def test_a_service_header() -> None:
    flow = flow_of(ethernet(0x894F, frames.NSH))
    assert (flow.nsh_flags, flow.nsh_ttl, flow.nsh_mdtype, flow.nsh_np) == (0, 63, 1, 3)
    assert flow.nsh_path_hdr == 0x7C8
    assert [flow.get(bits) for bits in Flow.nsh_context] == [1, 2, 3, 4]


@pytest.mark.parametrize("word", ["0fc5", "0fc7", "4fc6"])
def test_a_service_header_of_another_length_or_version_is_not_read(word: str) -> None:
    flow = flow_of(ethernet(0x894F, bytes.fromhex(word) + frames.NSH[2:] + bytes(8)))
    assert (flow.nsh_mdtype, flow.nsh_path_hdr) == (0, 0)


def test_a_packet_without_an_ethernet_header() -> None:
    flow = flow_of(ipv4(17, frames.UDP), packet_type=1 << 16 | 0x0800)
    assert (flow.packet_type, flow.dl_type, flow.dl_src) == (0x10800, 0x0800, 0)
    assert (flow.nw_src, flow.tp_src) == (0x0A000001, 53)
    assert layers(ipv4(17, frames.UDP), packet_type=0x10800)[:3] == (None, 0, 20)


@pytest.mark.parametrize("size", range(14))
def test_less_than_an_ethernet_header_is_nothing(size: int) -> None:
    assert flow_of(frames.MACS[:size] + bytes(size // 13), 3) == Flow(3)
    assert layers(bytes(size)) == (None, None, None, size)


@given(
    st.binary(max_size=200),
    st.sampled_from((0, 0x10800, 0x186DD, 0x18847, 0x1894F)),
    st.integers(0, 2),
)
def test_any_bytes_are_a_frame(frame: bytes, packet_type: int, vlan_limit: int) -> None:
    extract(frame, packet_type=packet_type, vlan_limit=vlan_limit)
    layers(frame, packet_type=packet_type, vlan_limit=vlan_limit)


@given(st.sampled_from(frames.FRAMES), st.data())
def test_a_cut_frame_is_a_frame(frame: bytes, data: st.DataObject) -> None:
    cut = frame[: data.draw(st.integers(0, len(frame)))]
    l2_5, l3, l4, end = layers(cut, vlan_limit=2)
    extract(cut, vlan_limit=2)
    places = [place for place in (l2_5, l3, l4, end) if place is not None]
    assert places == sorted(places)
    assert end <= len(cut)


@given(st.sampled_from([frame for frame in frames.FRAMES if frame[12:14] == b"\x08\x00"]))
def test_the_network_layer_reads_alike_with_and_without_ethernet(frame: bytes) -> None:
    link = flow_of(ethernet(0x0800)).key
    packet = extract(frame[14:], packet_type=0x10800) & ~Flow.packet_type.mask
    assert extract(frame) == link | packet
