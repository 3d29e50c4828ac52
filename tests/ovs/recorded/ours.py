"""Our switch as a player: the clients' command lines go to the code behind them."""

from __future__ import annotations

from collections.abc import Sequence

from tests.oracle.ovs_kit import Switch
from tests.ovs.recorded.refusals import refusal_of
from tests.ovs.recorded.views import shown
from vnet.base.units import NS_PER_MS
from vnet.ovs.flow.errors import OvsTextError
from vnet.ovs.openflow.errors import OpenFlowError


class OurSwitch:
    """A player with a switch of its own."""

    def __init__(self) -> None:
        self.switch = Switch()

    def run(self, words: Sequence[str], lines: Sequence[str]) -> str:
        try:
            self.switch.run(words, lines)
        except (OvsTextError, OpenFlowError) as error:
            return refusal_of(error.what)
        self._settle()
        return ""

    def show(self, words: Sequence[str]) -> list[str]:
        return shown(self.switch, words)

    def receive(self, port: str, frames: Sequence[bytes]) -> None:
        for frame in frames:
            self.switch.inject(port, frame)
            self._settle()

    def warp(self, total_ms: int, step_ms: int) -> None:
        while total_ms > 0:
            now_ns = self.switch.scheduler.now_ns
            self.switch.scheduler.run(now_ns + min(step_ms, total_ms) * NS_PER_MS)
            self._settle()
            total_ms -= step_ms

    def join(self, port: str, other: str) -> None:
        self.switch.devices[port].join(self.switch.devices[other])

    def take_sent(self) -> dict[str, tuple[bytes, ...]]:
        sent: dict[str, tuple[bytes, ...]] = {}
        for port, frame in self.switch.take_sent():
            sent[port] = (*sent.get(port, ()), frame)
        return sent

    def _settle(self) -> None:
        self.switch.settle()
        # The recordings were made with every frame translated anew.
        self.switch.vswitchd.backer.revalidator.purge()
