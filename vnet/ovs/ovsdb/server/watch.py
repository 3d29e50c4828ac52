"""A database seen through one shape of monitor, for all clients that watch it so.

What is told is made into text once for all clients that are equally far behind, which most of the
time are all of them. A client that does not take what it is told costs no more than the rows that
have changed since: their changes are merged until it does.
"""

from __future__ import annotations

from collections.abc import Iterator

from vnet.ovs.jsonrpc.encode import encode_text
from vnet.ovs.ovsdb.atoms import Uuid
from vnet.ovs.ovsdb.commit import Commit
from vnet.ovs.ovsdb.database import Database
from vnet.ovs.ovsdb.json_text import Json
from vnet.ovs.ovsdb.row import Row
from vnet.ovs.ovsdb.server.row_filter import RowFilter
from vnet.ovs.ovsdb.server.row_texts import RowTexts
from vnet.ovs.ovsdb.server.row_update import Hidden, TableView, Version, teller
from vnet.ovs.ovsdb.server.shape import Filters, Shape

RowChange = tuple[Row | None, Row | None]
"""The row before and after."""

Selection = tuple[tuple[str, RowFilter], ...]
"""The filters that leave rows out, by table: what tells one client's texts from another's."""

TextKey = tuple[str, Selection]
"""The version's name, and what is left out."""

MessageKey = tuple[str, Selection]
"""How the notification begins, and what is left out."""


def selection_of(filters: Filters | None) -> Selection:
    """The filters that matter."""
    if not filters:
        return ()
    return tuple((name, filters[name]) for name in sorted(filters) if not filters[name].is_open)


class ChangeSet:
    """What has changed since some moment, row by row, and the texts that were made of it."""

    __slots__ = ("hidden", "messages", "n_followers", "rows", "texts")

    def __init__(self, hidden: dict[str, Hidden]) -> None:
        self.hidden = hidden
        """The columns that were looked at and not told when this began."""
        self.rows: dict[str, dict[Uuid, RowChange]] = {}
        self.texts: dict[TextKey, str | None] = {}
        self.messages: dict[MessageKey, bytes | None] = {}
        """Whole notifications, which clients use that differ in nothing."""
        self.n_followers = 0

    def add(self, table: str, uuid: Uuid, old: Row | None, new: Row | None) -> None:
        """Note one row's change; a row that came and went was never there."""
        rows = self.rows.setdefault(table, {})
        if uuid in rows:
            old = rows[uuid][0]
        if old is None and new is None:
            del rows[uuid]
        else:
            rows[uuid] = old, new
        self.texts.clear()
        self.messages.clear()


