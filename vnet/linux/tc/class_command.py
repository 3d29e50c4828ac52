"""``tc class``: it shows classes. Those of tbf, prio and netem come and go with their qdisc, and
those of Open vSwitch's htb are its own, so that none can be added."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from vnet.linux.tc.errors import TcError, answered, twice, wrong
from vnet.linux.tc.handles import ROOT, major, minor, parse_class
from vnet.linux.tc.qdiscs import TrafficControl
from vnet.linux.tc.show import View, classes_text
from vnet.linux.tc.words import WordReader, is_short_for
from vnet.netdev.device import NetDevice

USAGE = """\
Usage: tc class show [ dev STRING ] [ root | parent CLASSID | classid CLASSID ]"""

_CHANGES = ("add", "change", "replace", "delete")


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
        raise self._refusal(change, WordReader(words[1:]))

    def _refusal(self, change: str, reader: WordReader) -> TcError:
        """Why nothing comes of a change."""
        device, parent, class_id = "", 0, 0
        while reader:
            word = reader.take()
            if word == "dev":
                device = _once(word, device, reader)
            elif word == "classid":
                class_id = _class(word, class_id, reader, "invalid class ID")
            elif word == "parent":
                parent = _class(word, parent, reader, "invalid parent ID")
            elif word == "root":
                if parent:
                    return TcError('Error: "root" is duplicate parent ID.')
                parent = ROOT
            elif is_short_for(word, "help"):
                return TcError(USAGE)
            else:
                return TcError(f'Error: Qdisc "{word}" is classless.')
        if not device:
            return answered("No such device")
        found = self._control.find(self._find_device(device), major(class_id or parent))
        if found is None:
            return answered("No such file or directory")
        children = found.qdisc.children
        if change == "add" and (len(children) == 1 or minor(class_id) in children):
            return answered("File exists")
        return answered("Operation not supported")

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


def _once(key: str, before: str, reader: WordReader) -> str:
    value = reader.take()
    if before:
        raise twice(key, value)
    return value


def _class(key: str, before: int, reader: WordReader, complaint: str) -> int:
    value = _once(key, str(before or ""), reader)
    try:
        return parse_class(value)
    except ValueError:
        raise wrong(value, complaint) from None
