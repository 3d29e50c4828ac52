"""What a ``tc filter`` command says."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from vnet.linux.tc.errors import TcError, twice, wrong
from vnet.linux.tc.filters import police, u32
from vnet.linux.tc.handles import CLSACT_INGRESS, ROOT, parse_class
from vnet.linux.tc.numbers import parse_whole
from vnet.linux.tc.words import WordReader, is_short_for
from vnet.sim.qdisc.filters import PoliceSettings, Word
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

PROTOCOLS = {
    "all": 0,
    "ip": ether.TYPE_IPV4,
    "ipv6": ether.TYPE_IPV6,
    "arp": ether.TYPE_ARP,
    "802.1Q": ether.TYPE_VLAN,
    "802.1ad": ether.TYPE_QINQ,
}


@dataclass(slots=True)
class Given:
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


def read_filter(words: Sequence[str]) -> Given:
    """The words behind the verb. Raises :class:`TcError`."""
    reader, given = WordReader(words), Given()
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
            given.parent = ROOT if word == "root" else CLSACT_INGRESS
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
    known = {name.lower(): number for name, number in PROTOCOLS.items()}
    if text.lower() in known:
        return known[text.lower()]
    try:
        return int(text, 16 if text[:2].lower() == "0x" else 10) & 0xFFFF
    except ValueError:
        raise wrong(text, "invalid protocol") from None


def _read_options(reader: WordReader, given: Given) -> None:
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
