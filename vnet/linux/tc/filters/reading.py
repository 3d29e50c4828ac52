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

_FW_USAGE = """\
Usage: ... fw [ classid CLASSID ] [ indev DEV ] [ action ACTION_SPEC ]
	CLASSID := Push matching packets to the class identified by CLASSID with format X:Y
		CLASSID is parsed as hexadecimal input.
	DEV := specify device for incoming device classification.
	ACTION_SPEC := Apply an action on matching packets.
	NOTE: handle is represented as HANDLE[/FWMASK].
		FWMASK is 0xffffffff by default."""
_USAGES = {"u32": u32.USAGE, "matchall": _MATCHALL_USAGE, "fw": _FW_USAGE}

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
    handle: tuple[int, int] | None = None
    """Of u32, a table (0: its own) and a number in that; of others, 0 and the number."""
    words: list[Word] = field(default_factory=list)
    class_id: int | None = None
    actions: list[PoliceSettings | str] = field(default_factory=list)
    is_plain_police: bool = False


def read_filter(words: Sequence[str]) -> Given:
    """The words behind the verb. Raises :class:`TcError`."""
    reader, given, handle = WordReader(words), Given(), ""
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
        elif word == "handle":
            value = reader.take()
            if handle:
                raise twice("handle", value)
            handle = value
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
            if handle:
                given.handle = _handle(word, handle)
            _read_options(reader, given)
    if handle and not given.kind:
        raise TcError('Must specify filter type when using "handle"')
    return given


def _handle(kind: str, text: str) -> tuple[int, int]:
    """The number of a filter. Of fw it is a mark."""
    if kind == "u32":
        return u32.parse_handle(text)
    number, slash, mask = text.partition("/") if kind == "fw" else (text, "", "")
    try:
        found = int(number, 0)
    except ValueError:
        raise TcError('Illegal "handle"') from None
    try:
        int(mask if slash else "0", 0)
    except ValueError:
        raise TcError('Illegal "handle" mask') from None
    return 0, found


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
    if given.kind not in _USAGES:
        if reader:
            rest = reader.take()
            what = f'Unknown filter "{given.kind}", hence option "{rest}" is unparsable'
            raise TcError(what)
        return
    usage = _USAGES[given.kind]
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
        elif word == "police" and given.kind != "matchall":
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
