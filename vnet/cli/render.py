"""What the command line shows: tables from plain values. Nothing here decides anything."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console, RenderableType
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from vnet.base.drops import DropReason
from vnet.base.text import escaped
from vnet.base.units import duration_text
from vnet.shell.output import Escaped

if TYPE_CHECKING:
    import networkx

    from vnet.cli.doctor import Finding
    from vnet.hypervisor.steps import ScriptStep
    from vnet.lab.lease_rows import LeaseRow
    from vnet.lab.nat_rows import NatRow
    from vnet.lab.report import DropRow, Report, StepOutcome
    from vnet.lab.storms import StormRow
    from vnet.topology.model import Topology

_MOST_PLACES = 4
_MOST_LINKS = 24


class _Console(Console):
    """A console whose reader may leave: what was found out does not change with that."""

    def on_broken_pipe(self) -> None:
        self.quiet = True
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def show(renderables: Iterable[RenderableType]) -> None:
    """Print to standard output, as wide as the terminal, 120 columns where there is none."""
    # Addresses have colons: ":100:" is no picture.
    console = _Console(emoji=False)
    if not console.is_terminal:
        console = _Console(width=120, emoji=False)
    for renderable in renderables:
        console.print(Escaped(renderable))


def show_json(report: Report) -> None:
    """Print the report as ``run.json`` has it."""
    _Console(soft_wrap=True, highlight=False, markup=False).out(
        json.dumps(report.as_json(), indent=2, ensure_ascii=False), highlight=False
    )


def report_tables(
    report: Report, *, verbose: bool = False, folder: Path | None = None
) -> list[RenderableType]:
    """A run: its steps, its links, its drops, and where the captures are."""
    shown: list[RenderableType] = []
    if report.steps:
        shown.append(steps_table(report.steps))
    if report.links:
        shown.append(links_table(report, verbose=verbose))
    if report.leases:
        shown.append(lease_table(report.leases, verbose=verbose))
    if report.nat:
        shown.append(nat_table(report.nat, verbose=verbose))
    drops = drops_table(report.drops, verbose=verbose)
    if drops is not None:
        shown.append(drops)
    shown += [Text(storm_text(row), style="bold yellow") for row in report.storms]
    if folder is not None:
        for file in report.files:
            shown.append(Text(f"captured: {escaped(str(folder / file))}"))
    held = "all held" if report.held else "NOT all held"
    ended = duration_text(report.virtual_ns)
    steps = "1 step" if len(report.steps) == 1 else f"{len(report.steps)} steps"
    unjudged = sum(bool(outcome.unjudged) for outcome in report.steps)
    held += f" but {unjudged} not judged" if unjudged else ""
    verdict = f"{report.lab}: {steps}, {held}, {ended} of {report.kind_of_time} time"
    shown.append(Text(verdict, style="bold green" if report.held else "bold red"))
    return shown


def steps_table(outcomes: list[StepOutcome]) -> Table:
    """Each step with what was expected of it and what it saw."""
    table = _table("at", "step", "expected", "seen", "")
    for outcome in outcomes:
        expected = ", ".join(
            f"{e.key} {'' if e.relation == '==' else e.relation + ' '}{e.value}"
            for e in outcome.step.expect
        )
        told = {e.key for e in outcome.step.expect}
        seen = ", ".join(
            f"{key} {value}" for key, value in outcome.seen.items() if value or key in told
        )
        rounds = ""
        if outcome.rounds > 1:
            failed = f"failed in {outcome.failed_rounds} of " if outcome.failed_rounds else ""
            rounds = f"{failed}{outcome.rounds} rounds"
        untold = f"{', '.join(outcome.untold)} not told here" if outcome.untold else ""
        told_of = (seen, *outcome.remarks[:2], outcome.error, outcome.unjudged, untold, rounds)
        seen = "; ".join(filter(None, told_of))
        if outcome.unjudged:
            verdict = "[yellow]not judged[/]"
        elif not outcome.held:
            verdict = "[red]failed[/]"
        else:
            verdict = "[green]held[/]" if outcome.step.expect else "done"
        at = "" if outcome.started_ns is None else f"{outcome.started_ns / 1e9:.3f}s"
        table.add_row(
            at,
            "  " * outcome.depth + escape(outcome.title),
            escape(expected) or "-",
            escape(seen) or "-",
            verdict,
        )
    return table


def links_table(report: Report, *, verbose: bool = False) -> Table:
    """Both directions of each link: frames and bytes sent, losses, and what else became of them.

    Of many, those where something went wrong, and the first of the others.
    """
    rows = report.links
    if not verbose and len(rows) > _MOST_LINKS:
        ailing = [row for row in rows if row.drops or row.impaired]
        sound = [row for row in rows if not (row.drops or row.impaired)]
        rows = [*ailing, *sound[: max(0, _MOST_LINKS - len(ailing))]]
    impaired = any(row.impaired for row in rows)
    table = _table(
        "link", "frames", "bytes", "lost", *(["impaired"] if impaired else []), numbers=(1, 2)
    )
    for row in rows:
        cells = [escape(f"{row.source} → {row.target}"), str(row.frames), str(row.bytes)]
        cells.append(_counts(row.drops))
        if impaired:
            cells.append(_counts(row.impaired))
        table.add_row(*cells)
    if len(rows) < len(report.links):
        table.add_row(f"and {len(report.links) - len(rows)} more (-v shows all)", "", "", "")
    return table


def lease_table(rows: list[LeaseRow], *, verbose: bool = False) -> Table:
    """The addresses that servers have lent, and to whom."""
    shown = rows if verbose else rows[:_MOST_LINKS]
    table = _table("leased by", "address", "to", "called", "still for")
    for row in shown:
        left = "ever" if row.left_s is None else f"{row.left_s}s"
        table.add_row(*(escape(cell) for cell in (*row[:3], row.name or "-", left)))
    if len(shown) < len(rows):
        table.add_row(f"and {len(rows) - len(shown)} more (-v shows all)", "", "", "", "")
    return table


def nat_table(rows: list[NatRow], *, verbose: bool = False) -> Table:
    """The connections that go by other addresses, as they come and as they go on."""
    shown = rows if verbose else rows[:_MOST_LINKS]
    table = _table("NAT at", "", "from", "to", "goes from", "to")
    for row in shown:
        table.add_row(*(escape(cell) for cell in row))
    if len(shown) < len(rows):
        table.add_row(f"and {len(rows) - len(shown)} more (-v shows all)", "", "", "", "", "")
    return table


def storm_text(row: StormRow) -> str:
    """A storm in a sentence: where, when, whose frames, and how many came back."""
    switches = [
        f"{switch} {frames} by {', '.join(ports)}" for switch, (frames, ports) in row.copies.items()
    ]
    when = f"from {duration_text(row.began_ns)} to {duration_text(row.ended_ns)}"
    loop = _some(list(row.loop))
    return (
        f"storm in the loop of {loop}, {when}: frames of {row.mac} came back to {_some(switches)}"
    )


def storm_note(row: StormRow) -> str:
    """What is said of the first storm while it lasts."""
    began, loop = duration_text(row.began_ns), _some(list(row.loop))
    return f"note: since {began} frames circle in the loop of {loop}; that takes long to run"


def _counts(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{word} {count}" for word, count in counts.items()) or "-"


def drops_table(rows: list[DropRow], *, verbose: bool = False) -> Table | None:
    """Drops by reason; routine ones only when asked for. None when there is nothing to show."""
    by_reason: dict[DropReason, list[DropRow]] = {}
    for row in rows:
        if verbose or not row.reason.routine:
            by_reason.setdefault(row.reason, []).append(row)
    if not by_reason:
        return None
    table = _table("dropped", "frames", "where", "because", numbers=(1,))
    for reason in sorted(by_reason, key=lambda reason: reason.word):
        found = by_reason[reason]
        places = [f"{row.place} {row.frames}" for row in found]
        if not verbose and len(places) > _MOST_PLACES:
            places = [*places[:_MOST_PLACES], f"and {len(places) - _MOST_PLACES} more"]
        total = sum(row.frames for row in found)
        table.add_row(reason.word, str(total), escape(", ".join(places)), reason.cause)
    return table


def script_steps(steps: list[ScriptStep]) -> list[RenderableType]:
    """What the hosts' start-up scripts did, in order."""
    return [Text(str(step)) for step in steps]


