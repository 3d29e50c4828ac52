"""Whatever tree of disciplines and whatever traffic: no frame is lost without an account, none
overtakes another of its band, and no rate is exceeded beyond its burst."""

from __future__ import annotations

from collections import Counter
from contextlib import suppress

from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.examples import examples
from tests.sim.qdisc_kit import Shaper, frame_of, mark_of
from vnet.base.units import NS_PER_MS, NS_PER_S
from vnet.linux.tc.errors import TcError
from vnet.sim.qdisc.priority import DEFAULT_PRIOMAP, priority_of

FIFO = st.sampled_from(
    [
        *("pfifo limit 3", "pfifo", "bfifo limit 4000", "bfifo", "pfifo_fast"),
        *("fq_codel", "fq_codel limit 5", "fq_codel memory_limit 6000 target 1ms interval 2ms"),
    ]
)
TBF = st.builds(
    "tbf rate {}kbit burst {} limit {}".format,
    st.integers(50, 5_000),
    st.integers(600, 4_000),
    st.integers(500, 20_000),
)
PEAKED = st.builds(
    "tbf rate {}kbit burst {} limit 9000 peakrate 9mbit mtu 1600".format,
    st.integers(50, 5_000),
    st.integers(1_600, 9_000),
)
NETEM = st.builds(
    "netem limit {} delay {}ms {}ms loss {}% duplicate {}% corrupt {}% reorder {}% {}".format,
    st.integers(1, 30),
    st.integers(1, 30),
    st.integers(0, 30),
    st.integers(0, 60),
    st.integers(0, 60),
    st.integers(0, 30),
    st.integers(1, 60),
    st.sampled_from(["", "rate 2mbit", "gap 4", "rate 500kbit 20 53 5"]),
)
LEAF = FIFO | TBF | NETEM | PEAKED
CLASSFUL = ("prio", "prio bands 4", "htb", "htb default 2", "htb default 3")


@st.composite
def trees(draw: st.DrawFn) -> list[str]:
    """``tc`` commands that build a tree up to three deep."""
    commands: list[str] = []
    handles = iter(range(1, 100))

    def grow(parent: str, depth: int) -> None:
        handle = next(handles)
        kinds = LEAF if depth == 2 else LEAF | st.sampled_from(CLASSFUL)
        kind = draw(kinds)
        commands.append(f"qdisc add dev eth0 {parent} handle {handle:x}: {kind}")
        classes = 0
        if depth < 2 and not kind.startswith(("pfifo", "bfifo")):
            classes = 3 if kind in CLASSFUL else 1
        for number in range(1, classes + 1) if kind.startswith("htb") else ():
            parent = draw(st.sampled_from((f"{handle:x}:", f"{handle:x}:{number - 1:x}")))
            rate = f"rate {draw(st.integers(50, 5_000))}kbit ceil 6mbit"
            place = f"parent {parent} classid {handle:x}:{number}"
            commands.append(f"class add dev eth0 {place} htb {rate}")
        for number in range(1, classes + 1):
            if draw(st.booleans()):
                grow(f"parent {handle:x}:{number}", depth + 1)

    grow("root", 0)
    return commands


OFFERS = st.lists(
    st.tuples(
        st.integers(60, 1_514),
        st.sampled_from([0x00, 0x08, 0x10, 0x18]),
        st.integers(0, 20 * NS_PER_MS),
    ),
    max_size=60,
)
CHANGES = st.sampled_from(
    [
        "",
        "qdisc del dev eth0 root",
        "qdisc replace dev eth0 root pfifo limit 2",
        "qdisc replace dev eth0 root handle 77: prio",
        "qdisc replace dev eth0 root handle 1: netem delay 3ms",
        "qdisc del dev eth0 parent 1:1",
        "class del dev eth0 classid 1:3",
        "qdisc change dev eth0 root handle 1: tbf rate 1mbit burst 5k limit 9k",
    ]
)


def shaper(commands: list[str], bandwidth_bps: int | None = None) -> Shaper:
    """A card with as much of a tree as the kernel would take: netems that copy stand alone."""
    lab = Shaper(bandwidth_bps=bandwidth_bps)
    for command in commands:
        with suppress(TcError):
            lab.tc(command)
    return lab


def offer(lab: Shaper, offers: list[tuple[int, int, int]]) -> int:
    """Send frames at intervals; when the last one is given."""
    at_ns = 0
    for mark, (size, tos, later_ns) in enumerate(offers):
        at_ns += later_ns
        lab.scheduler.at(at_ns, lab.send, frame_of(size, tos=tos, mark=mark))
    return at_ns


