"""Which number a port gets, in OpenFlow and in the datapath."""

from __future__ import annotations

import re
from collections.abc import Callable

from vnet.base.units import NS_PER_S
from vnet.ovs.flow.ports import OFPP_MAX, OdpPort, OfpPort

_LAST_AUTOMATIC = 32767
"""Automatic numbers stay in the lower half; the upper is for those who ask."""

_REUSE_AFTER_NS = 3600 * NS_PER_S

_FIRST_NUMBER = re.compile(r"[0-9]+")
_BRIDGE_BASE = 100


class OfpNumbers:
    """OpenFlow port numbers of one bridge.

    Without a request numbers go up, and one that was freed is not given again within an hour:
    flows may still name it. A port that comes back by its name gets its old number.
    """

    def __init__(self) -> None:
        self._by_name: dict[str, OfpPort] = {}
        self._freed_ns: dict[OfpPort, int] = {}
        self._in_use: set[OfpPort] = set()
        self._last = 0

    def take(self, name: str, request: int | None, now_ns: int) -> OfpPort:
        """A number for a port: what it asks for, what it had before, or a free one.

        Raises ``LookupError`` where every number is in use.
        """
        number = self._wanted(name, request)
        if number is None or number in self._in_use:
            number = self._free(now_ns)
        self._in_use.add(number)
        self._freed_ns.pop(number, None)
        self._by_name[name] = number
        return number

    def give_back(self, number: OfpPort, now_ns: int) -> None:
        """A port has gone."""
        self._in_use.discard(number)
        self._freed_ns[number] = now_ns

    def forget(self, name: str) -> None:
        """A port is wanted no more: if one of its name comes, that is another."""
        self._by_name.pop(name, None)

    def refuse(self, name: str, number: OfpPort, now_ns: int) -> None:
        """A port did not come after all: no number is kept for it."""
        self.give_back(number, now_ns)
        self.forget(name)

    def _wanted(self, name: str, request: int | None) -> OfpPort | None:
        if request is not None and request < OFPP_MAX:
            return OfpPort(request)
        return self._by_name.get(name)

    def _free(self, now_ns: int) -> OfpPort:
        for _ in range(_LAST_AUTOMATIC):
            self._last = self._last % _LAST_AUTOMATIC + 1
            number = OfpPort(self._last)
            freed_ns = self._freed_ns.get(number)
            long_ago = freed_ns is None or now_ns - freed_ns > _REUSE_AFTER_NS
            if number not in self._in_use and long_ago:
                return number
        resting = {n: since for n, since in self._freed_ns.items() if n <= _LAST_AUTOMATIC}
        if not resting:
            raise LookupError("every OpenFlow port number is in use")
        return min(resting, key=lambda number: resting[number])


def dummy_number(name: str, is_taken: Callable[[OdpPort], bool]) -> OdpPort:
    """What the dummy datapath chooses, so that tests can tell beforehand: the number in the name,
    plus 100 for names that begin with ``br``.
    """
    base = _BRIDGE_BASE if name.startswith("br") else 0
    digits = _FIRST_NUMBER.search(name)
    number = OdpPort(base + (int(digits[0]) if digits else 0))
    if digits is not None and number > 0 and not is_taken(number):
        return number
    return _lowest_free(is_taken)


def _lowest_free(is_taken: Callable[[OdpPort], bool]) -> OdpPort:
    """From 1 on; 0 is the datapath's own port."""
    number = 1
    while is_taken(OdpPort(number)):
        number += 1
    return OdpPort(number)
