"""``ip rule``: the rules of policy routing shown and changed, with the real tool's words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from vnet.base.errors import UsageError
from vnet.base.ids import network_of
from vnet.linux.netns.errors import NO_SUCH_FILE
from vnet.linux.netns.namespace import Namespace
from vnet.shell.commands.ip_words import WordReader, garbage, number, prefix
from vnet.shell.views.route import table_number
from vnet.shell.views.rule import rules_text
from vnet.tables.policy import LOCAL_RULE, Ports, Rule, RuleAction, RulePrefix

_MOST = 0xFFFF_FFFF
_REFUSALS = ("blackhole", "unreachable", "prohibit", "nop")
_TRANSPORTS = {"icmp": 1, "tcp": 6, "udp": 17, "ipv6-icmp": 58}


def ip_rule(
    namespace: Namespace, words: Sequence[str], family: int | None, *, details: bool = False
) -> str:
    """Do what stands behind ``ip rule``."""
    verb, *rest = words or ["show"]
    if "add".startswith(verb):
        return _add(namespace, WordReader(rest), family or 4)
    if "delete".startswith(verb):
        return _delete(namespace, WordReader(rest), family or 4)
    if verb == "flush":
        return _flush(namespace, family or 4)
    if not any(show.startswith(verb) for show in ("show", "list", "lst")):
        raise UsageError(f'Command "{verb}" is unknown, try "ip rule help".')
    read = WordReader(rest)
    table = None
    while read:
        if (word := read.next()) not in ("table", "lookup"):
            raise garbage(word)
        table = table_number(read.next())
    return rules_text(namespace, family or 4, details=details, table=table)


def _add(namespace: Namespace, read: WordReader, family: int) -> str:
    if not read:
        raise UsageError('"ip rule add" requires arguments.', "say which packets it is for")
    rule, said = _read(read, family)
    if "priority" not in said:
        rule = replace(rule, priority=namespace.rules.next_priority(family))
    if rule.action is RuleAction.GOTO and rule.goto <= rule.priority:
        raise UsageError("Error: Backward goto not supported.")
    namespace.rules.add(family, rule)
    return ""


def _delete(namespace: Namespace, read: WordReader, family: int) -> str:
    wanted, said = _read(read, family)
    if not said:
        raise UsageError('"ip rule del" requires arguments.', "say which rule")
    routing = namespace.routing6 if family == 6 else namespace.routing4
    for rule in routing.policy.rules:
        if all(getattr(rule, field) == getattr(wanted, field) for field in said):
            namespace.rules.delete(family, rule)
            return ""
    raise UsageError(NO_SUCH_FILE)


def _flush(namespace: Namespace, family: int) -> str:
    """All but the one for the table local."""
    routing = namespace.routing6 if family == 6 else namespace.routing4
    for rule in tuple(routing.policy.rules):
        if rule != LOCAL_RULE:
            namespace.rules.delete(family, rule)
    return ""


def _read(read: WordReader, family: int) -> tuple[Rule, set[str]]:
    """A rule, and the names of what was said of it."""
    given: dict[str, object] = {}
    while read:
        _read_word(given, read.next(), read, family)
    return Rule(**{"priority": 0, **given}), set(given)  # type: ignore[arg-type]


def _read_word(given: dict[str, object], word: str, read: WordReader, family: int) -> None:
    match word:
        case "not":
            given["inverted"] = True
        case "from" | "to":
            ip, length = prefix(read.next(), family)
            if length:
                ends = {"from": "source", "to": "target"}
                given[ends[word]] = RulePrefix(network_of(ip, length), length)
        case _ if any(name.startswith(word) for name in ("preference", "order", "priority")):
            given["priority"] = number(read.next(), _MOST, fault="preference value is invalid")
        case _ if any(name.startswith(word) for name in ("tos", "dsfield")):
            given["tos"] = number(read.next(), 255, fault="TOS value is invalid")
        case "fwmark":
            mark, _, mask = read.next().partition("/")
            given["mark"] = number(mark, _MOST, fault="fwmark value is invalid")
            given["mark_mask"] = (
                number(mask, _MOST, fault="fwmask value is invalid") if mask else _MOST
            )
        case "iif" | "dev" | "oif":
            given["oif" if word == "oif" else "iif"] = read.next()
        case "ipproto":
            text = read.next()
            given["protocol"] = _TRANSPORTS.get(text) or number(text, 255, "ipproto")
        case "sport" | "dport":
            given["source_ports" if word == "sport" else "target_ports"] = _ports(read.next())
        case _:
            _read_action(given, word, read)


def _read_action(given: dict[str, object], word: str, read: WordReader) -> None:
    match word:
        case "table" | "lookup":
            given["table"] = table_number(read.next(), "invalid table ID")
        case "goto":
            given["action"], given["goto"] = RuleAction.GOTO, number(read.next(), _MOST, "target")
        case "suppress_prefixlength" | "sup_pl":
            given["suppress_length"] = number(read.next(), 128, "suppress_prefixlength")
        case "type":
            _read_action(given, read.next(), read)
        case _ if word in _REFUSALS:
            given["action"] = RuleAction[word.upper()]
        case _:
            raise UsageError(f'Error: argument "{word}" is wrong: Failed to parse rule type')


def _ports(text: str) -> Ports:
    first, _, last = text.partition("-")
    low = number(first, 65_535, "port")
    return Ports(low, number(last, 65_535, "port") if last else low)
