"""ovs-appctl's commands of ovsdb-server: the texts of ours and those of the real one."""

from __future__ import annotations

import pytest

from tests.live.ovsdb.servers import Servers

pytestmark = pytest.mark.ovs

COMMANDS = [
    "ovsdb-server/list-dbs",
    "ovsdb-server/list-remotes",
    "ovsdb-server/compact",
    "ovsdb-server/compact Open_vSwitch",
    "ovsdb-server/compact x",
    "ovsdb-server/compact _Server",
    "ovsdb-server/compact a b",
    "ovsdb-server/memory-trim-on-compaction x",
    "ovsdb-server/memory-trim-on-compaction on",
    "ovsdb-server/tlog-set a b",
    "ovsdb-server/tlog-set a on",
    "ovsdb-server/tlog-set a:b on",
    "ovsdb-server/tlog-set Open_vSwitch:x on",
    "ovsdb-server/tlog-set Open_vSwitch:Bridge on",
    "ovsdb-server/tlog-list",
    "ovsdb-server/perf-counters-show",
    "ovsdb-server/perf-counters-clear",
    "ovsdb-server/add-db nope",
    "ovsdb-server/add-db conf.db",
    "ovsdb-server/add-db relay:x",
    "ovsdb-server/get-db-storage-status Open_vSwitch",
    "ovsdb-server/get-db-storage-status x",
    "ovsdb-server/remove-db x",
    "ovsdb-server/remove-db _Server",
    "ovsdb-server/add-remote db:x",
    "ovsdb-server/add-remote db:x,y,z",
    "ovsdb-server/add-remote db:Open_vSwitch,y,z",
    "ovsdb-server/add-remote db:Open_vSwitch,Bridge,z",
    "ovsdb-server/add-remote db:Open_vSwitch,Open_vSwitch,manager_options",
    "ovsdb-server/add-remote nonsense",
    "ovsdb-server/list-remotes",
    "ovsdb-server/remove-remote x",
    "ovsdb-server/remove-remote nonsense",
    "ovsdb-server/get-active-ovsdb-server",
    "ovsdb-server/connect-active-ovsdb-server",
    "ovsdb-server/sync-status",
    "ovsdb-server/set-active-ovsdb-server tcp:127.0.0.1:1",
    "ovsdb-server/get-active-ovsdb-server",
    "ovsdb-server/set-active-ovsdb-server-probe-interval x",
    "ovsdb-server/set-sync-exclude-tables Open_vSwitch:Port,Open_vSwitch:Bridge",
    "ovsdb-server/get-sync-exclude-tables",
    "ovsdb-server/connect-active-ovsdb-server",
    "ovsdb-server/sync-status",
    "ovsdb-server/disconnect-active-ovsdb-server",
    "ovsdb-server/sync-status",
    "cluster/status Open_vSwitch",
    "memory/show",
    "ovsdb-server/remove-db Open_vSwitch",
    "ovsdb-server/list-dbs",
    "ovsdb-server/reconnect",
    "version",
]


def test_every_command_answers_as_the_real_servers_does(ours: Servers, real: Servers) -> None:
    ours.serve()
    real.serve()
    for command in COMMANDS:
        found, wanted = ours.ask(*command.split()), real.ask(*command.split())
        assert [part.replace("real", "ours") for part in wanted] == list(found), command


def test_rows_of_watched_tables_are_logged(ours: Servers, real: Servers) -> None:
    lines = []
    for servers in (ours, real):
        servers.serve()
        servers.ask("ovsdb-server/tlog-set", "Open_vSwitch:Bridge", "on")
        servers.vsctl("add-br", "br0")
        [line] = [
            line for line in servers.log("ovsdb-server").splitlines() if "|transaction|" in line
        ]
        columns = line.partition("|INFO|")[2].split(",")
        lines.append(sorted(column.partition(":")[0] for column in columns))
    assert lines[0] == lines[1]


def test_differences_are_written_once_they_are_allowed(ours: Servers, real: Servers) -> None:
    for servers in (ours, real):
        servers.serve("--disable-file-column-diff")
        servers.vsctl("add-br", "br0", "--", "set", "bridge", "br0", "other_config:a=b")
        file = servers.folder / "conf.db"
        servers.vsctl("set", "bridge", "br0", "other_config:c=d")
        assert '"_is_diff"' not in file.read_text(), servers.folder
        servers.ask("ovsdb/file/column-diff-enable")
        before = len(file.read_text())
        servers.vsctl("set", "bridge", "br0", "other_config:e=f")
        added = file.read_text()[before:]
        assert '"_is_diff":true' in added
        assert '"other_config":["map",[["e","f"]]]' in added
