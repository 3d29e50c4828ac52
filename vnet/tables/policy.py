"""Policy routing: rules say which tables a packet is looked up in (net/core/fib_rules.c).

Rules are asked in order of their priority; the first table that knows a route decides. A route of
type throw, and a table that knows none, pass the question on.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import Enum
from typing import Generic, NamedTuple, TypeVar

from vnet.base.ids import IpAddress, network_of
from vnet.tables.fib import Fib, Route, RouteType

DeviceT = TypeVar("DeviceT")

TABLE_DEFAULT = 253
TABLE_MAIN = 254
TABLE_LOCAL = 255
MAIN_PRIORITY = 32_766
DEFAULT_PRIORITY = 32_767

LOOPBACK = "lo"
"""What rules call the device that our own packets come in by."""


class Flow(NamedTuple):
    """What routing may look at. ``source`` is empty while it is not chosen yet.

    ``iif`` is the device that a packet came in by, "lo" for our own; ``oif`` one that it must
    leave by. ``tos`` is without the two bits of ECN.
    """

    target: bytes
    source: bytes = b""
    iif: str = LOOPBACK
    oif: str | None = None
    tos: int = 0
    mark: int = 0
    protocol: int = 0
    source_port: int = 0
    target_port: int = 0


class RuleAction(Enum):
    """What a rule does; the values are rtnetlink's (FR_ACT_*)."""

    LOOKUP = 1
    GOTO = 2
    NOP = 3
    BLACKHOLE = 6
    UNREACHABLE = 7
    PROHIBIT = 8

    @property
    def word(self) -> str:
        return self.name.lower()


_REFUSALS = {
    RuleAction.BLACKHOLE: RouteType.BLACKHOLE,
    RuleAction.UNREACHABLE: RouteType.UNREACHABLE,
    RuleAction.PROHIBIT: RouteType.PROHIBIT,
}


class RulePrefix(NamedTuple):
    network: IpAddress
    prefix_length: int

    def holds(self, ip: bytes) -> bool:
        """An address that is not chosen yet is in a prefix of length 0 alone."""
        if not self.prefix_length:
            return True
        return bool(ip) and network_of(ip, self.prefix_length) == self.network


class Ports(NamedTuple):
    first: int
    last: int


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule; what is None or 0 is not asked about. ``inverted`` is ``not`` before all of it.

    ``mark_mask`` says which bits of the mark count. ``goto`` is the priority to go on from.
    ``suppress_length`` passes over what a table answers with a prefix no longer than that.
    """

    priority: int
    action: RuleAction = RuleAction.LOOKUP
    table: int = TABLE_MAIN
    source: RulePrefix | None = None
    target: RulePrefix | None = None
    iif: str | None = None
    oif: str | None = None
    tos: int = 0
    mark: int = 0
    mark_mask: int = 0
    protocol: int = 0
    source_ports: Ports | None = None
    target_ports: Ports | None = None
    inverted: bool = False
    goto: int = 0
    suppress_length: int | None = None
    origin: str = "boot"
    """Who made it (RTPROT_*): the kernel, or the administrator."""

    def matches(self, flow: Flow) -> bool:
        """Whether the rule speaks of a packet."""
        return self._holds(flow) is not self.inverted

    def _holds(self, flow: Flow) -> bool:
        return (
            (self.iif is None or self.iif == flow.iif)
            and (self.oif is None or self.oif == flow.oif)
            and (flow.mark ^ self.mark) & self.mark_mask == 0
            and (self.source is None or self.source.holds(flow.source))
            and (self.target is None or self.target.holds(flow.target))
            and (not self.tos or self.tos == flow.tos)
            and (not self.protocol or self.protocol == flow.protocol)
            and (self.source_ports is None or _within(flow.source_port, self.source_ports))
            and (self.target_ports is None or _within(flow.target_port, self.target_ports))
        )


def _within(port: int, ports: Ports) -> bool:
    return ports.first <= port <= ports.last


LOCAL_RULE = Rule(0, table=TABLE_LOCAL, origin="kernel")
MAIN_RULE = Rule(MAIN_PRIORITY, table=TABLE_MAIN, origin="kernel")
DEFAULT_RULE = Rule(DEFAULT_PRIORITY, table=TABLE_DEFAULT, origin="kernel")

Usable = Callable[[Route[DeviceT], Flow], bool]


class Policy(Generic[DeviceT]):
    """The rules and tables of one address family. IPv6 has no table ``default``."""

    __slots__ = ("_ip_bytes", "has_own_rules", "rules", "tables")

    def __init__(self, ip_bytes: int) -> None:
        self._ip_bytes = ip_bytes
        self.rules: list[Rule] = [LOCAL_RULE, MAIN_RULE]
        if ip_bytes == 4:
            self.rules.append(DEFAULT_RULE)
        self.tables: dict[int, Fib[DeviceT]] = {}
        self.has_own_rules = False
        """Whether anything but the rules that every machine has is asked."""

    def table(self, number: int) -> Fib[DeviceT]:
        """A table by its number; made when first spoken of."""
        found = self.tables.get(number)
        if found is None:
            found = self.tables[number] = Fib(self._ip_bytes)
        return found

    def __iter__(self) -> Iterator[Route[DeviceT]]:
        """Every route of every table."""
        for number in sorted(self.tables):
            yield from self.tables[number]

    # -- rules

    def next_priority(self) -> int:
        """Where a rule without a priority goes: before the first one that has any."""
        later = [rule.priority for rule in self.rules[1:]]
        return max(later[0] - 1, 0) if later else 0

    def add_rule(self, rule: Rule) -> None:
        """Add a rule, behind those of its priority."""
        self.rules.append(rule)
        self.rules.sort(key=lambda r: r.priority)
        self._judge_rules()

    def remove_rule(self, rule: Rule) -> None:
        """Take a rule away that is there."""
        self.rules.remove(rule)
        self._judge_rules()

    def _judge_rules(self) -> None:
        usual = (LOCAL_RULE, MAIN_RULE, DEFAULT_RULE)
        self.has_own_rules = LOCAL_RULE not in self.rules or any(
            rule not in usual for rule in self.rules
        )

    def leads_on(self, rule: Rule) -> bool:
        """Whether there is a rule to go on at; a goto to none does nothing."""
        return any(other.priority == rule.goto for other in self.rules)

    # -- lookups

    def lookup(self, flow: Flow, usable: Usable[DeviceT]) -> Route[DeviceT] | None:
        """The route that a packet takes, or None if nothing knows one.

        ``usable`` says whether a route serves a flow now, by its TOS and the state of devices.
        What a rule refuses looks like a route that does.
        """
        from_priority = 0
        for rule in self.rules:
            if rule.priority < from_priority or not rule.matches(flow):
                continue
            if rule.action is RuleAction.GOTO:
                from_priority = rule.goto if self.leads_on(rule) else 0
                continue
            refusal = _REFUSALS.get(rule.action)
            if refusal is not None:
                return Route(IpAddress(bytes(self._ip_bytes)), 0, type=refusal)
            if rule.action is RuleAction.LOOKUP:
                route = self._lookup_in(rule, flow, usable)
                if route is not None:
                    return route
        return None

    def _lookup_in(self, rule: Rule, flow: Flow, usable: Usable[DeviceT]) -> Route[DeviceT] | None:
        table = self.tables.get(rule.table)
        if table is None:
            return None
        for route in table.matches(flow.target):
            if not usable(route, flow):
                continue
            if route.type is RouteType.THROW:
                return None
            suppressed = rule.suppress_length is not None and (
                route.prefix_length <= rule.suppress_length
            )
            return None if suppressed else route
        return None
