"""Steps about rules and connections, carried out on a machine."""

from __future__ import annotations

from typing import Any

from vnet.base.errors import VnetError
from vnet.lab.network import Network
from vnet.linux.netfilter.tools import NetfilterTools
from vnet.linux.netns.namespace import Namespace
from vnet.tables.conntrack.linux import status
from vnet.topology.scenario.netfilter_steps import ConntrackStep, RulesStep


def netfilter_act(network: Network, step: RulesStep | ConntrackStep) -> dict[str, Any]:
    """What a step about rules or connections sees. Raises :class:`VnetError`."""
    if isinstance(step, RulesStep):
        return read_rules(network, step)
    return look_at_connections(network, step)


def read_rules(network: Network, step: RulesStep) -> dict[str, Any]:
    """How many rules there are of those that are meant, and what they have counted together.

    Raises :class:`VnetError` where there is no such chain or rule.
    """
    ruleset = NetfilterTools(_namespace(network, step.machine)).rules(step.family)
    chains = [c for c in ruleset.table(step.table).listed() if step.chain in (None, c.name)]
    if not chains:
        raise VnetError(f"table {step.table} of {step.machine} has no chain {step.chain}")
    rules = [rule for chain in chains for rule in chain.rules]
    if step.rule is not None:
        rules = rules[step.rule - 1 : step.rule]
        if not rules:
            raise VnetError(f"chain {step.chain} of {step.machine} has no rule {step.rule}")
    return {
        "rules": len(rules),
        "packets": sum(rule.packet_count for rule in rules),
        "bytes": sum(rule.byte_count for rule in rules),
        "policy_packets": sum(chain.packet_count for chain in chains),
    }


def look_at_connections(network: Network, step: ConntrackStep) -> dict[str, Any]:
    """How many connections there are, of those that are meant; then they may be deleted."""
    tools = NetfilterTools(_namespace(network, step.machine))
    found = tools.connections.entries(step.words)
    counted = [way for entry in found for way in entry.counted or ()]
    if {"-D", "--delete", "-F", "--flush"} & set(step.words):
        tools.conntrack(step.words)
    return {
        "entries": len(found),
        "assured": sum(bool(entry.status & status.ASSURED) for entry in found),
        "unreplied": sum(not entry.status & status.SEEN_REPLY for entry in found),
        "translated": sum(bool(entry.status & status.NAT) for entry in found),
        "packets": sum(way.packet_count for way in counted),
        "bytes": sum(way.byte_count for way in counted),
    }


def _namespace(network: Network, name: str) -> Namespace:
    machine = network.machine(name)
    assert machine is not None, f"validation let {name} through"
    return machine.namespace
