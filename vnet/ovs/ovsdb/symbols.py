"""The names that one transaction gives to rows before they have UUIDs (RFC 7047, <named-uuid>)."""

from __future__ import annotations

from collections.abc import Callable

from vnet.ovs.ovsdb.atoms import Uuid


class Symbols:
    """UUIDs by name. A name has its UUID from where it is first met; its row may come later."""

    def __init__(self, new_uuid: Callable[[], Uuid]) -> None:
        self._new_uuid = new_uuid
        self._uuids: dict[str, Uuid] = {}
        self._inserted: set[str] = set()

    def uuid_of(self, name: str) -> Uuid:
        """What a name stands for."""
        uuid = self._uuids.get(name)
        if uuid is None:
            uuid = self._uuids[name] = self._new_uuid()
        return uuid

    def is_inserted(self, name: str) -> bool:
        """Whether an "insert" had this name already."""
        return name in self._inserted

    def insert(self, name: str, uuid: Uuid | None) -> Uuid:
        """A row with that name is inserted, with a UUID of its own if it has one."""
        self._inserted.add(name)
        if uuid is None:
            return self.uuid_of(name)
        self._uuids[name] = uuid
        return uuid
