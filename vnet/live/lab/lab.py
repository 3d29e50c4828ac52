"""A whole lab, live: built from its topology, its scenario played by the wall clock, until it is
taken down."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from vnet.base.errors import StorageError
from vnet.base.units import NS_PER_MS, NS_PER_S
from vnet.lab.lab import Lab
from vnet.lab.report import Report
from vnet.live.clock import WallClock
from vnet.topology.model import Topology

_FLUSH_INTERVAL_NS = 200 * NS_PER_MS
"""So long what captures heard may wait before it can be read in the files."""

_IDLE_NS = 5 * NS_PER_S
"""How long a lab lives in which nothing ends, if nobody says how long."""


class LiveLab:
    """``topology`` from now on, as long as :meth:`live` lets time pass. Close it.

    Its time of day is the machine's. ``tell`` is given sentences on what does not go well
    meanwhile. The other arguments are those of :class:`~vnet.lab.lab.Lab`.
    """

    def __init__(
        self,
        topology: Topology,
        *,
        seed: int | None = None,
        pcap_dir: Path | None = None,
        split: bool = False,
        pcap_format: str = "pcapng",
        tell: Callable[[str], None] = lambda _sentence: None,
    ) -> None:
        self._tell = tell
        self._open = contextlib.ExitStack()
        self.clock = WallClock()
        self.clock.begin()
        self.lab = Lab(
            replace(topology, epoch_ns=time.time_ns()),
            seed=seed,
            pcap_dir=pcap_dir,
            split=split,
            pcap_format=pcap_format,
            clock=self.clock,
        )

    def serve(self, directory: Path, *, logs_in_files: bool = False) -> list[Path]:
        """Let the tools of Open vSwitch in, each machine that has one in a directory of its own
        below ``directory``, where with ``logs_in_files`` its logs are, too. Returns these. Raises
        what :class:`~vnet.live.switch.live_switch.LiveSwitch` does."""
        # Labs without Open vSwitch do without all that it is made of.
        machines = list(self.lab.network.openvswitches())
        if machines:
            from vnet.live.lab.switches import served

            for machine in machines:
                place = directory / machine.owner
                self._open.enter_context(
                    served(self.clock, machine, place, logs_in_files=logs_in_files)
                )
        return [directory / machine.owner for machine in machines]

    def live(self, *, plays: bool = True, until_ns: int | None = None, stays: bool = True) -> None:
        """Play the scenario, to its end or to a time, and go on living after it until somebody
        stops the clock. Unless it ``plays`` nothing happens by itself; unless it ``stays`` it ends
        with the scenario."""
        if plays:
            runner = self.lab.start_scenario(_nothing if stays else self.clock.stop)
            if runner.done and not stays and until_ns is None:
                until_ns = self.clock.now_ns + _IDLE_NS
            if until_ns is not None:
                over = runner.close if stays else self.clock.stop
                self.clock.at(max(until_ns, self.clock.now_ns), over)
        self._flush()
        self.clock.run_live()

    def close(self) -> Report:
        """Let nobody in any more, complete the captures and say how it went.

        Raises :class:`StorageError`.
        """
        self._open.close()
        try:
            return self.lab.close()
        finally:
            self.clock.close()

    def _flush(self) -> None:
        try:
            self.lab.flush_captures()
        except StorageError as error:
            self._tell(f"{error}; the lab goes on without captures")
            return
        self.clock.after(_FLUSH_INTERVAL_NS, self._flush)


def _nothing() -> None:
    """What the scenario came to is told at the end: the lab goes on."""
