"""The ``learn`` action: a packet makes a flow."""

from __future__ import annotations

from vnet.ovs.flow.fields import Subfield
from vnet.ovs.flow.flow import Flow
from vnet.ovs.flow.match import MatchBuilder
from vnet.ovs.flow.match_text import match_text
from vnet.ovs.flow.ports import (
    OFPP_ALL,
    OFPP_FLOOD,
    OFPP_IN_PORT,
    OFPP_LOCAL,
    OFPP_MAX,
    OfpPort,
)
from vnet.ovs.ofproto.xlate.cache import LearnRefresh
from vnet.ovs.ofproto.xlate.context import XlateCtx
from vnet.ovs.ofproto.xlate.loop import carries_out
from vnet.ovs.ofproto.xlate.metadata import load
from vnet.ovs.openflow.errors import OpenFlowError
from vnet.ovs.openflow.messages import FlowFlags, FlowMod, FlowModCommand
from vnet.ovs.openflow.ofpacts import (
    FinTimeout,
    Learn,
    LearnSpec,
    LearnTarget,
    Ofpact,
    Output,
    SetField,
)


@carries_out(Learn)
def _learn(ctx: XlateCtx, action: Learn) -> None:
    for spec in action.specs:
        if spec.source is not None:
            spec.source.unwildcard(ctx.wc)
    if not ctx.may_act:
        ctx.warn("suppressing side effects, so learn action ignored")
        return
    mod = learned_flow(action, ctx.flow)
    if ctx.trace is not None:
        ctx.detail(_text(mod))
    success = _carry_out(ctx, action, mod)
    if action.result_destination is not None:
        load(ctx, action.result_destination, int(success))
    if success and ctx.in_.cache is not None:
        ctx.in_.cache.add(LearnRefresh(ctx.bridge, mod, action.limit))
    if not success:
        ctx.detail("Limit exceeded, learn failed")


def _carry_out(ctx: XlateCtx, action: Learn, mod: FlowMod) -> bool:
    """See to it that the flow is made, if that is allowed; whether there is room for it.

    It is made when the translation has ended: a packet does not meet what it taught.
    """
    if ctx.in_.allow_side_effects:
        n_more = len({m for bridge, m, _ in ctx.learned if bridge is ctx.bridge and _akin(m, mod)})
        if not ctx.bridge.may_learn(mod, action.limit, n_more):
            return False
        ctx.learned.append((ctx.bridge, mod, action.limit))
        return True
    if action.limit and ctx.bridge.find(mod.table_id, mod.match, mod.priority) is None:
        # What comes out depends on whether the flow can be learned, which only a packet tells.
        ctx.avoid_caching = True
    return True


def _akin(one: FlowMod, other: FlowMod) -> bool:
    """Whether two learned flows count for the same limit, and are not the same flow."""
    return (one.table_id, one.new_cookie) == (other.table_id, other.new_cookie) and one != other


def learn_all(ctx: XlateCtx) -> None:
    """Make the flows that a translation has learned."""
    for bridge, mod, limit in ctx.learned:
        try:
            bridge.learn(mod, limit)
        except OpenFlowError as error:
            ctx.fail(f"LEARN action execution failed ({error.name}).")


def learned_flow(action: Learn, flow: Flow) -> FlowMod:
    """The flow that a packet makes."""
    builder = MatchBuilder()
    actions: list[Ofpact] = []
    if action.fin_idle_timeout_s or action.fin_hard_timeout_s:
        actions.append(FinTimeout(action.fin_idle_timeout_s, action.fin_hard_timeout_s))
    for spec in action.specs:
        value = spec.immediate if spec.source is None else spec.source.get(flow)
        assert value is not None, "a specification has one source"
        if spec.target is LearnTarget.MATCH:
            builder.set_subfield(_destination(spec), value)
        elif spec.target is LearnTarget.LOAD:
            to = _destination(spec)
            actions.append(SetField(to.field, value << to.offset, to.mask, is_load=True))
        elif _is_port(value):
            actions.append(Output(OfpPort(value)))
    return FlowMod(
        FlowModCommand.MODIFY_STRICT,
        match=builder.build(),
        priority=action.priority,
        table_id=action.table_id,
        new_cookie=action.cookie,
        idle_timeout_s=action.idle_timeout_s,
        hard_timeout_s=action.hard_timeout_s,
        flags=FlowFlags.SEND_FLOW_REM if action.send_flow_rem else FlowFlags.NONE,
        actions=tuple(actions),
    )


def _destination(spec: LearnSpec) -> Subfield:
    assert spec.destination is not None, "all but outputs have a destination"
    return spec.destination


_RESERVED_OUTPUTS = frozenset((OFPP_IN_PORT, OFPP_FLOOD, OFPP_LOCAL, OFPP_ALL))


def _is_port(value: int) -> bool:
    """Whether a value names a port that a learned flow may output to."""
    return value < OFPP_MAX or value in _RESERVED_OUTPUTS


def _text(mod: FlowMod) -> str:
    from vnet.ovs.openflow.text.actions import actions_text  # Only traces need it.

    parts = [f"table={mod.table_id}", match_text(mod.match), f"priority={mod.priority}"]
    if mod.new_cookie:
        parts.append(f"cookie={mod.new_cookie:#x}")
    if mod.idle_timeout_s:
        parts.append(f"idle={mod.idle_timeout_s}")
    if mod.hard_timeout_s:
        parts.append(f"hard={mod.hard_timeout_s}")
    if FlowFlags.SEND_FLOW_REM in mod.flags:
        parts.append("send_flow_rem")
    parts.append(f"actions={actions_text(mod.actions)}")
    return " ".join(part for part in parts if part)
