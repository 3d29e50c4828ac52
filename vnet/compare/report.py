"""What a comparison found, in the manner of diff(1), or as data for programs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from vnet.base.text import escaped
from vnet.base.units import NS_PER_S
from vnet.compare.capture import Frame
from vnet.compare.diff import CaptureDiff, PointDiff
from vnet.compare.matching import FieldDifference, How, Match

_MARKS = {How.FIRST_ONLY: "-", How.SECOND_ONLY: "+", How.CHANGED: "!", How.MOVED: "~"}
_MOST_FIELDS = 8


def lines(diff: CaptureDiff, first: str, second: str, most_shown: int | None) -> Iterator[str]:
    """The differences as text, at most ``most_shown`` of a point; nothing where there are none."""
    if diff.is_same:
        return
    yield f"--- {escaped(first)}"
    yield f"+++ {escaped(second)}"
    for capture, only in ((first, diff.first_only), (second, diff.second_only)):
        for name, n_frames in only.items():
            yield f"Only in {escaped(capture)}: {escaped(name)} ({frames_text(n_frames)})"
    for point in diff.points:
        if point.differences:
            yield from _point_lines(point, diff.began_ns, most_shown)
    yield from summary(diff)


def _point_lines(
    point: PointDiff, began_ns: tuple[int, int], most_shown: int | None
) -> Iterator[str]:
    n_frames = f"{frames_text(point.n_first)}, {frames_text(point.n_second)}"
    yield f"@@ {escaped(point.name)}: {n_frames} @@"
    differences = point.differences
    for one in differences[:most_shown]:
        yield from _match_lines(one, began_ns)
    left = len(differences) - len(differences[:most_shown])
    if left:
        yield f"  ... and {left} more"


def _match_lines(one: Match, began_ns: tuple[int, int]) -> Iterator[str]:
    shown = one.first or one.second
    assert shown is not None
    mark = _MARKS[one.how]
    places = f"{_place(one.first, began_ns[0])} | {_place(one.second, began_ns[1])}"
    yield f"{mark} {places}  {escaped(shown.summary)}"
    if one.how is How.MOVED:
        yield "      comes in another order"
    for difference in one.differing:
        yield f"      {field_text(difference)}"


def _place(frame: Frame | None, began_ns: int) -> str:
    """A frame's number, and its time in seconds since the capture began."""
    if frame is None:
        return " " * 17
    seconds, rest_ns = divmod(frame.time_ns - began_ns, NS_PER_S)
    return f"{frame.number:>5} {seconds:>4}.{rest_ns // 1000:06d}"


def field_text(difference: FieldDifference) -> str:
    """``ip.ttl 63 != 64``, or which side alone has the field."""
    name = difference.name
    if difference.second is None:
        return escaped(f"{name} {difference.first} only in the first")
    if difference.first is None:
        return escaped(f"{name} {difference.second} only in the second")
    note = f" ({difference.note})" if difference.note else ""
    return escaped(f"{name} {difference.first} != {difference.second}{note}")


def frames_text(n_frames: int) -> str:
    return f"{n_frames} frame{'' if n_frames == 1 else 's'}"


def summary(diff: CaptureDiff) -> Iterator[str]:
    """How much is the same, and what differs how often."""
    n_points = len(diff.points)
    counts = [f"{diff.count(How.SAME)} the same"]
    for how, words in (
        (How.CHANGED, "changed"),
        (How.MOVED, "in another order"),
        (How.FIRST_ONLY, "only in the first"),
        (How.SECOND_ONLY, "only in the second"),
    ):
        if diff.count(how):
            counts.append(f"{diff.count(how)} {words}")
    yield f"frames at {n_points} point{'' if n_points == 1 else 's'}: {', '.join(counts)}"
    fields = diff.fields()
    if fields:
        shown = [f"{name} ({count})" for name, count in list(fields.items())[:_MOST_FIELDS]]
        more = "" if len(fields) <= _MOST_FIELDS else f", and {len(fields) - _MOST_FIELDS} more"
        yield f"fields that differ: {', '.join(shown)}{more}"
    repeated = [point.repeated for point in diff.points]
    first, second = sum(a for a, _ in repeated), sum(b for _, b in repeated)
    if first or second:
        yield f"retransmissions: {first} in the first, {second} in the second"


def as_json(diff: CaptureDiff) -> dict[str, Any]:
    """The whole comparison, every difference with its frames and fields."""
    return {
        "same": diff.is_same,
        "counts": {how.value: diff.count(how) for how in How},
        "fields": diff.fields(),
        "only_first": diff.first_only,
        "only_second": diff.second_only,
        "points": [
            {
                "name": point.name,
                "frames": [point.n_first, point.n_second],
                "same": point.count(How.SAME),
                "retransmissions": list(point.repeated),
                "differences": [_match_json(one) for one in point.differences],
            }
            for point in diff.points
        ],
    }


def _match_json(one: Match) -> dict[str, Any]:
    return {
        "how": one.how.value,
        "first": _frame_json(one.first),
        "second": _frame_json(one.second),
        "fields": [
            {
                "name": difference.name,
                "first": difference.first,
                "second": difference.second,
                "note": difference.note,
            }
            for difference in one.differing
        ],
    }


def _frame_json(frame: Frame | None) -> dict[str, Any] | None:
    if frame is None:
        return None
    return {
        "number": frame.number,
        "time_ns": frame.time_ns,
        "summary": frame.summary,
        "is_retransmission": frame.is_repeated,
    }
