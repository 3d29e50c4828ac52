"""What ``-v`` and ``vlog/set`` take: ``bridge:file:dbg``, ``PATTERN:console:%m`` and their like."""

from __future__ import annotations

import re

from vnet.ovs.vlog.level import DESTINATIONS, LEVELS, Destination, Level
from vnet.ovs.vlog.pattern import SYSLOG_FACILITIES
from vnet.ovs.vlog.vlog import LogModule, Vlog

_WORD = re.compile(r"[ ,:\t]*([^ ,:\t]+)[ ,:\t]?")


class SpecError(ValueError):
    """The daemon's sentence about a specification that is none."""


def apply_spec(vlog: Vlog, spec: str) -> None:
    """Do as a specification says; an empty one lets everybody say everything, everywhere.

    Raises :class:`SpecError`.
    """
    first = _WORD.match(spec)
    kind = first[1].lower() if first is not None else ""
    if first is not None and kind == "pattern":
        _set_pattern(vlog, spec[first.end() :])
    elif first is not None and kind == "facility":
        facility = SYSLOG_FACILITIES.get(spec[first.end() :].lower())
        if facility is None:
            raise SpecError("invalid facility")
        vlog.facility = facility
    else:
        vlog.set_levels(*_parse_levels(vlog, _WORD.findall(spec)))


def _set_pattern(vlog: Vlog, rest: str) -> None:
    found = _WORD.match(rest)
    if found is None:
        raise SpecError("missing destination")
    name = found[1].lower()
    if name != "any" and name not in DESTINATIONS:
        raise SpecError(f'unknown destination "{found[1]}"')
    for destination in Destination if name == "any" else (DESTINATIONS[name],):
        vlog.set_pattern(destination, rest[found.end() :])


def _parse_levels(
    vlog: Vlog, words: list[str]
) -> tuple[LogModule | None, Destination | None, Level]:
    module: LogModule | None = None
    destination: Destination | None = None
    level: Level | None = None
    for word in words:
        name = word.lower()
        if name == "any":
            continue
        if name in DESTINATIONS:
            if destination is not None:
                raise SpecError("cannot specify multiple destinations")
            destination = DESTINATIONS[name]
        elif name in LEVELS:
            if level is not None:
                raise SpecError("cannot specify multiple levels")
            level = LEVELS[name]
        elif name in vlog.modules:
            if module is not None:
                raise SpecError("cannot specify multiple modules")
            module = vlog.modules[name]
        else:
            raise SpecError(f'no destination, level, or module "{word}"')
    return module, destination, Level.DBG if level is None else level
