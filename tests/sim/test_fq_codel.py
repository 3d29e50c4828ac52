"""fq_codel: queues by flow, CoDel's law, marks, and what becomes of too much."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise

import pytest
from scapy.layers.inet import IP
from scapy.layers.l2 import Ether

from tests.sim.qdisc_kit import Shaper, frame_of
from vnet import Lab
from vnet.base.units import NS_PER_MS, NS_PER_S
from vnet.linux.tc.errors import TcError
from vnet.sim.frame import Frame
from vnet.sim.qdisc.codel import Codel, CodelSettings, Waiting, ticks
from vnet.sim.qdisc.ecn import with_ce
from vnet.sim.qdisc.fq_codel import FqCodel

SLOW = 8_000_000
"""A thousand bytes take a millisecond."""

ROOT = "qdisc add dev eth0 root handle 1: fq_codel"


def of_flow(port: int, mark: int, *, tos: int = 0, size_bytes: int = 1_000) -> Frame:
    data = bytearray(frame_of(size_bytes, tos=tos, mark=mark).data)
    data[34:38] = port.to_bytes(2, "big") + b"\0\7"
    return Frame(bytes(data))


def queue(shaper: Shaper) -> FqCodel:
    found = shaper.qdisc()
    assert isinstance(found, FqCodel)
    return found


def test_a_flow_that_sends_little_does_not_wait_for_one_that_sends_much() -> None:
    shaper = Shaper(ROOT, bandwidth_bps=SLOW)
    shaper.send(*(of_flow(1, number) for number in range(40)), of_flow(2, 1_000, size_bytes=100))
    shaper.run(0.2)
    assert shaper.marks.index(1_000) <= 3


def test_flows_share_evenly_by_bytes() -> None:
    shaper = Shaper(ROOT, bandwidth_bps=SLOW)
    for number in range(60):
        shaper.send(of_flow(1, number), of_flow(2, 1_000 + number, size_bytes=500))
    shaper.run(0.05)
    bytes_of: Counter[int] = Counter()
    for data in shaper.received:
        bytes_of[data[35]] += len(data)
    assert bytes_of[1] == pytest.approx(bytes_of[2], rel=0.1)


def test_a_queue_that_stands_is_thinned_out_ever_faster() -> None:
    settings = CodelSettings(ticks(5 * NS_PER_MS), ticks(100 * NS_PER_MS), 1_514)
    codel, drops = Codel(), []
    frame = frame_of()

    def drop(_waiting: Waiting) -> bool:
        drops.append(now_ms)
        return False

    for now_ms in range(1_000):
        now = ticks(now_ms * NS_PER_MS)
        late = Waiting(frame, now - ticks(20 * NS_PER_MS))
        codel.next(settings, now, lambda late=late: late, lambda: 99_999, drop)  # type: ignore[misc]
    # The first after an interval, the next ones each interval / sqrt(count) behind the one before;
    # of the root Linux reckons one Newton step for each, which is too much at first.
    assert drops[0] == 101
    assert [later - earlier for earlier, later in pairwise(drops[:6])] == [100, 50, 57, 49, 44]


def test_little_that_waits_is_never_too_late() -> None:
    settings = CodelSettings(ticks(5 * NS_PER_MS), ticks(100 * NS_PER_MS), 1_514)
    codel = Codel()
    for now_ms in range(1_000):
        now = ticks(now_ms * NS_PER_MS)
        late = Waiting(frame_of(), now - ticks(50 * NS_PER_MS))
        found = codel.next(
            settings,
            now,
            lambda late=late: late,  # type: ignore[misc]
            lambda: 1_514,
            lambda _waiting: False,
        )
        assert found is late


def test_who_knows_ecn_is_marked_and_not_dropped() -> None:
    shaper = Shaper(ROOT, bandwidth_bps=SLOW)
    shaper.send(*(of_flow(1, number, tos=2) for number in range(400)))
    shaper.run(1)
    assert len(shaper.arrived) == 400
    marked = [data for data in shaper.received if data[15] & 3 == 3]
    assert len(marked) == queue(shaper).ecn_mark > 3
    without = Shaper(f"{ROOT} noecn", bandwidth_bps=SLOW)
    without.send(*(of_flow(1, number, tos=2) for number in range(400)))
    without.run(1)
    assert without.lost == {"codel": 400 - len(without.arrived)}


@pytest.mark.parametrize("tos", [1, 2, 0x89, 0xFD])
def test_the_checksum_is_right_again_behind_a_mark(tos: int) -> None:
    for ident in range(0, 65_536, 4_111):
        plain = bytes(Ether() / IP(src="10.0.0.1", dst="10.0.0.2", tos=tos, id=ident))
        marked = with_ce(plain)
        assert marked == bytes(Ether() / IP(src="10.0.0.1", dst="10.0.0.2", tos=tos | 3, id=ident))


@pytest.mark.parametrize(("tos", "wanted"), [(0, None), (1, 3), (2, 3), (3, 3), (0xB9, 0xBB)])
def test_a_mark_is_put_on_those_who_understand_it(tos: int, wanted: int | None) -> None:
    for data, at in (
        (frame_of(60, tos=tos).data, 15),
        (bytes(12) + b"\x86\xdd" + (6 << 28 | tos << 20).to_bytes(4, "big") + bytes(50), None),
    ):
        marked = with_ce(data)
        if wanted is None or marked is None:
            assert marked is None
            assert wanted is None
            continue
        found = marked[15] if at else (marked[14] << 4 | marked[15] >> 4) & 0xFF
        assert found == wanted


def test_too_many_frames_cost_the_longest_queue_half_of_what_it_has() -> None:
    shaper = Shaper(f"{ROOT} limit 100", bandwidth_bps=SLOW)
    shaper.send(*(of_flow(1, number) for number in range(102)), of_flow(2, 1_000))
    assert queue(shaper).drop_overlimit == 51
    assert shaper.lost == {"queue-full": 51}
    shaper.run(1)
    assert 1_000 in shaper.marks
    assert 1 not in shaper.marks


def test_memory_is_limited_too() -> None:
    shaper = Shaper(f"{ROOT} memory_limit 100kb", bandwidth_bps=SLOW)
    shaper.send(*(of_flow(1, number) for number in range(60)))
    assert queue(shaper).drop_overmemory == queue(shaper).drop_overlimit > 0
    assert queue(shaper).memory_bytes <= 100 * 1_024


def test_what_tc_shows() -> None:
    shaper = Shaper(ROOT)
    assert shaper.tc("qdisc show dev eth0") == (
        "qdisc fq_codel 1: root refcnt 2 limit 10240p flows 1024 quantum 1514 target 5ms "
        "interval 100ms memory_limit 32Mb ecn drop_batch 64 "
    )
    shaper.send(of_flow(1, 1))
    shaper.run(0.1)
    assert shaper.tc("-s qdisc show dev eth0").splitlines()[1:] == [
        " Sent 1000 bytes 1 pkt (dropped 0, overlimits 0 requeues 0) ",
        " backlog 0b 0p requeues 0",
        "  maxpacket 1000 drop_overlimit 0 new_flow_count 1 ecn_mark 0",
        "  new_flows_len 0 old_flows_len 0",
    ]
    shaper.tc(
        "qdisc change dev eth0 root fq_codel limit 500 quantum 300 target 10ms interval 200ms "
        "ce_threshold 1ms memory_limit 1mb noecn drop_batch 5"
    )
    assert shaper.tc("qdisc show dev eth0") == (
        "qdisc fq_codel 1: root refcnt 2 limit 500p flows 1024 quantum 300 target 10ms "
        "ce_threshold 999us interval 200ms memory_limit 1Mb drop_batch 5 "
    )


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ("limit x", 'Illegal "limit"'),
        ("target", 'Command line is not complete. Try option "help"'),
        ("nosuch", 'What is "nosuch"?\nUsage: ... fq_codel'),
        ("flows 0", "RTNETLINK answers: Invalid argument"),
        ("flows 70000", "RTNETLINK answers: Invalid argument"),
    ],
)
def test_what_tc_refuses(options: str, said: str) -> None:
    with pytest.raises(TcError) as caught:
        Shaper(f"{ROOT} {options}")
    assert str(caught.value).startswith(said)


LAB = """
version: 1
hosts:
  a: {hypervisor: kvm, nics: {eth0: {ip: 10.0.1.1/24}}, gateway: 10.0.1.254}
  b: {hypervisor: kvm, nics: {eth0: {ip: 10.0.2.1/24}}, gateway: 10.0.2.254}
