"""One command of conntrack, read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from vnet.base.errors import UsageError
from vnet.linux.netfilter.conntrack_tool.choice import Choice
from vnet.linux.netfilter.conntrack_tool.text import ICMP, ICMPV6, PROTOCOLS, TCP, WITH_PORTS
from vnet.linux.netfilter.xtables.values import (
    ALL_32,
    Masked,
    Net,
    masked,
    number,
    pton,
    take_number,
)
from vnet.linux.netfilter.xtables.values import mask as read_mask
from vnet.tables.conntrack.linux import status
from vnet.tables.conntrack.linux.tcp_states import TcpConnState

VERSION = "1.4.7 (conntrack-tools)"
BAD_PARAMETER = 2
_ACTIONS = "LGDFC"
_TABLES = ("conntrack", "expect", "dying", "unconfirmed")
_OUTPUTS = ("xml", "extended", "timestamp", "id", "ktimestamp", "labels", "userspace", "save")
_STATUSES = {
    "ASSURED": status.ASSURED,
    "SEEN_REPLY": status.SEEN_REPLY,
    "FIXED_TIMEOUT": status.FIXED_TIMEOUT,
    "EXPECTED": status.EXPECTED,
}
_LONG = {
    "dump": "L",
    "get": "G",
    "delete": "D",
    "flush": "F",
    "count": "C",
    "src": "s",
    "orig-src": "s",
    "dst": "d",
    "orig-dst": "d",
    "reply-src": "r",
    "reply-dst": "q",
    "protonum": "p",
    "family": "f",
    "timeout": "t",
    "status": "u",
    "zero": "z",
    "mark": "m",
    "zone": "w",
    "orig-zone": "orig-zone",
    "reply-zone": "reply-zone",
    "src-nat": "n",
    "dst-nat": "g",
    "any-nat": "j",
    "output": "o",
    "version": "V",
    "help": "h",
}
_PORTS = {
    "sport": "orig-port-src",
    "orig-port-src": "orig-port-src",
    "dport": "orig-port-dst",
    "orig-port-dst": "orig-port-dst",
    "reply-port-src": "reply-port-src",
    "reply-port-dst": "reply-port-dst",
}
_ADDRESSES = {"s": "orig-src", "d": "orig-dst", "r": "reply-src", "q": "reply-dst"}
_NO_VALUE = "LGDFCzVh"
_MAY_HAVE_VALUE = {"n": "src", "g": "dst", "j": "any"}


class ConntrackError(UsageError):
    """What is wrong; ``status`` is the tool's exit code."""

    def __init__(self, message: str, status: int = BAD_PARAMETER) -> None:
        super().__init__(message)
        self.message = message
        self.status = status

    def told(self) -> str:
        """All that the tool writes."""
        text = f"conntrack v{VERSION}: {self.message}\n"
        if self.status == BAD_PARAMETER:
            text += "Try `conntrack -h' or 'conntrack --help' for more information.\n"
        return text


@dataclass(slots=True)
class Command:
    """What is asked for: ``action`` is a letter, ``table`` what it is about."""

    action: str = ""
    table: str = "conntrack"
    choice: Choice = field(default_factory=Choice)
    outputs: frozenset[str] = frozenset()
    zero: bool = False


