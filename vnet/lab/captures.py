"""A lab's captures: the points its topology names, and where what they hear goes."""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from vnet.base.errors import StorageError, UsageError
from vnet.lab import nlmon
from vnet.lab.block_file import storage_error
from vnet.lab.capture import Recorder
from vnet.lab.capture_files import REPORT_NAME, TemporaryFile, open_captures
from vnet.lab.network import Network
from vnet.linux.netns.namespace import Namespace
from vnet.topology.devices import NLMON
from vnet.topology.model import Topology
from vnet.wire.pcapng import LINK_ETHERNET

FORMATS = ("pcapng", "pcap")


class Captures:
    """The capture points of ``topology``. Those of rtnetlink listen from the first moment on,
    when ``namespaces`` are still empty; devices are there to be attached to once all is built."""

    def __init__(self, topology: Topology, namespaces: Mapping[str, Namespace]) -> None:
        self.recorder = Recorder(topology.epoch_ns)
        self.file_names: list[str] = []
        self._lab = topology.name
        self._folder: Path | None = None
        for endpoint in topology.captures:
            if endpoint.device == NLMON:
                point = self.recorder.add_point(*nlmon.describe(endpoint.node))
                nlmon.watch_netlink(namespaces[endpoint.node], point)
            else:
                self.recorder.add_point(str(endpoint), "", None)

    def attach(self, network: Network) -> None:
        """Listen to the devices, which exist from now on."""
        for point in self.recorder.points:
            node, _, name = point.name.partition(":")
            if name == NLMON:
                continue
            device = network.device(node, name)
            assert device is not None, f"validation let the capture {point.name} through"
            point.mac = device.mac
            point.description = f"{device.kind} {name} of {node}"
            device.add_sniffer(point)

    def open(self, folder: Path | None, *, split: bool, form: str) -> None:
        """Write to files in ``folder``, or with None to a private temporary one.

        Raises :class:`StorageError`, and then no earlier capture has been touched.
        """
        if form not in FORMATS:
            raise UsageError(f"captures have no format {form!r}", f"there are {', '.join(FORMATS)}")
        self._folder = folder
        points = self.recorder.points
        if folder is None:
            self.recorder.writer = TemporaryFile(points, self._lab)
        else:
            self.recorder.writer, self.file_names = open_captures(
                folder, self._lab, points, split=split, form=form
            )

    @property
    def paths(self) -> list[Path]:
        """The files; none where captures are kept for the lab alone."""
        return [] if self._folder is None else [self._folder / name for name in self.file_names]

    @property
    def counts(self) -> list[tuple[str, int]]:
        """How many frames each point heard, by its name."""
        return [(point.name, point.frames) for point in self.recorder.points]

    def flush(self) -> None:
        """Write what was heard so far to the files, so that others can read them."""
        if self._folder is not None:
            self.recorder.flush()

    def packets(self) -> dict[str, Any]:
        """What each point heard so far, as Scapy packet lists, by its name."""
        from scapy.layers.l2 import Ether
        from scapy.packet import Raw
        from scapy.plist import PacketList

        from vnet.guest.dissect import dissect

        points = self.recorder.points
        packets: list[list[Any]] = [[] for _ in points]
        for number, time_ns, data in self.recorder.heard():
            first_layer = Ether if points[number].link_type == LINK_ETHERNET else Raw
            packets[number].append(dissect(data, time_ns, first_layer))
        return {p.name: PacketList(packets[p.number], p.name) for p in points}

    def finish(self, report: dict[str, Any]) -> None:
        """Complete the files, and write ``report`` beside them as ``run.json``."""
        writer = self.recorder.writer
        assert writer is not None, "captures are opened when the lab is built"
        if self._folder is None:
            writer.close()
            return
        try:
            try:
                self.recorder.flush()
            finally:
                writer.close()
        except StorageError:
            # The report may fit where the captures did not. If not, theirs is the news.
            with suppress(StorageError):
                write_json(self._folder / REPORT_NAME, report)
            raise
        write_json(self._folder / REPORT_NAME, report)


def write_json(path: Path, content: dict[str, Any]) -> None:
    """Write all of it or nothing: half a report would be worse than none."""
    text = json.dumps(content, indent=2, ensure_ascii=False) + "\n"
    unfinished = path.with_suffix(".unfinished")
    try:
        unfinished.write_text(text, encoding="utf-8", errors="backslashreplace")
        unfinished.replace(path)
    except OSError as error:
        with suppress(OSError):
            unfinished.unlink()
        raise storage_error(path, error) from None
