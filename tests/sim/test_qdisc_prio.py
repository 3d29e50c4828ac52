"""Bands by priority: who goes first, whose priority is known, and what filters decide."""

from __future__ import annotations

import pytest

from tests.sim.qdisc_kit import Shaper, frame_of
from vnet.sim.frame import Frame
from vnet.sim.qdisc.priority import priority_of

SLOW = 8_000_000
"""A thousand bytes take a millisecond."""

MINIMIZE_DELAY, MAXIMIZE_THROUGHPUT = 0x10, 0x08


@pytest.mark.parametrize(
    ("tos", "priority"),
    [(0x00, 0), (0x02, 0), (0x08, 2), (0x10, 6), (0x18, 4), (0x28, 2), (0xB8, 4), (0xE0, 0)],
)
def test_the_priority_of_a_packet_comes_from_two_bits_of_its_tos(tos: int, priority: int) -> None:
    assert priority_of(frame_of(tos=tos).data) == priority


def test_talk_of_groups_and_trees_is_control_traffic() -> None:
    """As recorded behind a tbf: IGMP and MLD overtake datagrams; ARP and ND do not."""
    ethernet, addresses = "333300000016225417f37415 86dd", "fe80" + "00" * 14 + "ff02" + "00" * 14
    mld = ethernet + "6000000000240001" + addresses + "3a00050200000100" + "8f00"
    solicitation = ethernet + "6000000000203aff" + addresses + "8700" + "00" * 22
    bpdu = "0180c2000000020000000001 0026 42420300"
    assert priority_of(frame_of(protocol=2).data) == 7
    assert priority_of(bytes.fromhex(mld)) == 7
    assert priority_of(bytes.fromhex(bpdu)) == 7
    assert priority_of(bytes.fromhex(solicitation)) == 0
    assert priority_of(bytes.fromhex("ffffffffffff020000000001080600010800")) == 0


def test_ipv6_has_no_priority() -> None:
    ipv6 = frame_of(tos=MINIMIZE_DELAY).data.replace(b"\x08\x00\x45", b"\x86\xdd\x61", 1)
    assert priority_of(ipv6) == 0


def test_a_vlan_tag_does_not_hide_the_priority() -> None:
    data = frame_of(tos=MINIMIZE_DELAY).data
    assert priority_of(data[:12] + b"\x81\x00\x00\x0a" + data[12:]) == 6


@pytest.mark.parametrize("kind", ["prio", "pfifo_fast"])
def test_what_is_urgent_overtakes_what_waits(kind: str) -> None:
    lab = Shaper(f"qdisc add dev eth0 root handle 1: {kind}", bandwidth_bps=SLOW)
    lab.send(*(frame_of(mark=number) for number in (1, 2)))
    lab.send(frame_of(mark=3, tos=MAXIMIZE_THROUGHPUT), frame_of(mark=4, tos=MINIMIZE_DELAY))
    lab.send(frame_of(mark=5))
    lab.run()
    # The first was on the wire already.
    assert lab.marks == [1, 4, 2, 5, 3]


def test_frames_that_only_cross_a_bridge_have_no_priority() -> None:
    lab = Shaper("qdisc add dev eth0 root handle 1: prio", bandwidth_bps=SLOW)
    urgent = frame_of(mark=3, tos=MINIMIZE_DELAY).data
    lab.send(frame_of(mark=1), frame_of(mark=2))
    lab.send(Frame(urgent[:6] + b"\2\0\0\0\0\x77" + urgent[12:]))
    lab.run()
    assert lab.marks == [1, 2, 3]


def test_another_priomap_chooses_other_bands() -> None:
    lab = Shaper(
        "qdisc add dev eth0 root handle 1: prio bands 2 priomap 1 1 0 1 1 1 1 1 1 1 1 1 1 1 1 1",
        bandwidth_bps=SLOW,
    )
    lab.send(frame_of(mark=1), frame_of(mark=2, tos=MINIMIZE_DELAY))
    lab.send(frame_of(mark=3, tos=MAXIMIZE_THROUGHPUT))
    lab.run()
    assert lab.marks == [1, 3, 2]


def test_each_class_counts_and_limits_for_itself() -> None:
    lab = Shaper(
        "qdisc add dev eth0 root handle 1: prio",
        "qdisc add dev eth0 parent 1:3 handle 30: tbf rate 80kbit burst 1000 limit 2000",
        bandwidth_bps=SLOW,
    )
    lab.send(*(frame_of(mark=number, tos=MAXIMIZE_THROUGHPUT) for number in range(5)))
    lab.send(frame_of(mark=9))
    lab.run()
    assert lab.marks == [0, 9, 1, 2]
    assert lab.lost == {"queue-full": 2}
    top, below = lab.qdisc().stats, lab.qdisc(0x30).stats
    assert (top.sent_packets, top.drops) == (4, 2)
    assert (below.sent_packets, below.drops) == (3, 2)


def test_a_filter_goes_before_the_priority() -> None:
    lab = Shaper(
        "qdisc add dev eth0 root handle 1: prio",
        "filter add dev eth0 parent 1: protocol ip u32 match u16 0x0003 0xffff at 4 flowid 1:1",
        bandwidth_bps=SLOW,
    )
    lab.send(*(frame_of(mark=number) for number in (1, 2, 3)))
    lab.run()
    assert lab.marks == [1, 3, 2]


def test_a_filter_may_drop() -> None:
    lab = Shaper(
        "qdisc add dev eth0 root handle 1: prio",
        "filter add dev eth0 parent 1: protocol ip matchall action drop",
    )
    lab.send(frame_of())
    lab.run()
    assert lab.lost == {"tc-filter": 1}


def test_fewer_bands_lose_what_waited_in_the_others() -> None:
    lab = Shaper("qdisc add dev eth0 root handle 1: prio", bandwidth_bps=SLOW)
    lab.send(frame_of(mark=1), frame_of(mark=2), frame_of(mark=3, tos=MAXIMIZE_THROUGHPUT))
    lab.tc(
        "qdisc change dev eth0 root handle 1: prio bands 2 priomap 1 1 1 1 1 1 0 0 1 1 1 1 1 1 1 1"
    )
    lab.run()
    assert lab.marks == [1, 2]
    assert lab.lost == {"queue-removed": 1}
