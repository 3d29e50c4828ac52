"""What actions do beside rewriting headers, and that every packet ends somewhere."""

from __future__ import annotations

import pytest

from tests.ovs.datapath.kit import EXACT, IN_PORT, SAME_TYPE, Table, output
from tests.ovs.flow.frames import ARP, ICMP, TCP, UDP, ethernet, ipv4
from vnet.ovs.dpif import actions as odp
from vnet.ovs.dpif.actions import (
    CheckPktLen,
    Clone,
    DropCause,
    Hash,
    HashAlgorithm,
    KeyPart,
    Meter,
    OdpActions,
    PopEth,
    PopVlan,
    PushVlan,
    Recirc,
    Sample,
    Set,
    Trunc,
    Userspace,
)
from vnet.ovs.dpif.cookies import SlowPath, SlowPathCookie
from vnet.ovs.dpif.dpif import Upcall
from vnet.ovs.dpif.meters import MeterBandConfig, MeterBandStats, MeterConfig
from vnet.ovs.flow.extract import extract
from vnet.ovs.flow.flow import Flow
from vnet.ovs.flow.flow_hash import hash_symmetric_l3l4

UDP_FRAME = ethernet(0x0800, ipv4(17, UDP))
LONG = ethernet(0x1234, bytes(range(200)))
COOKIE = SlowPathCookie(SlowPath.ACTION)
ALWAYS = 0xFFFFFFFF
MS = 1_000_000


def set_destination(mac: int) -> Set:
    return Set(KeyPart.ETHERNET, mac << Flow.dl_dst.shift, Flow.dl_dst.mask)


def with_destination(mac: int, frame: bytes) -> bytes:
    return mac.to_bytes(6, "big") + frame[6:]


def test_a_truncation_is_for_one_output() -> None:
    table = Table()
    table.execute(LONG, (Trunc(100), *output(2, 3)))
    assert table.sent() == {2: [LONG[:100]], 3: [LONG]}


def test_a_truncation_leaves_the_ethernet_header_whole() -> None:
    table = Table()
    table.execute(LONG, (Trunc(1), *output(2), Trunc(1000), *output(3)))
    assert table.sent() == {2: [LONG[:14]], 3: [LONG]}


def test_a_truncation_goes_into_a_clone_and_is_spent_there() -> None:
    table = Table()
    table.execute(LONG, (Trunc(100), Clone(output(2, 3)), *output(4)))
    assert table.sent() == {2: [LONG[:100]], 3: [LONG], 4: [LONG]}


def test_what_a_clone_writes_does_not_come_out_of_it() -> None:
    table = Table()
    table.execute(LONG, (Clone((set_destination(9), *output(2))), *output(3)))
    assert table.sent() == {2: [with_destination(9, LONG)], 3: [LONG]}


@pytest.mark.parametrize("depth", [99, 100, 101, 1_000])
def test_clones_may_be_nested_very_deep(depth: int) -> None:
    table = Table()
    actions = output(2)
    for _ in range(depth):
        actions = (Clone(actions),)
    table.put(LONG, (*actions, *output(3)))
    table.send(LONG)
    assert table.sent() == {2: [LONG], 3: [LONG]}


def test_outputs_send_the_frame_as_it_is_at_that_moment() -> None:
    table = Table()
    table.put(LONG, (*output(2), set_destination(9), *output(3), PushVlan(0x8100, 5), *output(4)))
    table.send(LONG)
    written = with_destination(9, LONG)
    tagged = written[:12] + bytes.fromhex("81000005") + written[12:]
    assert table.sent() == {2: [LONG], 3: [written], 4: [tagged]}


@pytest.mark.parametrize(("extra", "port"), [(0, 3), (1, 2)])
def test_the_length_of_a_packet_decides(extra: int, port: int) -> None:
    table = Table()
    table.execute(LONG, (CheckPktLen(len(LONG) - extra, output(2), output(3)),))
    assert table.sent() == {port: [LONG]}


