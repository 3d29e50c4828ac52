"""``rules`` of a machine: each is of one address family, and does one thing."""

from __future__ import annotations

from collections.abc import Sequence

from vnet.base.ids import IpAddress
from vnet.tables.policy import TABLE_MAIN, Rule, RuleAction, RulePrefix
from vnet.topology.model import PolicyRule
from vnet.topology.reading.report import Path, Report
from vnet.topology.schema.route import RuleFile


def rules_of(path: Path, files: Sequence[RuleFile], report: Report) -> tuple[PolicyRule, ...]:
    """The rules of the machine at ``path``, in order."""
    rules = []
    for index, file in enumerate(files):
        here = (*path, "rules", index)
        family = _family(here, file, report)
        does = [name for name in ("table", "action", "goto") if getattr(file, name) is not None]
        if len(does) != 1:
            report.add(here, "a rule does one thing", "give it a table, an action or a goto")
        elif file.goto is not None and file.goto <= (file.priority or 0):
            report.add((*here, "goto"), "a rule goes on to a later one", "a higher priority")
        elif family is not None:
            rules.append(PolicyRule(family, _rule(file), file.priority is not None))
    return tuple(rules)


def _family(path: Path, file: RuleFile, report: Report) -> int | None:
    """4 or 6; None where the rule contradicts itself."""
    ends = [end for end in (file.from_, file.to) if end is not None]
    families = {4 if len(network) == 4 else 6 for network, _length in ends}
    families |= set() if file.family is None else {file.family}
    if len(families) > 1:
        report.add(path, "the rule speaks of IPv4 and IPv6")
        return None
    return families.pop() if families else 4


def _rule(file: RuleFile) -> Rule:
    action = RuleAction.LOOKUP
    if file.action is not None:
        action = RuleAction[file.action.upper()]
    elif file.goto is not None:
        action = RuleAction.GOTO
    mark, mask = file.fwmark or (0, 0)
    return Rule(
        file.priority or 0,
        action,
        file.table or TABLE_MAIN,
        source=_prefix(file.from_),
        target=_prefix(file.to),
        iif=file.iif,
        oif=file.oif,
        tos=file.tos,
        mark=mark,
        mark_mask=mask,
        inverted=file.not_,
        goto=file.goto or 0,
        suppress_length=file.suppress_prefixlength,
    )


def _prefix(network: tuple[IpAddress, int] | None) -> RulePrefix | None:
    return None if network is None else RulePrefix(*network)
