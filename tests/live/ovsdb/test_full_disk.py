"""A server on a full disk: who asks is told, everybody else is served, and it recovers."""

from __future__ import annotations

import resource
import subprocess
import sys
from pathlib import Path

from tests.live.ovsdb.killing import ROOT
from tests.ovs.ovsdb.real_server import TIMEOUT_S, RealServer, connected
from tests.ovs.ovsdb.transactions import FILLED, SCHEMA, insert, select_all, update
from vnet.live.ovsdb.files import create_database
from vnet.ovs.ovsdb.schema import DatabaseSchema


def test_a_server_goes_on_when_its_disk_is_full(tmp_path: Path) -> None:
    file = tmp_path / "conf.db"
    create_database(str(file), DatabaseSchema.from_json(SCHEMA))
    address = tmp_path / "db.sock"
    command = [
        *(sys.executable, "-m", "vnet", "ovsdb-server", str(file), f"--remote=punix:{address}"),
        *(f"--unixctl={tmp_path}/ctl", "-vconsole:warn"),
    ]
    with subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, text=True) as process:
        try:
            with connected(address, process) as connection:
                server = RealServer(connection, "sample")
                assert server.transact(FILLED)
                _, hard = resource.prlimit(process.pid, resource.RLIMIT_FSIZE)
                full = (file.stat().st_size + 20, hard)
                resource.prlimit(process.pid, resource.RLIMIT_FSIZE, full)
                refused = server.transact([insert("root", 4, number=4)])
                before = server.transact([select_all("root")])
                resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (hard, hard))
                assert server.transact([update("root", 1, number=40)]) == [{"count": 1}]
        finally:
            process.terminate()
            _, said = process.communicate(timeout=TIMEOUT_S)
    assert refused[1] == {
        "error": "I/O error",
        "details": f"{file}: write failed",
        "io-error": "File too large",
    }
    assert [row["number"] for row in before[0]["rows"]] == [1, 2, 3]
    assert f"ovsdb_log|WARN|{file}: write failed (File too large)" in said
