"""``tc qdisc``, ``tc class`` and ``tc filter``, as typed."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from vnet.linux.tc.class_command import ClassCommand
from vnet.linux.tc.errors import TcError, answered, twice, wrong
from vnet.linux.tc.filters.command import FilterCommand
from vnet.linux.tc.handles import INGRESS, INGRESS_HANDLE, ROOT, parse_class, parse_handle
from vnet.linux.tc.kinds.table import Wanted, read_kind
from vnet.linux.tc.qdiscs import Request, TrafficControl, Verb
from vnet.linux.tc.show import View, qdiscs_text
from vnet.linux.tc.words import WordReader, is_short_for
from vnet.netdev.device import NetDevice

_VERBS = {
    "add": Verb.ADD,
    "change": Verb.CHANGE,
    "replace": Verb.REPLACE,
    "link": Verb.LINK,
}
_DELETE = "delete"
_OBJECTS = ("qdisc", "class", "filter")
"""Of what a device may be given some."""
_SHOW = ("list", "show", "lst")

QDISC_USAGE = """\
Usage: tc qdisc [ add | del | replace | change | show ] dev STRING
       [ handle QHANDLE ] [ root | ingress | parent CLASSID ]
       [ [ QDISC_KIND ] [ help | OPTIONS ] ]

       tc qdisc { show | list } [ dev STRING ] [ QDISC_ID ] [ invisible ]
