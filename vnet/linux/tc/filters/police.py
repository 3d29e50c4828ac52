"""``police`` and the plain actions of filters, as read and as shown (tc-police(8))."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from vnet.base.units import NS_PER_S
from vnet.linux.tc.errors import TcError, twice, wrong
from vnet.linux.tc.numbers import (
    bytes_in,
    parse_rate,
    parse_size,
    parse_whole,
    rate_text,
    size_text,
)
from vnet.linux.tc.words import WordReader, is_short_for
from vnet.sim.qdisc.filters import (
    CONTINUE,
    DROP,
    PASS,
    PIPE,
    RECLASSIFY,
    Action,
    Police,
    PoliceSettings,
    burst_ticks,
)

_CONTROLS = {
    "continue": CONTINUE,
    "drop": DROP,
    "shot": DROP,
    "pass": PASS,
    "ok": PASS,
    "reclassify": RECLASSIFY,
    "pipe": PIPE,
}
_DEFAULT_MTU_BYTES = 2_040
_READERS: dict[str, Callable[[str], int]] = {
    "rate": parse_rate,
    "burst": parse_size,
    "mtu": parse_size,
    "overhead": lambda text: parse_whole(text, 0xFFFF),
    "pkts_rate": parse_whole,
    "pkts_burst": parse_whole,
}
_ALSO = {"buffer": "burst", "maxburst": "burst", "minburst": "mtu"}
_FIELDS = {
    "rate": "rate_bytes_per_s",
    "burst": "burst_bytes",
    "mtu": "mtu_bytes",
    "overhead": "overhead_bytes",
    "pkts_rate": "frames_per_s",
    "pkts_burst": "burst_frames",
}


def control(word: str) -> str | None:
    """What a word tells to do with a frame, or None where it is no such word."""
    return next((found for name, found in _CONTROLS.items() if is_short_for(word, name)), None)


def read_police(words: WordReader) -> PoliceSettings:
    """What stands behind ``police``, up to the first word that has nothing to do with it."""
    settings, found = PoliceSettings(), set[str]()
    while (word := words.peek()) is not None:
        name = _ALSO.get(word, word)
        if name in _READERS:
            words.take()
            value = words.take()
            if name in found:
                raise twice(name, value)
            found.add(name)
            try:
                amounts: dict[str, Any] = {_FIELDS[name]: _READERS[name](value)}
            except ValueError:
                raise wrong(value, "buffer" if name == "burst" else name) from None
            settings = replace(settings, **amounts)
        elif word == "conform-exceed":
            words.take()
            settings = _conform_exceed(settings, words.take())
        elif (exceed := control(word)) is not None:
            words.take()
            settings = replace(settings, exceed=exceed)
        else:
            break
    return _checked(settings)


def _conform_exceed(settings: PoliceSettings, text: str) -> PoliceSettings:
    first, slash, second = text.partition("/")
    exceed = control(first)
    conform = control(second) if slash else PASS
    if exceed is None or conform is None:
        raise TcError(f"Bad action type {first}")
    return replace(settings, exceed=exceed, conform=conform)


def _checked(settings: PoliceSettings) -> PoliceSettings:
    complaint = ""
    if not (settings.rate_bytes_per_s or settings.mtu_bytes or settings.frames_per_s):
        complaint = "'rate' or 'avrate' or 'mtu' or 'pkts_rate' MUST be specified."
    elif settings.rate_bytes_per_s and not settings.burst_bytes:
        complaint = "'burst' requires 'rate'."
    elif settings.frames_per_s and not settings.burst_frames:
        complaint = "'pkts_burst' requires 'pkts_rate'."
    elif settings.frames_per_s and settings.rate_bytes_per_s:
        complaint = "'rate' and 'pkts_rate' are not allowed in same action."
    if complaint:
        raise TcError(complaint)
    if settings.rate_bytes_per_s and not settings.mtu_bytes:
        return replace(settings, mtu_bytes=_DEFAULT_MTU_BYTES)
    return settings


def police_text(police: Police) -> str:
    """A policer as ``tc filter show`` has it, over two lines."""
    settings = police.settings
    rate = settings.rate_bytes_per_s
    burst = bytes_in(rate, burst_ticks(settings)) if rate else 0
    mtu = settings.mtu_bytes or 2**32 - 1
    frames = ""
    if settings.frames_per_s:
        frames = f"pkts_rate {settings.frames_per_s} pkts_burst {settings.burst_frames} "
    conform = "" if settings.conform == PASS else f"/{settings.conform}"
    return (
        f" police 0x{police.index:x} rate {rate_text(rate)} burst {size_text(burst)} "
        f"mtu {size_text(mtu)} {frames}action {settings.exceed}{conform} "
        f"overhead {size_text(settings.overhead_bytes)} \n\tref 1 bind 1 "
    )


def times_text(action: Action, now_ns: int) -> str:
    """When an action was made and used last, in whole seconds; what is not a second ago yet is
    left out, as what never was."""
    installed_s = (now_ns - action.installed_ns) // NS_PER_S
    used_s = 0 if action.used_ns is None else (now_ns - action.used_ns) // NS_PER_S
    shown = f" installed {installed_s} sec" if installed_s else ""
    return f"{shown} used {used_s} sec" if used_s else shown


def action_text(number: int, action: Action) -> str:
    """One of the actions behind ``action``."""
    if isinstance(action, Police):
        return f"\taction order {number}: {police_text(action)}"
    return (
        f"\taction order {number}: gact action {action.control}\n"
        f"\t random type none pass val 0\n\t index {number} ref 1 bind 1"
    )
