"""Whether the kernel takes a table: loops, and what may stand where (nft_chain_validate())."""

from __future__ import annotations

from collections.abc import Iterator

from vnet.linux.netfilter.hooks import Hook
from vnet.linux.netfilter.rule import Description, Rule
from vnet.linux.netfilter.tables import Chain, Table
from vnet.linux.netfilter.xtables.errors import INVALID_ARGUMENT, TOO_MANY_LINKS

_MOST_JUMPS = 16
_EVERYWHERE: frozenset[Hook] = frozenset()


def complaint(table: Table) -> str | None:
    """The kernel's answer to a table that it refuses; None if it takes it."""
    seen: set[tuple[str, Hook]] = set()
    for chain in table.chains.values():
        if chain.hook is not None:
            answer = _walk(table, chain, chain.hook, [chain.name], seen)
            if answer is not None:
                return answer
    for chain in table.chains.values():
        for rule in chain.rules:
            if not _may_stand(table, rule.description, _EVERYWHERE):
                return INVALID_ARGUMENT
    return None


def _walk(
    table: Table, chain: Chain, hook: Hook, way: list[str], seen: set[tuple[str, Hook]]
) -> str | None:
    """Hold all that packets of a hook reach from a chain against where it stands."""
    if (chain.name, hook) in seen:
        return None
    hooks = frozenset((hook,))
    for rule in chain.rules:
        description = rule.description
        if not _may_stand(table, description, hooks):
            return INVALID_ARGUMENT
        after = table.chains.get(description.jump)
        if after is None:
            continue
        if after.name in way or len(way) >= _MOST_JUMPS:
            return TOO_MANY_LINKS
        answer = _walk(table, after, hook, [*way, after.name], seen)
        if answer is not None:
            return answer
    seen.add((chain.name, hook))
    return None


def _may_stand(table: Table, description: Description, hooks: frozenset[Hook]) -> bool:
    header = description.header
    if any(
        net.is_any and header.is_negated(letter)
        for letter, net in (("s", header.source), ("d", header.target))
    ):
        return False
    for extension in description.extensions:
        protocol = extension.needed_protocol()
        if protocol and (header.protocol != protocol or header.is_negated("p")):
            return False
        if not extension.may_stand(table.name, hooks):
            return False
    return True


def rules_of(table: Table) -> Iterator[Rule]:
    """Every rule."""
    for chain in table.chains.values():
        yield from chain.rules
