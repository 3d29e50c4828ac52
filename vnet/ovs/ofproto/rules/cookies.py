"""Rules by their cookies, for requests that name one exactly."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from vnet.ovs.ofproto.rules.rule import Rule


class _SameCookie:
    """The rules with one cookie: the first of them, the others as they came, and how many are
    in which table.
    """

    __slots__ = ("by_table", "first", "others")

    def __init__(self, first: Rule) -> None:
        self.first = first
        self.others: dict[Rule, None] = {}
        self.by_table = Counter((first.table_id,))


class CookieIndex:
    """Rules of all tables by cookie. A cookie that one rule alone has leads straight to it.

    They come out as from Open vSwitch's index: the first, then the youngest to the oldest.
    """

    __slots__ = ("_by_cookie",)

    def __init__(self) -> None:
        self._by_cookie: dict[int, _SameCookie | Rule] = {}

    def insert(self, rule: Rule) -> None:
        """Index a rule by the cookie it has."""
        found = self._by_cookie.get(rule.cookie)
        if found is None:
            self._by_cookie[rule.cookie] = rule
            return
        if isinstance(found, Rule):
            found = self._by_cookie[rule.cookie] = _SameCookie(found)
        found.others[rule] = None
        found.by_table[rule.table_id] += 1

    def remove(self, rule: Rule) -> None:
        """Forget a rule, which must still have the cookie it was indexed by."""
        found = self._by_cookie[rule.cookie]
        if isinstance(found, Rule):
            del self._by_cookie[rule.cookie]
            return
        if found.first is rule:
            found.first, _ = found.others.popitem()
        else:
            del found.others[rule]
        found.by_table[rule.table_id] -= 1
        if not found.others:
            self._by_cookie[rule.cookie] = found.first

    def rules(self, cookie: int) -> Iterator[Rule]:
        """The rules with this cookie."""
        found = self._by_cookie.get(cookie)
        if isinstance(found, Rule):
            yield found
        elif found is not None:
            yield found.first
            yield from reversed(found.others)

    def count(self, cookie: int, table_id: int) -> int:
        """How many rules of a table have this cookie."""
        found = self._by_cookie.get(cookie)
        if isinstance(found, Rule):
            return int(found.table_id == table_id)
        return 0 if found is None else found.by_table[table_id]
