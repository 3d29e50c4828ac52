"""``ct``: what the connection tracker says of a packet shows in its flow."""

from __future__ import annotations

import pytest

from tests.ovs.datapath.kit import SAME_TYPE, Table, output
from tests.ovs.flow.frames import ethernet, fragment_header, ipv6
from vnet.ovs.datapath.tracking import connection_bits, connection_of, tracker_action
from vnet.ovs.dpif.actions import Ct, CtClear, CtNat, KeyPart, OdpActions, Recirc, Set, Userspace
from vnet.ovs.dpif.cookies import SlowPath, SlowPathCookie
from vnet.ovs.dpif.dpif import Upcall
from vnet.ovs.flow.extract import extract
from vnet.ovs.flow.flow import Flow
from vnet.sim.frame import Frame, Meta
from vnet.sim.trace import Trace, TraceNode
from vnet.tables.conntrack.action import NatKind
from vnet.wire.checksum import checksum

NEW, ESTABLISHED, REPLY, INVALID, TRACKED, SRC_NAT = 0x01, 0x02, 0x08, 0x10, 0x20, 0x40
S = 1_000_000_000

TO_USERSPACE = Userspace(SlowPathCookie(SlowPath.ACTION))


def udp(source: int, target: int, source_port: int, target_port: int) -> bytes:
    """From 10.0.0.``source`` to 10.0.0.``target``."""
    payload = source_port.to_bytes(2, "big") + target_port.to_bytes(2, "big")
    payload += (8 + 40).to_bytes(2, "big") + bytes(2) + bytes(range(40))
    return ethernet(0x0800, ip_packet(source, target, payload))


def ip_packet(
    source: int, target: int, payload: bytes, *, ident: int = 0, fragment: int = 0
) -> bytes:
    """A UDP packet, or a fragment of one, with a right header checksum."""
    addresses = bytes((10, 0, 0, source, 10, 0, 0, target))
    head = bytes((0x45, 0)) + (20 + len(payload)).to_bytes(2, "big") + ident.to_bytes(2, "big")
    head += fragment.to_bytes(2, "big") + bytes((64, 17))
    return head + checksum(head + addresses).to_bytes(2, "big") + addresses + payload


REQUEST = udp(1, 2, 1000, 53)
ANSWER = udp(2, 1, 53, 1000)


def tracked(table: Table, frame: bytes, *actions: OdpActions, in_port: int = 1) -> Flow:
    """The flow of a frame after some actions."""
    table.upcalls.clear()
    table.execute(frame, (*(one for some in actions for one in some), TO_USERSPACE), in_port)
    (upcall,) = table.upcalls
    return Flow(upcall.key)


def test_an_untracked_packet_has_no_connection_in_its_flow() -> None:
    flow = tracked(Table(), REQUEST, ())
    assert (flow.ct_state, flow.ct_nw_proto, flow.ct_nw_src) == (0, 0, 0)


def test_a_first_packet_is_new_and_shows_its_own_addresses() -> None:
    flow = tracked(Table(), REQUEST, (Ct(zone=7),))
    assert (flow.ct_state, flow.ct_zone) == (NEW | TRACKED, 7)
    assert (flow.ct_nw_src, flow.ct_nw_dst) == (0x0A000001, 0x0A000002)
    assert (flow.ct_nw_proto, flow.ct_tp_src, flow.ct_tp_dst) == (17, 1000, 53)


def test_an_answer_shows_the_original_direction() -> None:
    table = Table()
    commit = Ct(commit=True, mark=(0x05, 0x0F), label=(1 << 100, 3 << 99))
    tracked(table, REQUEST, (commit,))
    flow = tracked(table, ANSWER, (Ct(),), in_port=2)
    assert flow.ct_state == ESTABLISHED | REPLY | TRACKED
    assert (flow.ct_mark, flow.ct_label) == (0x05, 1 << 100)
    assert (flow.ct_nw_src, flow.ct_tp_src) == (0x0A000001, 1000)
    assert (flow.nw_src, flow.tp_src) == (0x0A000002, 53)


def test_a_cleared_packet_is_untracked_again() -> None:
    flow = tracked(Table(), REQUEST, (Ct(), CtClear()))
    assert flow.key == extract(REQUEST, 1)


