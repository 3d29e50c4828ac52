"""A database that a server serves, with what is known of it and who watches it."""

from __future__ import annotations

from collections.abc import Callable

from vnet.ovs.jsonrpc.message import Message
from vnet.ovs.ovsdb.commit import Commit
from vnet.ovs.ovsdb.database import Database
from vnet.ovs.ovsdb.json_text import Json
from vnet.ovs.ovsdb.server.history import History
from vnet.ovs.ovsdb.server.row_texts import RowTexts
from vnet.ovs.ovsdb.server.shape import Shape
from vnet.ovs.ovsdb.server.watch import Watch

_MOST_ROW_TEXTS = 4
"""Shapes of monitors whose rows' texts are kept for the next client."""

Forward = Callable[[list[Json], Callable[[Message | None], None]], None]
"""Has another server carry out a transaction. The function it is given is called with the answer,
or None where nobody can know what became of it."""


class Served:
    """One database. ``model`` is "standalone", or "relay" for a copy of another server's."""

    def __init__(self, database: Database, model: str) -> None:
        self.database = database
        self.model = model
        self.is_connected = model != "relay"
        """Whether what it is a copy of can be reached."""
        self.forward: Forward | None = None
        self.history = History(is_kept=model == "relay")
        self._watches: dict[Shape, Watch] = {}
        self._row_texts: dict[Shape, RowTexts] = {}
        """Of the latest shapes, the last one last, whether they are watched or not."""

    @property
    def is_available(self) -> bool:
        """Whether it is known yet what is in it."""
        return self.model != "relay" or bool(self.database.schema.tables)

    def replace(self, database: Database) -> None:
        """Have another database in place of this one, whose watches nobody follows."""
        self.database = database
        self.history.clear()
        self._watches.clear()
        self._row_texts.clear()

    @property
    def n_watches(self) -> int:
        """How many different monitors there are."""
        return len(self._watches)

    def watch(self, shape: Shape) -> Watch:
        """The watch of this shape, for whoever wants to see that."""
        watch = self._watches.get(shape)
        if watch is None:
            watch = self._watches[shape] = Watch(self.database, shape, self._texts_for(shape))
        return watch

    def _texts_for(self, shape: Shape) -> RowTexts:
        texts = self._row_texts.pop(shape, None) or RowTexts()
        self._row_texts[shape] = texts
        if len(self._row_texts) > _MOST_ROW_TEXTS:
            del self._row_texts[next(iter(self._row_texts))]
        return texts

    def note(self, commit: Commit) -> None:
        """Take note of a commit."""
        self.history.note(commit)
        for watch in self._watches.values():
            watch.note(commit)

    def tidy(self) -> None:
        """Forget what nobody watches any more."""
        self._watches = {
            shape: watch for shape, watch in self._watches.items() if watch.has_followers
        }
