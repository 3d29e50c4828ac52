"""``tc filter``: add, delete and show the filters of a prio, or of what comes in."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from vnet.linux.tc.errors import KernelError, TcError
from vnet.linux.tc.filters.reading import USAGE, Given, read_filter
from vnet.linux.tc.filters.view import filter_lines, place_text
from vnet.linux.tc.handles import INGRESS_HANDLE, ROOT, major, minor
from vnet.linux.tc.qdiscs import TrafficControl
from vnet.linux.tc.show import View
from vnet.linux.tc.words import is_short_for
from vnet.netdev.device import NetDevice
from vnet.sim.qdisc.filters import Action, Filter, Filters, Police, PoliceSettings
from vnet.sim.qdisc.htb_queue import HtbQueue
from vnet.sim.qdisc.prio import Prio

_AUTO_FROM, _AUTO_FIRST = 0x8000, 0xC000
_TABLE_FIRST = 0x800


def kernel_refuses(what: str) -> TcError:
    """As every message of the kernel that ``tc filter`` hands on."""
    return KernelError(f"Error: {what}.\nWe have an error talking to the kernel")


class FilterCommand:
    """``tc filter`` on one machine."""

    def __init__(self, control: TrafficControl, find_device: Callable[[str], NetDevice]) -> None:
        self._control = control
        self._find_device = find_device

    def run(self, words: Sequence[str], view: View) -> str:
        """Carry it out; what it prints."""
        verb = words[0] if words else "show"
        given = read_filter(words[1:])
        if any(is_short_for(verb, name) for name in ("list", "show", "lst")):
            return self._show(given, view)
        if is_short_for(verb, "help"):
            return USAGE
        if verb not in ("add", "replace", "change") and not is_short_for(verb, "delete"):
            raise TcError(f'Command "{verb}" is unknown, try "tc filter help".')
        device = self._find_device(given.device)
        if verb in ("add", "replace", "change"):
            self._add(device, given, verb)
        else:
            self._delete(device, given)
        return ""

    def _place(self, device: NetDevice, parent: int) -> Filters:
        """Where the filters of a qdisc are kept."""
        if major(parent) == INGRESS_HANDLE and parent != ROOT:
            if device.ingress is None:
                raise kernel_refuses("Parent Qdisc doesn't exists")
            return device.ingress.filters
        if parent:
            found = self._control.find(device, major(parent))
            qdisc = None if found is None else found.qdisc
        else:
            queue = self._control.queue_of(device)
            qdisc = None if queue is None else queue.root
        if qdisc is None:
            raise kernel_refuses("Parent Qdisc doesn't exists" if parent else "Qdisc not classful")
        if not qdisc.has_classes:
            raise kernel_refuses("Qdisc not classful")
        if not isinstance(qdisc, Prio | HtbQueue) or minor(parent):
            raise kernel_refuses("Class doesn't support blocks")
        return qdisc.filters

    def _add(self, device: NetDevice, given: Given, verb: str) -> None:
        filters = self._place(device, given.parent)
        preference = given.preference or _free_preference(filters)
        alike = [other for other in filters if other.preference == preference]
        protocol = given.protocol or 0
        if any(other.protocol != protocol for other in alike):
            raise kernel_refuses("Protocol mismatch for filter with specified priority")
        if any(other.kind != given.kind for other in alike):
            raise kernel_refuses("Specified filter kind does not match existing one")
        if given.kind not in ("u32", "matchall"):
            raise kernel_refuses("TC classifier not found")
        there = _named(alike, given)
        if there is not None and verb == "add":
            raise kernel_refuses("Filter already exists")
        handle = _wanted_handle(given, _free_handle(filters, alike, given.kind))
        actions = [self._action(device, action) for action in given.actions]
        new = Filter(
            given.kind,
            preference,
            protocol,
            handle,
            given.words,
            given.class_id,
            actions,
            given.is_plain_police,
        )
        if there is not None:
            filters.remove(there)
        filters.add(new)
        filters.parent = given.parent or self._root_handle(device)

    def _root_handle(self, device: NetDevice) -> int:
        queue = self._control.queue_of(device)
        return 0 if queue is None else queue.root.handle

    def _action(self, device: NetDevice, action: PoliceSettings | str) -> Action:
        if isinstance(action, str):
            return Action(action, device.scheduler.now_ns)
        return Police(action, self._control.next_police_index(), device.scheduler.now_ns)

    def _delete(self, device: NetDevice, given: Given) -> None:
        filters = self._place(device, given.parent)
        gone = [
            other
            for other in filters
            if given.preference in (0, other.preference)
            and given.protocol in (None, other.protocol)
        ]
        if not gone and given.preference:
            raise kernel_refuses("Filter with specified priority/protocol not found")
        if given.handle is not None:
            if not given.preference:
                raise kernel_refuses("Cannot flush filters with protocol, handle or kind set")
            named = _named(gone, given)
            if named is None:
                raise kernel_refuses("Specified filter handle not found")
            gone = [named]
        for other in gone:
            filters.remove(other)

    # -- showing

    def _show(self, given: Given, view: View) -> str:
        if not given.device:
            return ""
        device = self._find_device(given.device)
        lines: list[str] = []
        for filters in self._shown(device, given.parent):
            # What was asked for by the same name need not be told.
            where = "" if filters.parent == given.parent else place_text(filters.parent)
            lines += filter_lines(filters, where, view, device.scheduler.now_ns)
        return "\n".join(lines)

    def _shown(self, device: NetDevice, parent: int) -> Iterator[Filters]:
        if major(parent) == INGRESS_HANDLE and parent != ROOT:
            if device.ingress is not None:
                yield device.ingress.filters
            return
        for placed in self._control.placed(device):
            qdisc = placed.qdisc
            wanted = qdisc.handle == parent or (not parent and placed.parent == ROOT)
            if wanted and isinstance(qdisc, Prio | HtbQueue):
                yield qdisc.filters


def _free_preference(filters: Filters) -> int:
    """The kernel counts down from 49152, so that what comes later goes first."""
    following = (other.preference for other in filters if other.preference > _AUTO_FROM)
    return next(following, _AUTO_FIRST + 1) - 1


def _named(filters: Sequence[Filter], given: Given) -> Filter | None:
    """The filter that a command names by its handle."""
    if given.handle is None:
        return None
    table, number = given.handle
    for other in filters:
        if other.handle[1] == number and table in (0, other.handle[0]):
            return other
    return None


def _wanted_handle(given: Given, free: tuple[int, int]) -> tuple[int, int]:
    """The handle that a command asks for, or the free one. The table of u32 is no choice."""
    if given.handle is None:
        return free
    if given.handle[0] not in (0, free[0]):
        raise kernel_refuses("cls_u32: Handle specified hash table address mismatch")
    return free[0], given.handle[1] or free[1]


def _free_handle(filters: Filters, alike: Sequence[Filter], kind: str) -> tuple[int, int]:
    """A table for each preference, in which filters are numbered."""
    if kind == "matchall":
        return (0, 1 + len(alike))
    if alike:
        return (alike[0].handle[0], max(_TABLE_FIRST - 1, *(f.handle[1] for f in alike)) + 1)
    taken = {other.handle[0] for other in filters}
    table = next(number for number in range(_TABLE_FIRST, 0x1000) if number not in taken)
    return (table, _TABLE_FIRST)