routers:
  r:
    nics:
      eth0: {ip: 10.0.1.254/24}
      eth1:
        ip: 10.0.2.254/24
        tc:
          - "qdisc add root handle 1: htb default 10"
          - "class add parent 1: classid 1:10 htb rate 10mbit"
          - "qdisc add parent 1:10 handle 10: LEAF limit 1000"
links:
  - {ends: ['a:eth0', 'r:eth0'], latency: 5ms}
  - {ends: ['b:eth0', 'r:eth1'], latency: 5ms}
"""


def waited_ms(leaf: str) -> float:
    """How long a frame of a TCP transfer over 10 Mbit/s waits, on an average of its last part."""
    with Lab.from_text(LAB.replace("LEAF", leaf)) as lab:
        b, namespace = lab.host("b"), lab.router("r").namespace
        b.serve_iperf()
        machine = lab.network.machine("a")
        assert machine is not None
        machine.make_iperf(b"\x0a\0\2\1", duration_ns=6 * NS_PER_S).start()
        lab.advance("2s")
        control, device = namespace.traffic_control, namespace.interface("eth1").device
        placed = control.find(device, 0x10 << 16)
        assert placed is not None
        samples = []
        for _ in range(80):
            lab.advance("50ms")
            samples.append(placed.qdisc.stats.backlog_bytes / 1_250)
    return sum(samples) / len(samples)


@pytest.mark.slow
def test_codel_keeps_the_delay_of_a_transfer_near_its_target_where_a_plain_queue_does_not() -> None:
    assert 1 <= waited_ms("fq_codel") <= 10
    assert waited_ms("pfifo") >= 50
