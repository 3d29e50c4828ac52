"""Tables, chains and rules of one family, as they stand (Documentation: iptables(8))."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from vnet.linux.netfilter.hooks import Hook, Priority

if TYPE_CHECKING:
    from vnet.linux.netfilter.rule import Rule

_NAT = {
    Hook.PREROUTING: Priority.NAT_DESTINATION,
    Hook.INPUT: Priority.NAT_SOURCE,
    Hook.OUTPUT: Priority.NAT_DESTINATION,
    Hook.POSTROUTING: Priority.NAT_SOURCE,
}
_LOCAL = (Hook.INPUT, Hook.FORWARD, Hook.OUTPUT)

TABLES: dict[str, dict[Hook, Priority]] = {
    "mangle": dict.fromkeys(Hook, Priority.MANGLE),
    "security": dict.fromkeys(_LOCAL, Priority.SECURITY),
    "raw": dict.fromkeys((Hook.PREROUTING, Hook.OUTPUT), Priority.RAW),
    "filter": dict.fromkeys(_LOCAL, Priority.FILTER),
    "nat": _NAT,
}
"""The chains of each table and when they look; tables in the order of iptables-save."""


class Chain:
    """Rules in order. ``policy`` is None of a user's chain; its counters are for packets that no
    rule decided about. ``handle`` is its number in the table."""

    __slots__ = ("byte_count", "handle", "hook", "name", "packet_count", "policy", "rules")

    def __init__(self, name: str, hook: Hook | None = None) -> None:
        self.name = name
        self.handle = 0
        self.hook = hook
        self.policy = None if hook is None else "ACCEPT"
        self.packet_count = 0
        self.byte_count = 0
        self.rules: list[Rule] = []

    def copy(self) -> Chain:
        """The same rules in a list of its own."""
        other = Chain(self.name, self.hook)
        other.policy, other.handle = self.policy, self.handle
        other.packet_count, other.byte_count = self.packet_count, self.byte_count
        other.rules = list(self.rules)
        return other


class Table:
    """Chains in the order of their making. Built-in ones are made when first needed.

    ``handle`` is its number among the machine's tables; those of older ones are smaller. Its chains
    and rules are numbered, too, as they are made, all in one row; no number is given twice.
    """

    __slots__ = ("_last_handle", "chains", "handle", "name")

    def __init__(self, name: str) -> None:
        self.name = name
        self.chains: dict[str, Chain] = {}
        self.handle = 0
        self._last_handle = 0

    def copy(self) -> Table:
        """A table that can be changed without changing this one."""
        other = Table(self.name)
        other.handle, other._last_handle = self.handle, self._last_handle
        other.chains = {name: chain.copy() for name, chain in self.chains.items()}
        return other

    @property
    def hooks(self) -> dict[Hook, Priority]:
        """Where its built-in chains hang."""
        return TABLES[self.name]

    def find(self, name: str) -> Chain | None:
        """A chain that is there, or a built-in one that would be."""
        found = self.chains.get(name)
        return found or (Chain(name, self.hook_of(name)) if self.is_builtin(name) else None)

    def made(self, name: str) -> Chain | None:
        """The same, to be changed: a built-in chain is made if need be."""
        found = self.find(name)
        if found is not None and name not in self.chains:
            self.add_chain(found)
        return found

    def add_chain(self, chain: Chain) -> None:
        """Put a new chain behind the others."""
        self._last_handle += 1
        chain.handle = self._last_handle
        self.chains[chain.name] = chain

    def number(self, rules: Sequence[Rule]) -> None:
        """Give new rules their numbers."""
        for rule in rules:
            self._last_handle += 1
            rule.handle = self._last_handle

    def is_builtin(self, name: str) -> bool:
        return name in Hook.__members__ and Hook[name] in self.hooks

    def hook_of(self, name: str) -> Hook:
        return Hook[name]

    def listed(self) -> Iterator[Chain]:
        """All chains as iptables shows them: the built-in ones, then the others by name."""
        for hook in self.hooks:
            yield self.chains.get(hook.name) or Chain(hook.name, hook)
        for name in sorted(self.chains):
            if not self.is_builtin(name):
                yield self.chains[name]

    def count_references(self, name: str) -> int:
        """How many rules lead to a chain."""
        return sum(
            rule.description.jump == name for chain in self.chains.values() for rule in chain.rules
        )