Where:
QDISC_KIND := { pfifo | bfifo | pfifo_fast | tbf | prio | htb | fq_codel | netem }
OPTIONS := ... try tc qdisc add <desired QDISC_KIND> help
QDISC_ID := { root | ingress | handle QHANDLE | parent CLASSID }"""


@dataclass(frozen=True, slots=True)
class Place:
    """What the words before a kind say."""

    device: str = ""
    handle: int = 0
    parent: int = 0
    kind: str = ""


@dataclass(frozen=True, slots=True)
class QdiscCommand:
    """``tc qdisc add|change|replace|link|del``, read and not yet carried out. ``verb`` None
    deletes."""

    verb: Verb | None
    place: Place
    wanted: Wanted


def read_qdisc(words: Sequence[str]) -> QdiscCommand:
    """``add dev eth0 root tbf rate ...`` to a command. Raises :class:`TcError`."""
    reader = WordReader(words)
    verb = _verb(reader.take())
    place = _place(reader)
    wanted = read_kind(place.kind, reader) if place.kind else Wanted("")
    return QdiscCommand(verb, place, wanted)


def _verb(word: str) -> Verb | None:
    for name, verb in _VERBS.items():
        if is_short_for(word, name):
            return verb
    if is_short_for(word, _DELETE):
        return None
    if is_short_for(word, "help"):
        raise TcError(QDISC_USAGE)
    raise TcError(f'Command "{word}" is unknown, try "tc qdisc help".')


def _place(reader: WordReader) -> Place:
    place = Place()
    while reader:
        word = reader.take()
        if word == "dev":
            place = replace(place, device=_once("dev", place.device, reader))
        elif word == "handle":
            if place.handle:
                raise twice("handle", word)
            place = replace(place, handle=_read(parse_handle, reader, "invalid qdisc ID"))
        elif word in ("root", "ingress"):
            if place.parent:
                article = "" if word == "root" else "a "
                raise TcError(f'Error: "{word}" is {article}duplicate parent ID')
            if word == "ingress":
                return replace(place, parent=INGRESS, handle=INGRESS_HANDLE, kind=word)
            place = replace(place, parent=ROOT)
        elif word == "parent":
            value = reader.peek() or ""
            if place.parent:
                raise twice("parent", value)
            place = replace(place, parent=_read(parse_class, reader, "invalid parent ID"))
        elif is_short_for(word, "help"):
            raise TcError(QDISC_USAGE)
        else:
            return replace(place, kind=word)
    return place


def _once(key: str, before: str, reader: WordReader) -> str:
    value = reader.take()
    if before:
        raise twice(key, value)
    return value


def _read(parse: Callable[[str], int], reader: WordReader, complaint: str) -> int:
    value = reader.take()
    try:
        return parse(value)
    except ValueError:
        raise wrong(value, complaint) from None


def words_about(device: str, command: str) -> list[str]:
    """The words of a command that leaves its device out: ``qdisc add root tbf ...``.

    Raises :class:`TcError` where it changes nothing.
    """
    words = command.split()
    if len(words) < 2 or not any(is_short_for(words[0], name) for name in _OBJECTS):
        raise TcError(f'"{command}" is no command: begin with "qdisc add", "filter add", ...')
    if any(is_short_for(words[1], show) for show in _SHOW):
        raise TcError(f'"{command}" changes nothing')
    return [*words[:2], "dev", device, *words[2:]]


class Tc:
    """The tool on one machine, whose devices stand in the order of their indices."""

    def __init__(self, control: TrafficControl, devices: Mapping[str, NetDevice]) -> None:
        self._control = control
        self._devices = devices

    def run(self, words: Sequence[str]) -> str:
        """A whole command without ``tc``. Returns what it prints; raises :class:`TcError`."""
        view = View()
        given = list(words)
        while given and given[0].startswith("-"):
            if is_short_for(given[0], "-Version"):
                return _VERSION
            view = _with_option(view, given.pop(0))
        if not given:
            return _USAGE
        objects = {"qdisc": self._qdisc, "class": self._class, "filter": self._filter}
        for name, run in objects.items():
            if is_short_for(given[0], name):
                return run(given[1:], view)
        if is_short_for(given[0], "help"):
            return _USAGE
        raise TcError(f'Object "{given[0]}" is unknown, try "tc help".')

    def apply(self, command: QdiscCommand, device: NetDevice | None = None) -> None:
        """Carry a command out, on the device that it names or on the one that is given."""
        place = command.place
        if device is None:
            if not place.device:
                raise answered("No such device")
            device = self._device(place.device)
        if command.verb is None:
            kind = command.wanted.kind
            return self._control.delete(device, place.parent, place.handle, kind)
        request = Request(command.verb, place.parent, place.handle, command.wanted)
        return self._control.modify(device, request)

    def _qdisc(self, words: Sequence[str], view: View) -> str:
        if words and is_short_for(words[0], "help"):
            return QDISC_USAGE
        if not words or any(is_short_for(words[0], show) for show in _SHOW):
            view = self._chosen(words[1:], view)
            return qdiscs_text(self._control, self._shown(view), view)
        self.apply(read_qdisc(words))
        return ""

    def _class(self, words: Sequence[str], view: View) -> str:
        return ClassCommand(self._control, self._device).run(words, view)

    def _filter(self, words: Sequence[str], view: View) -> str:
        return FilterCommand(self._control, self._device).run(words, view)

    def _shown(self, view: View) -> list[NetDevice]:
        return list(self._devices.values()) if view.device is None else [view.device]

    def _chosen(self, words: Sequence[str], view: View) -> View:
        reader = WordReader(words)
        while reader:
            word = reader.take()
            if word == "dev":
                view = replace(view, device=self._device(reader.take()))
            elif word in ("root", "ingress"):
                view = replace(view, parent=ROOT if word == "root" else INGRESS)
            elif is_short_for(word, "parent"):
                view = replace(view, parent=_read(parse_class, reader, "invalid parent ID"))
            elif is_short_for(word, "handle"):
                view = replace(view, handle=_read(parse_handle, reader, "invalid handle ID"))
            elif word == "invisible":
                view = replace(view, invisible=True)
            else:
                raise TcError(f'What is "{word}"? Try "tc qdisc help".')
        return view

    def _device(self, name: str) -> NetDevice:
        device = self._devices.get(name)
        if device is None:
            raise TcError(f'Cannot find device "{name}"')
        return device


_USAGE = """\
Usage:	tc [ OPTIONS ] OBJECT { COMMAND | help }
where  OBJECT := { qdisc | class | filter }
       OPTIONS := { -V[ersion] | -s[tatistics] | -d[etails] }"""
_VERSION = "tc utility, iproute2-6.1.0"


def _with_option(view: View, option: str) -> View:
    if is_short_for(option, "-statistics") or is_short_for(option, "-stats"):
        return replace(view, statistics=True)
    if is_short_for(option, "-details"):
        return replace(view, details=True)
    raise TcError(f'Option "{option}" is unknown, try "tc -help".')
