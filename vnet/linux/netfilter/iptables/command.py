"""iptables(8) and ip6tables(8): one command."""

from __future__ import annotations

from collections.abc import Sequence

from vnet.linux.netfilter.iptables import changes
from vnet.linux.netfilter.iptables.reading import CommandReader
from vnet.linux.netfilter.iptables.request import Command
from vnet.linux.netfilter.iptables.usage import usage
from vnet.linux.netfilter.iptables.writing import (
    View,
    described,
    listed_chain,
    specified_line,
)
from vnet.linux.netfilter.rule import Rule
from vnet.linux.netfilter.ruleset import Ruleset, Step
from vnet.linux.netfilter.tables import TABLES, Chain, Table
from vnet.linux.netfilter.xtables.errors import (
    BAD_VERSION,
    FAILED,
    REFUSED,
    VERSION,
    XtablesError,
)

_REQUESTS = {"A": "RULE_APPEND", "I": "RULE_INSERT", "R": "RULE_REPLACE", "D": "RULE_DELETE"}


class IncompatibleError(XtablesError):
    """A chain is asked for that is not there."""

    def __init__(self, chain: str, table: str) -> None:
        super().__init__(
            f"chain `{chain}' in table `{table}' is incompatible, use 'nft' tool.", FAILED
        )


def run_command(ruleset: Ruleset, words: Sequence[str]) -> str:
    """Carry out a command. Returns what it prints; raises :class:`XtablesError`."""
    command = CommandReader(ruleset.family, words).read()
    if command.special == "V":
        return f"{ruleset.program} v{VERSION}\n"
    if command.special == "h":
        return usage(ruleset.program)
    if command.table not in TABLES:
        raise XtablesError(f"table '{command.table}' does not exist", BAD_VERSION)
    out, printed = "".join(command.notices), ""
    try:
        for action in command.actions:
            if action in "LS":
                out += _show(ruleset, command, action)
        step, printed = step_of(ruleset, command)
        if step is not None:
            ruleset.apply(command.table, [step])
    except XtablesError as error:
        # What the tool itself finds wrong it finds before it prints, but for rules to append.
        late = error.status == REFUSED or (command.action == "A" and error.status == FAILED)
        error.printed = out + printed if late else out
        raise
    return out + printed


def step_of(ruleset: Ruleset, command: Command, line: int | None = None) -> tuple[Step | None, str]:
    """The change that a command asks for, and what -v prints of it."""
    action = "Z" if "Z" in command.actions else command.action
    change = _change(ruleset, command, action)
    if change is None:
        return None, ""
    about = f"rule in chain {command.chain}" if action in _REQUESTS else f"chain {command.chain}"
    before = (command.chain or "", command.number or 1) if action == "I" else None
    step = Step(change, _REQUESTS.get(action, "CHAIN_DEL"), about, line, before)
    return step, _verbose(ruleset, command, action) if command.verbosity else ""


def _change(ruleset: Ruleset, command: Command, action: str) -> changes.Change | None:
    chain, number = command.chain or "", command.number
    match action:
        case "A" | "I" | "R" | "D" | "C":
            return _rule_change(command, action)
        case "F":
            makes = command.verbosity > 0 and command.chain is None
            return changes.flush(command.chain, makes=makes)
        case "Z":
            return changes.zero(command.chain, number)
        case "N":
            return changes.add_chain(chain)
        case "X":
            return changes.delete_chains(command.chain, by_name=command.verbosity > 0)
        case "E":
            return changes.rename(chain, command.new_name, ruleset.family)
        case "P":
            counters = command.counters if command.has("c") else None
            return changes.set_policy(chain, command.policy, counters)
    return None


def _rule_change(command: Command, action: str) -> changes.Change:
    chain, number = command.chain or "", command.number
    if action == "D" and number is not None:
        return changes.delete_number(chain, number)
    descriptions = command.descriptions

    def change(table: Table) -> None:
        for description in descriptions:
            changes.check_description(table, description)
        rules = [Rule(description, *command.counters) for description in descriptions]
        if action == "A":
            changes.append(chain, rules)(table)
        elif action == "I":
            changes.insert(chain, number or 1, rules)(table)
        elif action == "R":
            changes.exchange(chain, number or 1, rules[0])(table)
        else:
            for description in descriptions:
                if action == "D":
                    changes.delete(chain, description)(table)
                else:
                    changes.find(table, chain, description)

    return change


def _verbose(ruleset: Ruleset, command: Command, action: str) -> str:
    if action == "D" and command.number is not None:
        return ""
    if action in "AIRDC":
        return "".join(described(description) for description in command.descriptions)
    words = {"F": "Flushing", "Z": "Zeroing", "X": "Deleting"}.get(action)
    if words is None:
        return ""
    names = _names(ruleset, command, action)
    if command.chain is not None:
        names = [command.chain] if action != "X" or command.chain in names else []
    return "".join(f"{words} chain `{name}'\n" for name in names)


def _names(ruleset: Ruleset, command: Command, action: str) -> list[str]:
    """The chains that are there; -F makes what a table has by itself, and -X tells of others."""
    table = ruleset.table(command.table)
    if action == "F":
        return [chain.name for chain in table.listed()]
    listed = (chain for chain in table.listed() if chain.name in table.chains)
    return [chain.name for chain in listed if action != "X" or chain.policy is None]


def _show(ruleset: Ruleset, command: Command, action: str) -> str:
    table = ruleset.table(command.table)
    chains = list(table.listed())
    if command.chain is not None:
        chains = [chain for chain in chains if chain.name == command.chain]
        if not chains:
            raise IncompatibleError(command.chain, table.name)
    if action == "S":
        return _specified(chains, command)
    view = View(command.has("n"), command.verbosity > 0, command.has("x"), command.has("0"))
    between = "" if command.number is not None else "\n"
    return between.join(listed_chain(table, chain, view, command.number) for chain in chains)


def _specified(chains: list[Chain], command: Command) -> str:
    counters = command.verbosity > 0
    lines = []
    if command.number is None:
        for chain in chains:
            lines.append(_chain_line(chain, counters=counters))
    for chain in chains:
        for place, rule in enumerate(chain.rules, 1):
            if command.number in (None, place):
                lines.append(specified_line(chain.name, rule, counters=counters))
    return "".join(f"{line}\n" for line in lines)


def _chain_line(chain: Chain, *, counters: bool) -> str:
    if chain.policy is None:
        return f"-N {chain.name}"
    counted = f" -c {chain.packet_count} {chain.byte_count}" if counters else ""
    return f"-P {chain.name} {chain.policy}{counted}"
