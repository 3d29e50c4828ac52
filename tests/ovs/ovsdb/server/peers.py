"""Clients of the sans-I/O server, who keep what they are told."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable
from typing import Any

from vnet.base.units import NS_PER_MS
from vnet.ovs.ovsdb.atoms import Uuid
from vnet.ovs.ovsdb.database import Database
from vnet.ovs.ovsdb.schema import DatabaseSchema
from vnet.ovs.ovsdb.server.server import Server
from vnet.sim.scheduler import Scheduler


def counting_uuids() -> Callable[[], Uuid]:
    numbers = itertools.count(1)
    return lambda: Uuid(f"00000000-0000-4000-9000-{next(numbers):012x}")


class Client:
    """One session. ``unsent_bytes`` may be set, as if the client did not read."""

    def __init__(self, server: Server, name: str, *, is_read_only: bool = False) -> None:
        self.name = name
        self.unsent_bytes = 0
        self.is_connected = True
        self.received: list[Any] = []
        self.raw: list[bytes] = []
        self.session = server.open_session(self, is_read_only=is_read_only)

    def send(self, data: bytes) -> None:
        self.raw.append(data)
        self.received.append(json.loads(data))

    def disconnect(self) -> None:
        self.is_connected = False
        self.session.close()

    def take(self) -> list[Any]:
        """What has come since the last time."""
        taken, self.received = self.received, []
        return taken


class Bench:
    """A server with one database, and its clients by name."""

    def __init__(self, schema: Any) -> None:
        self.scheduler = Scheduler()
        new_uuid = counting_uuids()
        self.server = Server(self.scheduler, new_uuid)
        self.database = Database(DatabaseSchema.from_json(schema), new_uuid=new_uuid)
        self.server.add(self.database)
        self.clients: dict[str, Client] = {}

    def client(self, name: str = "a") -> Client:
        if name not in self.clients:
            self.clients[name] = Client(self.server, name)
        return self.clients[name]

    def say(self, message: Any, name: str = "a") -> list[Any]:
        """Let a client say something; what it is told in the course of that."""
        client = self.client(name)
        client.session.receive(message)
        self.settle()
        return client.take()

    def call(self, method: str, *params: Any, name: str = "a", identity: Any = 0) -> Any:
        """The answer to a request, the last thing that a client is told."""
        told = self.say({"id": identity, "method": method, "params": list(params)}, name)
        return told[-1] if told else None

    def transact(self, *operations: Any, name: str = "a") -> Any:
        """The result of a transaction."""
        return self.call("transact", self.database.name, *operations, name=name)["result"]

    def settle(self, ms: int = 0) -> None:
        self.scheduler.run(self.scheduler.now_ns + ms * NS_PER_MS)
