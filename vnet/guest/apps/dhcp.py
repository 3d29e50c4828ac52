"""dhclient(8) as a step of a scenario: get, renew or give back an address, and see what comes."""

from __future__ import annotations

from collections import Counter
from typing import Any

from vnet.base.errors import UsageError
from vnet.base.ids import ip_text
from vnet.base.text import one_of
from vnet.guest.apps.app import App, milliseconds
from vnet.linux.services.dhcp_client.client import State
from vnet.linux.services.dhcp_client.daemon import DhcpClientDaemon

ACTIONS = ("start", "renew", "release", "reboot")
_COUNTED = ("discover", "offer", "request", "ack", "nak", "release", "decline")


class DhcpRun(App):
    """One thing that a DHCP client is told to do; it is done once the client has an address, or
    has given its own back, or has found no server.

    ``start`` begins, or waits for the client that runs already; ``renew`` asks for more time;
    ``reboot`` ends the program without a word and starts it again.
    """

    def __init__(self, client: DhcpClientDaemon, action: str = "start") -> None:
        super().__init__(client.interface.namespace.scheduler)
        if action not in ACTIONS:
            raise UsageError(f"dhcp: there is no {action}", f"known are: {one_of(ACTIONS)}")
        self.client = client
        self._action = action
        self._before: Counter[str] = Counter()
        self._began_ns = self._ended_ns = 0

    def start(self) -> None:
        self._began_ns = self.scheduler.now_ns
        self._before = self.client.sent + self.client.heard
        self.client.listeners.append(self._look)
        if self._action == "release":
            self.client.release()
            return self.finish()
        if self._action == "renew":
            self.client.renew()
        elif self._action == "reboot":
            self.client.stop()
            self.client.start()
        else:
            self.client.start()
        return self._look()

    def _look(self) -> None:
        if self.client.client.state in (State.BOUND, State.INIT):
            # Whoever listens is told within the client's own work; it may not be done yet.
            self.scheduler.after(0, self._settle)

    def _settle(self) -> None:
        if self.client.client.state in (State.BOUND, State.INIT):
            self.finish()

    def close(self) -> None:
        self._ended_ns = self.scheduler.now_ns
        if self._look in self.client.listeners:
            self.client.listeners.remove(self._look)

    def seen(self) -> dict[str, Any]:
        """Address and lease, and how many messages of each kind there were."""
        client, lease = self.client, self.client.lease
        counts = client.sent + client.heard
        counts.subtract(self._before)
        has = client.is_bound and lease is not None
        found: dict[str, Any] = {
            "address": ip_text(lease.ip) if has and lease is not None else "none",
            "state": client.client.state.value,
            "errors": int(self.done and not has and self._action != "release"),
            "time_ms": milliseconds((self._ended_ns or self.scheduler.now_ns) - self._began_ns),
        }
        if has and lease is not None:
            found["lease_s"] = lease.length_s
            found["prefix_length"] = lease.prefix_length
            found["server"] = "none" if lease.server is None else ip_text(lease.server)
            found["router"] = ", ".join(map(ip_text, lease.routers)) or "none"
            found["dns"] = ", ".join(map(ip_text, lease.name_servers)) or "none"
            found["domain"] = lease.domain or "none"
        found.update({name: counts[f"DHCP{name.upper()}"] for name in _COUNTED})
        return found
