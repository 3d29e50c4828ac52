"""The latest transactions of a database, for clients that come back and have seen the earlier ones.

Only relays keep one: with a plain database file, transactions have no lasting identity.
"""

from __future__ import annotations

from collections import deque

from vnet.ovs.ovsdb.atoms import ZERO_UUID, Uuid
from vnet.ovs.ovsdb.commit import Commit

_MOST_COMMITS = 100


class History:
    """Up to a hundred commits, or none at all."""

    def __init__(self, is_kept: bool) -> None:
        self._is_kept = is_kept
        self._commits: deque[Commit] = deque(maxlen=_MOST_COMMITS)
        self._next_id: str | None = None

    @property
    def last_id(self) -> Uuid:
        """The identity of the last transaction, all zeros where none is known."""
        return self._commits[-1].txn_id if self._commits else ZERO_UUID

    @property
    def n_commits(self) -> int:
        """How many are kept."""
        return len(self._commits)

    def name_next(self, txn_id: str) -> None:
        """The next commit is another server's transaction of this identity, if it has any."""
        self._next_id = txn_id

    def note(self, commit: Commit) -> None:
        """Take note of a commit."""
        if not self._is_kept:
            return
        name, self._next_id = self._next_id, None
        if name == ZERO_UUID:
            self._commits.clear()
        else:
            self._commits.append(commit if name is None else commit._replace(txn_id=Uuid(name)))

    def after(self, txn_id: str) -> list[Commit] | None:
        """The commits after one, or None if that is not known (any more)."""
        commits = list(self._commits)
        for index, commit in enumerate(commits):
            if commit.txn_id == txn_id:
                return commits[index + 1 :]
        return None

    def clear(self) -> None:
        """Forget all: what comes next has nothing to do with what was."""
        self._commits.clear()
