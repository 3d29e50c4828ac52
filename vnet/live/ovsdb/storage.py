"""A database's file: records are safe on the disk before anybody is told of them."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Iterable

from vnet.live.ovsdb.lockfile import LockedError, Lockfile, lock
from vnet.ovs.ovsdb.errors import OvsdbError
from vnet.ovs.ovsdb.file_record import DATE
from vnet.ovs.ovsdb.json_text import Json
from vnet.ovs.ovsdb.log import frame_record
from vnet.ovs.vlog.vlog import SILENT, Vlog

_NS_PER_MS = 1_000_000
_MODE = 0o660


class FileStorage:
    """An open file that records are appended to. ``name`` is how errors call it.

    ``size_bytes`` is what is good of it: whatever lies behind is cut off by the next record.
    ``base_bytes`` is its size when it was opened or last compacted, ``n_records`` how many records
    it has. Whoever has it open has it locked, also against this process. Failures raise
    :class:`OvsdbError` in ovsdb's words, and leave what was written before as it is; ``vlog``
    hears of them as well.
    """

    def __init__(self, name: str, vlog: Vlog = SILENT) -> None:
        self.name = name
        self._path = os.path.abspath(name)
        self._log = vlog.module("ovsdb_log")
        self._log_limit = self._log.limit(5, 5)
        self._lock = _locked(name, vlog)
        try:
            self._descriptor = os.open(name, os.O_RDWR | os.O_CLOEXEC)
        except OSError as fault:
            self._lock.release()
            raise io_error(fault, f"{name}: open failed") from fault
        self.size_bytes = 0
        self.base_bytes = 0
        self.n_records = 0
        self._is_cut = False

    def read(self) -> bytes:
        """Everything in the file."""
        try:
            with open(self._descriptor, "rb", closefd=False) as file:
                file.seek(0)
                return file.read()
        except OSError as fault:
            raise io_error(fault, f"{self.name}: read failed") from fault

    def begin(self, size_bytes: int, n_records: int) -> None:
        """So much of the file is good, and holds so many records."""
        self.size_bytes = self.base_bytes = size_bytes
        self.n_records = n_records

    def append(self, record: Json) -> None:
        """Write a record with today's date. It is safe on the disk when this returns."""
        data = frame_record(record | {DATE: time.time_ns() // _NS_PER_MS})
        self._cut()
        try:
            _write(self._descriptor, data, self.size_bytes, f"{self.name}: write failed")
            _sync(self._descriptor, self.name)
        except OvsdbError as fault:
            self._log.warn(f"{self._path}: write failed ({fault.io_error})", self._log_limit)
            self._is_cut = False
            self._try_to_cut()
            raise
        self.size_bytes += len(data)
        self.n_records += 1

    def _cut(self) -> None:
        """Cut off what is not good, once."""
        if self._is_cut:
            return
        try:
            os.ftruncate(self._descriptor, self.size_bytes)
        except OSError as fault:
            what = f"{self.name}: cannot truncate to length {self.size_bytes}"
            raise io_error(fault, what) from fault
        self._is_cut = True

    def _try_to_cut(self) -> None:
        """After a failure. Where this fails as well, the next record tries again."""
        try:
            self._cut()
        except OvsdbError:
            self._is_cut = False

    def replace(self, records: Iterable[Json]) -> None:
        """Write a new file, and put it in the place of the old one once it is safe."""
        target = os.path.realpath(self._path)
        fresh_path = f"{target}.tmp"
        fresh = _create_afresh(fresh_path)
        try:
            size_bytes, n_records = self._fill(fresh, fresh_path, records)
            try:
                os.rename(fresh_path, target)
            except OSError as fault:
                what = f'failed to rename "{fresh_path}" to "{target}"'
                raise io_error(fault, what) from fault
        except BaseException:
            os.close(fresh)
            with contextlib.suppress(OSError):  # Its folder may be gone, too.
                os.unlink(fresh_path)
            raise
        # The name is the new file's from here on, whatever becomes of the next step.
        os.close(self._descriptor)
        self._descriptor, self._is_cut = fresh, True
        self.begin(size_bytes, n_records)
        sync_directory(target)

    def _fill(self, descriptor: int, path: str, records: Iterable[Json]) -> tuple[int, int]:
        size_bytes = n_records = 0
        date = {DATE: time.time_ns() // _NS_PER_MS}
        for record in records:
            # The first is the schema, which has no date.
            data = frame_record(record | date if n_records else record)
            _write(descriptor, data, size_bytes, f"{path}: write failed")
            size_bytes += len(data)
            n_records += 1
        _sync(descriptor, path)
        return size_bytes, n_records

    def close(self) -> None:
        """Use the file no more."""
        os.close(self._descriptor)
        self._lock.release()


def create_file(name: str, records: Iterable[Json]) -> None:
    """A new file with some records. Raises :class:`OvsdbError`, also where there is one."""
    held = _locked(name)
    try:
        try:
            flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
            descriptor = os.open(name, flags, _MODE)
        except OSError as fault:
            raise io_error(fault, f"{name}: create failed") from fault
        try:
            data = b"".join(map(frame_record, records))
            _write(descriptor, data, 0, f"{name}: write failed")
            _sync(descriptor, name)
        except OvsdbError:
            os.unlink(name)
            raise
        finally:
            os.close(descriptor)
        sync_directory(name)
    finally:
        held.release()


def io_error(fault: OSError, details: str) -> OvsdbError:
    """What the system refused, as ovsdb tells it."""
    return OvsdbError("I/O error", details, io_error=os.strerror(fault.errno or 0))


def _locked(name: str, vlog: Vlog = SILENT) -> Lockfile:
    try:
        return lock(name)
    except LockedError as fault:
        vlog.module("lockfile").warn(str(fault))
        raise io_error(fault, f"{name}: failed to lock lockfile") from fault


def _create_afresh(path: str) -> int:
    try:
        os.unlink(path)
    except FileNotFoundError:
        pass
    except OSError as fault:
        raise io_error(fault, f"failed to remove {path}") from fault
    try:
        return os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, _MODE)
    except OSError as fault:
        raise io_error(fault, f"{path}: create failed") from fault


def _write(descriptor: int, data: bytes, offset: int, failure: str) -> None:
    view = memoryview(data)
    try:
        while view:
            n_written = os.pwrite(descriptor, view, offset)
            view, offset = view[n_written:], offset + n_written
    except OSError as fault:
        raise io_error(fault, failure) from fault


def _sync(descriptor: int, name: str) -> None:
    try:
        os.fdatasync(descriptor)
    except OSError as fault:
        raise io_error(fault, f"{name}: fsync failed") from fault


def sync_directory(path: str) -> None:
    """Make sure that a file's name is on the disk. Raises :class:`OvsdbError`."""
    directory = os.path.dirname(os.path.abspath(path))
    try:
        descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
    except OSError as fault:
        raise io_error(fault, f"{directory}: fsync failed") from fault
