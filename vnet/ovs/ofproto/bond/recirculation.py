"""How the datapath chooses the link of a connection: a hash, and a second look.

Frames to a bond that balances by connection get ``hash(hash_l4(...)),recirc(N)``. The switch's
own table has a flow for each of the 256 values that the low bits of the hash can have, which sends
the frame to a link. So one datapath flow serves however many connections, and what these flows
count is the load of each value.
"""

from __future__ import annotations

from collections.abc import Sequence

from vnet.ovs.flow.flow import Flow
from vnet.ovs.flow.match import Match
from vnet.ovs.flow.ports import OFPP_NONE, OfpPort
from vnet.ovs.ofproto.bond.bond import Bond
from vnet.ovs.ofproto.bond.member import BUCKET_MASK, LOAD_MASK, Bucket
from vnet.ovs.ofproto.ofproto import Ofproto
from vnet.ovs.ofproto.rules.rule import Rule
from vnet.ovs.ofproto.rules.table import INTERNAL_TABLE
from vnet.ovs.ofproto.xlate.recirc import FrozenState
from vnet.ovs.openflow.messages import FlowFlags, FlowMod, FlowModCommand
from vnet.ovs.openflow.ofpacts import Output

_PRIORITY = 20
_OWN = FlowFlags.NO_READONLY | FlowFlags.HIDDEN_FIELDS
_MASK = Flow.recirc_id.mask | BUCKET_MASK << Flow.dp_hash.shift


def frozen_at_bond(bridge: Ofproto) -> FrozenState:
    """Where the second look begins: in the switch's own table, and by no port."""
    return FrozenState(bridge, INTERNAL_TABLE, OFPP_NONE << Flow.in_port.shift)


class LinkRules:
    """The flows of one bond in its bridge's own table."""

    def __init__(self, bridge: Ofproto, bond: Bond) -> None:
        self._bridge = bridge
        self._bond = bond
        self._rules: dict[int, tuple[Rule, OfpPort]] = {}
        self._recirc_id = 0

    def refresh(self) -> None:
        """Give every bucket a link that works, and have the flows say the same."""
        bond = self._bond
        if bond.recirculates and _fill(bond):
            self.update()

    def update(self) -> None:
        """Have the flows say what the buckets do; no buckets, no flows."""
        bond = self._bond
        wanted: dict[int, OfpPort] = {}
        if bond.recirc_id == self._recirc_id:
            mods = []
        else:
            mods = self._forget_all()
        self._recirc_id = bond.recirc_id
        if bond.recirculates:
            for number, bucket in enumerate(bond.buckets):
                if bucket.member is not None:
                    wanted[number] = bucket.member.port.number
        mods += [self._delete(number) for number in self._rules if number not in wanted]
        added = {
            number: port
            for number, port in wanted.items()
            if number not in self._rules or self._rules[number][1] != port
        }
        mods += [self._add(number, port) for number, port in added.items()]
        if mods:
            self._bridge.bundle(mods)
        for number in [number for number in self._rules if number not in wanted]:
            del self._rules[number]
        for number, port in added.items():
            rule = self._bridge.find(INTERNAL_TABLE, self._match(number), _PRIORITY)
            assert rule is not None
            self._rules[number] = rule, port

    def remove(self) -> None:
        """The bond is no more."""
        mods = self._forget_all()
        if mods:
            self._bridge.bundle(mods)

    def account(self, buckets: Sequence[Bucket]) -> None:
        """Add to the buckets' load what the flows have counted since the last time."""
        for number, (rule, _) in self._rules.items():
            bucket = buckets[number]
            if bucket.member is not None:
                grown = bucket.tx_bytes + rule.n_bytes - bucket.counted_bytes
                bucket.tx_bytes = grown & LOAD_MASK
                bucket.counted_bytes = rule.n_bytes

    def _forget_all(self) -> list[FlowMod]:
        mods = [self._delete(number) for number in self._rules]
        self._rules.clear()
        return mods

    def _match(self, number: int) -> Match:
        value = self._recirc_id << Flow.recirc_id.shift | number << Flow.dp_hash.shift
        return Match(value, _MASK)

    def _add(self, number: int, port: OfpPort) -> FlowMod:
        return FlowMod(
            FlowModCommand.ADD,
            self._match(number),
            _PRIORITY,
            INTERNAL_TABLE,
            new_cookie=0,
            flags=_OWN,
            actions=(Output(port),),
        )

    def _delete(self, number: int) -> FlowMod:
        return FlowMod(
            FlowModCommand.DELETE_STRICT,
            self._match(number),
            _PRIORITY,
            INTERNAL_TABLE,
            flags=_OWN,
        )


def _fill(bond: Bond) -> bool:
    """Whether any bucket has got another link. The links take turns; where one does not work, the
    active one stands in.
    """
    members = list(bond.members.values())
    has_changed = False
    for number, bucket in enumerate(bond.buckets):
        if bucket.enabled_member is None:
            member = members[number % len(members)]
            bucket.member = member if member.enabled else bond.active
            has_changed = True
    return has_changed
