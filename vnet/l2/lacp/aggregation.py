"""An aggregation: the links of one bond, and the choice of those that may carry frames.

The rules are those of Open vSwitch. Links attach where they lead to the same partner, by its
system and key, as the lead does: the link with the highest priority, but one that works already
goes before any that does not.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from dataclasses import dataclass
from enum import Enum
from typing import Generic, TypeVar

from vnet.base.ids import Mac
from vnet.l2.lacp.member import FAST_NS, SLOW_NS, Member, PortSettings, Status, is_old_news
from vnet.wire.lacp import Info, Pdu, State, is_marker, parse

PortT = TypeVar("PortT", bound=Hashable)

MIN_LINKS = 2
"""A single link says of itself that it does not aggregate."""


class Negotiation(Enum):
    """How far a bond has come; the value is what ``bond/show`` calls it."""

    OFF = "off"  # no LACP at all
    CONFIGURED = "configured"  # no partner
    NEGOTIATED = "negotiated"


@dataclass(frozen=True, slots=True)
class Settings:
    """What a system says of itself. ``fallback``: links without a partner may be used, one at a
    time (``lacp-fallback-ab``).
    """

    name: str
    system: Mac
    system_priority: int
    active: bool
    fast: bool = False
    fallback: bool = False


class Aggregation(Generic[PortT]):
    """The links of one bond. ``PortT`` is what the owner knows a link by.

    ``changed`` is set when :meth:`run` has found something that the owner should look at.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.is_negotiated = False
        self.changed = False
        self._members: dict[PortT, Member] = {}
        self._key_port: PortT | None = None
        self._must_select = True

    # -- what the owner asks

    @property
    def status(self) -> Negotiation:
        """How far it has come."""
        return Negotiation.NEGOTIATED if self.is_negotiated else Negotiation.CONFIGURED

    @property
    def key(self) -> int | None:
        """The number of the aggregation; None where it has no link."""
        if self._key_port is None:
            return None
        settings = self._members[self._key_port].settings
        return settings.key or settings.port

    def members(self) -> Iterator[Member]:
        """All links, in the order of their coming."""
        return iter(self._members.values())

    def may_enable(self, port: PortT) -> bool:
        """Whether a link, which has a carrier, may carry frames."""
        member = self._members[port]
        member.carrier = True
        return self.is_usable(member)

    def is_current(self, port: PortT) -> bool:
        """Whether the partner has been heard, and not so long ago that all is forgotten."""
        return self._members[port].status is not Status.DEFAULTED

    def is_usable(self, member: Member) -> bool:
        """Whether a link is attached, and its partner agrees or need not."""
        falls_back = self.settings.fallback and member.status is Status.DEFAULTED
        return member.attached and (State.SYNCHRONIZATION in member.partner.state or falls_back)

    # -- what the owner tells

    def configure(self, settings: Settings) -> None:
        """Say something else of ourselves from now on."""
        old, self.settings = self.settings, settings
        if (old.system, old.system_priority, old.fallback) != (
            settings.system,
            settings.system_priority,
            settings.fallback,
        ):
            self._must_select = True

    def set_port(self, port: PortT, settings: PortSettings, now_ns: int) -> None:
        """A link, new or with other settings."""
        member = self._members.get(port)
        if member is None:
            member = self._members[port] = Member(settings.name)
            self._must_select = True
            if self._key_port is None:
                self._key_port = port
        old, member.settings = member.settings, settings
        if (old.port, old.priority, old.key) != (settings.port, settings.priority, settings.key):
            self._must_select = True
            if self.settings.active or self.is_negotiated:
                member.set_expired(now_ns)

    def remove_port(self, port: PortT) -> None:
        """A link is no more; unknown ones are passed over."""
        if self._members.pop(port, None) is not None:
            self._must_select = True
            if self._key_port == port:
                self._key_port = next(iter(self._members), None)

    def carrier_changed(self, port: PortT, carrier: bool, now_ns: int) -> None:
        """The link went down or came up, or both in turn."""
        member = self._members[port]
        if member.status is Status.CURRENT or self.settings.active:
            member.set_expired(now_ns)
        if member.carrier != carrier:
            member.carrier = carrier
            member.counters.carrier_changed += 1

    def receive(self, port: PortT, payload: bytes, now_ns: int) -> bool:
        """A frame of the slow protocols came in; returns whether its link may be used now."""
        member = self._members[port]
        member.counters.rx_pdus += 1
        pdu = parse(payload)
        if pdu is None:
            if is_marker(payload):
                member.counters.rx_markers += 1
            else:
                member.counters.rx_bad += 1
            return False
        if not member.carrier:
            return False
        member.set_current(now_ns, FAST_NS if self.settings.fast else SLOW_NS)
        member.told = pdu.partner
        if member.partner != pdu.actor:
            member.partner = pdu.actor
            self._must_select = True
        return self.is_usable(member)

    # -- time

    def run(self, now_ns: int) -> list[tuple[PortT, Pdu]]:
        """Do what is due, and return what to send by which link."""
        for member in self._members.values():
            if now_ns >= member.receive_by_ns:
                self._miss(member, now_ns)
        if self._must_select:
            self._select()
            self.changed = True
        return list(self._speak(now_ns))

    def next_due_ns(self) -> int | None:
        """When :meth:`run` has something to do even if nothing happens."""
        times = [
            m.receive_by_ns for m in self._members.values() if m.status is not Status.DEFAULTED
        ]
        times += [m.send_at_ns for m in self._members.values() if self._may_speak(m)]
        return min(times, default=None)

    def take_changed(self) -> bool:
        """Whether something has changed since the last time somebody asked."""
        changed, self.changed = self.changed, False
        return changed

    def _miss(self, member: Member, now_ns: int) -> None:
        """The partner was not heard in time."""
        if member.status is Status.CURRENT:
            member.set_expired(now_ns)
            member.counters.link_expired += 1
        elif member.status is Status.EXPIRED:
            member.set_defaulted()
            member.counters.link_defaulted += 1
            self._must_select = True
        else:
            return
        self.changed = True

    def _may_speak(self, member: Member) -> bool:
        heard = member.status is not Status.DEFAULTED
        return member.carrier and (self.settings.active or heard)

    def _speak(self, now_ns: int) -> Iterator[tuple[PortT, Pdu]]:
        for port, member in self._members.items():
            if not self._may_speak(member):
                continue
            actor = self.actor(member)
            if now_ns >= member.send_at_ns or not is_old_news(member.told, actor):
                member.sent(actor, now_ns)
                self.changed = True
                yield port, Pdu(actor, member.partner)

    # -- selection

    def actor(self, member: Member) -> Info:
        """What this end says of a link."""
        settings = self.settings
        says = {
            State.ACTIVITY: settings.active,
            State.TIMEOUT: settings.fast,
            State.AGGREGATION: len(self._members) >= MIN_LINKS,
            State.SYNCHRONIZATION: member.attached,
            State.COLLECTING | State.DISTRIBUTING: member.attached or not self.is_negotiated,
            State.DEFAULTED: member.status is Status.DEFAULTED,
            State.EXPIRED: member.status is Status.EXPIRED,
        }
        return Info(
            settings.system_priority,
            settings.system,
            self.key or 0,
            member.settings.priority,
            member.settings.port,
            State(sum(state for state, is_so in says.items() if is_so)),
        )

    def _select(self) -> None:
        """Decide which links are attached."""
        self._must_select = False
        members = self._members.values()
        working = [m for m in members if m.attached and m.status is Status.CURRENT]
        lead = min(working, key=self._rank, default=None)
        candidates = []
        for member in members:
            member.attached = self._may_attach(member, lead)
            if member.attached and member.status is not Status.DEFAULTED:
                candidates.append(member)
        lead = lead or min(candidates, key=self._rank, default=None)
        self.is_negotiated = lead is not None
        if lead is not None:
            for member in members:
                member.attached = member.attached and self._agrees(member, lead)

    def _may_attach(self, member: Member, lead: Member | None) -> bool:
        if member.partner.system == self.settings.system:
            return False  # a cable from the bond to itself
        if member.status is Status.DEFAULTED:
            return self.settings.fallback
        return lead is None or member.partner.system == lead.partner.system

    def _agrees(self, member: Member, lead: Member) -> bool:
        """Whether a link leads where the lead does."""
        if self.settings.fallback and member.status is Status.DEFAULTED:
            return False
        ours, theirs = member.partner, lead.partner
        return (ours.system, ours.key) == (theirs.system, theirs.key)

    def _rank(self, member: Member) -> tuple[int, bytes, int, int]:
        """A link's priority, the lowest first, in the eyes of the system that has the say."""
        own = self.settings.system_priority, self.settings.system
        partner = member.partner.system_priority, member.partner.system
        if own < partner:
            return (*own, member.settings.priority, member.settings.port)
        return (*partner, member.partner.port_priority, member.partner.port)
