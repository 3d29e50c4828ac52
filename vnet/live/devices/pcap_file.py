"""Capture files as Open vSwitch's dummy devices write them: frame by frame, for tests to read on.

Times are the wall clock's, in microseconds. A file that is there already is gone on with. The
header names 1518 bytes as the longest frame, and longer ones are written whole all the same.
"""

from __future__ import annotations

import struct
import time
from pathlib import Path
from types import TracebackType

from vnet.wire.pcapng import LINK_ETHERNET

_HEADER = struct.pack("=IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 1518, LINK_ETHERNET)
_RECORD = struct.Struct("=IIII")
_NS_PER_US = 1000
_US_PER_S = 1_000_000


class PcapFile:
    """Raises ``OSError`` where ``path`` cannot be opened."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("ab", buffering=0)
        if not self._file.tell():
            self._file.write(_HEADER)

    def write(self, frame: bytes) -> None:
        """Add a frame; whoever reads the file has it at once. Raises ``OSError``."""
        seconds, us = divmod(time.time_ns() // _NS_PER_US, _US_PER_S)
        self._file.write(_RECORD.pack(seconds, us, len(frame), len(frame)) + frame)

    def close(self) -> None:
        """Write no more."""
        self._file.close()

    def __enter__(self) -> PcapFile:
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _traceback: TracebackType | None,
    ) -> None:
        self.close()
