"""Our switch as a player: the clients' command lines go to the code behind them."""

from __future__ import annotations

from collections.abc import Sequence

from tests.ovs.command_switch import Switch
from tests.ovs.recorded.refusals import refusal_of
from tests.ovs.recorded.views import COLUMNS
from vnet.base.units import NS_PER_MS
from vnet.ovs.flow.errors import OvsTextError
from vnet.ovs.openflow.errors import OpenFlowError
from vnet.ovs.vswitchd.ofctl.command import Options
from vnet.ovs.vswitchd.ofctl.table import ofctl


class OurSwitch:
    """A player with a switch of its own."""

    def __init__(self) -> None:
        self.switch = Switch()

    def run(self, words: Sequence[str], lines: Sequence[str]) -> str:
        program, *rest = words
        try:
            if program == "ovs-vsctl":
                self.switch.vsctl(*rest)
            elif program == "ovs-ofctl":
                self._ofctl(rest, lines)
            else:
                self.switch.appctl(rest)
        except (OvsTextError, OpenFlowError) as error:
            return refusal_of(error.what)
        self._settle()
        return ""

    def show(self, words: Sequence[str]) -> list[str]:
        program, *rest = words
        if program == "ovs-ofctl":
            return self._ofctl(rest).splitlines()
        if program == "ovs-appctl":
            text = self.switch.appctl(rest)
            return f"{text}\n".splitlines() if text else []
        command, table, name, column = (word for word in rest if not word.startswith("--"))
        assert command == "get", words
        return list(COLUMNS[table, column](self.switch, name))

    def _ofctl(self, words: Sequence[str], lines: Sequence[str] = ()) -> str:
        """Options may stand before the command."""
        position = next(at for at, word in enumerate(words) if not word.startswith("-"))
        rest = [*words[:position], *words[position + 1 :]]
        stdin = "".join(f"{line}\n" for line in lines)
        return ofctl(self.switch.vswitchd, words[position], rest, Options(stdin=stdin))

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
        # The real switch was purged after every step, as its threads look when they like.
        self.switch.vswitchd.backer.revalidator.purge()
