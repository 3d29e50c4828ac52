"""Headers that are pushed in front of a packet and popped off it."""

from __future__ import annotations

import pytest

from tests.ovs.datapath.kit import EXACT, Table, output
from tests.ovs.flow.frames import MACS, NSH, TCP, UDP, ethernet, ipv4, ipv6, label, tag
from vnet.ovs.dpif.actions import (
    AddMpls,
    KeyPart,
    OdpAction,
    PopEth,
    PopMpls,
    PopNsh,
    PopVlan,
    PushEth,
    PushMpls,
    PushNsh,
    PushVlan,
    Recirc,
    Set,
    Userspace,
)
from vnet.ovs.dpif.cookies import SlowPath, SlowPathCookie
from vnet.ovs.flow.extract import extract
from vnet.ovs.flow.flow import CFI, Flow

PACKET = ipv4(17, UDP)
FRAME = ethernet(0x0800, PACKET)
TO_USERSPACE = Userspace(SlowPathCookie(SlowPath.ACTION))
CONTEXT = bytes(range(16))
PUSH_NSH = PushNsh(flags=2, ttl=62, mdtype=1, np=3, path_hdr=0x7C8, metadata=CONTEXT)
NSH_HEADER = bytes.fromhex("2f860103000007c8") + CONTEXT
"""What PUSH_NSH puts before an Ethernet frame."""


def packet_after(frame: bytes, *actions: OdpAction) -> tuple[bytes, Flow]:
    """The bytes after some actions, with an Ethernet header or without, and their flow."""
    table = Table(1)
    table.execute(frame, (*actions, TO_USERSPACE))
    (upcall,) = table.upcalls
    return upcall.frame.data, Flow(upcall.key)


def test_a_tag_goes_between_addresses_and_type() -> None:
    result = Table(2).result(FRAME, (PushVlan(0x88A8, 5 | 3 << 13 | CFI),))
    assert result == ethernet(0x0800, PACKET, tag(5, 3, 0x88A8))


def test_tags_pile_up_and_come_off_in_turn() -> None:
    push = (PushVlan(0x8100, 5), PushVlan(0x88A8, 6))
    table = Table(2)
    table.execute(FRAME, (*push, PopVlan(), *output(1), PopVlan(), *output(2)))
    assert table.sent() == {1: [ethernet(0x0800, PACKET, tag(5))], 2: [FRAME]}


def test_without_a_tag_there_is_none_to_pop() -> None:
    assert Table(2).result(FRAME, (PopVlan(), PopVlan())) == FRAME


@pytest.mark.parametrize("tags", [tag(5), tag(5, tpid=0x88A8), tag(5) + tag(6)])
def test_flows_of_tagged_frames_take_the_tag_off(tags: bytes) -> None:
    table = Table()
    frame = ethernet(0x0800, PACKET, tags)
    table.put(frame, (PopVlan(), *output(2)))
    table.send(frame, frame)
    assert table.sent() == {2: [ethernet(0x0800, PACKET, tags[4:])] * 2}


def test_headers_are_found_behind_a_tag_that_was_pushed() -> None:
    ttl = Set(KeyPart.IPV4, 9 << Flow.nw_ttl.shift, Flow.nw_ttl.mask)
    table = Table()
    table.put(FRAME, (PushVlan(0x8100, 5), ttl, *output(2)))
    table.send(FRAME, FRAME)
    first, second = table.sent()[2]
    assert first == second == Table(2).result(FRAME, (ttl, PushVlan(0x8100, 5)))
    assert Flow(extract(first)).nw_ttl == 9


def test_a_label_goes_before_the_packet_and_changes_the_type() -> None:
    assert Table(2).result(FRAME, (PushMpls(0x12345100, 0x8847),)) == ethernet(
        0x8847, bytes.fromhex("12345100") + PACKET
    )


def test_labels_go_behind_tags() -> None:
    tagged = ethernet(0x0800, PACKET, tag(5))
    result = Table(2).result(tagged, (PushMpls(0x100, 0x8848), PushMpls(0x200, 0x8847)))
    assert result == ethernet(0x8847, bytes.fromhex("00000200 00000100") + PACKET, tag(5))


def test_only_the_last_label_uncovers_the_packets_type() -> None:
    labelled = ethernet(0x8847, label(16, 0) + label(17, 1) + PACKET)
    one = Table(2).result(labelled, (PopMpls(0x8847),))
    assert one == ethernet(0x8847, label(17, 1) + PACKET)
    assert Table(2).result(labelled, (PopMpls(0x8847), PopMpls(0x0800))) == FRAME
    assert Table(2).result(FRAME, (PopMpls(0x0800),)) == FRAME


