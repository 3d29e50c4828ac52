"""The switch's own flows, in its own table: what becomes of packets that no other flow matches."""

from __future__ import annotations

from collections.abc import Callable

from vnet.ovs.flow.flow import Flow
from vnet.ovs.flow.match import Match
from vnet.ovs.ofproto.rules.rule import Rule
from vnet.ovs.ofproto.rules.table import INTERNAL_TABLE
from vnet.ovs.openflow.messages import FlowFlags, FlowMod, FlowModCommand
from vnet.ovs.openflow.ofpacts import Controller, Ofpacts, PacketInReason

_OWN = FlowFlags.NO_READONLY | FlowFlags.HIDDEN_FIELDS
_REG0 = Flow.regs[0]


class InternalRules:
    """The three that translation refers to. No packet matches them by itself.

    ``miss`` sends to the controller, ``no_packet_in`` drops where it must not, and
    ``drop_fragments`` stands for IP fragments that are not let in.
    """

    __slots__ = ("drop_fragments", "miss", "no_packet_in")

    def __init__(
        self,
        flow_mod: Callable[[FlowMod], None],
        find: Callable[[int, Match, int], Rule | None],
    ) -> None:
        def add(match: Match, priority: int, actions: Ofpacts) -> Rule:
            mod = FlowMod(
                FlowModCommand.ADD,
                match,
                priority,
                INTERNAL_TABLE,
                new_cookie=0,
                flags=_OWN,
                actions=actions,
            )
            flow_mod(mod)
            rule = find(INTERNAL_TABLE, match, priority)
            assert rule is not None
            return rule

        def named(number: int) -> Match:
            return Match(number << _REG0.shift, _REG0.mask)

        self.miss = add(named(1), 0, (Controller(reason=PacketInReason.IMPLICIT_MISS),))
        self.no_packet_in = add(named(2), 0, ())
        self.drop_fragments = add(named(3), 0, ())
        # A lookup that went astray: packets that come again always match something else.
        add(Match(0, Flow.recirc_id.mask), 2, ())
