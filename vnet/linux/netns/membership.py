"""What IGMP and MLD hosts have in common: joined groups and when to report them.

A change of membership is reported ``qrv`` times (RFC 3376 section 4.2.12 and RFC 3810
section 6.1 call it the robustness variable): once a moment later, so that changes made
together travel together, and again after a random part of a second. A query is answered
after a random part of the time it allows.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

from vnet.linux.timer_wheel import JIFFY_NS, KernelTimer
from vnet.wire.igmp import CHANGE_TO_EXCLUDE, CHANGE_TO_INCLUDE, MODE_IS_EXCLUDE, Record

if TYPE_CHECKING:
    from vnet.base.chance import Stream
    from vnet.linux.netns.interface import Interface

_UNSOLICITED_INTERVAL_NS = 1_000_000_000


class Group:
    """A joined group: how often it was joined, and how many change reports are still due."""

    __slots__ = ("changes_due", "ip", "users")

    def __init__(self, ip: bytes) -> None:
        self.ip = ip
        self.users = 0
        self.changes_due = 0


class GroupMembership(ABC):
    """The groups of one address family on one interface.

    ``groups`` keeps the kernel's order, the newest first, which is the order of a report.
    """

    protocol = ""

    __slots__ = (
        "_chance",
        "_left",
        "_query_timers",
        "_repeats",
        "_report_timer",
        "groups",
        "interface",
    )

    def __init__(self, interface: Interface) -> None:
        self.interface = interface
        self.groups: list[Group] = []
        self._left: dict[bytes, int] = {}
        self._repeats = 0
        self._chance: Stream | None = None
        self._report_timer = KernelTimer(interface.device.scheduler, self._report_changes)
        self._query_timers: dict[bytes, KernelTimer] = {}

    # -- what the protocols differ in

    @property
    @abstractmethod
    def robustness(self) -> int:
        """How often a change is reported."""

    @abstractmethod
    def is_reported(self, group: bytes) -> bool:
        """Whether membership of ``group`` is told to anybody."""

    @abstractmethod
    def send_report(self, records: tuple[Record, ...]) -> None:
        """Put a report on the wire."""

    # -- membership

    def is_member(self, group: bytes) -> bool:
        """Whether packets to ``group`` are wanted here."""
        # A plain loop, three times as fast: every card asks this of every frame of a flood.
        for joined in self.groups:  # noqa: SIM110
            if joined.ip == group:
                return True
        return False

    def join(self, group: bytes) -> None:
        """One more user of ``group``; the first one's joining is reported."""
        joined = next((g for g in self.groups if g.ip == group), None)
        if joined is not None:
            joined.users += 1
            return
        joined = Group(group)
        joined.users = 1
        self.groups.insert(0, joined)
        self._left.pop(group, None)
        if self.is_reported(group):
            joined.changes_due = self.robustness
            self._changed()

    def leave(self, group: bytes) -> None:
        """One user less; the last one's leaving is reported."""
        joined = next((g for g in self.groups if g.ip == group), None)
        if joined is None:
            return
        joined.users -= 1
        if joined.users > 0:
            return
        self.groups.remove(joined)
        if self.is_reported(group) and self.interface.device.running:
            self.tell_leaving(group)

    def tell_leaving(self, group: bytes) -> None:
        """Say that nobody here wants ``group`` any more."""
        self._left[group] = self.robustness
        self._changed()

    def report_all(self) -> None:
        """The link came back, or a source address was won: tell everything again."""
        for group in self.groups:
            if self.is_reported(group.ip):
                group.changes_due = self.robustness
        if any(group.changes_due for group in self.groups):
            self._changed()

    def forget_timers(self) -> None:
        """The link went down: nothing more to say for now."""
        self._report_timer.cancel()
        self._left.clear()
        for timer in self._query_timers.values():
            timer.cancel()
        self._query_timers.clear()

    def forget_changes(self) -> None:
        """What was to be reported of joins and leaves is not."""
        self._report_timer.cancel()
        self._repeats = 0
        self._left.clear()

    # -- reports

    @property
    def chance(self) -> Stream:
        """Random delays; made when first needed, since most interfaces never are."""
        if self._chance is None:
            namespace = self.interface.namespace
            name = f"{namespace.name}:{self.interface.device.name} {self.protocol}"
            self._chance = namespace.chance.stream(name)
        return self._chance

    def _changed(self) -> None:
        if self.interface.device.running:
            self._repeats = self.robustness
            self._report_timer.arm(2 * JIFFY_NS)

    def _report_changes(self) -> None:
        records = [
            Record(CHANGE_TO_EXCLUDE, group.ip) for group in self.groups if group.changes_due
        ]
        records += [Record(CHANGE_TO_INCLUDE, ip) for ip in self._left]
        for group in self.groups:
            group.changes_due = max(0, group.changes_due - 1)
        self._left = {ip: due - 1 for ip, due in self._left.items() if due > 1}
        if records:
            self.send_report(tuple(records))
        self._repeats -= 1
        if self._repeats > 0:
            self._report_timer.arm(self.unsolicited_delay_ns())

    def unsolicited_delay_ns(self) -> int:
        """How long to wait before a report is repeated."""
        return self.chance.randrange(_UNSOLICITED_INTERVAL_NS) + 2 * JIFFY_NS

    def answer_query(self, group: bytes, max_response_ns: int) -> None:
        """A querier asks, for everything (an all-zero ``group``) or for one group."""
        general = not any(group)
        if not general and not self.is_member(group):
            return
        timer = self._query_timers.get(group)
        if timer is None:
            scheduler = self.interface.device.scheduler
            timer = self._query_timers[group] = KernelTimer(scheduler, self._answer, group)
        delay_ns = self.chance.randrange(max(max_response_ns, 1))
        now_ns = self.interface.device.scheduler.now_ns
        if timer.due_ns is None or now_ns + delay_ns < timer.due_ns:
            timer.arm(delay_ns)

    def _answer(self, group: bytes) -> None:
        del self._query_timers[group]
        records = tuple(
            Record(MODE_IS_EXCLUDE, joined.ip)
            for joined in self.groups
            if self.is_reported(joined.ip) and (not any(group) or joined.ip == group)
        )
        if records:
            self.send_report(records)
