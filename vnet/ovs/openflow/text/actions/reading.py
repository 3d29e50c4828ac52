"""Reading actions: from text to :data:`Ofpacts` (ovs-actions(7))."""

from __future__ import annotations

from typing import NamedTuple

from vnet.ovs.flow.errors import OvsTextError
from vnet.ovs.flow.names import NO_NAMES, Names, parse_port
from vnet.ovs.flow.protocols import P_ANY, P_OF15_UP
from vnet.ovs.flow.tokens import key_values
from vnet.ovs.openflow.ofpacts import Meter, Ofpact, Ofpacts, Output
from vnet.ovs.openflow.text.actions.nesting import MisplacedError, verify_order
from vnet.ovs.openflow.text.actions.registry import FULL_WORDS, WORDS
from vnet.ovs.openflow.version import OpenFlowVersion

MAX_DEPTH = 100
"""How deep actions may stand within actions."""


class ParsedActions(NamedTuple):
    """What was read, and the protocols (``vnet.ovs.flow.protocols``) that can say it."""

    actions: Ofpacts
    usable: int


def parse_instructions(text: str, names: Names = NO_NAMES) -> ParsedActions:
    """The actions of a flow, instructions among them. Raises :class:`OvsTextError`."""
    reader = _Reader(names)
    return ParsedActions(reader.read(text, may_instruct=True, outer=None), reader.usable)


def parse_actions(text: str, names: Names = NO_NAMES) -> ParsedActions:
    """Actions where no instructions may stand: of a bucket, or of a packet sent out."""
    reader = _Reader(names)
    return ParsedActions(reader.read(text, may_instruct=False, outer=None), reader.usable)


class _Reader:
    """One reading; see :class:`~vnet.ovs.openflow.text.actions.kind.Reader`."""

    def __init__(self, names: Names) -> None:
        self.names = names
        self.usable = P_ANY
        self._depth = 0

    def nested(self, text: str, outer: type[Ofpact]) -> Ofpacts:
        return self.read(text, may_instruct=False, outer=outer)

    def read(self, text: str, *, may_instruct: bool, outer: type[Ofpact] | None) -> Ofpacts:
        if self._depth >= MAX_DEPTH:
            raise OvsTextError("Action nested too deeply")
        self._depth += 1
        actions: list[Ofpact] = []
        drop = False
        for key, value in key_values(text):
            word = key.lower()
            if word == "drop":
                drop = True
                continue
            actions.append(self._action(key, word, value))
            if not may_instruct and isinstance(actions[-1], Meter):
                # Where no instruction may stand it is the action of OpenFlow 1.5.
                self.usable &= P_OF15_UP
        if drop and actions:
            raise OvsTextError('"drop" must not be accompanied by any other action or instruction')
        try:
            verify_order(actions, OpenFlowVersion.OF11, may_instruct=may_instruct, outer=outer)
        except MisplacedError as misplaced:
            raise OvsTextError(misplaced.sentence) from None
        self._depth -= 1
        return tuple(actions)

    def _action(self, key: str, word: str, value: str) -> Ofpact:
        parse = WORDS.get(word)
        if parse is None and self.names.openflow_full:
            parse = FULL_WORDS.get(word)
        if parse is not None:
            return parse(value, self)
        if word == "apply_actions":
            raise OvsTextError("apply_actions is the default instruction")
        port = parse_port(key, self.names)
        if port is None:
            raise OvsTextError(f"unknown action {key}")
        return Output(port)
