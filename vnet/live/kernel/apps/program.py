"""A program of the machine, run in a namespace and read while it runs."""

from __future__ import annotations

import subprocess
from abc import abstractmethod
from typing import IO

from vnet.guest.apps.app import App
from vnet.lab.scenario import NotJudgedError
from vnet.live.kernel import namespaces
from vnet.live.kernel.errors import KernelError
from vnet.live.kernel.machine import LiveMachine
from vnet.live.kernel.programs import find_program

ENVIRONMENT = {"LC_ALL": "C", "PATH": "/usr/sbin:/usr/bin:/sbin:/bin"}
"""What programs find around them: nothing of whoever runs vnet."""

_READ_BYTES = 1 << 16


class LiveProgram(App):
    """Runs ``words`` in a machine; done when it has said all. Raises :class:`NotJudgedError`
    where it is not installed."""

    def __init__(self, machine: LiveMachine, words: list[str]) -> None:
        super().__init__(machine.clock)
        self.text = ""
        self._machine = machine
        try:
            self._words = [find_program(words[0]), *words[1:]]
        except KernelError as error:
            raise NotJudgedError(error.what) from None
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def _output(self) -> IO[bytes]:
        assert self._process is not None
        assert self._process.stdout is not None
        return self._process.stdout

    def start(self) -> None:
        with namespaces.inside(self._machine.namespace):
            self._process = subprocess.Popen(
                self._words,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                bufsize=0,
                env=ENVIRONMENT | self._machine.mark,
            )
        self._machine.clock.watch(self._output, self._readable)

    def close(self) -> None:
        if self._process is not None:
            self._machine.clock.forget(self._output)
            self._process.kill()
            self._process.wait()
            self._output.close()

    def _readable(self) -> None:
        data = self._output.read(_READ_BYTES)
        self.text += data.decode(errors="replace")
        if not data:
            self.scheduler.after(0, self.finish)

    @abstractmethod
    def remarks(self) -> list[str]:
        """What it complained of."""
