"""What a round of pings among many machines looks like: a matrix, or a table of losses."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from vnet.lab.classes import MachineClass
from vnet.lab.pingall import Note, Pair, PingAll, PingOutcome
from vnet.shell.output import columns, plural

_LOST, _DIAGONAL = "X", "-"
_MARKS = {Note.SELF: "self", Note.NO_ADDRESS: "none", Note.SHARED: "*"}
_MOST_LOSSES = 100


def machine_matrix(app: PingAll, names: Sequence[str]) -> str:
    """Round trips in milliseconds, from the machine of the row to that of the column."""

    def cell(source: str, target: str) -> str:
        if source == target:
            return _DIAGONAL
        return _milliseconds(app.outcomes[source, target])

    rows = [(source, *(cell(source, target) for target in names)) for source in names]
    table = columns(("ms", *names), rows, numbers=list(range(1, len(names) + 1)))
    return "\n".join([table, figures(app), *_footnotes(app.outcomes.values())])


def class_matrix(
    app: PingAll,
    classes: Sequence[MachineClass],
    between: Mapping[tuple[int, int], Sequence[Pair]],
) -> str:
    """The longest round trip from each class to each, or how many of the pings were answered."""
    numbers = range(len(classes))

    def cell(source: int, target: int) -> str:
        pairs = between[source, target]
        outcomes = [app.outcomes[pair] for pair in pairs]
        if not outcomes:
            return _DIAGONAL
        lost = sum(outcome.lost for outcome in outcomes)
        if lost:
            return _LOST if lost == len(outcomes) else f"{len(outcomes) - lost}/{len(outcomes)}"
        slowest = max(outcomes, key=lambda outcome: outcome.rtt_ns or 0)
        return _milliseconds(slowest)

    rows = [
        (one.name, len(one), number + 1, *(cell(number, other) for other in numbers))
        for number, one in enumerate(classes)
    ]
    header = ("ms", "machines", "", *(str(number + 1) for number in numbers))
    table = columns(header, rows, numbers=list(range(1, len(classes) + 3)))
    return "\n".join([table, figures(app), *_footnotes(app.outcomes.values())])


def sample_table(app: PingAll) -> str:
    """The pairs that lost their ping, and figures for all."""
    losses = app.losses
    shown = columns(("from", "to"), losses[:_MOST_LOSSES]) if losses else ""
    more = f"and {len(losses) - _MOST_LOSSES} more" if len(losses) > _MOST_LOSSES else ""
    rtts_ns = sorted(o.rtt_ns for o in app.outcomes.values() if o.rtt_ns is not None)
    rtt = ""
    if rtts_ns:
        chosen = (rtts_ns[0], rtts_ns[len(rtts_ns) // 2], rtts_ns[-1])
        least, middle, most = (f"{rtt_ns / 1e6:.3f}" for rtt_ns in chosen)
        rtt = f"rtt min/median/max = {least}/{middle}/{most} ms"
    return "\n".join(filter(None, [shown, more, figures(app), rtt, *_skipped(app)]))


def figures(app: PingAll) -> str:
    """``10 pings, 6 answered, 4 lost``."""
    seen = app.seen()
    return f"{plural(seen['sent'], 'ping')}, {seen['received']} answered, {seen['lost']} lost"


def _milliseconds(outcome: PingOutcome) -> str:
    if outcome.lost:
        return _LOST
    mark = _MARKS.get(outcome.note, "")
    return mark if outcome.rtt_ns is None else f"{outcome.rtt_ns / 1e6:.3f}{mark}"


def _footnotes(outcomes: Iterable[PingOutcome]) -> list[str]:
    used = {outcome.note for outcome in outcomes}
    return [f"{mark}: {note.value}" for note, mark in _MARKS.items() if note in used]


def _skipped(app: PingAll) -> list[str]:
    """How many pairs of a sample were not worth a ping, and why."""
    notes = [outcome.note for outcome in app.outcomes.values() if not outcome.was_sent]
    return [
        f"{plural(notes.count(note), 'pair')} left out: {note.value}"
        for note in (Note.SELF, Note.NO_ADDRESS)
        if note in notes
    ]