class Watch:
    """One shape of monitor on one database. Followers hold a :class:`ChangeSet` of what is new."""

    def __init__(self, database: Database, shape: Shape, row_texts: RowTexts | None = None) -> None:
        self._database = database
        self._row_texts = row_texts or RowTexts()
        self.views = {name: TableView(database.schema.tables[name], table) for name, table in shape}
        self._change_sets: list[ChangeSet] = []
        self.newest: ChangeSet | None = None
        """To which nothing has been added yet."""
        self._initial_texts: dict[TextKey, str] = {}

    # -- followers

    def follow(self) -> ChangeSet:
        """What changes from now on."""
        if self.newest is None:
            self.newest = self._new_changes()
            self._change_sets.append(self.newest)
        self.newest.n_followers += 1
        return self.newest

    def _new_changes(self) -> ChangeSet:
        return ChangeSet({name: view.hidden for name, view in self.views.items()})

    @property
    def has_followers(self) -> bool:
        """Whether anybody is to be told of anything."""
        return bool(self._change_sets)

    def leave(self, changes: ChangeSet) -> None:
        """Follow a change set no more."""
        changes.n_followers -= 1
        if changes.n_followers == 0:
            self._change_sets.remove(changes)
            if changes is self.newest:
                self.newest = None

    def advance(self, changes: ChangeSet) -> ChangeSet:
        """Leave a change set, of which a follower has been told, for what changes from now on."""
        self.leave(changes)
        return self.follow()

    # -- what happens

    def note(self, commit: Commit) -> bool:
        """Take note of a commit; whether it concerns the followers."""
        concerned = False
        for table, uuid, old, new in self._concerning(commit):
            concerned = True
            for changes in self._change_sets:
                changes.add(table, uuid, old, new)
        if concerned:
            self.newest = None
            self._initial_texts.clear()
        return concerned

    def changes_of(self, commits: list[Commit]) -> ChangeSet:
        """What some commits, the latest, have changed."""
        changes = self._new_changes()
        for commit in commits:
            for table, uuid, old, new in self._concerning(commit):
                changes.add(table, uuid, old, new)
        return changes

    def _concerning(self, commit: Commit) -> Iterator[tuple[str, Uuid, Row | None, Row | None]]:
        for table, changes in commit.changes.items():
            view = self.views.get(table)
            if view is not None:
                for uuid, (old, new) in changes.items():
                    if view.concerns(old, new):
                        yield table, uuid, old, new

    def look_at(self, filters: Filters) -> None:
        """Let changes of the columns of these filters count."""
        for name, row_filter in filters.items():
            self.views[name].look_at(row_filter)
        self._initial_texts.clear()

    # -- texts

    def initial_text(self, version: Version, only: Selection) -> str:
        """The <table-updates> of all rows there are."""
        key = version.value, only
        text = self._initial_texts.get(key)
        if text is None:
            filters = dict(only)
            tables = [
                f'"{name}":{{{",".join(rows)}}}'
                for name, view in self.views.items()
                if view.tells_initial and (rows := self._initial_rows(view, version, filters))
            ]
            text = self._initial_texts[key] = f"{{{','.join(tables)}}}"
        return text

    def _initial_rows(self, view: TableView, version: Version, filters: Filters) -> list[str]:
        """The members of a table's <table-update>."""
        rows = self._database.tables[view.name].rows
        row_filter = filters.get(view.name)
        wanted = [row for row in rows.values() if row_filter is None or row_filter.passes(row)]
        texts = self._row_texts.of(view, version, wanted)
        self._row_texts.tidy(view, version, rows)
        return texts

    def update_text(self, changes: ChangeSet, version: Version, only: Selection) -> str | None:
        """The <table-updates> of changes, or None where there is nothing to tell."""
        key = version.value, only
        if key not in changes.texts:
            updates = self._table_updates(changes.rows, version, only, changes.hidden)
            changes.texts[key] = encode_text(updates) if updates else None
        return changes.texts[key]

    def refiltered_text(self, before: Filters, after: Filters) -> str | None:
        """The <table-updates2> for a client whose filters have changed, or None."""
        updates: dict[str, Json] = {}
        for name, view in self.views.items():
            old, new = before.get(name), after.get(name)
            if old is None or new is None or old == new:
                continue
            rows = {}
            for uuid, row in self._database.tables[name].rows.items():
                was_in, is_in = old.passes(row), new.passes(row)
                update = view.row_update2(False, row, row, was_in=was_in, is_in=is_in)
                if update is not None:
                    rows[uuid] = update
            if rows:
                updates[name] = rows
        return encode_text(updates) if updates else None

    def _table_updates(
        self,
        rows: dict[str, dict[Uuid, RowChange]],
        version: Version,
        only: Selection,
        hidden: dict[str, Hidden],
    ) -> dict[str, Json]:
        filters = dict(only)
        updates: dict[str, Json] = {}
        for name, changes in rows.items():
            tell = teller(
                *(self.views[name], version, filters.get(name)),
                hidden.get(name, frozenset()),
            )
            told = {
                uuid: update
                for uuid, (old, new) in changes.items()
                if (update := tell(False, old, new)) is not None
            }
            if told:
                updates[name] = told
        return updates
