"""Which actions may stand within which, and in which order (ovs-actions(7), "Instructions")."""

from __future__ import annotations

from collections.abc import Sequence

from vnet.ovs.flow.fields import Field
from vnet.ovs.openflow.ofpacts import (
    ClearActions,
    Conjunction,
    Ct,
    GotoTable,
    Meter,
    Nat,
    Note,
    Ofpact,
    RegMove,
    SetField,
    WriteActions,
    WriteMetadata,
)
from vnet.ovs.openflow.text.actions.kind import Instruction
from vnet.ovs.openflow.text.actions.registry import KINDS
from vnet.ovs.openflow.version import OpenFlowVersion

_CT_FIELDS = ("ct_mark", "ct_label")
_WRITING = frozenset((SetField, RegMove))
_INSTRUCTIONS = (Meter, ClearActions, WriteActions, WriteMetadata, GotoTable)
_RULED = frozenset((Conjunction, Nat, *_INSTRUCTIONS))


class MisplacedError(Exception):
    """An action stands where it must not: as a sentence, and as OpenFlow's error."""

    def __init__(self, sentence: str, error: str) -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.error = error


def verify_order(
    actions: Sequence[Ofpact],
    version: OpenFlowVersion,
    *,
    may_instruct: bool,
    outer: type[Ofpact] | None,
) -> None:
    """Raise :class:`MisplacedError` unless ``actions``, within an ``outer`` one or a flow, stand
    where they may.
    """
    if outer is None and _may_stand_anywhere(actions):
        return
    previous: Instruction | None = None
    for action in actions:
        if isinstance(action, Conjunction):
            _verify_conjunction(actions)
            return
        _verify_nested(action, outer)
        instruction = instruction_of(action, version)
        if previous is not None:
            _verify_follows(previous, instruction)
        if not may_instruct and instruction > Instruction.APPLY_ACTIONS:
            raise MisplacedError(
                f"{instruction.text} instruction not allowed here", "OFPBIC_UNSUP_INST"
            )
        previous = instruction


def _may_stand_anywhere(actions: Sequence[Ofpact]) -> bool:
    """Whether no rule at all is about these actions, as is so for most lists."""
    for action in actions:
        kind = type(action)
        if kind in _RULED:
            return False
        if kind in _WRITING:
            field = _written_field(action)
            if field is not None and field.name in _CT_FIELDS:
                return False
    return True


def instruction_of(action: Ofpact, version: OpenFlowVersion) -> Instruction:
    """The instruction that ``action`` is, or belongs to: ``meter`` is one before OpenFlow 1.5."""
    if isinstance(action, Meter) and version >= OpenFlowVersion.OF15:
        return Instruction.APPLY_ACTIONS
    return KINDS[type(action)].instruction


def _verify_conjunction(actions: Sequence[Ofpact]) -> None:
    for action in actions:
        if not isinstance(action, Conjunction | Note):
            raise MisplacedError(
                '"conjunction" actions may be used along with "note" but not any other kind of '
                f'action (such as the "{KINDS[type(action)].name}" action used here)',
                "NXBAC_BAD_CONJUNCTION",
            )


def _written_field(action: Ofpact) -> Field | None:
    if isinstance(action, SetField):
        return action.field
    return action.destination.field if isinstance(action, RegMove) else None


def _verify_nested(action: Ofpact, outer: type[Ofpact] | None) -> None:
    field = _written_field(action)
    if field is not None and field.name in _CT_FIELDS and outer is not Ct:
        raise MisplacedError("cannot set CT fields outside of ct action", "OFPBAC_BAD_SET_ARGUMENT")
    if isinstance(action, Nat):
        if outer is not Ct:
            raise MisplacedError(
                'Cannot have NAT action outside of "ct" action', "OFPBAC_BAD_SET_ARGUMENT"
            )
        return
    if outer is None:
        return
    outer_name = KINDS[outer].name
    if isinstance(action, Meter) or (outer is Ct and field is None):
        raise MisplacedError(
            f"{outer_name} action doesn't support nested action {KINDS[type(action)].name}",
            "OFPBAC_BAD_ARGUMENT",
        )
    if outer is Ct and field is not None and field.name not in _CT_FIELDS:
        raise MisplacedError(
            f"{outer_name} action doesn't support nested modification of {field.name}",
            "OFPBAC_BAD_ARGUMENT",
        )


def _verify_follows(previous: Instruction, instruction: Instruction) -> None:
    if instruction > previous or instruction is previous is Instruction.APPLY_ACTIONS:
        return
    if instruction is previous:
        sentence = f"duplicate {previous.text} instruction not allowed"
    else:
        sentence = (
            f"invalid instruction ordering: {instruction.text} must appear before {previous.text}"
        )
    raise MisplacedError(f"{sentence}, for OpenFlow 1.1+ compatibility", "OFPBAC_UNSUPPORTED_ORDER")
