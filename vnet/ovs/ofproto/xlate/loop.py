"""The action loop: one OpenFlow action after the other, each by the function that carries it out.

Modules of this package register their functions here by the kind of action; the loop knows none
of them by name, so that they may call it.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum, auto
from typing import NamedTuple, TypeVar

from vnet.ovs.flow.fields import FIELDS
from vnet.ovs.ofproto.xlate.context import XlateCtx
from vnet.ovs.ofproto.xlate.freeze import finish_freezing, freeze_actions, trigger_freeze
from vnet.ovs.ofproto.xlate.report import NodeKind
from vnet.ovs.ofproto.xlate.report_text import action_text
from vnet.ovs.openflow import ofpacts
from vnet.ovs.openflow.action_set import action_list
from vnet.ovs.openflow.ofpacts import Ofpact, Ofpacts, SetField

ActionT = TypeVar("ActionT", bound=Ofpact)


class Place(NamedTuple):
    """Where in a list of actions the present one stands.

    ``is_last``: nothing comes after it, so that no copy of the packet is needed;
    ``is_in_last_list``: nothing comes after the list.
    """

    is_last: bool
    in_bucket: bool
    rest: Ofpacts
    is_in_last_list: bool


class Verdict(Enum):
    """How the list goes on after an action.

    The difference is what becomes of it when translation freezes: an action that has to be
    carried out after all (NEXT), one that is done (DONE), and one that took care of freezing
    itself (NESTED). LAST is NEXT for an action that has seen to the rest of the list; STOP ends
    the list at once.
    """

    NEXT = auto()
    DONE = auto()
    NESTED = auto()
    LAST = auto()
    STOP = auto()


_Simple = Callable[[XlateCtx, ActionT], None]
_Placed = Callable[[XlateCtx, ActionT, Place], Verdict]

_simple: dict[type[Ofpact], _Simple[Ofpact]] = {}
_placed: dict[type[Ofpact], _Placed[Ofpact]] = {}


def carries_out(kind: type[ActionT]) -> Callable[[_Simple[ActionT]], _Simple[ActionT]]:
    """Register the function for a kind of action after which the list just goes on."""

    def register(function: _Simple[ActionT]) -> _Simple[ActionT]:
        _simple[kind] = function  # type: ignore[assignment]
        return function

    return register


def carries_out_in_place(kind: type[ActionT]) -> Callable[[_Placed[ActionT]], _Placed[ActionT]]:
    """Register the function for a kind of action to which its place matters."""

    def register(function: _Placed[ActionT]) -> _Placed[ActionT]:
        _placed[kind] = function  # type: ignore[assignment]
        return function

    return register


def known_actions() -> frozenset[type[Ofpact]]:
    """The kinds of action that there is a function for."""
    return frozenset(_simple) | frozenset(_placed)


def do_actions(ctx: XlateCtx, actions: Ofpacts, *, is_last: bool, in_bucket: bool = False) -> None:
    """Carry out a list of actions."""
    if not actions:
        ctx.report(NodeKind.ACTION, "drop")
        return
    final = len(actions) - 1
    for index, action in enumerate(actions):
        if ctx.has_failed():
            break
        if ctx.was_mpls and not ctx.exit and _looks_behind_labels(action):
            trigger_freeze(ctx)
        if ctx.exit:
            if ctx.freezing:
                freeze_actions(ctx, actions[index:])
            break
        if ctx.trace is not None:
            ctx.report(NodeKind.ACTION, action_text(ctx, action))
        verdict = Verdict.NEXT
        simple = _simple.get(type(action))
        if simple is not None:
            simple(ctx, action)
        else:
            is_in_last_list = is_last and not ctx.action_set
            place = Place(
                is_in_last_list and index == final,
                in_bucket,
                actions[index + 1 :],
                is_in_last_list,
            )
            verdict = _placed[type(action)](ctx, action, place)
            if verdict is Verdict.STOP:
                return
        if verdict is not Verdict.NESTED and _is_first_to_freeze(ctx):
            freeze_actions(ctx, actions[index + (verdict is Verdict.DONE) :])
            break
        if verdict is Verdict.LAST:
            break


def _is_first_to_freeze(ctx: XlateCtx) -> bool:
    """Whether the present list is where the way out begins, so that its rest comes first."""
    return ctx.exit and not ctx.frozen_actions and not ctx.has_failed()


def end_pipeline(ctx: XlateCtx) -> None:
    """The tables are through: carry out the action set, or freeze if need be."""
    if not ctx.freezing:
        _do_action_set(ctx)
    if ctx.freezing:
        finish_freezing(ctx)


def _do_action_set(ctx: XlateCtx) -> None:
    actions = action_list(tuple(ctx.action_set))
    ctx.action_set.clear()
    if not actions:
        return
    ctx.in_action_set = True
    outer = ctx.trace
    ctx.trace = ctx.report(NodeKind.TABLE, "--. Executing action set:")
    do_actions(ctx, actions, is_last=True)
    ctx.trace = outer
    ctx.in_action_set = False


_BLIND_TO_NETWORK = frozenset(
    (
        ofpacts.Output,
        ofpacts.OutputTrunc,
        ofpacts.Enqueue,
        ofpacts.OutputReg,
        ofpacts.SetVlanVid,
        ofpacts.SetVlanPcp,
        ofpacts.SetEthSrc,
        ofpacts.SetEthDst,
        ofpacts.SetTunnel,
        ofpacts.SetQueue,
        ofpacts.Group,
    )
)
"""Actions that a packet can have before it is known what its last label was hiding."""

_FIRST_NETWORK_FIELD = FIELDS["mpls_label"].number


def _looks_behind_labels(action: Ofpact) -> bool:
    if isinstance(action, SetField):
        return action.field.number >= _FIRST_NETWORK_FIELD
    return type(action) not in _BLIND_TO_NETWORK