def test_rewriting_a_packet_makes_it_one_of_another_connection() -> None:
    table = Table()
    tracked(table, REQUEST, (Ct(commit=True),))
    port = Set(KeyPart.UDP, 99 << Flow.tp_dst.shift, Flow.tp_dst.mask)
    assert tracked(table, ANSWER, (Ct(),)).ct_state & ESTABLISHED
    assert tracked(table, ANSWER, (Ct(), port, Ct())).ct_state == NEW | TRACKED


def test_addresses_are_translated_there_and_back() -> None:
    table = Table()
    nat = CtNat(is_source=True, address_min=bytes((10, 0, 0, 9)), port_min=2000)
    table.execute(REQUEST, (Ct(commit=True, nat=nat), *output(2)))
    (there,) = table.sent()[2]
    flow = Flow(extract(there))
    assert (flow.nw_src, flow.tp_src) == (0x0A000009, 2000)
    table.execute(udp(2, 9, 53, 2000), (Ct(nat=CtNat()), *output(1)))
    (back,) = table.sent()[1]
    assert back == ANSWER


def test_flows_match_what_the_tracker_says() -> None:
    table = Table()
    table.put(REQUEST, (Ct(commit=True), Recirc(1)))
    key = extract(REQUEST, 1) | 1 << Flow.recirc_id.shift
    new = SAME_TYPE | Flow.ct_state.mask
    table.dpif.flow_put(key | (NEW | TRACKED) << Flow.ct_state.shift, new, output(2))
    table.send(REQUEST)
    assert table.sent() == {2: [REQUEST]}


def test_who_executes_for_an_upcall_keeps_the_packets_connection() -> None:
    def decide(upcall: Upcall) -> None:
        if len(table.upcalls) == 1:
            table.dpif.execute(upcall.frame, upcall.key, (TO_USERSPACE,))

    table = Table(decide=decide)
    table.execute(REQUEST, (Ct(commit=True, zone=3), Recirc(4)))
    first, second = table.upcalls
    assert first.key == second.key
    assert Flow.ct_zone.of(first.key) == 3


@pytest.mark.parametrize(
    "frame",
    [
        REQUEST,
        ethernet(0x86DD, ipv6(17, b"\x03\xe8\x00\x35\x00\x08\x00\x00")),
        ethernet(0x0800, ip_packet(1, 2, b"")[:9] + b"\x01" + ip_packet(1, 2, bytes(12))[10:]),
    ],
    ids=["udp", "udp6", "icmp"],
)
def test_a_connection_survives_being_a_flow(frame: bytes) -> None:
    key = extract(frame, 1)
    key |= (NEW | TRACKED) << Flow.ct_state.shift | 5 << Flow.ct_zone.shift
    key |= 6 << Flow.ct_mark.shift | 7 << Flow.ct_label.shift
    is_v6 = Flow.dl_type.of(key) == 0x86DD
    source = Flow.ct_ipv6_src if is_v6 else Flow.ct_nw_src
    key |= 9 << source.shift | Flow.nw_proto.of(key) << Flow.ct_nw_proto.shift
    key |= 8 << Flow.ct_tp_src.shift
    connection = connection_of(key)
    assert connection is not None
    bits = extract(frame, 1)
    assert bits | connection_bits(connection, bits) == key
    table = Table()
    table.dpif.execute(Frame(frame), key, (TO_USERSPACE,))
    table.send()
    assert table.upcalls[0].key == key


