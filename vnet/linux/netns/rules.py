"""``ip rule`` of a namespace: which tables packets are looked up in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vnet.linux.netns.changes import RuleChange
from vnet.linux.netns.errors import FILE_EXISTS, NO_SUCH_FILE, RtnetlinkError
from vnet.linux.netns.routing.routing import Routing
from vnet.tables.policy import Rule

if TYPE_CHECKING:
    from vnet.linux.netns.namespace import Namespace


class Rules:
    """The rules of both families; ``family`` is 4 or 6."""

    __slots__ = ("_namespace",)

    def __init__(self, namespace: Namespace) -> None:
        self._namespace = namespace

    def add(self, family: int, rule: Rule) -> None:
        """``ip rule add``. Raises :class:`RtnetlinkError` where there is an equal one."""
        routing = self._routing(family)
        if rule in routing.policy.rules:
            raise RtnetlinkError(self._namespace.name, FILE_EXISTS)
        routing.policy.add_rule(rule)
        self._changed(routing, RuleChange(family, rule))

    def delete(self, family: int, rule: Rule) -> None:
        """``ip rule del`` of one that is there."""
        routing = self._routing(family)
        if rule not in routing.policy.rules:
            raise RtnetlinkError(self._namespace.name, NO_SUCH_FILE)
        routing.policy.remove_rule(rule)
        self._changed(routing, RuleChange(family, rule, deleted=True))

    def next_priority(self, family: int) -> int:
        """What a rule gets that comes without a priority."""
        return self._routing(family).policy.next_priority()

    def _routing(self, family: int) -> Routing:
        return self._namespace.routing6 if family == 6 else self._namespace.routing4

    def _changed(self, routing: Routing, change: RuleChange) -> None:
        routing.forget()
        self._namespace.tell(change)
