"""Looking a name up as programs do (getaddrinfo), by dig: both kinds of addresses are asked for."""

from __future__ import annotations

from typing import Any

from vnet.base.ids import IpAddress, ip_from_text
from vnet.guest.apps.app import App
from vnet.linux.services.dns.query import AAAA, A
from vnet.linux.services.resolver.lookup import LookupFailure
from vnet.live.kernel.apps.dig import LiveDig
from vnet.live.kernel.machine import LiveMachine
from vnet.topology.scenario.name_steps import DnsStep

_FAILURES = {"NXDOMAIN": LookupFailure.NO_NAME, "NOERROR": LookupFailure.NO_ADDRESS}


class LiveResolve(App):
    """Asks ``server`` for ``name``. ``addresses`` are what it found: of a family that the machine
    has, those of IPv6 before others."""

    def __init__(self, machine: LiveMachine, server: bytes, name: str) -> None:
        super().__init__(machine.clock)
        self.name = name
        self.addresses: list[IpAddress] = []
        self._machine = machine
        self._digs = [
            LiveDig(machine, server, DnsStep(None, (), 0, machine.node, name, kind))
            for kind in (A, AAAA)
        ]

    def start(self) -> None:
        for dig in self._digs:
            dig.on_done = self._answered
            dig.start()

    def seen(self) -> dict[str, Any]:
        return {"addresses": len(self.addresses)}

    def remarks(self) -> list[str]:
        if self.addresses:
            return []
        status = self._digs[0].seen()["status"]
        return [f"{self.name}: {_FAILURES.get(status, LookupFailure.TRY_AGAIN).value}"]

    def close(self) -> None:
        for dig in self._digs:
            dig.on_done = None
            dig.finish()

    def _answered(self, _app: App) -> None:
        if not all(dig.done for dig in self._digs):
            return
        told = [word for dig in self._digs for word in dig.seen()["data"].split(", ")]
        own = {len(ip) for ip in self._machine.addresses()}
        self.addresses = sorted(filter(None, map(_address, told)), key=lambda ip: -len(ip))
        self.addresses.sort(key=lambda ip: len(ip) not in own)
        self.finish()


def _address(word: str) -> IpAddress | None:
    """An address; None for the name that an alias stands for."""
    try:
        return ip_from_text(word)
    except ValueError:
        return None
