"""A file of blocks that ends between two of them, whatever happens to the run.

A disk that is full takes the first part of what it is given, and Ctrl-C comes at any moment.
Nothing is buffered below the blocks here, so that it is known what the file holds, and the
part of a block is cut off again.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from io import FileIO
from pathlib import Path

from vnet.base.errors import StorageError
from vnet.base.text import escaped

ANOTHER_FOLDER = "choose another folder for captures"

CutAt = Callable[[bytes, int], int]
"""How many of the bytes that came through are whole blocks; see :mod:`vnet.wire.cut`."""


class BlockFile:
    """Opens without touching what is in the file; :meth:`start` empties it.

    A file that refused something is not written to any more: a capture that ends is better
    than one with a hole. Errors are :class:`StorageError`; ``hint`` says what to do about them.
    """

    def __init__(self, path: Path, cut_at: CutAt, hint: str = ANOTHER_FOLDER) -> None:
        self.path = path
        self._cut_at = cut_at
        self._hint = hint
        self._waiting = b""
        self._refusal: StorageError | None = None
        try:
            self.is_new = not path.exists()
            self._stream = FileIO(path, "ab")
        except OSError as error:
            raise storage_error(path, error, hint=hint) from None
        # A pipe or a device takes captures too, but nothing can be taken back from it.
        self._can_be_cut = stat.S_ISREG(os.fstat(self._stream.fileno()).st_mode)

    def start(self, head: bytes) -> None:
        """Empty the file and write its head, all of it or none."""
        try:
            if self._can_be_cut:
                self._stream.truncate(0)
            self._write(head, lambda _head, _kept_bytes: 0)
        except OSError as error:
            raise self._refuse(error) from None

    def take(self, blocks: bytes) -> None:
        """Blocks to be written with the next :meth:`flush`."""
        if self._refusal is None:
            self._waiting += blocks

    def flush(self) -> None:
        """Write what waits; what an interrupt leaves of it waits on."""
        if self._refusal is not None:
            raise self._refusal
        if self._waiting:
            try:
                self._write(self._waiting, self._cut_at)
            except OSError as error:
                raise self._refuse(error) from None

    def _write(self, data: bytes, cut_at: CutAt) -> None:
        stream = self._stream
        start = self._end()
        written_bytes = 0
        try:
            while written_bytes < len(data):
                written_bytes += stream.write(memoryview(data)[written_bytes:]) or 0
            self._waiting = b""
        except BaseException:
            if self._can_be_cut:
                # An interrupt can come between a write and its count: only the file knows.
                kept_bytes = cut_at(data, self._end() - start)
                stream.truncate(start + kept_bytes)
                self._waiting = data[kept_bytes:]
            raise

    def _end(self) -> int:
        return self._stream.seek(0, os.SEEK_END) if self._can_be_cut else 0

    def _refuse(self, error: OSError) -> StorageError:
        self._waiting = b""
        self._refusal = storage_error(self.path, error, hint=self._hint)
        return self._refusal

    def whole(self) -> Path:
        """The path, with everything in the file that was taken: for reading it back."""
        if self._refusal is None and not self._stream.closed:
            self.flush()
        return self.path

    def close(self) -> None:
        """Write the rest, end the file, and make sure that it is where it should be."""
        if self._stream.closed:
            return
        try:
            self.flush()
        finally:
            self.abandon()
        if not os.path.exists(self.path):
            what = f"{escaped(str(self.path))} was removed while the lab ran"
            raise StorageError(what, self._hint)

    def abandon(self) -> None:
        """Let go of the file as it is."""
        try:
            self._stream.close()
        except OSError as error:
            raise self._refuse(error) from None


def storage_error(
    path: Path, error: OSError, verb: str = "write", hint: str = ANOTHER_FOLDER
) -> StorageError:
    """``cannot write PATH: No space left on device``."""
    reason = error.strerror or str(error)
    return StorageError(f"cannot {verb} {escaped(str(path))}: {reason}", hint)
