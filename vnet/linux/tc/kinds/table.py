"""Every kind of qdisc: how it is asked for, made, changed and shown."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from vnet.linux.tc.errors import TcError, answered, refused
from vnet.linux.tc.kinds import fifo, fq_codel, htb, netem, prio, tbf
from vnet.linux.tc.words import WordReader
from vnet.sim.netem import Netem
from vnet.sim.qdisc.discipline import Discipline, Surroundings
from vnet.sim.qdisc.fifo import BFIFO, PFIFO, Fifo, PfifoFast
from vnet.sim.qdisc.fq_codel import FqCodel, FqCodelSettings
from vnet.sim.qdisc.htb_queue import HtbQueue
from vnet.sim.qdisc.netem import NetemQueue
from vnet.sim.qdisc.prio import Prio
from vnet.sim.qdisc.tbf import Tbf


@dataclass(frozen=True, slots=True)
class Making:
    """What a new discipline is made of besides its settings. ``law`` gives netem its chance."""

    around: Surroundings
    handle: int
    now_ns: int
    law: Callable[[], Netem]


@dataclass(frozen=True, slots=True)
class Kind:
    """``parse`` None: it takes no options. ``is_sound`` is the kernel's judgement."""

    parse: Callable[[WordReader], Any] | None
    make: Callable[[Making, Any], Discipline]
    change: Callable[[Any, Any, int], None]
    text: Callable[[Any, bool], str]
    is_sound: Callable[[Any], bool] = lambda _settings: True


def _fifo(name: str) -> Kind:
    return Kind(
        lambda words: fifo.parse(name, words),
        lambda making, limit: Fifo(making.around, limit, name, making.handle),
        lambda queue, limit, _now_ns: None if limit is None else queue.configure(limit),
        lambda queue, _details: fifo.text(queue),
    )


def _no_change(_queue: Any, _settings: Any, _now_ns: int) -> None:
    raise refused("Change operation not supported by specified qdisc")


def _change_fq_codel(queue: FqCodel, said: dict[str, Any], now_ns: int) -> None:
    if "flows" in said:
        raise answered("Invalid argument")
    queue.configure(replace(queue.settings, **said), now_ns)


KINDS: dict[str, Kind] = {
    PFIFO: _fifo(PFIFO),
    BFIFO: _fifo(BFIFO),
    PfifoFast.kind: Kind(
        None,
        lambda making, _settings: PfifoFast(making.around, making.handle),
        lambda _queue, _settings, _now_ns: None,
        lambda queue, _details: prio.text(queue.bands, queue.priomap),
    ),
    Prio.kind: Kind(
        prio.parse,
        lambda making, settings: Prio(making.around, settings, making.handle),
        lambda queue, settings, now_ns: queue.configure(settings, now_ns),
        lambda queue, _details: prio.text(queue.settings.bands, queue.settings.priomap),
        lambda settings: settings.is_sound(),
    ),
    Tbf.kind: Kind(
        tbf.parse,
        lambda making, settings: Tbf(making.around, settings, making.now_ns, making.handle),
        lambda queue, settings, now_ns: queue.configure(settings, now_ns),
        lambda queue, details: tbf.text(queue.settings, details=details),
        lambda settings: settings.is_sound(),
    ),
    HtbQueue.kind: Kind(
        htb.parse,
        lambda making, settings: HtbQueue(making.around, settings, making.handle),
        _no_change,
        lambda queue, details: htb.text(queue, details=details),
    ),
    FqCodel.kind: Kind(
        fq_codel.parse,
        lambda making, said: FqCodel(making.around, FqCodelSettings(**said), making.handle),
        _change_fq_codel,
        lambda queue, _details: fq_codel.text(queue),
        fq_codel.is_sound,
    ),
    NetemQueue.kind: Kind(
        netem.parse,
        lambda making, settings: NetemQueue(making.around, settings, making.law(), making.handle),
        lambda queue, settings, _now_ns: queue.configure(settings),
        lambda queue, _details: netem.text(queue.settings),
    ),
}

NOQUEUE = "noqueue"


@dataclass(frozen=True, slots=True)
class Wanted:
    """A kind and its settings, as read from a command; an empty kind was left out."""

    kind: str
    settings: Any = None


def read_kind(name: str, words: WordReader) -> Wanted:
    """The options of a kind that a command names.

    A kind that does not exist is told by the kernel, and so only after all else is right.
    """
    kind = KINDS.get(name)
    if kind is None:
        if words and name != NOQUEUE:
            what = f'Unknown qdisc "{name}", hence option "{words.take()}" is unparsable'
            raise TcError(what)
        return Wanted(name)
    if kind.parse is None:
        if words:
            raise TcError(f"qdisc '{name}' does not support option parsing")
        return Wanted(name)
    return Wanted(name, kind.parse(words))


def check(wanted: Wanted) -> Kind:
    """The kind, once the kernel has found its settings sound."""
    kind = KINDS.get(wanted.kind)
    if kind is None:
        raise TcError("Error: Specified qdisc kind is unknown.")
    if kind.parse is not None and not kind.is_sound(wanted.settings):
        raise answered("Invalid argument")
    return kind
