"""``-j CT`` and ``-j NOTRACK``: what connection tracking does with a packet that comes next."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from vnet.linux.netfilter.netfilter import Netfilter
from vnet.linux.netfilter.packet import NfPacket
from vnet.linux.netfilter.xtables.errors import XtablesError
from vnet.linux.netfilter.xtables.extension import Act, Target
from vnet.linux.netfilter.xtables.option import Given, Option, Word, text
from vnet.linux.netfilter.xtables.values import number
from vnet.tables.conntrack.linux.tracking import UNTRACKED, Template

_EVENTS = (
    *("new", "related", "destroy", "reply", "assured"),
    *("protoinfo", "helper", "mark", "natseqinfo", "secmark"),
)
_ZONE_OF_MARK = -1


def _zone(word: Word) -> int:
    """``5``, or the number of :data:`_ZONE_OF_MARK` for ``mark``."""
    if word.text.lower() == "mark":
        return _ZONE_OF_MARK
    found = number(word.text, 0xFFFF)
    if found is None:
        raise XtablesError(f"Cannot parse {word.text} as a zone ID")
    return found


def _events(word: Word) -> tuple[str, ...]:
    wanted = word.text.split(",")
    for name in wanted:
        if name not in _EVENTS:
            raise XtablesError(f'Unknown event type "{name}"')
    return tuple(name for name in _EVENTS if name in wanted)


@dataclass(frozen=True, slots=True)
class CtTarget(Target):
    """Zones are -1 for the packet's mark and None where nothing was said."""

    NAME: ClassVar[str] = "CT"
    TABLES: ClassVar[tuple[str, ...] | None] = ("raw",)
    TRACKS: ClassVar[bool] = True
    OPTIONS: ClassVar[tuple[Option, ...]] = (
        Option("notrack"),
        Option("helper", text),
        Option("ctevents", _events),
        Option("zone-orig", _zone),
        Option("zone-reply", _zone),
        Option("zone", _zone),
    )

    notrack: bool
    helper: str
    events: tuple[str, ...]
    zone: int | None
    zone_option: str

    @classmethod
    def read(cls, given: Given) -> CtTarget:
        option = next(
            (name for name in ("zone-orig", "zone-reply", "zone") if name in given.values), ""
        )
        return cls(
            "notrack" in given.values,
            given.get("helper", ""),
            given.get("ctevents", ()),
            given.get(option),
            option,
        )

    @property
    def _zone_text(self) -> str:
        return "mark" if self.zone == _ZONE_OF_MARK else str(self.zone)

    def _parts(self, dashes: str) -> list[str]:
        parts = [f"{dashes}notrack"] if self.notrack else []
        if self.helper:
            parts.append(f"{dashes}helper {self.helper}")
        if self.events:
            parts.append(f"{dashes}ctevents {','.join(self.events)}")
        if self.zone:
            parts.append(f"{dashes}{self.zone_option} {self._zone_text}")
        return parts

    def saved(self) -> str:
        return " ".join(self._parts("--"))

    def shown(self, *, numeric: bool) -> str:  # noqa: ARG002
        return " ".join(["CT", *self._parts("")])

    def nft(self) -> str | None:
        return "notrack" if self.notrack else None

    def act(self, netfilter: Netfilter) -> Act:  # noqa: ARG002
        if self.notrack:
            return _untrack
        template = self._template

        def ask(packet: NfPacket) -> None:
            if packet.track is None and packet.template is None:
                packet.template = template(packet.mark)

        return ask

    def _template(self, mark: int) -> Template:
        zone = mark & 0xFFFF if self.zone == _ZONE_OF_MARK else self.zone or 0
        original = 0 if self.zone_option == "zone-reply" else zone
        reply = 0 if self.zone_option == "zone-orig" else zone
        return Template(original, reply, self.helper, events=self.events or None)


@dataclass(frozen=True, slots=True)
class NotrackTarget(Target):
    """``-j NOTRACK``, what ``-j CT --notrack`` was called once."""

    NAME: ClassVar[str] = "NOTRACK"
    TABLES: ClassVar[tuple[str, ...] | None] = ("raw",)

    @classmethod
    def read(cls, given: Given) -> NotrackTarget:  # noqa: ARG003
        return cls()

    @property
    def shown_name(self) -> str:
        return "CT"

    def saved(self) -> str:
        return ""

    def shown(self, *, numeric: bool) -> str:  # noqa: ARG002
        return "NOTRACK"

    def nft(self) -> str | None:
        return "notrack"

    def act(self, netfilter: Netfilter) -> Act:  # noqa: ARG002
        return _untrack


def _untrack(packet: NfPacket) -> None:
    if packet.track is None and packet.template is None:
        packet.track = UNTRACKED
