"""What ovs-appctl(8) tells ovsdb-server (ovsdb-server(1), "Runtime Management Commands")."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING

from vnet.live.ovsdb.db_targets import DbTargetError
from vnet.ovs.ovsdb.errors import OvsdbError
from vnet.ovs.unixctl.table import Command, CommandError, answering

if TYPE_CHECKING:
    from vnet.live.ovsdb.ovsdb_server import OvsdbServer

Words = Sequence[str]

_NO_DATABASE = "Failed to find the database."
_NO_COUNTERS = "performance counter is not supported on this platform"
_INTEGER = re.compile(r"\s*[+-]?[0-9]+")


def ovsdb_commands(server: OvsdbServer) -> list[Command]:
    """The commands of a server that are about its databases and clients."""
    return [
        *_DatabaseCommands(server).all(),
        *_RemoteCommands(server).all(),
        *_FollowingCommands(server).all(),
    ]


def _command(
    name: str, function: Callable[[Words], str], usage: str = "", least: int = 0, most: int = 0
) -> Command:
    return Command(f"ovsdb-server/{name}", usage, least, most, answering(function))


class _DatabaseCommands:
    """About databases and their files."""

    def __init__(self, server: OvsdbServer) -> None:
        self._server = server
        self._log = server.log
        self._trims_memory: bool | None = None

    def all(self) -> list[Command]:
        return [
            _command("add-db", self._add, "DB", 1, 1),
            _command("remove-db", self._remove, "DB", 1, 1),
            _command("list-dbs", lambda _words: _lines(self._server.databases)),
            _command("compact", self._compact, "", 0, 1),
            _command("memory-trim-on-compaction", self._trim_memory, "on|off", 1, 1),
            _command("get-db-storage-status", self._storage_status, "DB", 1, 1),
            _command("tlog-set", self._log_table, "DB:TABLE on|off", 2, 2),
            _command("tlog-list", lambda _: self._server.table_log.table(self._server.databases)),
            _command("perf-counters-show", lambda _words: _NO_COUNTERS),
            _command("perf-counters-clear", lambda _words: ""),
        ]

    def _add(self, words: Words) -> str:
        try:
            self._server.open(words[0])
        except OvsdbError as error:
            raise CommandError(str(error)) from error
        return ""

    def _remove(self, words: Words) -> str:
        name = words[0]
        if name not in self._server.databases:
            raise CommandError(_NO_DATABASE)
        if name.startswith("_"):
            raise CommandError("Cannot remove reserved database.")
        self._server.remove(name)
        return ""

    def _compact(self, words: Words) -> str:
        if words and words[0].startswith("_"):
            raise CommandError("cannot compact built-in databases")
        names = [name for name in self._server.databases if not name.startswith("_")]
        wanted = [name for name in names if not words or name == words[0]]
        if not wanted:
            raise CommandError("no database by that name")
        complaints = []
        for name in wanted:
            self._log.info(f"compacting {name} database by user request")
            try:
                self._server.compact(name)
            except OvsdbError as error:
                complaints.append(str(error))
        if complaints:
            raise CommandError(_lines(complaints))
        return ""

    def _trim_memory(self, words: Words) -> str:
        """Python gives memory back by itself; the setting is kept and told."""
        if words[0] not in ("on", "off"):
            raise CommandError("invalid argument")
        wanted = words[0] == "on"
        if wanted != self._trims_memory:
            self._trims_memory = wanted
            what = "enabled" if wanted else "disabled"
            self._log.info(f"memory trimming after compaction {what}.")
        return ""

    def _storage_status(self, words: Words) -> str:
        if words[0] not in self._server.databases:
            raise CommandError(_NO_DATABASE)
        return "status: ok"

    def _log_table(self, words: Words) -> str:
        name, on = words[0], words[1].lower()
        if on not in ("on", "off"):
            raise CommandError("invalid command argument")
        parts = [part for part in name.split(":") if part]
        if len(parts) != 2:
            raise CommandError("invalid DB:TABLE argument")
        database = self._server.databases.get(parts[0])
        if database is None:
            raise CommandError("no such database")
        if parts[1] not in database.tables:
            raise CommandError("no such table")
        self._server.table_log.set(parts[0], parts[1], on=on == "on")
        return ""


class _RemoteCommands:
    """About remotes and the clients that come by them."""

    def __init__(self, server: OvsdbServer) -> None:
        self._server = server

    def all(self) -> list[Command]:
        return [
            _command("add-remote", self._add, "REMOTE", 1, 1),
            _command("remove-remote", self._remove, "REMOTE", 1, 1),
            _command("list-remotes", lambda _words: _lines(sorted(self._server.remote_names))),
            _command("reconnect", self._reconnect),
            _command("disable-monitor-cond", self._disable_conditions),
        ]

    def _add(self, words: Words) -> str:
        try:
            self._server.add_remote(words[0])
        except DbTargetError as error:
            raise CommandError(str(error)) from error
        return ""

    def _remove(self, words: Words) -> str:
        if words[0] not in self._server.remote_names:
            raise CommandError("no such remote")
        self._server.remove_remote(words[0])
        return ""

    def _reconnect(self, _words: Words) -> str:
        self._server.server.reconnect("user ran ovsdb-server/reconnect", everybody=True)
        return ""

    def _disable_conditions(self, _words: Words) -> str:
        self._server.server.has_conditional_monitors = False
        comment = "user ran ovsdb-server/disable-monitor-cond"
        self._server.server.reconnect(comment, everybody=True)
        return ""


class _FollowingCommands:
    """About the active server that this one may be a backup of."""

    def __init__(self, server: OvsdbServer) -> None:
        self._server = server
        self._following = server.following

    def all(self) -> list[Command]:
        return [
            _command("set-active-ovsdb-server", self._set_target, "", 1, 1),
            _command("get-active-ovsdb-server", lambda _words: self._following.target),
            _command("connect-active-ovsdb-server", self._connect),
            _command("disconnect-active-ovsdb-server", self._disconnect),
            _command("set-active-ovsdb-server-probe-interval", self._set_probe, "", 1, 1),
            _command("set-sync-exclude-tables", self._set_excluded, "", 0, 1),
            _command("get-sync-exclude-tables", lambda _words: str(self._following.excluded)),
            _command("sync-status", self._status),
        ]

    def _set_target(self, words: Words) -> str:
        self._following.target = words[0]
        self._server.changed()
        return ""

    def _connect(self, _words: Words) -> str:
        if not self._following.target:
            return "Unable to connect: active server is not specified.\n"
        try:
            self._following.connect()
        except OSError as error:
            raise CommandError(f"{self._following.target}: {error.strerror}") from None
        finally:
            self._server.changed()
        return ""

    def _disconnect(self, _words: Words) -> str:
        self._following.disconnect()
        self._server.changed()
        return ""

    def _set_probe(self, words: Words) -> str:
        if not _INTEGER.fullmatch(words[0]):
            return "Invalid probe interval, integer value expected"
        self._following.set_probe_interval(int(words[0]))
        return ""

    def _set_excluded(self, words: Words) -> str:
        self._following.set_excluded(words[0] if words else "")
        self._server.changed()
        return ""

    def _status(self, _words: Words) -> str:
        replication = self._following.replication
        if replication is None:
            return "state: active\n"
        return f"state: backup\n{replication.status()}"


def _lines(texts: Iterable[str]) -> str:
    return "".join(f"{text}\n" for text in texts)
