"""A real ovsdb-server with one database, and raw transactions on it."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

TIMEOUT_S = 90
_LOOK_S = 0.01

IS_INSTALLED = shutil.which("ovsdb-server") is not None and shutil.which("ovsdb-tool") is not None


class RealServer:
    """One connection to a running server."""

    def __init__(self, connection: socket.socket, database: str) -> None:
        self._connection = connection
        self._database = database
        self._unread = ""
        self._decoder = json.JSONDecoder()

    def call(self, method: str, params: list[Any]) -> Any:
        """The whole reply to a request."""
        request = {"method": method, "params": params, "id": 0}
        self._connection.sendall(json.dumps(request).encode())
        while True:
            try:
                reply, end = self._decoder.raw_decode(self._unread)
            except json.JSONDecodeError:
                octets = self._connection.recv(1 << 20)
                assert octets, "the server hung up"
                self._unread += octets.decode()
                continue
            self._unread = self._unread[end:].lstrip()
            return reply

    def transact(self, operations: list[Any]) -> Any:
        """The "result" of a transaction."""
        return self.call("transact", [self._database, *operations])["result"]


@contextmanager
def serving(directory: Path, file: Path, database: str) -> Iterator[RealServer]:
    """The real server on a file, while the block lasts."""
    address = directory / "db.sock"
    command = [
        *("ovsdb-server", str(file), f"--remote=punix:{address}", "--no-chdir"),
        *(f"--unixctl={directory}/ctl", f"--log-file={directory}/log", "-vconsole:off"),
    ]
    with subprocess.Popen(command, stderr=subprocess.PIPE) as process:
        try:
            with connected(address, process) as connection:
                yield RealServer(connection, database)
        finally:
            process.terminate()
            process.communicate(timeout=TIMEOUT_S)


@contextmanager
def connected(address: Path, process: subprocess.Popen[Any]) -> Iterator[socket.socket]:
    """A connection to a server that is just starting."""
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(TIMEOUT_S)
        while True:
            try:
                connection.connect(str(address))
                break
            except (FileNotFoundError, ConnectionRefusedError):
                assert process.poll() is None, "the server did not start"
                time.sleep(_LOOK_S)  # It needs the processor, too.
        yield connection


def create(directory: Path, schema: Any) -> Path:
    """A new database file, made by ovsdb-tool."""
    schema_file = directory / "schema.json"
    schema_file.write_text(json.dumps(schema))
    file = directory / "conf.db"
    command = ["ovsdb-tool", "create", str(file), str(schema_file)]
    subprocess.run(command, check=True, timeout=TIMEOUT_S, capture_output=True)
    return file
