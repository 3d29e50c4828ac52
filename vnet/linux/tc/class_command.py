"""``tc class``: it shows classes, and makes and changes those of htb. Those of tbf, prio and netem
come and go with their qdisc, and those of Open vSwitch's htb are its own."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from vnet.linux.tc.errors import TcError, answered, refused, twice, wrong
from vnet.linux.tc.handles import ROOT, class_text, major, minor, parse_class
from vnet.linux.tc.kinds import htb
from vnet.linux.tc.qdiscs import TrafficControl
from vnet.linux.tc.show import View, classes_text
from vnet.linux.tc.words import WordReader, is_short_for
from vnet.netdev.device import NetDevice
from vnet.sim.qdisc.htb_queue import HtbQueue, QueueClass
from vnet.sim.qdisc.htb_tree import TOP_LEVEL

USAGE = """\
Usage: tc class [ add | del | change | replace | show ] dev STRING
       [ classid CLASSID ] [ root | parent CLASSID ]
       [ [ QDISC_KIND ] [ help | OPTIONS ] ]

       tc class show [ dev STRING ] [ root | parent CLASSID | classid CLASSID ]
Where:
QDISC_KIND := { htb }
OPTIONS := ... try tc class add <desired QDISC_KIND> help"""

_CHANGES = ("add", "change", "replace", "delete")


@dataclass(frozen=True, slots=True)
class _Change:
    """A change as it was typed."""

    verb: str
    device: str = ""
    parent: int = 0
    class_id: int = 0
    kind: str = ""
    options: htb.ClassOptions | None = None


class ClassCommand:
    """``tc class`` on one machine."""

    def __init__(self, control: TrafficControl, find_device: Callable[[str], NetDevice]) -> None:
        self._control = control
        self._find_device = find_device

    def run(self, words: Sequence[str], view: View) -> str:
        """Carry it out; what it prints."""
        verb = words[0] if words else "show"
        if any(is_short_for(verb, show) for show in ("list", "show", "lst")):
            return self._show(WordReader(words[1:]), view)
        if is_short_for(verb, "help"):
            return USAGE
        change = next((name for name in _CHANGES if is_short_for(verb, name)), None)
        if change is None:
            raise TcError(f'Command "{verb}" is unknown, try "tc class help".')
        return self._do(_read(change, WordReader(words[1:])))

    # -- changes

    def _do(self, change: _Change) -> str:
        if not change.device:
            raise answered("No such device")
        device = self._find_device(change.device)
        parent = 0 if change.parent == ROOT else major(change.parent)
        if parent and major(change.class_id) not in (0, parent):
            raise answered("Invalid argument")
        found = self._control.find(device, major(change.class_id) or parent)
        if found is None:
            raise answered("No such file or directory")
        if not isinstance(found.qdisc, HtbQueue):
            children = found.qdisc.children
            if change.verb == "add" and (len(children) == 1 or minor(change.class_id) in children):
                raise answered("File exists")
            raise answered("Operation not supported")
        now_ns = device.scheduler.now_ns
        if change.verb == "delete":
            return _remove(found.qdisc, minor(change.class_id), now_ns)
        return _add_or_change(found.qdisc, change, now_ns)

    # -- showing

    def _show(self, reader: WordReader, view: View) -> str:
        while reader:
            word = reader.take()
            if word == "dev":
                view = replace(view, device=self._find_device(reader.take()))
            elif word == "root":
                view = replace(view, parent=ROOT)
            elif is_short_for(word, "parent"):
                view = replace(view, parent=_class("parent", 0, reader, "invalid parent ID"))
            elif is_short_for(word, "classid"):
                view = replace(view, handle=_class("classid", 0, reader, "invalid class ID"))
            elif is_short_for(word, "help"):
                return USAGE
            else:
                raise TcError(f'What is "{word}"? Try "tc class help".')
        return "" if view.device is None else classes_text(self._control, view.device, view)


def _read(verb: str, reader: WordReader) -> _Change:
    """The words of a change. Raises :class:`TcError`."""
    change = _Change(verb)
    while reader:
        word = reader.take()
        if word == "dev":
            change = replace(change, device=_once(word, change.device, reader))
        elif word == "classid":
            class_id = _class(word, change.class_id, reader, "invalid class ID")
            change = replace(change, class_id=class_id)
        elif word == "parent":
            parent = _class(word, change.parent, reader, "invalid parent ID")
            change = replace(change, parent=parent)
        elif word == "root":
            if change.parent:
                raise TcError('Error: "root" is duplicate parent ID.')
            change = replace(change, parent=ROOT)
        elif is_short_for(word, "help"):
            raise TcError(USAGE)
        elif word == HtbQueue.kind:
            options = None if verb == "delete" else htb.parse_class(reader)
            return replace(change, kind=word, options=options)
        else:
            raise TcError(f'Error: Qdisc "{word}" is classless.')
    return change


def _add_or_change(queue: HtbQueue, change: _Change, now_ns: int) -> str:
    number, options = minor(change.class_id), change.options
    there = queue.class_at(number)
    if there is None and change.verb == "change":
        raise answered("No such file or directory")
    if there is not None and change.verb == "add":
        raise answered("File exists")
    if options is None:
        raise answered("Invalid argument")
    settings, strange = options.settings(queue.settings.rate_to_quantum)
    if there is not None:
        there.htb.configure(settings)
    else:
        queue.add_class(number, _place(queue, change), settings, now_ns)
    if not strange:
        return ""
    shown = f"{queue.handle | number:X}"
    return f"Warning: sch_htb: quantum of class {shown} is {strange}. Consider r2q change."


def _place(queue: HtbQueue, change: _Change) -> int | None:
    """The number of the class that a new one is to be below; None for none, as of those that are
    not there."""
    outside = change.parent not in (0, ROOT) and major(change.parent) != queue.handle
    if not minor(change.class_id) or major(change.class_id) != queue.handle or outside:
        raise answered("Invalid argument")
    parent = None if change.parent in (0, ROOT) else queue.class_at(minor(change.parent))
    if parent is None:
        return None
    if _depth(parent) > TOP_LEVEL - 1:
        raise refused("sch_htb: tree is too deep")
    return parent.htb.number


def _depth(one: QueueClass) -> int:
    depth, above = 0, one.htb.parent
    while above is not None:
        depth, above = depth + 1, above.parent
    return depth


def _remove(queue: HtbQueue, number: int, now_ns: int) -> str:
    there = queue.class_at(number)
    if there is None:
        raise answered("No such file or directory")
    handle = queue.handle | number
    if there.htb.children or any(each.class_id == handle for each in queue.filters):
        raise refused("HTB class in use")
    queue.remove_class(number, now_ns)
    return ""


def _once(key: str, before: str, reader: WordReader) -> str:
    value = reader.take()
    if before:
        raise twice(key, value)
    return value


def _class(key: str, before: int, reader: WordReader, complaint: str) -> int:
    value = _once(key, class_text(before) if before else "", reader)
    try:
        return parse_class(value)
    except ValueError:
        raise wrong(value, complaint) from None
