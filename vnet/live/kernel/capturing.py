"""The capture points of a file on the kernel, and the files that they go to."""

from __future__ import annotations

from contextlib import suppress
from operator import itemgetter
from pathlib import Path
from typing import Any

from vnet.base.errors import StorageError
from vnet.lab.capture import Recorder
from vnet.lab.capture_files import REPORT_NAME, open_captures
from vnet.lab.captures import write_json
from vnet.live.kernel.plan import Plan
from vnet.live.kernel.sniffing import Taps
from vnet.topology.devices import NLMON
from vnet.topology.model import Topology

_SINCE_1970 = 0


class _SortedRecorder(Recorder):
    """Frames of several devices come in bursts, each in its order: together they are sorted."""

    def flush(self) -> None:
        self.records.sort(key=itemgetter(1))
        super().flush()


class LiveCaptures:
    """Writes what ``taps`` hear at the points of ``topology`` to files in ``folder``."""

    def __init__(self, topology: Topology, plan: Plan, taps: Taps) -> None:
        self.recorder = _SortedRecorder(_SINCE_1970)
        self.file_names: list[str] = []
        self.notes: list[str] = []
        """The points that are not captured, in sentences."""
        self._topology = topology
        self._plan = plan
        self._taps = taps
        self._folder: Path | None = None

    def attach(self) -> None:
        """Listen to the devices, which exist from now on."""
        for endpoint in self._topology.captures:
            if endpoint.device == NLMON:
                self.notes.append(f"{endpoint} is not captured on the kernel")
                continue
            device = self._plan.node(endpoint.node).device(endpoint.device)
            what = f"{device.kind.value} {device.name} of {endpoint.node}"
            self._taps.add(endpoint, self.recorder.add_point(str(endpoint), what, device.mac))

    def open(self, folder: Path, *, split: bool, form: str) -> None:
        """Write to files in ``folder``. Raises :class:`~vnet.base.errors.StorageError`."""
        self._folder = folder
        self.recorder.writer, self.file_names = open_captures(
            folder, self._topology.name, self.recorder.points, split=split, form=form
        )

    @property
    def counts(self) -> list[tuple[str, int]]:
        """How many frames each point heard, by its name."""
        return [(point.name, point.frames) for point in self.recorder.points]

    def close(self) -> None:
        """End the files as they are, where nobody could finish them: another error is the news."""
        if self.recorder.writer is not None:
            with suppress(StorageError):
                self.recorder.writer.close()

    def finish(self, report: dict[str, Any]) -> None:
        """Complete the files, and write ``report`` beside them."""
        if self.recorder.writer is None or self._folder is None:
            return
        try:
            self.recorder.flush()
        finally:
            self.recorder.writer.close()
        write_json(self._folder / REPORT_NAME, report)