def test_no_label_of_another_type() -> None:
    assert Table(2).result(FRAME, (PushMpls(0x100, 0x0800),)) == FRAME


def test_a_label_before_the_whole_frame() -> None:
    data, flow = packet_after(FRAME, AddMpls(0x100, 0x8847))
    assert data == bytes.fromhex("00000100") + FRAME
    assert (flow.packet_type, flow.dl_type) == (0x18847, 0x8847)
    back, flow = packet_after(FRAME, AddMpls(0x100, 0x8847), PopMpls(0x6558))
    assert back == FRAME
    assert flow.packet_type == 0


def test_a_frame_loses_its_ethernet_header_and_gets_another() -> None:
    tagged = ethernet(0x0800, PACKET, tag(5))
    data, flow = packet_after(tagged, PopEth())
    assert data == PACKET
    assert (flow.packet_type, flow.dl_type, flow.dl_src) == (0x10800, 0x0800, 0)
    again = Table(2).result(tagged, (PopEth(), PushEth(0x020000000001, 0x020000000002)))
    assert again == FRAME


def test_a_second_ethernet_header_is_not_pushed() -> None:
    assert Table(2).result(FRAME, (PushEth(1, 2),)) == FRAME


def test_what_is_popped_off_may_have_labels_in_front() -> None:
    labelled = ethernet(0x8847, label(17, 1) + PACKET)
    data, flow = packet_after(labelled, PopEth())
    assert data == label(17, 1) + PACKET
    assert flow.packet_type == 0x18847
    data, flow = packet_after(labelled, PopEth(), PopMpls(0x0800))
    assert data == PACKET
    assert flow.packet_type == 0x10800


@pytest.mark.parametrize(
    ("actions", "inside", "protocol"),
    [
        ((), FRAME, 3),
        ((PopEth(),), PACKET, 1),
        ((PUSH_NSH,), NSH_HEADER + FRAME, 4),
    ],
    ids=["ethernet", "ipv4", "nsh"],
)
def test_a_service_header_tells_what_is_inside(
    actions: tuple[OdpAction, ...], inside: bytes, protocol: int
) -> None:
    data, flow = packet_after(FRAME, *actions, PUSH_NSH)
    assert data[24:] == inside
    assert (flow.packet_type, flow.nsh_np, flow.nsh_ttl) == (0x1894F, protocol, 62)
    back, flow = packet_after(FRAME, *actions, PUSH_NSH, PopNsh())
    assert back == inside


def test_a_service_header_of_type_2_has_its_own_length() -> None:
    push = PushNsh(0, 63, 2, 3, 5, bytes.fromhex("0001020401020304"))
    data, _flow = packet_after(FRAME, push)
    assert data == bytes.fromhex("0fc4020300000005 0001020401020304") + FRAME


def test_behind_a_service_header_an_ipv6_packet() -> None:
    frame = ethernet(0x86DD, ipv6(6, TCP))
    data, flow = packet_after(frame, PopEth(), PUSH_NSH, PopNsh())
    assert data == ipv6(6, TCP)
    assert flow.packet_type == 0x186DD


def test_a_packet_behind_an_unknown_service_header_is_dropped() -> None:
    table = Table(2)
    frame = ethernet(0x894F, NSH[:3] + b"\x77" + NSH[4:] + FRAME)
    table.execute(frame, (PopEth(), PopNsh(), *output(2)))
    assert table.sent() == {}
    assert table.drops() == {"ovs-nsh-unknown-next": 1}


def test_a_decapsulated_frame_is_looked_up_as_what_it_is() -> None:
    table = Table()
    frame = ethernet(0x894F, NSH_HEADER + FRAME)
    table.put(frame, (PopEth(), PopNsh(), Recirc(1)))
    table.dpif.flow_put(extract(FRAME, 1) | 1 << Flow.recirc_id.shift, EXACT, output(2))
    table.send(frame)
    assert table.sent() == {2: [FRAME]}


def test_a_frame_with_a_length_for_a_type_keeps_its_bytes() -> None:
    frame = MACS + b"\x00\x03\x42\x42\x03" + bytes(43)
    data, flow = packet_after(frame, PopEth())
    assert data == frame[14:]
    assert flow.packet_type == 0x10003
