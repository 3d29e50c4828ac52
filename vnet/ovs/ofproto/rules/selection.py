"""Which flows a request means: to change, to delete, or to show."""

from __future__ import annotations

from vnet.base.record import record
from vnet.ovs.flow.match import CATCHALL, Match
from vnet.ovs.flow.ports import OFPP_NONE, OfpPort
from vnet.ovs.ofproto.rules.action_queries import outputs_to
from vnet.ovs.ofproto.rules.rule import HIDDEN_PRIORITY, Rule
from vnet.ovs.openflow.messages import GROUP_ANY, FlowMod
from vnet.ovs.openflow.ofpacts import TABLE_ALL

COOKIE_EXACT = 0xFFFF_FFFF_FFFF_FFFF


@record(frozen=True, slots=True)
class Selection:
    """Conditions that all must hold.

    ``match`` selects flows that match nothing but what it does, or with a ``priority`` the one
    flow with exactly that match and priority. ``cookie_mask`` 0 looks at no cookie.
    """

    table_id: int = TABLE_ALL
    match: Match = CATCHALL
    priority: int | None = None
    cookie: int = 0
    cookie_mask: int = 0
    out_port: OfpPort = OFPP_NONE
    out_group: int = GROUP_ANY

    @property
    def is_strict(self) -> bool:
        """Whether it means one flow of a table at most."""
        return self.priority is not None

    def selects(self, rule: Rule) -> bool:
        """Whether the conditions hold for a rule, those on table and match left aside."""
        return (
            (rule.cookie ^ self.cookie) & self.cookie_mask == 0
            and (self.out_port == OFPP_NONE or outputs_to(rule.actions, self.out_port))
            and (self.out_group == GROUP_ANY or self.out_group in rule.references.groups)
            and (not rule.is_hidden or (self.priority or 0) >= HIDDEN_PRIORITY)
        )

    def matches(self, rule: Rule) -> bool:
        """Whether the conditions on table and match hold for a rule."""
        if self.table_id not in (TABLE_ALL, rule.table_id):
            return False
        match = self.match
        if self.is_strict:
            return (rule.match[:2], rule.priority) == (match[:2], self.priority)
        return match.mask & ~rule.match.mask == 0 and match.matches(rule.match.value)


def selection_of(mod: FlowMod, *, is_strict: bool, by_output: bool) -> Selection:
    """What a request to change (or, ``by_output``, to delete) flows selects."""
    return Selection(
        table_id=mod.table_id,
        match=mod.match,
        priority=mod.priority if is_strict else None,
        cookie=mod.cookie,
        cookie_mask=mod.cookie_mask,
        out_port=mod.out_port if by_output else OFPP_NONE,
        out_group=mod.out_group if by_output else GROUP_ANY,
    )
