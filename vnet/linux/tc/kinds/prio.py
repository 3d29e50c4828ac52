"""``prio``: bands, and which priority belongs in which."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from vnet.linux.tc.errors import TcError
from vnet.linux.tc.numbers import parse_whole
from vnet.linux.tc.words import WordReader
from vnet.sim.qdisc.prio import PrioSettings

_USAGE = "Usage: ... prio bands NUMBER priomap P1 P2...[multiqueue]"
_MOST_PRIORITY = 15


def parse(words: WordReader) -> PrioSettings:
    """The settings; what is left out is as the kernel would have it."""
    settings, named = PrioSettings(), 0
    in_map = False
    while words:
        word = words.take()
        if word == "bands":
            settings = replace(settings, bands=_number(words.take(), 'Illegal "bands"'))
        elif word == "priomap":
            if in_map:
                raise TcError("Error: duplicate priomap")
            in_map = True
        elif word == "help":
            raise TcError(_USAGE)
        elif not in_map:
            raise TcError(f'What is "{word}"?\n{_USAGE}')
        else:
            settings = _with_band(settings, named, word)
            named += 1
    return settings


def _with_band(settings: PrioSettings, priority: int, word: str) -> PrioSettings:
    band = _number(word, 'Illegal "priomap" element')
    if band >= settings.bands:
        raise TcError('"priomap" element is out of bands')
    if priority > _MOST_PRIORITY:
        raise TcError(f'"priomap" index > TC_PRIO_MAX={_MOST_PRIORITY}')
    bands = list(settings.priomap)
    bands[priority] = band
    return replace(settings, priomap=tuple(bands))


def _number(word: str, complaint: str) -> int:
    try:
        return parse_whole(word)
    except ValueError:
        raise TcError(complaint) from None


def text(bands: int, priomap: Sequence[int]) -> str:
    """The options as ``tc qdisc show`` has them."""
    return f"bands {bands} priomap {' '.join(map(str, priomap))}"