@settings(max_examples=examples(60), deadline=None)
@given(trees(), OFFERS, CHANGES, st.sampled_from([None, 2_000_000]))
@example(["qdisc add dev eth0 root handle 1: netem limit 1 delay 1ms duplicate 60%"], [], "", None)
def test_every_frame_arrives_or_is_dropped_by_name(
    commands: list[str], offers: list[tuple[int, int, int]], change: str, bandwidth: int | None
) -> None:
    lab = shaper(commands, bandwidth)
    end_ns = offer(lab, offers)
    lab.scheduler.run(end_ns // 2)
    if change:
        with suppress(TcError):
            lab.tc(change)
    lab.run(400)
    queue = lab.control.queue_of(lab.nic)
    if queue is not None:
        for placed in lab.control.placed(lab.nic):
            stats = placed.qdisc.stats
            assert (stats.backlog_packets, stats.backlog_bytes) == (0, 0)
    arrived, lost = len(lab.arrived), sum(lab.lost.values())
    duplicates = any("duplicate" in command for command in commands)
    assert arrived + lost == len(offers) or (duplicates and arrived + lost >= len(offers))
    assert lab.nic.tx_packets == arrived


@settings(max_examples=examples(40), deadline=None)
@given(trees(), OFFERS)
def test_what_a_tree_counts_adds_up_at_every_discipline(
    commands: list[str], offers: list[tuple[int, int, int]]
) -> None:
    lab = shaper(commands)
    offer(lab, offers)
    lab.run(400)
    for placed in lab.control.placed(lab.nic):
        stats = placed.qdisc.stats
        for child in placed.qdisc.children.values():
            assert child.stats.sent_packets <= stats.sent_packets
    top = lab.queue.root.stats
    assert top.sent_packets == lab.nic.tx_packets
    assert top.sent_bytes == lab.nic.tx_bytes


@settings(max_examples=examples(40), deadline=None)
@given(
    st.integers(100, 3_000),
    st.integers(1_514, 6_000),
    st.lists(st.tuples(st.integers(60, 1_514), st.integers(0, 30 * NS_PER_MS)), max_size=60),
)
def test_a_bucket_never_lets_more_through_than_its_rate_and_burst(
    kbits: int, burst: int, offers: list[tuple[int, int]]
) -> None:
    lab = Shaper(f"qdisc add dev eth0 root tbf rate {kbits}kbit burst {burst} limit 100000")
    offer(lab, [(size, 0, later_ns) for size, later_ns in offers])
    lab.run(400)
    sizes = [offers[mark][0] for mark in lab.marks]
    times = [when_ns for when_ns, _ in lab.arrived]
    for first in range(len(times)):
        passed = 0
        for last in range(first, len(times)):
            passed += sizes[last]
            allowed = burst + (times[last] - times[first]) * kbits * 125 / NS_PER_S
            # A nanosecond for each frame is rounded in its favour.
            assert passed <= allowed + (last - first + 1) * kbits * 125 / NS_PER_S + 1


@settings(max_examples=examples(40), deadline=None)
@given(st.sampled_from(["prio", "pfifo_fast"]), OFFERS)
def test_within_a_band_nobody_overtakes(kind: str, offers: list[tuple[int, int, int]]) -> None:
    lab = Shaper(f"qdisc add dev eth0 root handle 1: {kind}", bandwidth_bps=1_000_000)
    offer(lab, offers)
    lab.run(60)
    by_band: dict[int, list[int]] = {}
    for data in lab.received:
        by_band.setdefault(DEFAULT_PRIOMAP[priority_of(data)], []).append(mark_of(data))
    assert all(marks == sorted(marks) for marks in by_band.values())
    assert sum(map(len, by_band.values())) == len(offers)


@settings(max_examples=examples(40), deadline=None)
@given(NETEM, OFFERS, st.integers(1, 5))
def test_netem_is_the_same_again_for_the_same_seed(
    netem: str, offers: list[tuple[int, int, int]], seed: int
) -> None:
    runs = []
    for _ in range(2):
        lab = Shaper(f"qdisc add dev eth0 root {netem}", seed=seed)
        offer(lab, offers)
        lab.run(60)
        runs.append((lab.arrived, lab.received, Counter(lab.lost)))
    assert runs[0] == runs[1]


STARTS = st.sampled_from(
    [
        "",
        "qdisc show",
        "qdisc add dev eth0 root handle 1: prio",
        "qdisc add dev eth0 root handle 1: tbf rate 1mbit burst 10k limit 10k",
        "qdisc replace dev eth0 root netem",
        "qdisc replace dev eth0 parent 1:1",
        "qdisc change dev eth0 root handle 1:",
        "qdisc add dev eth0 ingress",
        "filter add dev eth0 parent 1: protocol ip u32",
        "filter add dev eth0 ingress matchall",
        "filter add dev eth0 ingress u32 match u32 0 0 police",
        "filter del dev eth0 parent 1:",
        "-s class show dev eth0",
    ]
)
VOCABULARY = """
qdisc class filter add del change replace show dev eth0 root parent handle 1: 1:1 ffff: ingress
pfifo bfifo tbf prio netem noqueue rate 1mbit burst 10k limit 5 latency 1ms mtu peakrate loss 5%
delay 10ms duplicate reorder gap 3 distribution normal state gemodel bands 16 priomap 0 all u32
protocol ip match dport 22 0xffff flowid police drop action matchall classid at -14 pref 7 -s
help x 99999999999999999999 -1 0x1 % : :: conform-exceed pipe/continue reclassify ip6 dst ecn
"""
WORDS = st.sampled_from(VOCABULARY.split())


@settings(max_examples=examples(150), deadline=None)
@given(st.lists(st.tuples(STARTS, st.lists(WORDS | st.text(max_size=3), max_size=9)), max_size=6))
def test_whatever_is_typed_is_done_or_refused(commands: list[tuple[str, list[str]]]) -> None:
    lab = Shaper()
    for start, words in commands:
        with suppress(TcError):
            lab.tc(" ".join((start, *words)))
    lab.tc("-s -d qdisc show")
    lab.tc("filter show dev eth0 ingress")
    lab.send(frame_of())
    lab.run(5)
    assert len(lab.arrived) + sum(lab.lost.values()) >= 1
