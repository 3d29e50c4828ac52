"""The texts of a trace that name rules, actions and fields."""

from __future__ import annotations

from vnet.ovs.flow.fields import Subfield
from vnet.ovs.flow.match_text import match_text
from vnet.ovs.flow.names import NO_NAMES, Names
from vnet.ovs.ofproto.names import names_of
from vnet.ovs.ofproto.rules.rule import Rule
from vnet.ovs.ofproto.xlate.context import XlateCtx
from vnet.ovs.ofproto.xlate.report import NodeKind, Trace
from vnet.ovs.openflow.action_set import action_list
from vnet.ovs.openflow.ofpacts import Ofpact, Ofpacts


def _names(ctx: XlateCtx) -> Names:
    return names_of(ctx.bridge) if ctx.in_.port_names else NO_NAMES


def _written(actions: Ofpacts, names: Names = NO_NAMES) -> str:
    from vnet.ovs.openflow.text.actions import actions_text  # Only traces need it.

    return actions_text(actions, names)


def action_text(ctx: XlateCtx, action: Ofpact) -> str:
    """One action, as it is written."""
    return _written((action,), _names(ctx))


def _internal_text(ctx: XlateCtx, rule: Rule) -> str:
    """What is said of a packet that none of the bridge's flows matches; empty for other rules."""
    internal = ctx.in_.bridge.internal
    if rule is internal.miss:
        return 'No match, and a "packet-in" is called for.'
    if rule is internal.no_packet_in:
        return "No match."
    if rule is internal.drop_fragments:
        return 'Packets are IP fragments and the fragment handling mode is "drop".'
    return ""


def report_rule(ctx: XlateCtx, rule: Rule, table_id: int) -> Trace | None:
    """Say which rule the packet met; returns where the lines about its actions go."""
    if ctx.trace is None:
        return None
    text = _internal_text(ctx, rule)
    if not text:
        parts = [match_text(rule.match, _names(ctx)), f"priority {rule.priority}"]
        if rule.cookie:
            parts.append(f"cookie {rule.cookie:#x}")
        text = ", ".join(part for part in parts if part)
    return ctx.report(NodeKind.TABLE, f"{table_id:2}. {text}")


def report_actions(ctx: XlateCtx, kind: NodeKind, title: str, actions: Ofpacts) -> None:
    """Say what some actions are."""
    if ctx.trace is not None:
        ctx.report(kind, f"{title}: {_written(actions)}")


def report_action_set(ctx: XlateCtx, verb: str) -> None:
    """Say what the action set is, or was."""
    if ctx.trace is not None:
        actions = action_list(tuple(ctx.action_set))
        ctx.detail(f"action set {verb}{': ' + _written(actions) if actions else ' empty'}")


def report_subfield(ctx: XlateCtx, subfield: Subfield) -> None:
    """Say what a field, or part of one, has become."""
    if ctx.trace is None:
        return
    field = subfield.field
    if subfield.offset == 0 and subfield.n_bits >= field.n_bits:
        value = field.format(field.get(ctx.flow))
    else:
        value = f"{number:#x}" if (number := subfield.get(ctx.flow)) else "0"
    ctx.detail(f"{subfield.format()} is now {value}")
