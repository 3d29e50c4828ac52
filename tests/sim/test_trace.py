"""Traces that stay small, and the recorder that remembers how frames died."""

from __future__ import annotations

from vnet.base.drops import DropReason
from vnet.sim.frame import Frame, Meta
from vnet.sim.trace import MOST_IN_A_TREE, Death, FlightRecorder, Trace, TraceNode

LOST = DropReason("lost-in-test", "it was meant to be", "nothing", routine=False)
TORN = DropReason("torn-in-test", "it was meant to be", "nothing", routine=False)
TURNED_AWAY = DropReason("turned-away-in-test", "as usual", "nothing", routine=True)


def begin(recorder: FlightRecorder, place: str, data: bytes = b"") -> tuple[TraceNode, Trace]:
    root = TraceNode(0, place, "sent", data)
    return root, recorder.begin(root)


def grow(trace: Trace, hops: int) -> Frame:
    """A frame that has come by ``hops`` devices, one after the other."""
    frame = Frame(b"", Meta(trace))
    for hop in range(hops):
        frame = frame.seen(hop, "a:eth0", "received")
    return frame


def count(root: TraceNode) -> int:
    return sum(1 for _node in root.walk())


def last_of(recorder: FlightRecorder) -> Death:
    assert recorder.last is not None
    return recorder.last


# -- one tree


def test_a_tree_that_grows_too_large_is_cut_and_says_so() -> None:
    root = TraceNode(0, "a:eth0", "sent")
    grow(Trace(root, most=10), 1000)
    *_, last = root.walk()
    assert count(root) == 11
    assert last.event == "the trace is cut here, for it has 10 nodes"


def test_a_tree_is_cut_in_one_place_however_many_frames_it_has() -> None:
    root = TraceNode(0, "a:eth0", "sent")
    trace = Trace(root, most=10)
    frames = [grow(trace, 2) for _ in range(4)]
    for frame in frames * 100:
        frame.seen(9, "b:eth0", "received")
    assert count(root) == 11


def test_large_frames_weigh_more_than_small_ones_but_the_same_bytes_only_once() -> None:
    jumbo, root = bytes(5120), TraceNode(0, "a:eth0", "sent")
    trace = Trace(root)
    at = trace.add(0, 0, "a:eth0", "sent", jumbo)
    assert trace.weight == 1 + 11
    trace.add(at, 0, "b:eth0", "received", jumbo)
    assert trace.weight == 1 + 11 + 1


def test_a_tree_as_deep_as_can_be_is_printed_in_narrow_rows() -> None:
    root = TraceNode(0, "a:eth0", "sent")
    trace, at = Trace(root), 0
    for hop in range(MOST_IN_A_TREE // 2 + 1):
        trace.add(at, hop, "a:br0", "received")
        at = trace.add(at, hop, "a:eth1", "sent")
    rows = str(root).split("\n")
    assert len(rows) == count(root) > MOST_IN_A_TREE
    assert max(map(len, rows)) < 200
    assert "  ├─ a:br0 " in rows[1]


# -- the recorder


def test_the_oldest_trees_are_forgotten_first_and_whoever_holds_one_keeps_it() -> None:
    recorder = FlightRecorder(most=100)
    first, first_trace = begin(recorder, "first")
    grow(first_trace, 9)
    for _ in range(20):
        grow(begin(recorder, "later")[1], 9)
    assert first_trace.root is None
    assert count(first) == 10


def test_a_forgotten_tree_is_freed_though_its_frames_are_under_way() -> None:
    recorder = FlightRecorder(most=100)
    _root, trace = begin(recorder, "first")
    frame = grow(trace, 9)
    for _ in range(100):
        begin(recorder, "later")
    assert trace.root is None
    again = frame.seen(1, "b:eth0", "received")
    assert again.data is frame.data
    assert again.meta is not None, "or it would begin a tree of its own at the next device"


def test_nothing_that_happens_makes_a_recorder_heavier_than_allowed() -> None:
    recorder = FlightRecorder(most=1000)
    traces = []
    for number in range(300):
        _root, trace = begin(recorder, "a:eth0", bytes(1500))
        traces.append(trace)
        for old in traces[-5:]:
            frame = grow(old, number)
            assert frame.meta is not None
            frame.meta.add(0, "a:eth0", "dropped", b"", LOST)
        remembered = [t for t in traces if t.root is not None]
        assert sum(t.weight for t in remembered) <= 1000
        assert sum(count(t.root) for t in remembered if t.root is not None) <= 1000 + 300
    assert len(traces) > len(remembered) > 1


def test_the_last_death_is_kept_with_its_tree_though_much_happens_after_it() -> None:
    recorder = FlightRecorder(most=100)
    root, trace = begin(recorder, "a:eth0")
    meta = grow(trace, 3).meta
    assert meta is not None
    meta.add(7, "b:eth0", "dropped", b"", LOST)
    for _ in range(1000):
        begin(recorder, "later")
    assert last_of(recorder).root is root
    assert last_of(recorder).leaf is root.drops[0]


def test_deaths_are_counted_and_the_newest_of_each_reason_remembered_in_order() -> None:
    recorder = FlightRecorder()
    for place, reason in (("1", LOST), ("2", TORN), ("3", TURNED_AWAY), ("4", LOST)):
        recorder.begin(TraceNode(0, place, "dropped", b"", reason))
    assert recorder.deaths == 3
    assert [(r, leaf.place) for r, leaf in recorder.reasons.items()] == [(TORN, "2"), (LOST, "4")]


def test_a_death_after_the_tree_was_cut_or_forgotten_still_counts() -> None:
    recorder = FlightRecorder(most=40)
    root, trace = begin(recorder, "a:eth0")
    meta = grow(trace, 30).meta
    assert meta is not None
    meta.add(7, "b:eth0", "dropped", b"", LOST)
    assert last_of(recorder).root is root
    assert recorder.reasons[LOST] not in list(root.walk())
    for _ in range(50):
        begin(recorder, "later")
    meta.add(8, "b:eth0", "dropped", b"", TORN)
    assert last_of(recorder).root is None
    assert last_of(recorder).leaf.drop is TORN
    assert recorder.deaths == 2


def test_notes_stand_below_their_node_and_weigh() -> None:
    root = TraceNode(0, "a:eth0", "sent")
    trace = Trace(root)
    number = trace.add(0, 1_000, "a:br0", "looked up", notes=("first table", "  second table"))
    trace.add(number, 2_000, "b:eth0", "received")
    trace.add(number, 2_000, "c:eth0", "received", notes=("z" * 512,))
    assert trace.weight == 1 + 1 + 1 + 2
    assert str(root).replace("z" * 512, "zzz").split("\n") == [
        "            0s  a:eth0     sent",
        "           1us  a:br0      looked up",
        "                             first table",
        "                               second table",
        "           2us  ├─ b:eth0  received",
        "           2us  └─ c:eth0  received",
        "                             zzz",
    ]
