"""A step whose target is a name that is no machine's: the machine asks its DNS server first."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from vnet.base.errors import VnetError
from vnet.base.ids import IpAddress
from vnet.guest.apps.app import App
from vnet.guest.machine import Machine


class NamedStep(App):
    """Resolves ``name``, and then runs what ``make`` makes of the address.

    Where there is no address, it has sent nothing and had one error.
    """

    def __init__(self, machine: Machine, name: str, make: Callable[[IpAddress], App]) -> None:
        super().__init__(machine.namespace.scheduler)
        self._resolve = machine.make_resolve(name)
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
        for app in (self._resolve, self._app):
            if app is not None:
                app.on_done = None
                app.finish()

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
