"""Locks by which clients agree on who may write (RFC 7047 section 4.1.8)."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable


class Waiter:
    """One session's wish for one lock, from "lock" or "steal" to "unlock"."""

    __slots__ = ("_queue", "is_thief", "name", "notify")

    def __init__(
        self, name: str, queue: deque[Waiter], is_thief: bool, notify: Callable[[str, str], None]
    ) -> None:
        self.name = name
        self.is_thief = is_thief
        self.notify = notify
        self._queue = queue

    @property
    def is_owner(self) -> bool:
        """Whether the lock is held."""
        return bool(self._queue) and self._queue[0] is self

    @property
    def is_waiting(self) -> bool:
        """Whether the lock may be got without asking again."""
        return not self.is_owner and self in self._queue


class Locks:
    """All locks of a server. A session is known by the function that tells it of its locks."""

    def __init__(self) -> None:
        self._queues: dict[str, deque[Waiter]] = {}

    def ask(self, name: str, notify: Callable[[str, str], None]) -> Waiter:
        """Wait for a lock, or have it. ``notify("locked", name)`` when it is had later."""
        queue = self._queues.setdefault(name, deque())
        waiter = Waiter(name, queue, False, notify)
        queue.append(waiter)
        return waiter

    def steal(self, name: str, notify: Callable[[str, str], None]) -> Waiter:
        """Have a lock at once; whoever had it is notified of "stolen".

        One who had asked for it is next in the queue; one who had stolen it is out.
        """
        queue = self._queues.setdefault(name, deque())
        victim = queue[0] if queue else None
        waiter = Waiter(name, queue, True, notify)
        queue.appendleft(waiter)
        if victim is not None:
            if victim.is_thief:
                queue.remove(victim)
            victim.notify("stolen", name)
        return waiter

    def release(self, waiter: Waiter) -> None:
        """Give a lock back, or wait for it no more.

        Whoever has it then is told, even if that is who had it before.
        """
        queue = self._queues.get(waiter.name)
        if queue is None or waiter not in queue:
            return
        queue.remove(waiter)
        if queue:
            queue[0].notify("locked", waiter.name)
        else:
            del self._queues[waiter.name]
