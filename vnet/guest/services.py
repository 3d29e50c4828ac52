"""The TCP servers of a machine, and who may have a port next."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

from vnet.base.errors import UsageError
from vnet.guest.apps.app import App

ServiceT = TypeVar("ServiceT", bound=App)


@dataclass(frozen=True, slots=True)
class Client:
    """An app for which a server runs, and what it is called."""

    app: App
    title: str


@dataclass(slots=True)
class _Service:
    server: App
    stays: bool
    """Whether somebody wanted it to run for good, and not for one client."""
    clients: list[Client] = field(default_factory=list)


class TcpServices:
    """The servers by port. All who want the same kind on a port share one.

    A server that was started for a client runs on when that has ended, until another kind is
    wanted on its port. One that was started for good stays.
    """

    def __init__(self, machine: str) -> None:
        self._machine = machine
        self._by_port: dict[int, _Service] = {}

    def serve(
        self,
        kind: type[ServiceT],
        port: int,
        make: Callable[[], ServiceT],
        client: Client | None = None,
    ) -> ServiceT:
        """The server of a kind on ``port``, which is made and started where there is none.

        Raises :class:`UsageError` where the port is taken, and says by whom.
        """
        service = self._by_port.get(port)
        if service is None or not isinstance(service.server, kind) or service.server.done:
            self.make_room(port)
            server = make()
            server.start()
            service = self._by_port[port] = _Service(server, stays=client is None)
        service.stays |= client is None
        service.clients = [each for each in service.clients if not each.app.done]
        service.clients += [] if client is None else [client]
        assert isinstance(service.server, kind)
        return service.server

    def make_room(self, port: int) -> None:
        """End the server on ``port``, if one runs that nobody needs any more."""
        service = self._by_port.get(port)
        if service is None or service.server.done:
            return
        needing = next((each for each in service.clients if not each.app.done), None)
        if service.stays or needing is not None:
            title = "" if needing is None else needing.title
            holder = f"the server of {title!r}" if title else "a server of another kind"
            raise UsageError(
                f"{self._machine}: TCP port {port}: Address already in use",
                f"{holder} has it{' until that ends' if title else ''}; write another port",
            )
        service.server.finish()

    def running(self, port: int) -> App | None:
        """The server on ``port``, if one runs."""
        service = self._by_port.get(port)
        return None if service is None or service.server.done else service.server
