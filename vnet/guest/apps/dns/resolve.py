"""Resolving a name as an app of its own."""

from __future__ import annotations

from typing import Any

from vnet.base.ids import IpAddress
from vnet.guest.apps.app import App
from vnet.linux.netns.namespace import Namespace
from vnet.linux.services.resolver.lookup import Lookup, LookupFailure


class Resolve(App):
    """Looks ``name`` up as programs do. ``addresses`` are what it found, the best first;
    ``failure`` says why there are none."""

    def __init__(self, namespace: Namespace, name: str, family: int | None = None) -> None:
        super().__init__(namespace.scheduler)
        self.name = name
        self.addresses: list[IpAddress] = []
        self.failure: LookupFailure | None = None
        self._lookup = Lookup(namespace, name, self._ended, family)

    def start(self) -> None:
        self._lookup.start()

    def seen(self) -> dict[str, Any]:
        return {"addresses": len(self.addresses)}

    def remarks(self) -> list[str]:
        return [] if self.failure is None else [f"{self.name}: {self.failure.value}"]

    def close(self) -> None:
        self._lookup.stop()

    def _ended(self, found: list[IpAddress] | LookupFailure) -> None:
        if isinstance(found, LookupFailure):
            self.failure = found
        else:
            self.addresses = found
        self.finish()