class Reader:
    """Where the reading of the words has got to."""

    def __init__(self, words: Sequence[str]) -> None:
        self._words = list(words)
        self._command = Command()

    def read(self) -> Command:
        """The command; raises :class:`ConntrackError`."""
        while self._words:
            word = self._words.pop(0)
            letter, value = self._split(word)
            self._take(letter, word, value)
        if self._command.action == "G":
            self._check_get()
        return self._command

    def _split(self, word: str) -> tuple[str, str | None]:
        """The option of a word, and the value that is written onto it."""
        if word.startswith("--"):
            name, equals, value = word[2:].partition("=")
            return self._long(name, word), value if equals else None
        if len(word) < 2 or word[0] != "-":
            raise ConntrackError(f"unknown argument `{word}'")
        letter, rest = word[1], word[2:]
        if letter not in _LONG.values():
            raise ConntrackError(f"unknown option `{word}'")
        if rest and letter in _NO_VALUE:
            self._words.insert(0, f"-{rest}")
            rest = ""
        return letter, rest or None

    def _long(self, name: str, word: str) -> str:
        if name in _LONG:
            return _LONG[name]
        protocol = self._command.choice.protocol
        icmp = ("icmp-type", "icmp-code", "icmp-id")
        known = {
            **(dict(_PORTS) if protocol in WITH_PORTS else {}),
            **({"state": "state"} if protocol == TCP else {}),
            **(dict.fromkeys(icmp, "") if protocol == ICMP else {}),
            **({name.replace("icmp", "icmpv6"): "" for name in icmp} if protocol == ICMPV6 else {}),
        }
        if name in known:
            return known[name] or name.replace("icmpv6", "icmp")
        meant = [long for long in (*_LONG, *known) if long.startswith(name)]
        if len(meant) != 1:
            raise ConntrackError(f"unknown option `{word}'")
        return self._long(meant[0], word)

    def _value(self, word: str, attached: str | None) -> str:
        if attached is not None:
            return attached
        if not self._words:
            raise ConntrackError(f"option `{word}' requires an argument")
        return self._words.pop(0)

    def _optional(self) -> str | None:
        if not self._words or self._words[0].startswith("-"):
            return None
        return self._words.pop(0)

    def _take(self, letter: str, word: str, attached: str | None) -> None:
        command, choice = self._command, self._command.choice
        if letter in _ACTIONS:
            self._act(letter)
        elif letter in "Vh":
            command.action = command.action or letter
        elif letter == "z":
            command.zero = True
        elif letter in _MAY_HAVE_VALUE:
            text = attached or self._optional()
            choice.translated[_MAY_HAVE_VALUE[letter]] = None if text is None else _address(text)
        elif letter in _ADDRESSES:
            self._add_address(_ADDRESSES[letter], self._value(word, attached))
        else:
            self._other(letter, self._value(word, attached))

    def _act(self, letter: str) -> None:
        if self._command.action:
            raise ConntrackError("Invalid commands combination")
        self._command.action = letter
        table = self._optional()
        if table is not None:
            if table not in _TABLES:
                raise ConntrackError(f"unknown type `{table}'")
            self._command.table = table

    def _add_address(self, option: str, text: str) -> None:
        choice = self._command.choice
        name, slash, bits = text.partition("/")
        address = _address(name)
        family = 4 if len(address) == 4 else 6
        if choice.family not in (None, family):
            raise ConntrackError("Mismatched address family")
        choice.family = family
        mask = read_mask(bits, family) if slash else b"\xff" * len(address)
        choice.addresses[option] = Net(family, masked(address, mask), mask)

    def _other(self, letter: str, text: str) -> None:
        choice = self._command.choice
        match letter:
            case "p":
                choice.protocol = _protocol(text)
            case "f":
                choice.family = _family(text)
            case "u":
                choice.status = _statuses(text)
            case "m":
                choice.mark = _mark(text)
            case "w":
                choice.zones = (_zone(text), _zone(text))
            case "orig-zone":
                choice.zones = (_zone(text), choice.zones[1])
            case "reply-zone":
                choice.zones = (choice.zones[0], _zone(text))
            case "o":
                self._command.outputs |= _outputs(text)
            case "state":
                choice.state = _state(text)
            case "t":
                if number(text, ALL_32) is None:
                    raise ConntrackError(f"Bad parameter `{text}'")
            case _:
                choice.numbers[letter] = number(text, ALL_32) or 0

    def _check_get(self) -> None:
        choice = self._command.choice
        if choice.protocol is None:
            raise ConntrackError("You need to supply the `--protonum' option for this command")


def _address(text: str) -> bytes:
    found = pton(text, 4) or pton(text, 6)
    if found is None:
        raise ConntrackError(f"Invalid IP address `{text}'")
    return found


def _protocol(text: str) -> int:
    found = number(text, 255)
    names = {name: known for known, name in PROTOCOLS.items()}
    if found is None:
        found = names.get(text.lower())
    if found is None:
        raise ConntrackError(f"`{text}' unsupported protocol")
    return found


def _family(text: str) -> int:
    families = {"ipv4": 4, "ipv6": 6}
    if text not in families:
        raise ConntrackError(f"`{text}' unsupported protocol")
    return families[text]


def _statuses(text: str) -> int:
    bits = 0
    for name in text.split(","):
        if name not in _STATUSES:
            raise ConntrackError(f"Bad parameter `{text}'")
        bits |= _STATUSES[name]
    return bits


def _outputs(text: str) -> frozenset[str]:
    names = text.split(",")
    if any(name not in _OUTPUTS for name in names):
        raise ConntrackError(f"Bad parameter `{text}'")
    return frozenset(names)


def _state(text: str) -> str:
    if text not in TcpConnState.__members__:
        raise ConntrackError(f"unknown TCP state `{text}'")
    return text


def _mark(text: str) -> Masked:
    taken = take_number(text, ALL_32)
    value = 0 if taken is None else taken[0]
    bits = number(text.partition("/")[2], ALL_32) if "/" in text else ALL_32
    return Masked(value, ALL_32 if bits is None else bits)


def _zone(text: str) -> int:
    found = number(text, 0xFFFF)
    if found is None:
        raise ConntrackError(f"Bad zone `{text}'")
    return found
