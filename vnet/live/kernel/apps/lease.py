"""Waiting for the address that a machine's DHCP client gets."""

from __future__ import annotations

from typing import Any, ClassVar

from vnet.base.ids import ip_text
from vnet.base.units import NS_PER_MS, NS_PER_S
from vnet.guest.apps.app import App, milliseconds
from vnet.lab.scenario import NotJudgedError
from vnet.live.kernel.machine import LiveMachine
from vnet.topology.dhcp_steps import DhcpStep

_LOOK_EVERY_NS = 50 * NS_PER_MS
_PATIENCE_NS = 75 * NS_PER_S


class LiveLease(App):
    """Ends when the client, which runs since the lab is up, has an address."""

    KEYS: ClassVar[frozenset[str]] = frozenset(("address", "errors", "time_ms"))
    """What can be seen of it from outside."""

    def __init__(self, machine: LiveMachine, step: DhcpStep) -> None:
        super().__init__(machine.clock)
        if step.action != "start":
            raise NotJudgedError(f"dhclient cannot be told to {step.action} here")
        self._machine = machine
        self._device = step.device
        self._address = ""
        self._began_ns = 0

    def start(self) -> None:
        self._began_ns = self.scheduler.now_ns
        self.scheduler.after(0, self._look)

    def seen(self) -> dict[str, Any]:
        return {
            "address": self._address or "none",
            "errors": int(self.done and not self._address),
            "time_ms": milliseconds(self.scheduler.now_ns - self._began_ns),
        }

    def _look(self) -> None:
        if self.done:
            return
        machine, device = self._machine, self._device
        found = machine.addresses() if device is None else machine.addresses_of(device)
        self._address = next((ip_text(ip) for ip in found if len(ip) == 4), "")
        if self._address or self.scheduler.now_ns - self._began_ns > _PATIENCE_NS:
            self.finish()
        else:
            self.scheduler.after(_LOOK_EVERY_NS, self._look)
