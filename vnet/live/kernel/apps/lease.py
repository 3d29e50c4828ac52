"""What a machine's DHCP client is told, and the address that it gets."""

from __future__ import annotations

from typing import Any, ClassVar

from vnet.base.ids import ip_text
from vnet.base.units import NS_PER_MS, NS_PER_S
from vnet.guest.apps.app import App, milliseconds
from vnet.lab.scenario import NotJudgedError
from vnet.live.kernel.machine import LiveMachine
from vnet.live.kernel.services import Services
from vnet.topology.scenario.dhcp_steps import DhcpStep

_LOOK_EVERY_NS = 50 * NS_PER_MS
_PATIENCE_NS = 75 * NS_PER_S


class LiveLease(App):
    """Ends when the client, which runs since the lab is up, has an address and has written that
    down, or gave it back."""

    KEYS: ClassVar[frozenset[str]] = frozenset(("address", "errors", "time_ms"))
    """What can be seen of it from outside."""

    def __init__(self, machine: LiveMachine, services: Services, step: DhcpStep) -> None:
        super().__init__(machine.clock)
        if step.action == "renew":
            raise NotJudgedError("dhclient cannot be told to renew a lease")
        self._machine = machine
        self._services = services
        self._action = step.action
        self._device = step.device or next(iter(services.asking(machine.node)), "")
        if self._device not in services.asking(machine.node):
            raise NotJudgedError(f"{machine.node} has no DHCP client there")
        self._address = ""
        self._began_ns = 0

    def start(self) -> None:
        self._began_ns = self.scheduler.now_ns
        node, device = self._machine.node, self._device
        if self._action == "release":
            self._services.release(node, device)
            self.scheduler.after(0, self.finish)
            return
        if self._action == "reboot":
            self._services.stop_client(node, device)
            self._machine.forget_addresses(device)
        if not self._services.runs(node, device):
            self._services.start_client(node, device)
        self.scheduler.after(0, self._look)

    def seen(self) -> dict[str, Any]:
        return {
            "address": self._address or "none",
            "errors": int(self.done and not self._address and self._action != "release"),
            "time_ms": milliseconds(self.scheduler.now_ns - self._began_ns),
        }

    def _look(self) -> None:
        if self.done:
            return
        found = self._machine.addresses_of(self._device)
        if self._services.has_kept_lease(self._machine.node, self._device):
            self._address = next((ip_text(ip) for ip in found if len(ip) == 4), "")
        if self._address or self.scheduler.now_ns - self._began_ns > _PATIENCE_NS:
            self.finish()
        else:
            self.scheduler.after(_LOOK_EVERY_NS, self._look)
