"""One client's monitor of one database."""

from __future__ import annotations

from vnet.ovs.jsonrpc.encode import encode_text
from vnet.ovs.ovsdb.json_text import Json
from vnet.ovs.ovsdb.server.history import History
from vnet.ovs.ovsdb.server.row_update import Version
from vnet.ovs.ovsdb.server.shape import Filters
from vnet.ovs.ovsdb.server.watch import ChangeSet, Watch, selection_of


class Monitor:
    """What a client has been told so far, and what it is to be told next.

    ``filters`` is None for the first version, which has none.
    """

    def __init__(
        self,
        identity: Json,
        version: Version,
        watch: Watch,
        history: History,
        filters: Filters | None,
    ) -> None:
        self.watch = watch
        self.version = version
        self._history = history
        self._filters = filters
        self._only = selection_of(filters)
        self._changes: ChangeSet | None = None
        self.rename(identity)
        if filters:
            watch.look_at(filters)

    def rename(self, identity: Json) -> None:
        """Take another identity, which clients may choose when they change filters."""
        self.identity = identity
        self._head = (
            f'{{"id":null,"method":"{self.version.value}","params":[{encode_text(identity)},'
        )
        self._message_key = self._head, self._only

    def begin(self, since: str | None = None) -> str:
        """The text of the first answer's result. ``since`` is the last transaction known."""
        missed = None if since is None else self._history.after(since)
        if missed is None:
            text = self.watch.initial_text(self.version, self._only)
        else:
            changes = self.watch.changes_of(missed)
            text = self.watch.update_text(changes, self.version, self._only) or "{}"
        self._changes = self.watch.follow()
        if self.version is not Version.V3:
            return text
        found = "false" if missed is None else "true"
        return f'[{found},"{self._history.last_id}",{text}]'

    def take_update(self) -> bytes | None:
        """The notification of what is new, if there is anything.

        Clients with the same monitor by the same name get the same bytes.
        """
        changes, watch = self._changes, self.watch
        if changes is None or changes is watch.newest:
            return None
        key = self._message_key
        if self.version is Version.V3:
            key = self._head + self._history.last_id, self._only
        messages = changes.messages
        if key in messages:
            message = messages[key]
        else:
            text = watch.update_text(changes, self.version, self._only)
            message = messages[key] = self._notification(text)
        self._changes = watch.advance(changes)
        return message

    def change_filters(self, filters: Filters) -> bytes | None:
        """Look at other rows; the notification of what that makes appear and vanish.

        Everything new must have been taken before.
        """
        if self._filters is None:
            return None
        before, self._filters = self._filters, self._filters | filters
        self._only = selection_of(self._filters)
        self._message_key = self._head, self._only
        self.watch.look_at(filters)
        if self._changes is not None:
            self._changes = self.watch.advance(self._changes)
        return self._notification(self.watch.refiltered_text(before, self._filters))

    def end(self) -> None:
        """Be told no more."""
        if self._changes is not None:
            self.watch.leave(self._changes)
            self._changes = None

    def _notification(self, text: str | None) -> bytes | None:
        if text is None:
            return None
        last = f'"{self._history.last_id}",' if self.version is Version.V3 else ""
        return f"{self._head}{last}{text}]}}".encode("utf-8", "surrogateescape")
