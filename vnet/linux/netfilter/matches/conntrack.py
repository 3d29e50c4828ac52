"""``-m conntrack`` and ``-m state``: what is known of a packet's connection."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, NamedTuple

from vnet.linux.netfilter.matches.conntrack_test import tests_of
from vnet.linux.netfilter.netfilter import Netfilter
from vnet.linux.netfilter.packet import NfPacket
from vnet.linux.netfilter.xtables.errors import XtablesError
from vnet.linux.netfilter.xtables.extension import Match, Test, negation
from vnet.linux.netfilter.xtables.option import Given, Option, Word, host_mask, pair
from vnet.linux.netfilter.xtables.values import Net, port, protocol

STATES = ("INVALID", "NEW", "RELATED", "ESTABLISHED", "UNTRACKED", "SNAT", "DNAT")
"""In the order in which they are written; words may be cut short, and are tried in ``_TRIED``."""
_TRIED = ("INVALID", "NEW", "ESTABLISHED", "RELATED", "UNTRACKED", "SNAT", "DNAT")
STATUSES = ("NONE", "EXPECTED", "SEEN_REPLY", "ASSURED", "CONFIRMED")
_DIRECTIONS = ("ORIGINAL", "REPLY")
ADDRESSES = ("ctorigsrc", "ctorigdst", "ctreplsrc", "ctrepldst")
PORTS = ("ctorigsrcport", "ctorigdstport", "ctreplsrcport", "ctrepldstport")
_NFT_FIELDS = (
    *("original saddr", "original daddr", "reply saddr", "reply daddr"),
    *("original proto-src", "original proto-dst", "reply proto-src", "reply proto-dst"),
)


def _names(text: str, known: tuple[str, ...], complaint: str) -> frozenset[str]:
    """Words with commas between them."""
    found = set()
    rest = text
    for word in text.split(","):
        name = next((name for name in known if word and name.startswith(word.upper())), None)
        if name is None:
            raise XtablesError(f'{complaint} "{rest}"')
        found.add(name)
        rest = rest.partition(",")[2]
    return frozenset(found)


def _states(word: Word) -> frozenset[str]:
    return _names(word.text, _TRIED, "Bad ctstate")


def _old_states(word: Word) -> frozenset[str]:
    if word.text.endswith(",") and not word.text.startswith(","):
        _names(word.text.rstrip(","), _TRIED[:5], "Bad state")
        raise XtablesError(
            '"--state" requires a list of states with no spaces, e.g. ESTABLISHED,RELATED'
        )
    return _names(word.text, _TRIED[:5], "Bad state")


def _statuses(word: Word) -> frozenset[str]:
    return _names(word.text, STATUSES, "Bad ctstatus") - {"NONE"}


def _direction(word: Word) -> str:
    if word.text.upper() not in _DIRECTIONS:
        raise XtablesError(f'conntrack: Bad value for "--ctdir" option: "{word.text}"')
    return word.text.upper()


def _protocol(word: Word) -> int:
    return protocol(word.text)


def _port_range(word: Word) -> tuple[int, int]:
    parts = word.text.split(":")
    if len(parts) > 2:
        raise XtablesError(
            f'conntrack: Too many components for option "--{word.option}" (max: 2)\n'
        )
    found = [_port(part) if part else (0, 0xFFFF)[place] for place, part in enumerate(parts)]
    return found[0], found[-1]


def _port(text: str) -> int:
    try:
        return port(text, None)
    except XtablesError:
        raise XtablesError(f'Port "{text}" does not resolve to anything.\n') from None


def _expiry(word: Word) -> tuple[int, int]:
    found = pair(0xFFFFFFFF)(word)
    return found[0], found[-1]


class Asked(NamedTuple):
    """A value, and whether any other is meant."""

    option: str
    value: object
    negated: bool


def states_text(names: frozenset[str], known: tuple[str, ...] = STATES) -> str:
    """``NEW,ESTABLISHED``, in iptables' order."""
    return ",".join(name for name in known if name in names)


