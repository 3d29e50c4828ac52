"""Commands of tc(8) in a file: tried on a device of nobody's, so that mistakes are told at once."""

from __future__ import annotations

from collections.abc import Sequence

from vnet.base.chance import Chance
from vnet.base.ids import Mac
from vnet.linux.tc.command import Tc, words_about
from vnet.linux.tc.errors import KernelError, TcError
from vnet.linux.tc.qdiscs import TrafficControl
from vnet.netdev.nic import Nic
from vnet.sim.scheduler import Scheduler
from vnet.topology.reading.report import Path, Report

_NAME = "eth0"


class _Trial:
    """A card in no machine, and ``tc`` on it."""

    def __init__(self, mtu_bytes: int = 1500) -> None:
        device = Nic(Scheduler(), _NAME, Mac(bytes(6)), mtu_bytes)
        self._tool = Tc(TrafficControl(Chance(0), lambda _mac: True), {_NAME: device})

    def run(self, command: str) -> TcError | None:
        """Why a command cannot be done."""
        try:
            self._tool.run(words_about(_NAME, command))
        except TcError as refusal:
            return refusal
        return None


def check_commands(path: Path, commands: Sequence[str], mtu_bytes: int, report: Report) -> None:
    """Do the commands at ``path`` one after the other, and report what is refused."""
    trial = _Trial(mtu_bytes)
    for number, command in enumerate(commands):
        refusal = trial.run(command)
        if refusal is not None:
            _tell(report, (*path, number), refusal)


def check_command(path: Path, command: str, report: Report) -> bool:
    """Whether the command at ``path`` can be read; what it finds at its time, nobody knows."""
    refusal = _Trial().run(command)
    if refusal is None or isinstance(refusal, KernelError):
        return True
    _tell(report, path, refusal)
    return False


def _tell(report: Report, path: Path, refusal: TcError) -> None:
    what, _, more = refusal.what.partition("\n")
    report.add(path, f"tc: {what}", " ".join(more.split()))
