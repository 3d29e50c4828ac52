"""``tc filter``: add, delete and show the filters of a prio, or of what comes in."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from vnet.linux.tc import police, u32
from vnet.linux.tc.errors import KernelError, TcError, twice, wrong
from vnet.linux.tc.handles import (
    INGRESS_HANDLE,
    ROOT,
    class_text,
    major,
    minor,
    parse_class,
)
from vnet.linux.tc.numbers import parse_whole
from vnet.linux.tc.qdiscs import TrafficControl
from vnet.linux.tc.show import View
from vnet.linux.tc.words import WordReader, is_short_for
from vnet.netdev.device import NetDevice
from vnet.sim.qdisc.filters import Action, Filter, Filters, Police, PoliceSettings, Word
from vnet.sim.qdisc.prio import Prio
from vnet.wire import ether

USAGE = """\
Usage: tc filter [ add | del | replace | show ] [ dev STRING ]
       [ pref PRIO ] protocol PROTO
       [ root | ingress | parent CLASSID ]
       [ [ FILTER_TYPE ] [ help | OPTIONS ] ]

       tc filter show [ dev STRING ] [ root | ingress | parent CLASSID ]
Where:
FILTER_TYPE := { u32 | matchall }
OPTIONS := ... try tc filter add <desired FILTER_KIND> help"""

_MATCHALL_USAGE = """\
Usage: ... matchall [ action ACTION_SPEC ] [ classid CLASSID ]

Where: ACTION_SPEC := ... look at individual actions

