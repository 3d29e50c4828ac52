"""What commands do to a table: one function a command, which gives the change to make."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from vnet.linux.netfilter.iptables.reading import is_verdict
from vnet.linux.netfilter.iptables.request import check_chain_name
from vnet.linux.netfilter.rule import Description, Rule
from vnet.linux.netfilter.tables import Chain, Table
from vnet.linux.netfilter.targets.table import POLICIES
from vnet.linux.netfilter.xtables.errors import (
    BUSY,
    NO_SUCH_NAME,
    MissingError,
    RefusedError,
    XtablesError,
)

Change = Callable[[Table], None]

_NO_SUCH_RULE = "Bad rule (does a matching rule exist in that chain?)"
_PORT_MATCHES = {"tcp": 6, "udp": 17}


def existing(table: Table, name: str) -> Chain:
    """A chain to be changed, built-in ones made if need be."""
    chain = table.made(name)
    if chain is None:
        raise MissingError(NO_SUCH_NAME)
    return chain


def check_description(table: Table, description: Description) -> None:
    """Whether a rule can be said at all. Raises :class:`XtablesError`."""
    jump = description.jump
    known = jump in table.chains and not table.is_builtin(jump)
    if jump and not known and (description.goto or not is_verdict(jump)):
        raise XtablesError(f"Chain '{jump}' does not exist")
    header = description.header
    for match in description.matches:
        protocol = _PORT_MATCHES.get(match.NAME)
        # Without any option it stays a match of its own, and the kernel judges it.
        if protocol and match.saved() and (header.protocol != protocol or header.is_negated("p")):
            raise XtablesError(f"{match.NAME.upper()} match requires '-p {match.NAME}'")


def append(name: str, rules: Sequence[Rule]) -> Change:
    """``-A``."""

    def change(table: Table) -> None:
        existing(table, name).rules += rules
        table.number(rules)

    return change


def insert(name: str, number: int, rules: Sequence[Rule]) -> Change:
    """``-I``: before the rule of a number, one after the other, so that the last stands first."""

    def change(table: Table) -> None:
        chain = existing(table, name)
        if number > len(chain.rules) + 1:
            raise MissingError("Index of insertion too big")
        chain.rules[number - 1 : number - 1] = reversed(rules)
        table.number(rules)

    return change


def exchange(name: str, number: int, rule: Rule) -> Change:
    """``-R``."""

    def change(table: Table) -> None:
        rules = _rules_of(table, name)
        if number > len(rules):
            raise MissingError("Index of replacement too big")
        rule.handle = rules[number - 1].handle
        rules[number - 1] = rule

    return change


def _rules_of(table: Table, name: str) -> list[Rule]:
    """The rules of a chain that is there already."""
    if name not in table.chains:
        raise MissingError(NO_SUCH_NAME)
    return table.chains[name].rules


def delete_number(name: str, number: int) -> Change:
    """``-D`` with a number."""

    def change(table: Table) -> None:
        rules = _rules_of(table, name)
        if number > len(rules):
            raise MissingError("Index of deletion too big")
        del rules[number - 1]

    return change


def delete(name: str, description: Description) -> Change:
    """``-D`` with a rule's words."""

    def change(table: Table) -> None:
        place = find(table, name, description)
        del table.chains[name].rules[place]

    return change


def find(table: Table, name: str, description: Description) -> int:
    """Where the first rule of these words stands; raises :class:`MissingError`."""
    chain = table.find(name) or Chain(name)
    for place, rule in enumerate(chain.rules):
        if rule.description == description:
            return place
    raise MissingError(_NO_SUCH_RULE)


def chosen(table: Table, name: str | None) -> list[Chain]:
    """The chain of a name, or all that are there."""
    if name is None:
        return list(table.chains.values())
    if table.find(name) is None:
        raise MissingError(NO_SUCH_NAME)
    return [table.chains[name]] if name in table.chains else []


def flush(name: str | None, *, makes: bool = False) -> Change:
    """``-F``: forget the rules. A built-in chain that is named is made if need be, and with
    ``makes`` (which -v does) all of them are."""

    def change(table: Table) -> None:
        for hook in table.hooks if makes else ():
            table.made(hook.name)
        if name is not None:
            table.made(name)
        for chain in chosen(table, name):
            chain.rules.clear()

    return change


def zero(name: str | None, number: int | None) -> Change:
    """``-Z``: begin to count anew."""

    def change(table: Table) -> None:
        if name is not None and number is None and name not in table.chains:
            raise MissingError(NO_SUCH_NAME)
        for chain in chosen(table, name):
            if number is None:
                chain.packet_count = chain.byte_count = 0
            for place, rule in enumerate(chain.rules, 1):
                if number in (None, place):
                    rule.packet_count = rule.byte_count = 0
        if number is not None and name is not None and name not in table.chains:
            raise MissingError(_NO_SUCH_RULE)

    return change


def add_chain(name: str) -> Change:
    """``-N``."""

    def change(table: Table) -> None:
        if table.find(name) is not None:
            raise MissingError("Chain already exists")
        table.add_chain(Chain(name))

    return change


def delete_chains(name: str | None, *, by_name: bool = False) -> Change:
    """``-X``: a chain, or all of users and the built-in ones that do nothing; the oldest first,
    or in the order of their names, which -v asks for."""

    def change(table: Table) -> None:
        if name is not None and name not in table.chains:
            raise MissingError(NO_SUCH_NAME)
        there = [chain for chain in table.listed() if chain.name in table.chains]
        if not by_name:
            there = list(table.chains.values())
        doomed = [chain for chain in there if name in (None, chain.name)]
        if name is None:
            doomed = [c for c in doomed if c.policy is None or _is_idle(c)]
        elif doomed[0].policy == "DROP":
            raise MissingError("Directory not empty")
        for chain in doomed:
            if chain.rules or table.count_references(chain.name):
                raise RefusedError("CHAIN_DEL", BUSY, f"chain {chain.name}")
        for chain in doomed:
            del table.chains[chain.name]

    return change


def _is_idle(chain: Chain) -> bool:
    """Whether a built-in chain does nothing."""
    return not chain.rules and chain.policy == "ACCEPT"


def rename(name: str, new_name: str, family: int) -> Change:
    """``-E``: a user's chain, and all that lead to it."""

    def change(table: Table) -> None:
        if new_name in table.chains:
            raise MissingError("File exists")
        if name not in table.chains or table.is_builtin(name):
            raise MissingError(NO_SUCH_NAME)
        check_chain_name(new_name, family)
        table.chains = {
            (new_name if other == name else other): chain for other, chain in table.chains.items()
        }
        table.chains[new_name].name = new_name
        for chain in table.chains.values():
            chain.rules = [_led_to(rule, name, new_name) for rule in chain.rules]

    return change


def _led_to(rule: Rule, name: str, new_name: str) -> Rule:
    if rule.description.jump != name:
        return rule
    words = rule.description
    renamed = Description(words.header, words.matches, words.target, new_name, words.goto)
    return replace(rule, description=renamed)


def set_policy(name: str, policy: str, counters: tuple[int, int] | None) -> Change:
    """``-P``."""

    def change(table: Table) -> None:
        if not table.is_builtin(name):
            raise MissingError("Bad built-in chain name")
        if policy not in POLICIES:
            raise MissingError("Bad policy name", " Run `dmesg' for more information.")
        chain = existing(table, name)
        chain.policy = policy
        if counters is not None:
            chain.packet_count, chain.byte_count = counters

    return change
