"""What a failed test has to say about a lab: plain text for pytest's report."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vnet.base.units import duration_text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from vnet.base.drops import DropReason
    from vnet.lab.lab import Lab
    from vnet.lab.report import DropRow, StepOutcome
    from vnet.sim.trace import Death, FlightRecorder, TraceNode

_MOST_NODES = 60
"""A larger tree is shown as the one road to the drop."""

_MOST_STATIONS = 40
"""Of a longer road its two ends are shown."""

_GAP = f"{'…':>14}"
_MOST_PLACES = 8
_MOST_OTHER_REASONS = 2


def tell(lab: Lab, again: str) -> str:
    """How ``lab`` came to stand where it does; ``again`` is the command that repeats it."""
    report = lab.report()
    ended = duration_text(report.virtual_ns)
    lines = [
        f"lab {report.lab}, seed {report.seed}, {ended} of virtual time",
        f"again:     {again}",
    ]
    lines += [f"captured:  {path}" for path in lab.capture_paths]
    if not lab.capture_paths:
        lines.append("captured:  nothing to a file")
    for outcome in report.steps:
        if not outcome.held:
            lines += _step(outcome)
    deadly = [row for row in report.drops if not row.reason.routine]
    lines += _drops(deadly)
    lines += _deaths(lab.flight_recorder, dropped=bool(deadly))
    return "\n".join(lines)


def _step(outcome: StepOutcome) -> Iterator[str]:
    yield f"not held:  {outcome.title} (line {outcome.step.line})"
    yield f"           {outcome.verdict}"
    for remark in outcome.remarks:
        yield f"           {remark}"


def _drops(rows: list[DropRow]) -> Iterator[str]:
    by_reason: dict[DropReason, list[DropRow]] = {}
    for row in rows:
        by_reason.setdefault(row.reason, []).append(row)
    for reason in sorted(by_reason, key=lambda reason: reason.word):
        found = by_reason[reason]
        places = [f"{row.frames} at {row.place}" for row in found[:_MOST_PLACES]]
        if len(found) > _MOST_PLACES:
            places.append(f"more at {len(found) - _MOST_PLACES} other places")
        yield f"dropped:   {reason.word}, {', '.join(places)}"
        yield f"           {reason.cause};"
        yield f"           {reason.cure}"


def _deaths(recorder: FlightRecorder | None, *, dropped: bool) -> Iterator[str]:
    last = None if recorder is None else recorder.last
    if recorder is None or last is None:
        if dropped:
            yield "The frames that died were not followed."
        else:
            yield "No frame died."
        return
    others = recorder.deaths - 1
    more = "" if not others else f"; {others} died before it"
    yield f"The last frame that died{more}:"
    yield from _tree(last)
    *earlier, _newest = recorder.reasons.values()
    if earlier:
        yield "Before it, for other reasons:"
        for leaf in reversed(earlier[-_MOST_OTHER_REASONS:]):
            yield str(leaf)


def _tree(death: Death) -> Iterator[str]:
    leaf, root = death
    if root is None:
        yield "(what led to it is forgotten by now)"
        yield str(leaf)
        return
    nodes = sum(1 for _node in root.walk())
    road = _road(root, leaf)
    if not road:
        yield f"(its trace was cut at {nodes} nodes; this is how it began, and the end)"
        yield from _rows(_first_branch(root))
        yield _GAP
        yield str(leaf)
    elif nodes > _MOST_NODES:
        yield f"(out of a tree of {nodes} nodes)"
        rows = _rows(road)
        if len(rows) > _MOST_STATIONS:
            rows[_MOST_STATIONS // 2 : -_MOST_STATIONS // 2] = [_GAP]
        yield from rows
    else:
        yield str(root)


def _road(root: TraceNode, leaf: TraceNode) -> list[TraceNode]:
    """The nodes from ``root`` to ``leaf``; none where it is not in the tree."""
    came_from: dict[int, TraceNode] = {}
    for node in root.walk():
        if node is leaf:
            road = [node]
            while road[-1] is not root:
                road.append(came_from[id(road[-1])])
            return road[::-1]
        for child in node.children:
            came_from[id(child)] = node
    return []


def _first_branch(root: TraceNode) -> list[TraceNode]:
    road = [root]
    while road[-1].children:
        road.append(road[-1].children[0])
    return road[: _MOST_STATIONS // 2]


def _rows(road: list[TraceNode]) -> list[str]:
    """The nodes of a road, without what branched off, as a tree prints them."""
    first, *others = road
    root = at = _alone(first)
    for node in others:
        at.children.append(_alone(node))
        at = at.children[0]
    return str(root).split("\n")


def _alone(node: TraceNode) -> TraceNode:
    from vnet.sim.trace import TraceNode

    return TraceNode(node.time_ns, node.place, node.event, node.data, node.drop)
