"""A step whose target is a name that is no machine's: the machine asks its DNS server first."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from vnet.base.errors import VnetError
from vnet.base.ids import IpAddress
from vnet.guest.apps.app import App
from vnet.sim.scheduler import Scheduler


class Resolving(Protocol):
    """An app that looks a name up; ``addresses`` are what it has found, the best first."""

    addresses: list[IpAddress]
    on_done: Callable[[App], None] | None

    def start(self) -> None:
        """Begin."""

    def remarks(self) -> list[str]:
        """Why there are none."""

    def finish(self) -> None:
        """End."""


class NamedStep(App):
    """Has ``resolve`` find an address, and then runs what ``make`` makes of it.

    Where there is no address, it has sent nothing and had one error.
    """

    def __init__(
        self, scheduler: Scheduler, resolve: Resolving, make: Callable[[IpAddress], App]
    ) -> None:
        super().__init__(scheduler)
        self._resolve = resolve
        self._make = make
        self._app: App | None = None
        self._refusal: list[str] = []

    def start(self) -> None:
        self._resolve.on_done = self._resolved
        self._resolve.start()

    def seen(self) -> dict[str, Any]:
        if self._app is not None:
            return self._app.seen()
        return {"sent": 0, "received": 0, "errors": len(self.remarks())}

    def remarks(self) -> list[str]:
        if self._app is not None:
            return self._app.remarks()
        return [*self._resolve.remarks(), *self._refusal]

    def close(self) -> None:
        self._resolve.on_done = None
        self._resolve.finish()
        if self._app is not None:
            self._app.on_done = None
            self._app.finish()

    def _resolved(self, _app: App) -> None:
        if not self._resolve.addresses:
            return self.finish()
        try:
            self._app = self._make(self._resolve.addresses[0])
        except VnetError as error:
            self._refusal.append(str(error))
            return self.finish()
        self._app.on_done = lambda _app: self.finish()
        return self._app.start()