@dataclass(frozen=True, slots=True)
class ConntrackMatch(Match):
    """``asked`` in the order in which iptables writes it."""

    NAME: ClassVar[str] = "conntrack"
    TRACKS: ClassVar[bool] = True
    OPTIONS: ClassVar[tuple[Option, ...]] = (
        Option("ctstate", _states, negatable=True),
        Option("ctproto", _protocol, negatable=True),
        *(Option(name, host_mask, negatable=True) for name in ADDRESSES),
        *(Option(name, _port_range, negatable=True) for name in PORTS),
        Option("ctstatus", _statuses, negatable=True),
        Option("ctexpire", _expiry, negatable=True),
        Option("ctdir", _direction),
    )

    asked: tuple[Asked, ...]

    @classmethod
    def read(cls, given: Given) -> ConntrackMatch:
        if not given.values:
            raise XtablesError(f"{cls.NAME}: At least one option is required")
        return cls(
            tuple(
                Asked(option.name, given.values[option.name], option.name in given.negated)
                for option in cls.OPTIONS
                if option.name in given.values
            )
        )

    def _written(self, dashes: str) -> str:
        parts = []
        for option, value, negated in self.asked:
            parts.append(f"{negation(negated)}{dashes}{option} {_value_text(option, value)}")
        return " ".join(parts)

    def saved(self) -> str:
        return self._written("--")

    def shown(self, *, numeric: bool) -> str:  # noqa: ARG002
        return self._written("")

    def nft(self) -> str | None:
        found = {asked.option: asked for asked in self.asked}
        order = ("ctdir", "ctproto", "ctstate", "state", "ctstatus", "ctexpire", *ADDRESSES, *PORTS)
        return " ".join(_nft_text(found[name], found) for name in order if name in found)

    @property
    def is_per_flow(self) -> bool:
        return all(asked.option not in ("ctexpire", "ctstatus") for asked in self.asked)

    def test(self, netfilter: Netfilter) -> Test:
        state, others = tests_of(self.asked, netfilter.namespace.scheduler)

        def meant(packet: NfPacket) -> bool:
            track = packet.track
            if state is not None and not state(track):
                return False
            if track is None or track.conn is None:
                return state is not None
            return all(test(track) for test in others)

        return meant


@dataclass(frozen=True, slots=True)
class StateMatch(ConntrackMatch):
    """``-m state``, what ``--ctstate`` was called once."""

    NAME: ClassVar[str] = "state"
    OPTIONS: ClassVar[tuple[Option, ...]] = (
        Option("state", _old_states, negatable=True, required=True),
    )


def _value_text(option: str, value: object) -> str:
    if isinstance(value, frozenset):
        if option == "ctstatus":
            return states_text(value, STATUSES) or "NONE"
        return states_text(value)
    if isinstance(value, Net):
        return value.shown
    if isinstance(value, tuple):
        first, last = value
        return str(first) if first == last else f"{first}:{last}"
    return str(value)


def _nft_text(asked: Asked, found: dict[str, Asked]) -> str:
    option, value, negated = asked
    not_equal = "!= " if negated else ""
    if isinstance(value, frozenset):
        # What reads rules for nft looks at the negation of another option here.
        status = found.get("ctstatus")
        compared = "!=" if status is not None and status.negated else ""
        return _nft_names(option, value, negated, compared)
    if option == "ctdir":
        return f"ct direction {str(value).lower()}"
    if option == "ctproto":
        direction = found["ctdir"].value if "ctdir" in found else "ORIGINAL"
        return f"ct {str(direction).lower()} protocol {not_equal}{value}"
    if isinstance(value, Net):
        field = _NFT_FIELDS[ADDRESSES.index(option)]
        return f"ct {field} {not_equal}{value.shown}"
    assert isinstance(value, tuple)
    text = str(value[0]) if value[0] == value[1] else f"{value[0]}-{value[1]}"
    if option == "ctexpire":
        return f"ct expiration {not_equal}{text}"
    return f"ct {_NFT_FIELDS[4 + PORTS.index(option)]} {not_equal}{text}"


def _nft_names(option: str, names: frozenset[str], negated: bool, compared: str) -> str:
    mark = "! " if negated else ""
    if option == "ctstatus":
        text = states_text(names, STATUSES).lower().replace("_", "-")
        return f"ct status {mark}{text}"
    if names & {"SNAT", "DNAT"}:
        return f"ct status {compared}{'snat' if 'SNAT' in names else 'dnat'}"
    return f"ct state {mark}{states_text(names).lower()}"
