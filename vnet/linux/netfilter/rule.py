"""A rule: which packets it means, and what becomes of them."""

from __future__ import annotations

from dataclasses import dataclass

from vnet.linux.netfilter.iptables.interface import ANY_INTERFACE, Interface
from vnet.linux.netfilter.xtables.extension import Extension, Match, Target
from vnet.linux.netfilter.xtables.values import Net, any_net


@dataclass(frozen=True, slots=True)
class Header:
    """What a rule says of the IP header and the devices. ``fragment`` means later fragments.

    ``negated`` has the letters of the options that stand behind a ``!``.
    """

    family: int
    source: Net
    target: Net
    entered: Interface = ANY_INTERFACE
    leaves: Interface = ANY_INTERFACE
    protocol: int = 0
    fragment: bool = False
    negated: frozenset[str] = frozenset()

    def is_negated(self, letter: str) -> bool:
        return letter in self.negated


def any_header(family: int) -> Header:
    """Every packet of a family."""
    return Header(family, any_net(family), any_net(family))


@dataclass(frozen=True, slots=True)
class Description:
    """What makes two rules the same. ``jump`` is ACCEPT, DROP, RETURN or a chain's name where
    there is no ``target``; with ``goto`` the chain is not come back from."""

    header: Header
    matches: tuple[Match, ...] = ()
    target: Target | None = None
    jump: str = ""
    goto: bool = False

    @property
    def extensions(self) -> tuple[Extension, ...]:
        """Matches and target."""
        return self.matches if self.target is None else (*self.matches, self.target)


@dataclass(slots=True, eq=False)
class Rule:
    """A rule in its chain, and what it has counted. ``handle`` is its number in the table."""

    description: Description
    packet_count: int = 0
    byte_count: int = 0
    handle: int = 0
