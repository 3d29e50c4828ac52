"""Filters as ``tc filter show`` has them."""

from __future__ import annotations

from collections.abc import Iterator

from vnet.linux.tc.filters import police, u32
from vnet.linux.tc.filters.reading import PROTOCOLS
from vnet.linux.tc.handles import CLSACT_INGRESS, class_text
from vnet.linux.tc.show import View, stats_lines
from vnet.sim.qdisc.discipline import QdiscStats
from vnet.sim.qdisc.filters import Filter, Filters, Police


def filter_lines(filters: Filters, where: str, view: View, now_ns: int) -> Iterator[str]:
    """Each preference is told once by itself, and u32's table too, before its filters."""
    told: set[int] = set()
    names = {number: name for name, number in PROTOCOLS.items()}
    for shown in filters:
        protocol = names.get(shown.protocol, f"[{shown.protocol}]")
        start = f"filter {where}protocol {protocol} pref {shown.preference} {shown.kind} chain 0 "
        table = f"{shown.handle[0]:x}"
        if shown.preference not in told:
            told.add(shown.preference)
            yield start
            if shown.kind == "u32":
                yield f"{start}fh {table}: ht divisor 1 "
        flow = "" if shown.class_id is None else f"flowid {class_text(shown.class_id)} "
        if shown.kind == "u32":
            number = shown.handle[1]
            mark = "" if shown.actions else "*"
            yield (
                f"{start}fh {table}::{number:x} order {number} key ht {table} bkt 0 "
                f"{mark if flow else ''}{flow or ('terminal flowid ' if shown.actions else '')}"
                "not_in_hw "
            )
            for word in shown.words:
                yield f"  {u32.word_text(word)}"
        else:
            yield f"{start}handle 0x{shown.handle[1]:x} {flow}"
            yield "  not_in_hw"
        yield from _action_lines(shown, view, now_ns)


def _action_lines(shown: Filter, view: View, now_ns: int) -> Iterator[str]:
    for number, action in enumerate(shown.actions, 1):
        times = police.times_text(action, now_ns) if view.statistics else ""
        if shown.is_plain_police and isinstance(action, Police):
            yield police.police_text(action) + times
            continue
        yield police.action_text(number, action) + times
        if view.statistics:
            yield "\tAction statistics:"
            stats = QdiscStats(
                action.n_bytes, action.n_packets, action.n_drops, action.n_overlimits
            )
            yield from (f"\t{line[1:]}" for line in stats_lines(stats))
        yield ""


def place_text(parent: int) -> str:
    """Where filters are, if that must be told."""
    return "ingress " if parent == CLSACT_INGRESS else f"parent {class_text(parent)} "
