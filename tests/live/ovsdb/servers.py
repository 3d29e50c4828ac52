"""An ovsdb-server in a folder, and the real clients that talk to it."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

from tests.live.daemon.daemons import Daemons
from tests.live.processes import PATIENCE_S

SCHEMA = Path("/usr/share/openvswitch/vswitch.ovsschema")


class Servers(Daemons):
    """One at a time; ``serve`` starts it on ``conf.db``, with a socket ``db.sock``."""

    def __init__(self, folder: Path, *, ours: bool) -> None:
        super().__init__(folder, ours=ours)
        self.socket = folder / "db.sock"

    @property
    def remote(self) -> str:
        """Where clients find it."""
        return f"unix:{self.socket}"

    def create(self, name: str = "conf.db", schema: Path = SCHEMA) -> None:
        """A new database, made by the real ovsdb-tool."""
        self.client("ovsdb-tool", "create", str(self.folder / name), str(schema))

    def serve(self, *arguments: str) -> int:
        """Start it on a new conf.db, or what ``arguments`` name besides."""
        if not (self.folder / "conf.db").exists():
            self.create()
        listening = f"--remote=punix:{self.socket}"
        return self.start("ovsdb-server", "--log-file", listening, *arguments)

    def client(self, *words: str) -> str:
        """What a real client prints; it must find nothing wrong."""
        done = self.try_client(*words)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def try_client(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Run a real client, whatever comes of it."""
        return subprocess.run(
            words,
            env=self.environment,
            cwd=self.folder,
            capture_output=True,
            text=True,
            check=False,
            timeout=PATIENCE_S,
        )

    def vsctl(self, *words: str) -> str:
        """The real ovs-vsctl, which waits for no switch."""
        return self.client(
            "ovs-vsctl", "--no-wait", "--no-leader-only", f"--db={self.remote}", *words
        )

    def values(self, table: str, column: str, database: str = "Open_vSwitch") -> list[Any]:
        """A column of all rows there are, in the order of their texts; none without a server."""
        select = {"op": "select", "table": table, "where": [], "columns": [column]}
        text = json.dumps([database, select])
        done = self.try_client("ovsdb-client", "transact", self.remote, text)
        if done.returncode:
            return []
        [result] = json.loads(done.stdout)
        return sorted((row[column] for row in result["rows"]), key=str)

    def transact(self, *operations: Any) -> Any:
        """The result of a transaction of the real ovsdb-client's."""
        text = json.dumps(["Open_vSwitch", *operations])
        return json.loads(self.client("ovsdb-client", "transact", self.remote, text))

    def ask(self, *words: str) -> tuple[str, str]:
        """What ovs-appctl prints, to stdout and stderr."""
        done = self.appctl("ovsdb-server", *words)
        return done.stdout, done.stderr.replace(str(self.folder), "FOLDER")
