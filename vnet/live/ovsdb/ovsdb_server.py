"""An ovsdb-server in this process: databases, the remotes that serve them, and what follows."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping

from vnet.base.units import NS_PER_MS
from vnet.live.clock import WallClock
from vnet.live.ovsdb.commands import ovsdb_commands
from vnet.live.ovsdb.db_targets import (
    PREFIX,
    DbTargetError,
    find_column,
    first_string,
    remotes_in,
    status_operations,
)
from vnet.live.ovsdb.files import OpenDatabase, open_database, random_uuid
from vnet.live.ovsdb.following import Following
from vnet.live.ovsdb.memory import memory_usage
from vnet.live.ovsdb.remotes import RemoteOptions, Remotes, Surroundings
from vnet.live.ovsdb.table_log import TableLog
from vnet.live.streams.tls_files import TlsFiles
from vnet.ovs.ovsdb.atoms import Uuid
from vnet.ovs.ovsdb.commit import Commit
from vnet.ovs.ovsdb.compaction import CompactionTimer
from vnet.ovs.ovsdb.database import Database
from vnet.ovs.ovsdb.errors import OvsdbError
from vnet.ovs.ovsdb.server.server import Server
from vnet.ovs.unixctl.table import Command
from vnet.ovs.vlog.vlog import SILENT, Vlog

STATUS_INTERVAL_NS = 2500 * NS_PER_MS
"""How often Manager rows are told how their remotes stand."""

_TLS_SETTINGS = ("private_key", "certificate", "ca_cert", "protocols", "ciphers")


class OvsdbServer:
    """Serves databases to whoever its remotes bring. All of it happens on ``clock``.

    ``directory`` is where relative sockets are, by default where Open vSwitch keeps its own.
    ``tls`` names the files for ``ssl:`` and ``pssl:``, which may stand in a database, too.
    """

    def __init__(
        self,
        clock: WallClock,
        new_uuid: Callable[[], Uuid] = random_uuid,
        *,
        vlog: Vlog = SILENT,
        tls: TlsFiles | None = None,
        directory: str | None = None,
    ) -> None:
        self.clock = clock
        self.vlog = vlog
        self.new_uuid = new_uuid
        self.server = Server(clock, new_uuid, vlog)
        self.remote_names: list[str] = []
        """The remotes as they were given, in the order in which they came."""
        self.files: dict[str, OpenDatabase] = {}
        """The databases that have files, by their names."""
        self.directory = directory
        self.log = vlog.module("ovsdb_server")
        self._wanted_tls = tls or TlsFiles()
        self.tls = TlsFiles()
        self._around = Surroundings(
            clock, self.server, vlog=vlog, tls=self.tls, directory=directory
        )
        self.remotes = Remotes(self._around)
        self.following = Following(self)
        self.table_log = TableLog(vlog)
        self.on_change: Callable[[], None] | None = None
        """Told when what is served, where, or whom this server follows has been changed."""
        self._writes_differences = True
        self._last_complaint = ""
        self._is_configuring = False
        self._has_status_timer = False
        self._is_closed = False
        self._listeners: dict[str, Callable[[Commit], None]] = {}
        self._compactions: dict[str, CompactionTimer] = {}

    # -- databases

    @property
    def databases(self) -> Mapping[str, Database]:
        """All databases by name, ``_Server`` among them."""
        return self.server.databases

    def add(self, database: Database) -> None:
        """Serve a database. Raises :class:`OvsdbError`."""
        self.server.add(database)
        database.writes_differences = self._writes_differences
        self._listen_to(database)

    def _listen_to(self, database: Database) -> None:
        def committed(commit: Commit) -> None:
            self._committed(database, commit)

        self._listeners[database.name] = committed
        database.on_commit(committed)
        self._configure_later()

    def write_differences(self, wanted: bool) -> None:
        """Whether files are told only what sets and maps gain and lose, from now on."""
        self._writes_differences = wanted
        for database in self.databases.values():
            database.writes_differences = wanted

    def open(self, name: str) -> None:
        """Serve what ``name`` says: a file, or ``relay:DB:REMOTES``. Raises :class:`OvsdbError`."""
        if name.startswith("relay:"):
            self.following.add_relay(name)
            return
        if any(_is_same_file(name, file.storage.name) for file in self.files.values()):
            raise OvsdbError("ovsdb error", f"{name}: already open")
        file = open_database(name, self.vlog)
        try:
            self._check_name(file.database.name)
            if file.fault is not None:
                self.log.err(str(file.fault))
            self.add(file.database)
        except OvsdbError:
            file.close()
            raise
        self.files[file.database.name] = file
        self._compactions[file.database.name] = CompactionTimer(self.server.now_ms, _random_below)
        self.following.databases_changed()
        self.changed()

    def _check_name(self, name: str) -> None:
        if name.startswith("_"):
            raise OvsdbError("ovsdb error", f'{name}: names beginning with "_" are reserved')
        if name in self.databases:
            raise OvsdbError("ovsdb error", f"{name}: duplicate database name")

    def remove(self, name: str) -> None:
        """Serve a database no more. Raises KeyError."""
        database = self.server.remove(name, f"removing {name} database by user request")
        database.forget(self._listeners.pop(name))
        file = self.files.pop(name, None)
        if file is not None:
            file.close()
        self.following.database_removed(name)
        self._configure_later()
        self.changed()

    def compact(self, name: str) -> None:
        """Make a database's file as small as it can be. Raises :class:`OvsdbError`."""
        self.databases[name].compact()
        if name in self._compactions:
            self._compactions[name].restart(self.server.now_ms)

    def _compact_if_grown(self, name: str) -> None:
        file = self.files.get(name)
        if file is None:
            return
        storage = file.storage
        is_due = self._compactions[name].is_due(
            self.server.now_ms,
            n_records=storage.n_records,
            size_bytes=storage.size_bytes,
            base_bytes=storage.base_bytes,
        )
        if is_due:
            try:
                self.compact(name)
            except OvsdbError as error:
                self.log.info(str(error))
                self._compactions[name].retry_soon(self.server.now_ms)

    # -- remotes

    def add_remote(self, name: str) -> None:
        """Serve one more remote. Raises :class:`DbTargetError`."""
        if name.startswith(PREFIX):
            find_column(name, self.databases)
        if name not in self.remote_names:
            self.remote_names.append(name)
            self._configure_later()
            self.changed()

    def remove_remote(self, name: str) -> None:
        """Serve a remote no more. Raises ValueError where there is none of that name."""
        self.remote_names.remove(name)
        self._configure_later()
        self.changed()

    def configure(self) -> str:
        """Have the remotes and certificates that are wanted; returns lines on what is wrong."""
        self._is_configuring = False
        if self._is_closed:
            return ""
        complaints: list[str] = []
        self._configure_tls(complaints)
        wanted: dict[str, RemoteOptions] = {}
        for name in self.remote_names:
            if not name.startswith(PREFIX):
                wanted.setdefault(name, RemoteOptions())
                continue
            try:
                wanted |= remotes_in(name, self.databases)
            except DbTargetError as error:
                complaints.append(str(error))
        self.remotes.set(wanted)
        self._start_status_timer()
        return "".join(f"{complaint}\n" for complaint in complaints)

    def _configure_tls(self, complaints: list[str]) -> None:
        for setting in _TLS_SETTINGS:
            try:
                wanted = getattr(self._wanted_tls, setting)
                value = first_string(wanted, self.databases)
            except DbTargetError as error:
                complaints.append(str(error))
                continue
            if value or not wanted.startswith(PREFIX):  # What was used outlives its row.
                setattr(self.tls, setting, value)
        self.tls.peer_ca_certs = self._wanted_tls.peer_ca_certs
        self.tls.bootstraps = self._wanted_tls.bootstraps

    def _configure_later(self) -> None:
        if not self._is_configuring:
            self._is_configuring = True
            self.clock.after(0, self._configure_and_tell)

    def _configure_and_tell(self) -> None:
        complaint = self.configure()
        if complaint and complaint != self._last_complaint:
            self.log.warn(complaint)
        self._last_complaint = complaint

    def _committed(self, database: Database, commit: Commit) -> None:
        """A commit may be about what remotes there are to be."""
        self.table_log.note(database, commit)
        self._compact_if_grown(database.name)
        texts = [*self.remote_names, *(getattr(self._wanted_tls, name) for name in _TLS_SETTINGS)]
        for text in texts:
            if text.startswith(f"{PREFIX}{database.name},") and self._concerns(text, commit):
                self._configure_later()
                return

    def _concerns(self, text: str, commit: Commit) -> bool:
        try:
            found = find_column(text, self.databases)
        except DbTargetError:
            return True
        referenced = found.referenced
        tables = [found.table, *([referenced] if referenced is not None else [])]
        return any(table.schema.name in commit.changes for table in tables)

    # -- what Manager rows are told

    def _start_status_timer(self) -> None:
        """Nobody is woken for what there is not."""
        follows_rows = any(name.startswith(PREFIX) for name in self.remote_names)
        if (follows_rows or self.remotes.failing) and not self._has_status_timer:
            self._has_status_timer = True
            self.clock.after(0, self._update_status)

    def _update_status(self) -> None:
        self._has_status_timer = False
        if self._is_closed:
            return
        self.write_status()
        if self.remotes.failing:
            self._configure_later()
        if any(name.startswith(PREFIX) for name in self.remote_names) or self.remotes.failing:
            self._has_status_timer = True
            self.clock.after(STATUS_INTERVAL_NS, self._update_status)

    def write_status(self) -> None:
        """Tell Manager rows how their remotes stand."""
        for name in self.remote_names:
            if not name.startswith(PREFIX):
                continue
            try:
                wanted = remotes_in(name, self.databases)
                statuses = {target: self.remotes.status(target) for target in wanted}
                found = status_operations(name, self.databases, statuses)
            except DbTargetError:
                continue
            if found is not None:
                database, operations = found
                database.execute(operations)

    # -- the rest

    def changed(self) -> None:
        """What is served, where, or whom this server follows has been changed."""
        if self.on_change is not None:
            self.on_change()

    @property
    def names(self) -> list[str]:
        """What :meth:`open` was given for the databases there are."""
        files = [file.storage.name for file in self.files.values()]
        return files + self.following.relay_names

    def usage(self) -> dict[str, int]:
        """What it keeps in memory, for ``memory/show``."""
        return memory_usage(self.server)

    def commands(self) -> list[Command]:
        """What ovs-appctl may tell this server."""
        return ovsdb_commands(self)

    def close(self) -> None:
        """End all connections and close all files."""
        self._is_closed = True
        self.following.close()
        self.remotes.close()
        for file in self.files.values():
            file.close()
        self.files.clear()


def _random_below(limit: int) -> int:
    return int.from_bytes(os.urandom(8), "big") % limit


def _is_same_file(name: str, other: str) -> bool:
    try:
        return os.path.samefile(name, other)
    except OSError:
        return False