def check_summary(
    file: str, topology: Topology, graph: networkx.Graph[str]
) -> list[RenderableType]:
    """What a valid file holds, and what may surprise: islands and loops."""
    from vnet.lab.graph import islands, open_loops

    counts = ", ".join(
        f"{len(found)} {one if len(found) == 1 else many}"
        for one, many, found in (
            ("host", "hosts", topology.hosts),
            ("VM", "VMs", topology.vms),
            ("switch", "switches", topology.switches),
            ("router", "routers", topology.routers),
            ("link", "links", topology.links),
            ("capture", "captures", topology.captures),
            ("step", "steps", topology.scenario),
        )
    )
    shown: list[RenderableType] = [Text(f"{escaped(file)}: ok: {counts}")]
    groups = islands(graph)
    if len(groups) > 1:
        listed = "; ".join(_some(group) for group in groups[:_MOST_PLACES])
        more = f"; and {len(groups) - _MOST_PLACES} more" if len(groups) > _MOST_PLACES else ""
        shown.append(
            Text(f"note: {len(groups)} islands that cannot reach each other: {listed}{more}")
        )
    for loop in open_loops(graph):
        shown.append(Text(f"note: broadcasts will circle in the loop of {_some(loop)}"))
    return shown


def topology_table(shipped: Mapping[str, Path]) -> Table:
    """The shipped topologies, each with the first sentence of its comment."""
    table = _table("topology", "what it shows")
    for name, path in shipped.items():
        table.add_row(f"@{name}", escape(_first_sentence(path)))
    return table


def reasons_table(reasons: list[DropReason]) -> Table:
    """Every reason to drop a frame, with its cause and its cure."""
    table = _table("reason", "cause", "cure", "")
    for reason in reasons:
        routine = "routine" if reason.routine else ""
        table.add_row(reason.word, escape(reason.cause), escape(reason.cure), routine)
    return table


def doctor_table(findings: list[Finding]) -> Table:
    """What was found and what was not."""
    table = _table("what", "", "detail")
    for finding in findings:
        mark = "[green]yes[/]" if finding.present else "[yellow]no[/]"
        table.add_row(finding.what, mark, escape(finding.detail))
    return table


def _table(*columns: str, numbers: tuple[int, ...] = ()) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for index, column in enumerate(columns):
        table.add_column(column, justify="right" if index in numbers else "left", overflow="fold")
    return table


def _some(names: list[str]) -> str:
    most = 5
    return ", ".join(names[:most]) + (f" and {len(names) - most} more" if len(names) > most else "")


def _first_sentence(path: Path) -> str:
    lines = []
    for line in path.read_text(encoding="utf-8").splitlines():
        if not line.startswith("#"):
            break
        text = line.lstrip("# ").strip()
        if text and not text.startswith("yaml-language-server"):
            lines.append(text)
    return " ".join(lines).split(". ")[0].rstrip(".")
