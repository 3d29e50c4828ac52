"""Whether a step's pings among many machines can be."""

from __future__ import annotations

from vnet.topology.schema.traffic_step import MAX_PINGALL, PingAllFile


def pingall_fault(given: PingAllFile, among: int, *, excused: bool) -> tuple[str, str, str] | None:
    """The key at fault (or none), what is wrong, and a hint. ``among`` machines take part.

    ``excused``: more may, which have faults of their own.
    """
    if given.classes and given.sample is not None:
        return "sample", "classes and a sample are two ways", "leave one of the two out"
    if given.to is not None:
        if given.classes or given.sample is not None:
            key = "classes" if given.classes else "sample"
            return key, f"{key} chooses among pairs, and 'to' has one target", ""
        if not among and not excused:
            return "", "it takes two to ping", "name those that shall"
        return None
    pings = among * (among - 1)
    if not pings and not excused:
        return "", "it takes two to ping", f"there are {among} to choose from"
    if pings > MAX_PINGALL and not given.classes and given.sample is None:
        what = f"{among} machines make {pings} pings"
        return "", what, "write classes: true, or sample: 1000"
    return None
