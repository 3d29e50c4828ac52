"""Raw frames: a Scapy packet, put on a vNIC as it is."""

from __future__ import annotations

from typing import Any

from vnet.base.units import NS_PER_S
from vnet.guest.apps.app import App, Pacer
from vnet.guest.vnic import Vnic


class Send(App):
    """Sends ``packet`` ``count`` times."""

    def __init__(
        self, vnic: Vnic, packet: Any, *, count: int = 1, interval_ns: int = NS_PER_S
    ) -> None:
        super().__init__(vnic.interface.device.scheduler)
        self.sent = 0
        self._vnic = vnic
        self._packet = packet
        self._pacer = Pacer(self.scheduler, count, interval_ns, self._send, self._last_sent)

    def start(self) -> None:
        self._pacer.tick()

    def seen(self) -> dict[str, Any]:
        return {"sent": self.sent}

    def close(self) -> None:
        self._pacer.stopped = True

    def _send(self, _number: int) -> None:
        self._vnic.send(self._packet)
        self.sent += 1

    def _last_sent(self) -> None:
        self.scheduler.after(0, self.finish)