NOTE: CLASSID is parsed as hexadecimal input."""

_PROTOCOLS = {
    "all": 0,
    "ip": ether.TYPE_IPV4,
    "ipv6": ether.TYPE_IPV6,
    "arp": ether.TYPE_ARP,
    "802.1Q": ether.TYPE_VLAN,
    "802.1ad": ether.TYPE_QINQ,
}
_CLSACT_INGRESS = 0xFFFFFFF2
_AUTO_FROM, _AUTO_FIRST = 0x8000, 0xC000
_TABLE_FIRST = 0x800


def kernel_refuses(what: str) -> TcError:
    """As every message of the kernel that ``tc filter`` hands on."""
    return KernelError(f"Error: {what}.\nWe have an error talking to the kernel")


@dataclass(slots=True)
class _Given:
    """What a command says."""

    device: str = ""
    parent: int = 0
    preference: int = 0
    protocol: int | None = None
    kind: str = ""
    words: list[Word] = field(default_factory=list)
    class_id: int | None = None
    actions: list[PoliceSettings | str] = field(default_factory=list)
    is_plain_police: bool = False


class FilterCommand:
    """``tc filter`` on one machine."""

    def __init__(
        self,
        control: TrafficControl,
        find_device: Callable[[str], NetDevice],
        devices: Mapping[str, NetDevice],
    ) -> None:
        self._control = control
        self._find_device = find_device
        self._devices = devices

    def run(self, words: Sequence[str], view: View) -> str:
        """Carry it out; what it prints."""
        verb = words[0] if words else "show"
        given = _read(words[1:])
        if any(is_short_for(verb, name) for name in ("list", "show", "lst")):
            return self._show(given, view)
        if is_short_for(verb, "help"):
            return USAGE
        if verb not in ("add", "replace", "change") and not is_short_for(verb, "delete"):
            raise TcError(f'Command "{verb}" is unknown, try "tc filter help".')
        device = self._find_device(given.device)
        if verb in ("add", "replace", "change"):
            self._add(device, given)
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
        if not isinstance(qdisc, Prio) or minor(parent):
            raise kernel_refuses("Class doesn't support blocks")
        return qdisc.filters

    def _add(self, device: NetDevice, given: _Given) -> None:
        filters = self._place(device, given.parent)
        if given.kind not in ("u32", "matchall"):
            raise kernel_refuses("TC classifier not found")
        preference = given.preference or _free_preference(filters)
        alike = [other for other in filters if other.preference == preference]
        protocol = given.protocol or 0
        if any(other.protocol != protocol for other in alike):
            raise kernel_refuses("Protocol mismatch for filter with specified priority")
        if any(other.kind != given.kind for other in alike):
            raise kernel_refuses("Specified filter kind does not match existing one")
        actions = [self._action(device, action) for action in given.actions]
        handle = _free_handle(filters, alike, given.kind)
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
        filters.add(new)

    def _action(self, device: NetDevice, action: PoliceSettings | str) -> Action:
        if isinstance(action, str):
            return Action(action)
        return Police(action, self._control.next_police_index(), device.scheduler.now_ns)

    def _delete(self, device: NetDevice, given: _Given) -> None:
        filters = self._place(device, given.parent)
        gone = [
            other
            for other in filters
            if given.preference in (0, other.preference)
            and given.protocol in (None, other.protocol)
        ]
        if not gone and given.preference:
            raise kernel_refuses("Filter with specified priority/protocol not found")
        for other in gone:
            filters.remove(other)

    # -- showing

    def _show(self, given: _Given, view: View) -> str:
        if not given.device:
            return ""
        device = self._find_device(given.device)
        lines: list[str] = []
        for parent, filters in self._shown(device, given.parent):
            # What is asked for by its number need not be told; the kernel knows no other name.
            where = "" if given.parent == parent else f"parent {class_text(parent)} "
            lines += _lines(filters, where, view)
        return "\n".join(lines)

    def _shown(self, device: NetDevice, parent: int) -> Iterator[tuple[int, Filters]]:
        if major(parent) == INGRESS_HANDLE and parent != ROOT:
            if device.ingress is not None:
                yield INGRESS_HANDLE, device.ingress.filters
            return
        for placed in self._control.placed(device):
            qdisc = placed.qdisc
            wanted = qdisc.handle == parent or (not parent and placed.parent == ROOT)
            if wanted and isinstance(qdisc, Prio):
                yield qdisc.handle, qdisc.filters


def _free_preference(filters: Filters) -> int:
    """The kernel counts down from 49152, so that what comes later goes first."""
    following = (other.preference for other in filters if other.preference > _AUTO_FROM)
    return next(following, _AUTO_FIRST + 1) - 1


def _free_handle(filters: Filters, alike: Sequence[Filter], kind: str) -> tuple[int, int]:
    """A table for each preference, in which filters are numbered."""
    if kind == "matchall":
        return (0, 1 + len(alike))
    if alike:
        return (alike[0].handle[0], max(other.handle[1] for other in alike) + 1)
    taken = {other.handle[0] for other in filters}
    table = next(number for number in range(_TABLE_FIRST, 0x1000) if number not in taken)
    return (table, _TABLE_FIRST)


# -- reading


def _read(words: Sequence[str]) -> _Given:
    reader, given = WordReader(words), _Given()
    while reader:
        word = reader.take()
        if word == "dev":
            value = reader.take()
            if given.device:
                raise twice("dev", value)
            given.device = value
        elif word in ("root", "ingress"):
            if given.parent:
                raise TcError(f'Error: "{word}" is duplicate parent ID')
            given.parent = ROOT if word == "root" else _CLSACT_INGRESS
        elif word == "parent":
            given.parent = _number(parse_class, reader, "Invalid parent ID")
        elif is_short_for(word, "preference") or is_short_for(word, "priority"):
            given.preference = _number(
                lambda text: parse_whole(text, 0xFFFF), reader, "invalid priority value"
            )
        elif is_short_for(word, "protocol"):
            given.protocol = _protocol(reader.take())
        elif is_short_for(word, "help"):
            raise TcError(USAGE)
        else:
            given.kind = word
            _read_options(reader, given)
    return given


def _number(parse: Callable[[str], int], reader: WordReader, complaint: str) -> int:
    value = reader.take()
    try:
        return parse(value)
    except ValueError:
        raise wrong(value, complaint) from None


def _protocol(text: str) -> int:
    known = {name.lower(): number for name, number in _PROTOCOLS.items()}
    if text.lower() in known:
        return known[text.lower()]
    try:
        return int(text, 16 if text[:2].lower() == "0x" else 10) & 0xFFFF
    except ValueError:
        raise wrong(text, "invalid protocol") from None


def _read_options(reader: WordReader, given: _Given) -> None:
    if given.kind not in ("u32", "matchall"):
        if reader:
            rest = reader.take()
            what = f'Unknown filter "{given.kind}", hence option "{rest}" is unparsable'
            raise TcError(what)
        return
    usage = u32.USAGE if given.kind == "u32" else _MATCHALL_USAGE
    while reader:
        word = reader.take()
        if word == "match" and given.kind == "u32":
            try:
                given.words = u32.merged([*given.words, *u32.read_match(reader)])
            except ValueError:
                raise TcError('Illegal "match"') from None
        elif is_short_for(word, "classid") or word == "flowid":
            try:
                given.class_id = parse_class(reader.take())
            except ValueError:
                raise TcError('Illegal "classid"') from None
        elif word == "police" and given.kind == "u32":
            given.actions.append(police.read_police(reader))
            given.is_plain_police = True
        elif word == "action":
            given.actions.append(_read_action(reader))
        elif word == "help":
            raise TcError(usage)
        else:
            raise TcError(f'What is "{word}"?\n{usage}')


def _read_action(reader: WordReader) -> PoliceSettings | str:
    word = reader.take()
    if word == "police":
        return police.read_police(reader)
    found = police.control(word)
    if found is None:
        raise TcError(f'Error: Failed to load TC action module.\nbad action parsing "{word}"')
    return found


# -- writing


def _lines(filters: Filters, where: str, view: View) -> Iterator[str]:
    """Each preference is told once by itself, and u32's table too, before its filters."""
    told: set[int] = set()
    names = {number: name for name, number in _PROTOCOLS.items()}
    for shown in filters:
        protocol = names.get(shown.protocol, f"[{shown.protocol}]")
        start = f"filter {where}protocol {protocol} pref {shown.preference} {shown.kind} chain 0 "
        table = f"{shown.handle[0]:x}"
        if shown.preference not in told:
            told.add(shown.preference)
            yield start
            if shown.kind == "u32":
                yield f"{start}fh {table}: ht divisor 1 "
        flow = "" if shown.class_id is None else f"flowid {class_text(shown.class_id)} "
        if shown.kind == "u32":
            number = shown.handle[1]
            mark = "" if shown.actions else "*"
            yield (
                f"{start}fh {table}::{number:x} order {number} key ht {table} bkt 0 "
                f"{mark if flow else ''}{flow or ('terminal flowid ' if shown.actions else '')}"
                "not_in_hw "
            )
            for word in shown.words:
                yield f"  {u32.word_text(word)}"
        else:
            yield f"{start}handle 0x{shown.handle[1]:x} {flow}"
            yield "  not_in_hw"
        yield from _action_lines(shown, view)


def _action_lines(shown: Filter, view: View) -> Iterator[str]:
    for number, action in enumerate(shown.actions, 1):
        if shown.is_plain_police and isinstance(action, Police):
            yield police.police_text(action)
        else:
            yield police.action_text(number, action)
        if view.statistics and isinstance(action, Police):
            yield (
                f" \tSent {action.n_bytes} bytes {action.n_packets} pkts "
                f"(dropped {action.n_drops}, overlimits {action.n_overlimits}) "
            )
        if not shown.is_plain_police:
            yield ""
