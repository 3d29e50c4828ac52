"""``ip rule``: which tables packets are looked up in, and in what order."""

from __future__ import annotations

from collections.abc import Iterable

from vnet.base.ids import ip_text
from vnet.linux.netns.namespace import Namespace
from vnet.shell.views.route import table_text
from vnet.tables.policy import Ports, Rule, RuleAction, RulePrefix

_EVERY_BIT = 0xFFFF_FFFF
_PROTOCOLS = {1: "icmp", 6: "tcp", 17: "udp", 58: "ipv6-icmp"}


def rules_text(
    namespace: Namespace, family: int, *, details: bool = False, table: int | None = None
) -> str:
    """The rules of a family (4 or 6), or those that look in one table."""
    routing = namespace.routing6 if family == 6 else namespace.routing4
    return "\n".join(
        rule_text(namespace, family, rule, details=details)
        for rule in routing.policy.rules
        if table is None or (rule.action is RuleAction.LOOKUP and rule.table == table)
    )


def rule_text(namespace: Namespace, family: int, rule: Rule, *, details: bool = False) -> str:
    """One rule."""
    parts = [f"{rule.priority}:\t{'not ' if rule.inverted else ''}from {_prefix(rule.source)}"]
    parts += [f"to {_prefix(rule.target)}"] if rule.target is not None else []
    parts += [f"tos {rule.tos:#04x}"] if rule.tos else []
    if rule.mark or rule.mark_mask:
        mask = "" if rule.mark_mask == _EVERY_BIT else f"/{rule.mark_mask:#x}"
        parts.append(f"fwmark {rule.mark:#x}{mask}")
    for word, device in (("iif", rule.iif), ("oif", rule.oif)):
        if device is not None:
            there = device in namespace.interfaces
            parts.append(f"{word} {device}" + ("" if there else " [detached]"))
    parts += [f"ipproto {_PROTOCOLS.get(rule.protocol, rule.protocol)}"] if rule.protocol else []
    parts += _ports("sport", rule.source_ports) if rule.source_ports else []
    parts += _ports("dport", rule.target_ports) if rule.target_ports else []
    routing = namespace.routing6 if family == 6 else namespace.routing4
    leads = rule.action is not RuleAction.GOTO or routing.policy.leads_on(rule)
    parts.append(_action(rule) + ("" if leads else " [unresolved]"))
    if details:
        parts.append(f"proto {'kernel' if rule.origin == 'kernel' else 'unspec'}")
    return " ".join(parts)


def _prefix(prefix: RulePrefix | None) -> str:
    if prefix is None or not prefix.prefix_length:
        return "all"
    text = ip_text(prefix.network)
    whole = prefix.prefix_length == len(prefix.network) * 8
    return text if whole else f"{text}/{prefix.prefix_length}"


def _ports(word: str, ports: Ports) -> Iterable[str]:
    return [f"{word} {ports.first}" + (f"-{ports.last}" if ports.last != ports.first else "")]


def _action(rule: Rule) -> str:
    if rule.action is RuleAction.GOTO:
        return f"goto {rule.goto}"
    if rule.action is not RuleAction.LOOKUP:
        return rule.action.word
    suppressed = rule.suppress_length
    shown = "" if suppressed is None else f" suppress_prefixlength {suppressed}"
    return f"lookup {table_text(rule.table)}{shown}"
