"""``netem``: what a bad wire would do to what leaves."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TypeVar

from vnet.linux.tc.errors import TcError
from vnet.linux.tc.numbers import (
    parse_rate,
    parse_share,
    parse_size,
    parse_time_ns,
    parse_whole,
    rate_text,
    share_text,
    time_ns_text,
)
from vnet.linux.tc.words import WordReader, is_short_for
from vnet.sim.distribution import NAMES
from vnet.sim.netem import Correlations, FourStates, GilbertElliott, Impairments
from vnet.sim.qdisc.netem import NetemSettings, Rate

_USAGE = """\
Usage: ... netem [ limit PACKETS ]
                 [ delay TIME [ JITTER [CORRELATION]]]
                 [ distribution {uniform|normal|pareto|paretonormal} ]
                 [ corrupt PERCENT [CORRELATION]]
                 [ duplicate PERCENT [CORRELATION]]
                 [ loss random PERCENT [CORRELATION]]
                 [ loss state P13 [P31 [P32 [P23 P14]]]
                 [ loss gemodel PERCENT [R [1-H [1-K]]]
                 [ ecn ]
                 [ reorder PERCENT [CORRELATION] [ gap DISTANCE ]]
                 [ rate RATE [PACKETOVERHEAD] [CELLSIZE] [CELLOVERHEAD]]"""

_T = TypeVar("_T")


class _Found:
    """What was read until now."""

    def __init__(self) -> None:
        self.impairments = Impairments(gap=0)
        self.ties: dict[str, float] = {}
        self.settings = NetemSettings()
        self.has_loss = False

    def impair(self, **changes: object) -> None:
        self.impairments = replace(self.impairments, **changes)  # type: ignore[arg-type]


def _read(words: WordReader, reader: Callable[[str], _T], called: str) -> _T:
    try:
        return reader(words.take())
    except ValueError:
        raise TcError(f'Illegal "{called}"') from None


def _limit(words: WordReader, found: _Found) -> None:
    found.settings = replace(found.settings, limit=_read(words, parse_size, "limit"))


def _delay(words: WordReader, found: _Found) -> None:
    found.settings = replace(found.settings, delay_ns=_read(words, parse_time_ns, "latency"))
    if words.at_number:
        found.impair(jitter_ns=_read(words, parse_time_ns, "latency"))
        if words.at_number:
            found.ties["delay"] = _read(words, parse_share, "latency")


def _loss(words: WordReader, found: _Found) -> None:
    if found.has_loss:
        raise TcError('Illegal "duplicate loss argument\n"')
    found.has_loss = True
    model = "random" if words.at_number else words.take()
    if model == "random":
        found.impair(loss=_read(words, parse_share, "loss percent"))
        _tie(words, found, "loss", "loss correlation")
    elif model == "state":
        p13 = _read(words, parse_share, "loss p13")
        others = _shares(words, {"p31": 1 - p13, "p32": 0, "p23": 1, "p14": 0})
        found.impair(loss=FourStates(p13, *others))
    elif model == "gemodel":
        p = _read(words, parse_share, "loss gemodel p")
        others = _shares(words, {"gemodel r": 1 - p, "gemodel h": 1, "gemodel k": 0})
        found.impair(loss=GilbertElliott(p, *others))
    else:
        raise TcError(f"Unknown loss parameter: {model}")


def _shares(words: WordReader, defaults: Mapping[str, float]) -> list[float]:
    """The shares that may follow the first one; from where they end on, the defaults."""
    return [
        _read(words, parse_share, f"loss {name}") if words.at_number else default
        for name, default in defaults.items()
    ]


def _tie(words: WordReader, found: _Found, name: str, called: str = "") -> None:
    if words.at_number:
        found.ties[name] = _read(words, parse_share, called or name)


def _tied_share(name: str) -> Callable[[WordReader, _Found], None]:
    def read(words: WordReader, found: _Found) -> None:
        found.impair(**{name: _read(words, parse_share, name)})
        _tie(words, found, name)

    return read


def _gap(words: WordReader, found: _Found) -> None:
    found.impair(gap=_read(words, parse_whole, "gap"))


def _distribution(words: WordReader, found: _Found) -> None:
    name = words.take()
    if name not in (*NAMES, "uniform"):
        path = f"/usr/lib/tc/{name}.dist"
        raise TcError(f"No distribution data for {name} ({path}: No such file or directory)")
    found.impair(distribution=None if name == "uniform" else name)


def _rate(words: WordReader, found: _Found) -> None:
    bytes_per_s = _read(words, parse_rate, "rate")
    extra = [0, 0, 0]
    for at, signed in enumerate((True, False, True)):
        ahead = words.peek() or ""
        if not (words.at_number or (signed and ahead.startswith("-"))):
            break
        minus = -1 if ahead.startswith("-") else 1
        extra[at] = minus * _read(words, lambda text: parse_whole(text.lstrip("-")), "rate")
    rate = Rate(bytes_per_s, *extra) if bytes_per_s else None
    found.settings = replace(found.settings, rate=rate)


def _ecn(_words: WordReader, found: _Found) -> None:
    found.settings = replace(found.settings, ecn=True)


_KEYWORDS: dict[str, Callable[[WordReader, _Found], None]] = {
    "limit": _limit,
    "latency": _delay,
    "delay": _delay,
    "loss": _loss,
    "drop": _loss,
    "ecn": _ecn,
    "reorder": _tied_share("reorder"),
    "corrupt": _tied_share("corrupt"),
    "gap": _gap,
    "duplicate": _tied_share("duplicate"),
    "distribution": _distribution,
    "rate": _rate,
}


def parse(words: WordReader) -> NetemSettings:
    """The settings."""
    found = _Found()
    while words:
        word = words.take()
        keyword = next((name for name in _KEYWORDS if is_short_for(word, name)), None)
        if keyword is None:
            raise TcError(_USAGE if word == "help" else f'What is "{word}"?\n{_USAGE}')
        _KEYWORDS[keyword](words, found)
    _check(found)
    gap = found.impairments.gap or 1
    impairments = replace(found.impairments, gap=gap, correlations=Correlations(**found.ties))
    return replace(found.settings, impairments=impairments)


def _check(found: _Found) -> None:
    impairments, complaint = found.impairments, ""
    if impairments.reorder and not found.settings.delay_ns:
        complaint = "reordering not possible without specifying some delay"
    elif impairments.gap and not impairments.reorder:
        complaint = "gap specified without reorder probability"
    elif found.settings.ecn and not found.has_loss:
        complaint = "ecn requested without loss model"
    elif impairments.distribution and not (found.settings.delay_ns and impairments.jitter_ns):
        complaint = "distribution specified but no latency and jitter values"
    if complaint:
        raise TcError(f"{complaint}\n{_USAGE}")


def text(settings: NetemSettings) -> str:
    """The options as ``tc qdisc show`` has them."""
    found, tied = settings.impairments, settings.impairments.correlations
    parts = [f"limit {settings.limit}"]
    if settings.delay_ns:
        parts.append(f"delay {time_ns_text(settings.delay_ns)}")
        if found.jitter_ns:
            parts.append(_tied(f" {time_ns_text(found.jitter_ns)}", tied.delay))
    if isinstance(found.loss, float):
        parts += _share("loss", found.loss, tied.loss)
    else:
        parts.append(_model_text(found.loss))
    for name in ("duplicate", "reorder", "corrupt"):
        parts += _share(name, getattr(found, name), getattr(tied, name))
    if settings.rate is not None:
        parts.append(_rate_text(settings.rate))
    if settings.ecn:
        parts.append("ecn ")
    if found.reorder:
        parts.append(f"gap {found.gap}")
    return " ".join(parts)


def _tied(words: str, correlation: float) -> str:
    return f"{words} {share_text(correlation)}" if correlation else words


def _share(name: str, share: float, correlation: float) -> list[str]:
    return [_tied(f"{name} {share_text(share)}", correlation)] if share else []


def _model_text(model: GilbertElliott | FourStates) -> str:
    if isinstance(model, GilbertElliott):
        values = {
            "p": model.to_bad,
            "r": model.to_good,
            "1-h": model.loss_when_bad,
            "1-k": model.loss_when_good,
        }
        kind = "gemodel"
    else:
        values = {
            "p13": model.gap_to_loss,
            "p31": model.loss_to_gap,
            "p32": model.loss_to_burst,
            "p23": model.burst_to_loss,
            "p14": model.gap_to_lone_loss,
        }
        kind = "state"
    return f"loss {kind} " + " ".join(f"{name} {share_text(v)}" for name, v in values.items())


def _rate_text(rate: Rate) -> str:
    extras = {
        "packetoverhead": rate.overhead_bytes,
        "cellsize": rate.cell_bytes,
        "celloverhead": rate.cell_overhead_bytes,
    }
    shown = "".join(f" {name} {value}" for name, value in extras.items() if value)
    return f"rate {rate_text(rate.bytes_per_s)}{shown}"