def test_padding_is_no_part_of_a_packets_length_and_what_is_cut_off_neither() -> None:
    table = Table()
    padded = UDP_FRAME + bytes(18)
    table.execute(padded, (CheckPktLen(len(UDP_FRAME), output(2), output(3)),))
    assert table.sent() == {3: [padded]}
    table.execute(LONG, (Trunc(100), CheckPktLen(100, output(2), output(3))))
    assert table.sent() == {3: [LONG]}


def test_samples_are_taken_with_their_probability() -> None:
    table = Table()
    table.put(LONG, (Sample(ALWAYS // 4, output(2)), *output(3)))
    for _ in range(40):
        table.send(*[LONG] * 10)
    sent = table.sent()
    assert len(sent[3]) == 400
    assert 70 < len(sent[2]) < 130


def test_samples_are_the_same_in_every_run() -> None:
    runs = []
    for _ in range(2):
        table = Table()
        table.put(LONG, (Sample(ALWAYS // 2, output(2)), *output(3)))
        table.send(*[LONG] * 100)
        runs.append(len(table.sent()[2]))
    assert runs[0] == runs[1]


def test_a_recirculated_packet_is_looked_up_as_it_is_then() -> None:
    table = Table()
    table.put(LONG, (set_destination(9), Recirc(7), *output(4)))
    later = with_destination(9, LONG)
    key = extract(later, 1) | 7 << Flow.recirc_id.shift
    table.dpif.flow_put(key, EXACT, output(2))
    table.send(LONG)
    assert table.sent() == {2: [later], 4: [later]}
    assert table.dpif.stats().n_hit == 2


def test_a_packet_recirculates_six_times_at_most() -> None:
    table = Table()
    recirculating = SAME_TYPE & ~Flow.recirc_id.mask
    table.put(LONG, (Recirc(1),), recirculating)
    table.send(LONG)
    assert table.dpif.stats().n_hit == 7
    assert table.drops() == {"ovs-recirculation-too-deep": 1}


def test_the_depth_counts_through_upcalls() -> None:
    def decide(upcall: Upcall) -> None:
        table.dpif.execute(upcall.frame, upcall.key, (Recirc(Flow.recirc_id.of(upcall.key) + 1),))

    table = Table(decide=decide)
    table.send(LONG)
    assert [Flow.recirc_id.of(upcall.key) for upcall in table.upcalls] == list(range(7))
    assert table.drops() == {"ovs-recirculation-too-deep": 1}


def test_decapsulation_may_leave_too_little_to_look_up() -> None:
    table = Table()
    short = ethernet(0x1234, b"\1\2\3")
    table.execute(short, (PopEth(), Recirc(1)))
    assert table.drops() == {"ovs-recirculated-too-short": 1}


def test_a_packet_without_an_ethernet_header_leaves_by_no_port() -> None:
    table = Table()
    table.execute(LONG, (PopEth(), *output(2)))
    assert table.drops() == {"ovs-not-ethernet": 1}
    assert table.sent() == {}


def test_what_was_cut_and_then_shrank_may_be_too_short_to_leave() -> None:
    table = Table()
    tagged = LONG[:12] + bytes.fromhex("81000005") + LONG[12:]
    table.execute(tagged, (Trunc(16), PopVlan(), *output(2)))
    assert table.sent() == {}
    assert table.drops() == {"frame-too-short": 1}


def test_metadata_shows_in_the_flow_of_whoever_looks_next() -> None:
    table = Table()
    sets = (
        Set(KeyPart.MARK, 0xFF << Flow.pkt_mark.shift, 0x0F << Flow.pkt_mark.shift),
        Set(KeyPart.PRIORITY, 6 << Flow.skb_priority.shift, 0, is_masked=False),
        Set(KeyPart.TUNNEL, 5 << Flow.tun_id.shift, 0, is_masked=False),
    )
    table.execute(LONG, (*sets, Userspace(COOKIE)))
    (upcall,) = table.upcalls
    flow = Flow(upcall.key)
    assert (flow.pkt_mark, flow.skb_priority, flow.tun_id) == (0x0F, 6, 5)


def test_userspace_gets_the_packet_as_it_is_and_the_cookie() -> None:
    table = Table()
    table.put(LONG, (set_destination(9), Trunc(50), Userspace(COOKIE), *output(2)))
    table.send(LONG)
    (upcall,) = table.upcalls
    later = with_destination(9, LONG)
    assert upcall.frame.data == later[:50]
    assert upcall.key == extract(later[:50], 1)
    assert upcall.cookie is COOKIE
    assert table.sent() == {2: [later]}


def test_dp_hash_goes_by_the_packet_as_it_came_in() -> None:
    table = Table()
    hash_it = Hash(HashAlgorithm.L4, 0)
    rewritten = Set(KeyPart.UDP, 7 << Flow.tp_src.shift, Flow.tp_src.mask)
    for actions in ((hash_it,), (rewritten, hash_it)):
        table.execute(UDP_FRAME, (*actions, Userspace(COOKIE)))
    first, second = (Flow(upcall.key).dp_hash for upcall in table.upcalls)
    assert first == second != 0


def test_the_symmetric_hash_goes_by_the_packet_as_it_is() -> None:
    table = Table()
    rewritten = Set(KeyPart.IPV4, 7 << Flow.nw_src.shift, Flow.nw_src.mask)
    table.execute(UDP_FRAME, (rewritten, Hash(HashAlgorithm.SYM_L4, 3), Userspace(COOKIE)))
    (upcall,) = table.upcalls
    key = Flow.dp_hash.set(upcall.key, 0)
    assert Flow(upcall.key).dp_hash == hash_symmetric_l3l4(key, 3)


# -- every packet ends somewhere


NOWHERE: OdpActions = (set_destination(9),)


@pytest.mark.parametrize(
    "actions",
    [
        (),
        NOWHERE,
        (PopVlan(), odp.CtClear()),
        (Clone(()),),
        (Clone(NOWHERE), Trunc(5)),
        (Sample(0, output(2)),),
        (Sample(ALWAYS, ()),),
        (CheckPktLen(0, (), output(2)),),
        (CheckPktLen(1000, output(2), NOWHERE),),
        (Clone((Clone(()),)),),
        (odp.Drop(DropCause.OK),),
    ],
    ids=str,
)
def test_a_flow_that_sends_a_frame_nowhere_drops_it_by_name(actions: OdpActions) -> None:
    table = Table()
    table.put(LONG, actions)
    table.send(LONG)
    assert table.sent() == {}
    assert table.drops() == {"ovs-flow-drops": 1}


@pytest.mark.parametrize(
    "actions",
    [
        (Clone(()), *output(2)),
        (Sample(0, output(3)), *output(2)),
        (Clone(output(2)), Clone(())),
        (CheckPktLen(0, (), ()), *output(2)),
        (Clone((Clone(output(2)),)),),
        (CheckPktLen(0, output(2), ()),),
        (Clone(output(2)), Sample(0, output(3))),
        (CheckPktLen(0, output(2), output(3)), CheckPktLen(0, (), output(3))),
    ],
    ids=str,
)
def test_a_copy_that_goes_nowhere_is_no_loss(actions: OdpActions) -> None:
    table = Table()
    table.put(LONG, actions)
    table.send(LONG)
    assert table.sent() == {2: [LONG]}
    assert table.drops() == {}


def test_a_translation_that_failed_says_why() -> None:
    table = Table()
    table.put(LONG, (odp.Drop(DropCause.TOO_MANY_RESUBMITS),))
    table.send(LONG)
    assert table.drops() == {"ovs-too-many-resubmits": 1}


# -- meters


def test_a_meter_lets_a_burst_pass_and_then_what_its_rate_allows() -> None:
    table = Table()
    table.dpif.meter_set(3, MeterConfig(True, (MeterBandConfig(rate=10, burst_size=2),)))
    table.put(LONG, (Meter(3), *output(2)))
    table.send(*[LONG] * 5)
    assert len(table.sent()[2]) == 2
    assert table.drops() == {"ovs-meter-exceeded": 3}
    table.scheduler.run(99 * MS)
    table.send(LONG)
    assert table.sent() == {}
    table.scheduler.run(100 * MS)
    table.send(LONG, LONG)
    assert len(table.sent()[2]) == 1
    stats = table.dpif.meter_get(3)
    n_bytes = len(LONG)
    assert (stats.n_packets, stats.n_bytes) == (8, 8 * n_bytes)
    assert stats.bands == (MeterBandStats(5, 5 * n_bytes),)


def test_a_meter_of_kilobits_counts_bytes() -> None:
    table = Table()
    table.dpif.meter_set(1, MeterConfig(False, (MeterBandConfig(rate=1),)))
    table.put(LONG, (Meter(1), *output(2)), IN_PORT)
    half = LONG[:60]
    table.send(half, half, half)
    assert len(table.sent()[2]) == 2  # 1,000 bits hold two frames of 480


def test_the_fastest_exceeded_band_counts_the_loss() -> None:
    table = Table()
    bands = (MeterBandConfig(1, 1), MeterBandConfig(5, 1), MeterBandConfig(9, 9))
    table.dpif.meter_set(1, MeterConfig(True, bands))
    table.put(LONG, (Meter(1), *output(2)))
    table.send(LONG, LONG)
    assert [band.n_packets for band in table.dpif.meter_get(1).bands] == [0, 1, 0]


def test_a_meter_that_is_gone_lets_everything_pass() -> None:
    table = Table()
    table.dpif.meter_set(1, MeterConfig(True, (MeterBandConfig(1),)))
    table.put(LONG, (Meter(1), *output(2)))
    table.dpif.meter_del(1)
    table.send(*[LONG] * 3)
    assert len(table.sent()[2]) == 3


def test_what_a_meter_remarks_and_what_it_passes_are_edited_alike() -> None:
    table = Table()
    band = MeterBandConfig(rate=1, burst_size=2, n_drop_levels=1)
    table.dpif.meter_set(1, MeterConfig(True, (band,)))
    marked = UDP_FRAME[:15] + bytes((10 << 2,)) + UDP_FRAME[16:]
    table.put(marked, (Meter(1), set_destination(0x020000000099), *output(2, 3)))
    table.send(marked, marked, marked, marked)
    left = table.sent()
    assert left[3] == left[2]
    passed, again, remarked, last = sent = left[2]
    assert [frame[15] >> 2 for frame in sent] == [10, 10, 12, 12]
    assert passed == again == with_destination(0x020000000099, marked)
    assert remarked == last
    untouched = (slice(15), slice(16, 24), slice(26, None))
    assert all(remarked[part] == passed[part] for part in untouched)


_KINDS = [
    pytest.param(ethernet(0x0800, ipv4(protocol, payload)), id=name)
    for name, protocol, payload in (("udp", 17, UDP), ("tcp", 6, TCP), ("icmp", 1, ICMP))
]


@pytest.mark.parametrize("frame", [*_KINDS, pytest.param(ethernet(0x0806, ARP), id="arp")])
def test_a_program_sees_cached_frames_as_it_sees_the_first(frame: bytes) -> None:
    table = Table()
    table.put(frame, (Clone(output(2)), Userspace(COOKIE)))
    table.send(frame, frame)
    assert table.sent() == {2: [frame, frame]}
    assert {upcall.key for upcall in table.upcalls} == {extract(frame, 1)}
