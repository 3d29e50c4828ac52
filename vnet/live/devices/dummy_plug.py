"""What the options of a dummy device's interface have it write to, and speak with."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from pathlib import Path

from vnet.live.clock import WallClock
from vnet.live.devices.dummy_wire import ActiveWire, PassiveWire, Wire
from vnet.live.devices.gathering import Gathering
from vnet.live.devices.pcap_file import PcapFile
from vnet.ovs.netdev.dummy import DummyDevice, FrameSink
from vnet.ovs.vlog.vlog import Vlog

_MOST_QUEUES = 1024
_INTEGER = re.compile(r"\s*([+-]?[0-9]+)\s*")


class DummyPlug:
    """One ``device`` and what is behind it: ``pstream``, ``stream``, ``pcap``, ``rxq_pcap``,
    ``tx_pcap``, and for ``dummy-pmd`` ``n_rxq`` and ``n_txq``. All of a switch share ``gathering``.
    """

    def __init__(
        self,
        clock: WallClock,
        device: DummyDevice,
        vlog: Vlog,
        gathering: Gathering,
        directory: str | None = None,
    ) -> None:
        self.device = device
        self._clock = clock
        self._gathering = gathering
        self._vlog = vlog
        self._directory = directory
        self._log = vlog.module("netdev_dummy")
        self._options: dict[str, str] = {}
        self._wire: Wire | None = None
        self._files: dict[str, PcapFile] = {}

    def configure(self, options: Mapping[str, str]) -> None:
        """Do as ``options`` say, and no longer as they said before."""
        if self._is_current(options):
            return
        self._options = self.device.options = dict(options)
        self._configure_wire(options.get("pstream"), options.get("stream"))
        self._configure_files(options)
        if self.device.netdev_type == "dummy-pmd":
            self._configure_queues(options)
        sent: list[FrameSink] = []
        if self._wire is not None:
            sent.append(self._wire.send)
        self.device.outlets = (*sent, *self._writers("pcap", "tx_pcap"))
        self.device.heard = next(iter(self._writers("pcap", "rxq_pcap")), None)

    def close(self) -> None:
        """Let go of everything."""
        self.device.outlets, self.device.heard = (), None
        if self._wire is not None:
            self._wire.close()
        self._close_files()

    def _is_current(self, options: Mapping[str, str]) -> bool:
        """Files are looked at, too: one that somebody has removed is made anew."""
        if options != self._options:
            return False
        return all(os.path.exists(options[key]) for key in self._files)

    def _configure_wire(self, passive: str | None, active: str | None) -> None:
        if passive is not None and active is not None:
            self._log.warn(f"Open failed: both {passive} and {active} are configured")
            return
        wanted = active if passive is None else passive
        if self._wire is not None:
            if self._wire.name == wanted:
                return
            self._wire.close()
            self._wire = None
        self.device.connection_state = None
        if wanted is None:
            return
        try:
            self._wire = self._made_wire(wanted, is_active=passive is None)
        except OSError as error:
            self._log.warn(f"{wanted}: open failed ({error.strerror})")

    def _made_wire(self, target: str, *, is_active: bool) -> Wire:
        around = (self._clock, target, self.device.deliver, self._vlog, self._directory)
        if not is_active:
            return PassiveWire(*around, self._gathering)
        self._tell_state(False)
        return ActiveWire(*around, self._gathering, self._tell_state)

    def _tell_state(self, is_connected: bool) -> None:
        self.device.connection_state = "connected" if is_connected else "disconnected"

    # -- files

    def _configure_files(self, options: Mapping[str, str]) -> None:
        self._close_files()
        for key in ("pcap",) if "pcap" in options else ("rxq_pcap", "tx_pcap"):
            if key in options:
                self._open(key, options[key])

    def _open(self, key: str, name: str) -> None:
        try:
            self._files[key] = PcapFile(Path(name))
        except OSError as error:
            self._vlog.module("pcap").warn(
                f"{name}: failed to open pcap file for appending ({error.strerror})"
            )

    def _close_files(self) -> None:
        for file in self._files.values():
            file.close()
        self._files.clear()

    def _writers(self, *keys: str) -> list[Callable[[bytes], None]]:
        return [self._writer(self._files[key]) for key in keys if key in self._files]

    def _writer(self, file: PcapFile) -> Callable[[bytes], None]:
        """A frame that cannot be written is lost to the file, and goes its way all the same."""
        limit = self._log.limit(60, 5)

        def write(frame: bytes) -> None:
            try:
                file.write(frame)
            except OSError as error:
                self._log.warn(f"{self.device.name}: {error.strerror}", limit)

        return write

    # -- queues

    def _configure_queues(self, options: Mapping[str, str]) -> None:
        n_rx, n_tx = (max(_number(options.get(key)), 1) for key in ("n_rxq", "n_txq"))
        if max(n_rx, n_tx) > _MOST_QUEUES:
            self._log.warn(
                f"The one or both of interface {self.device.name} queues"
                f"(rxq: {n_rx}, txq: {n_tx}) exceed {_MOST_QUEUES}. Sets it {_MOST_QUEUES}.\n"
            )
        self.device.set_queues(min(n_rx, _MOST_QUEUES), min(n_tx, _MOST_QUEUES))


def _number(text: str | None) -> int:
    found = None if text is None else _INTEGER.fullmatch(text)
    return 1 if found is None else int(found[1])
