"""Two captures, point by point: what differs, and what was chosen freely and does not agree."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from vnet.compare.capture import Capture, Frame
from vnet.compare.field import Field, numbered
from vnet.compare.labels import Bijection
from vnet.compare.matching import FieldDifference, How, Match, differing, match


@dataclass
class PointDiff:
    """What became of the frames of one point; ``matches`` has all of them."""

    name: str
    n_first: int
    n_second: int
    matches: list[Match]

    @property
    def differences(self) -> list[Match]:
        return [one for one in self.matches if one.how is not How.SAME]

    def count(self, how: How) -> int:
        return sum(1 for one in self.matches if one.how is how)

    @property
    def repeated(self) -> tuple[int, int]:
        """How many retransmissions there are in the first capture, and in the second."""
        pairs = [(one.first, one.second) for one in self.matches]
        return (
            sum(1 for first, _ in pairs if first and first.is_repeated),
            sum(1 for _, second in pairs if second and second.is_repeated),
        )


@dataclass
class CaptureDiff:
    """All points of both captures; those that only one has, with how many frames it saw there."""

    points: list[PointDiff]
    first_only: dict[str, int]
    second_only: dict[str, int]
    began_ns: tuple[int, int]
    """When the first frame was seen, in each capture."""

    @property
    def is_same(self) -> bool:
        return not (
            self.first_only or self.second_only or any(point.differences for point in self.points)
        )

    def count(self, how: How) -> int:
        return sum(point.count(how) for point in self.points)

    def fields(self) -> dict[str, int]:
        """In how many frames each field differs, the most frequent first."""
        counted = Counter(
            name
            for point in self.points
            for one in point.matches
            for name in {difference.name for difference in one.differing}
        )
        return dict(sorted(counted.items(), key=lambda item: (-item[1], item[0])))


def compare(first: Capture, second: Capture, *, within_ns: int = 0) -> CaptureDiff:
    """What differs between two captures.

    Captures of one point each are compared whatever their points are called. Frames that are no
    more than ``within_ns`` apart may come in either order.
    """
    if len(first) == len(second) == 1:
        second = dict(zip(first, second.values(), strict=True))
    points = [
        PointDiff(name, len(frames), len(second[name]), match(frames, second[name], within_ns))
        for name, frames in first.items()
        if name in second
    ]
    _judge([one for point in points for one in point.matches])
    return CaptureDiff(
        points,
        {name: len(frames) for name, frames in first.items() if name not in second},
        {name: len(frames) for name, frames in second.items() if name not in first},
        (_began_ns(first), _began_ns(second)),
    )


def _began_ns(capture: Capture) -> int:
    return min((frame.time_ns for frames in capture.values() for frame in frames), default=0)


def _judge(matches: Sequence[Match]) -> None:
    """Note what differs in each pair; labels are held against all that came before, anywhere."""
    labels = Bijection()
    pairs = [(one.first.time_ns, at) for at, one in enumerate(matches) if one.first and one.second]
    for _, at in sorted(pairs):
        one = matches[at]
        assert one.first is not None
        assert one.second is not None
        one.differing = differing(one.first, one.second) if one.how is How.CHANGED else []
        disagreeing = _disagreeing(one.first, one.second, labels)
        one.differing += disagreeing
        if disagreeing and one.how is How.SAME:
            one.how = How.CHANGED


def _disagreeing(first: Frame, second: Frame, labels: Bijection) -> list[FieldDifference]:
    """Labels that are something else in the second capture than they were so far."""
    found = []
    for one, other in _labelled(first, second):
        assert one.label is not None
        assert other.label is not None
        if not labels.agree(one.label, other.label, first.time_ns, second.time_ns):
            why = labels.why(one.label, other.label)
            found.append(FieldDifference(one.name, one.text, other.text, why))
    return found


def _labelled(first: Frame, second: Frame) -> list[tuple[Field, Field]]:
    """The fields that are labels in both frames."""
    if first.key == second.key:
        pairs = list(zip(first.fields, second.fields, strict=True))
    else:
        others = numbered(second.fields)
        mine = numbered(first.fields)
        pairs = [(mine[place], others[place]) for place in mine if place in others]
    return [pair for pair in pairs if pair[0].label and pair[1].label]
