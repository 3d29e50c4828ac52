"""Whether somebody has an address already: who was asked lately is not asked again.

While an answer is waited for, the server hears nothing else. So it gives this up for a while when
it has done little else in the last half minute.
"""

from __future__ import annotations

from collections.abc import Generator
from typing import TypeAlias

from vnet.base.ids import IpAddress

WAIT_S = 3
"""How long an answer is waited for."""
_REMEMBERED_S = 30
_MOST_CHECKS = int(0.6 * _REMEMBERED_S / WAIT_S)

Check: TypeAlias = Generator[IpAddress, bool, int | None]
"""Yields an address to be asked for, is sent whether it answers, and returns the hash of the
client for whom it was found free; None if it is not."""


class AddressChecks:
    """The addresses that were found free, and when."""

    def __init__(self, *, enabled: bool) -> None:
        self._enabled = enabled
        self._found: dict[IpAddress, tuple[int, int]] = {}

    def is_free(self, ip: IpAddress, hashed: int, now_s: int) -> Check:
        """Find out whether ``ip`` is free for the client with this hash."""
        fresh = {
            each: (when_s, whose)
            for each, (when_s, whose) in self._found.items()
            if now_s - when_s <= _REMEMBERED_S
        }
        self._found = fresh
        if ip in fresh:
            return fresh[ip][1]
        if not self._enabled or len(fresh) >= _MOST_CHECKS:
            return hashed
        if (yield ip):
            return None
        self._found[ip] = now_s, hashed
        return hashed
