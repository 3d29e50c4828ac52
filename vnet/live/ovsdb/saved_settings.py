"""What a supervised server's successor goes on with after a crash."""

from __future__ import annotations

import json
import os
from typing import NamedTuple

from vnet.live.ovsdb.ovsdb_server import OvsdbServer


class Settings(NamedTuple):
    """What is served, where, and whom the server follows."""

    names: list[str]
    remotes: list[str]
    sync_from: str
    excluded: str
    is_backup: bool


class SavedSettings:
    """Settings in a file without a name, which all processes of a daemon share."""

    def __init__(self) -> None:
        self._descriptor = os.memfd_create("ovsdb-server")

    def save(self, server: OvsdbServer) -> None:
        """Keep the settings of a server as they are now."""
        following = server.following
        settings = Settings(
            server.names,
            server.remote_names,
            following.target,
            str(following.excluded),
            following.is_backup,
        )
        os.ftruncate(self._descriptor, 0)
        os.pwrite(self._descriptor, json.dumps(settings).encode(), 0)

    def load(self) -> Settings | None:
        """What was kept; None at first."""
        text = os.pread(self._descriptor, os.fstat(self._descriptor).st_size, 0)
        return Settings(*json.loads(text)) if text else None
