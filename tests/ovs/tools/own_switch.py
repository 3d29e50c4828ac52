"""An Open vSwitch of ours inside this process, told by the real programs.

They find it by its run directory as they find any; while one of them runs, the switch's clock is
served.
"""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import chdir, closing, contextmanager
from pathlib import Path
from typing import IO

from tests.ovs.private_ovs import TIMEOUT_S
from tests.ovs.tools.side import Answer, environment_of
from vnet.base.chance import Chance
from vnet.base.units import NS_PER_S
from vnet.live.clock import WallClock
from vnet.live.devices.dummy_level import DummyLevel
from vnet.live.switch.standalone import standalone_switch
from vnet.ovs.vswitchd.daemon import Daemon

_TIMEOUT_NS = TIMEOUT_S * NS_PER_S


class _Process:
    """A descriptor that is readable once the process has ended."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self._descriptor = os.pidfd_open(process.pid)

    def fileno(self) -> int:
        return self._descriptor

    def close(self) -> None:
        os.close(self._descriptor)


class OwnSwitch:
    """``daemon`` in ``directory``, on ``clock``."""

    def __init__(self, directory: Path, clock: WallClock, daemon: Daemon) -> None:
        self.directory = directory
        self.daemon = daemon
        self._clock = clock
        self._environment = environment_of(directory)

    def run(self, words: Sequence[str], lines: Sequence[str] = ()) -> Answer:
        """Carry out a command line; ``lines`` are in the file that it names last."""
        if lines:
            (self.directory / words[-1]).write_text("\n".join(lines), encoding="utf-8")
        with tempfile.TemporaryFile("w+") as output, tempfile.TemporaryFile("w+") as errors:
            process = subprocess.Popen(
                words, env=self._environment, cwd=self.directory, stdout=output, stderr=errors
            )
            self._serve(process)
            return Answer(process.returncode, _read(output), _read(errors))

    def _serve(self, process: subprocess.Popen[bytes]) -> None:
        """Let the switch run until a process has ended."""
        ended = _Process(process)
        self._clock.watch(ended, self._clock.stop)
        try:
            self._clock.run_live(self._clock.real_now_ns + _TIMEOUT_NS)
        finally:
            self._clock.forget(ended)
            ended.close()
            process.wait(timeout=1)


def _read(file: IO[str]) -> str:
    file.seek(0)
    return file.read()


@contextmanager
def own_switch(directory: Path) -> Iterator[OwnSwitch]:
    """An empty switch with dummy devices, while the block lasts."""
    clock = WallClock()
    clock.begin()
    with (
        chdir(directory),  # what captures are written to is named from there
        closing(clock),
        standalone_switch(clock, directory, None, DummyLevel.DUMMY, chance=Chance(1)) as daemon,
    ):
        yield OwnSwitch(directory, clock, daemon)
