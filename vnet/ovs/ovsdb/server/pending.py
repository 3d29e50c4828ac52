"""Transactions that wait: for rows to become what they wait for, or for their time to run out."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from vnet.ovs.ovsdb.json_text import Json

if TYPE_CHECKING:
    from vnet.ovs.ovsdb.server.session import Session

FOREVER_MS = 1 << 62


@dataclass(slots=True, eq=False)
class Pending:
    """One client's transaction, to be tried again after each commit."""

    session: Session
    key: str
    """The request's identity, as text."""
    identity: Json
    database: str
    operations: list[Json]
    created_ms: int
    timeout_ms: int = FOREVER_MS

    @property
    def deadline_ms(self) -> int:
        """When it is to be tried even if nothing has changed."""
        return self.created_ms + self.timeout_ms


class Pendings:
    """All that wait on one server, in the order in which they came."""

    def __init__(self) -> None:
        self._all: dict[tuple[Session, str], Pending] = {}
        self._counts: Counter[Session] = Counter()

    def __len__(self) -> int:
        return len(self._all)

    def add(self, pending: Pending) -> None:
        """Let a transaction wait."""
        self._all[pending.session, pending.key] = pending
        self._counts[pending.session] += 1

    def count(self, session: Session) -> int:
        """How many of a client's wait."""
        return self._counts[session]

    def find(self, session: Session, key: str) -> Pending | None:
        """The one that a client's request is, if it still waits."""
        return self._all.get((session, key))

    def remove(self, pending: Pending) -> None:
        """It waits no more; harmless where it did not."""
        if self._all.pop((pending.session, pending.key), None) is not None:
            self._counts[pending.session] -= 1
            if not self._counts[pending.session]:
                del self._counts[pending.session]

    def of_session(self, session: Session) -> list[Pending]:
        """A client's."""
        return [pending for pending in self._all.values() if pending.session is session]

    def of_database(self, name: str) -> list[Pending]:
        """Those that wait for a database."""
        return [pending for pending in self._all.values() if pending.database == name]

    def due(self, changed: set[str], now_ms: int) -> list[Pending]:
        """Those to be tried: of databases that have changed, or out of time."""
        return [
            pending
            for pending in self._all.values()
            if pending.database in changed or now_ms >= pending.deadline_ms
        ]

    @property
    def next_deadline_ms(self) -> int | None:
        """When the next one is out of time; None if that never comes."""
        deadline_ms = min(
            (pending.deadline_ms for pending in self._all.values()), default=FOREVER_MS
        )
        return deadline_ms if deadline_ms < FOREVER_MS else None