FIRST_BYTES = 1_440
"""The tracker takes no fragments for honest that are much smaller."""
DATAGRAM = b"\x03\xe8\x00\x35" + (2_000).to_bytes(2, "big") + bytes(1_994)
FIRST, SECOND = (
    ethernet(0x0800, ip_packet(1, 2, part, ident=5, fragment=word))
    for part, word in (
        (DATAGRAM[:FIRST_BYTES], 0x2000),
        (DATAGRAM[FIRST_BYTES:], FIRST_BYTES // 8),
    )
)


def test_fragments_wait_for_each_other_and_go_on_one_by_one() -> None:
    table = Table()
    actions = (Ct(commit=True), *output(2), TO_USERSPACE)
    table.execute(SECOND, actions)
    assert table.sent() == {}
    assert table.drops() == {}
    table.execute(FIRST, actions)
    assert sorted(table.sent()[2]) == sorted((FIRST, SECOND))
    assert {Flow.ct_state.of(upcall.key) for upcall in table.upcalls} == {NEW | TRACKED}
    # A later fragment shows no ports, not even those of the original direction.
    assert sorted(Flow.ct_tp_dst.of(upcall.key) for upcall in table.upcalls) == [0, 53]


def test_fragments_of_ipv6_too() -> None:
    table = Table()
    for part, word in ((DATAGRAM[:FIRST_BYTES], 1), (DATAGRAM[FIRST_BYTES:], FIRST_BYTES)):
        frame = ethernet(0x86DD, ipv6(44, fragment_header(17, word) + part))
        table.execute(frame, (Ct(), *output(2)))
    assert len(table.sent()[2]) == 2


def test_a_fragment_whose_others_never_come_goes_with_the_next_packet_or_is_lost() -> None:
    """Whatever packet finds it too old takes it along on its own way, as in Open vSwitch."""
    table = Table()
    table.execute(FIRST, (Ct(), *output(2)))
    for second in range(1, 60):
        table.scheduler.run(second * S)
        table.execute(REQUEST, (Ct(), *output(3)))
    sent = table.sent()
    assert list(sent) == [3]
    assert (sent[3].count(FIRST), sent[3].count(REQUEST)) == (1, 59)
    table.execute(FIRST, (Ct(), *output(2)))
    table.scheduler.run(200 * S)
    table.execute(SECOND, (Ct(), *output(3)))
    assert table.sent() == {}
    assert table.drops() == {"ct-fragment-purged": 1}


def test_connections_are_dumped_and_flushed() -> None:
    table = Table()
    for zone in (1, 2):
        table.execute(REQUEST, (Ct(commit=True, zone=zone), *output(2)))
    assert list(table.dpif.ct_dump(2)) == [
        "udp,orig=(src=10.0.0.1,dst=10.0.0.2,sport=1000,dport=53),"
        "reply=(src=10.0.0.2,dst=10.0.0.1,sport=53,dport=1000),zone=2"
    ]
    assert len(list(table.dpif.ct_dump())) == 2
    table.dpif.ct_flush(1)
    assert len(list(table.dpif.ct_dump())) == 1
    table.dpif.ct_flush()
    assert list(table.dpif.ct_dump()) == []


def test_what_is_asked_of_the_tracker() -> None:
    asked = tracker_action(Ct(force=True, timeout="12", nat=CtNat(False, bytes(4), None, 5)))
    assert asked.commit
    assert asked.timeout_policy == 12
    assert asked.nat is not None
    assert asked.nat.kind is NatKind.DESTINATION
    assert (asked.nat.last_address, asked.nat.last_port) == (bytes(4), 5)
    assert tracker_action(Ct(timeout="ovs_tp_0_tcp4")).timeout_policy == 0


def test_a_trace_says_what_a_packet_is_to_its_connection_and_what_was_translated() -> None:
    table = Table()
    nat = CtNat(is_source=True, address_min=bytes((10, 0, 0, 9)), port_min=2000)

    def followed(frame: bytes, actions: OdpActions) -> list[str]:
        root = TraceNode(0, "test", "sent", frame)
        table.dpif.execute(Frame(frame, Meta(Trace(root))), extract(frame, 1), actions)
        return [line for node in root.walk() for line in node.notes]

    assert followed(REQUEST, (Ct(commit=True, zone=3, nat=nat), *output(2))) == [
        "ct: new, udp 10.0.0.1:1000 -> 10.0.0.2:53 in zone 3",
        "ct: source 10.0.0.1:1000 -> 10.0.0.9:2000",
    ]
    answer = udp(2, 9, 53, 2000)
    assert followed(answer, (Ct(zone=3, nat=CtNat()), *output(1))) == [
        "ct: established, reply of udp 10.0.0.1:1000 -> 10.0.0.2:53 in zone 3",
        "ct: destination 10.0.0.9:2000 -> 10.0.0.1:1000",
    ]
