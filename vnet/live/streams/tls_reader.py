"""Reads the files of ``ssl:`` and ``pssl:`` as soon as they are named, and says what is wrong.

Open vSwitch reads each of them when its name or its time of change is another, and goes on with
what it had where that fails. What it says is what OpenSSL says
(:mod:`~vnet.live.streams.tls_faults`).
"""

from __future__ import annotations

import os
from collections import deque
from typing import TYPE_CHECKING

from vnet.live.streams.tls_files import TlsFiles
from vnet.ovs.vlog.vlog import Vlog

if TYPE_CHECKING:
    from vnet.ovs.vswitchd.remote_config import SslConfig

_MOST_FAULTS = 15
"""So many does OpenSSL remember (ERR_get_error(3))."""
_LOG_PER_MINUTE, _LOG_BURST = 10, 25
_ANYBODY = "none"


class TlsReader:
    """What is named lands in ``files`` once it can be used; a private key and its certificate are
    read together, when both have changed."""

    def __init__(self, files: TlsFiles, vlog: Vlog) -> None:
        self._files = files
        self._log = vlog.module("stream_ssl")
        self._limit = self._log.limit(_LOG_PER_MINUTE, _LOG_BURST)
        self._private_key, self._certificate = files.private_key, files.certificate
        self._ca_cert, self._bootstraps = files.ca_cert, files.bootstraps
        self._seen: dict[str, tuple[str, int]] = {}
        self._faults: deque[str] = deque(maxlen=_MOST_FAULTS)
        files.private_key = files.certificate = files.ca_cert = ""
        files.look_again = self._read
        self._read()

    def follow(self, row: SslConfig | None) -> None:
        """Use what an SSL row names instead of what was used before. A row that goes takes
        nothing with it."""
        if row is not None:
            self._private_key, self._certificate = row.private_key, row.certificate
            self._ca_cert, self._bootstraps = row.ca_cert, row.bootstrap_ca_cert
        self._read()

    def _read(self) -> None:
        files = self._files
        if self._has_changed("private key", self._private_key) and self._has_changed(
            "certificate", self._certificate
        ):
            self._read_certificate()
            self._read_private_key()
        if self._has_changed("CA certificate", self._ca_cert):
            files.ca_cert, files.bootstraps = self._ca_cert, self._bootstraps
            self._read_ca_cert()

    def _has_changed(self, role: str, path: str) -> bool:
        """Whether it is another file than when somebody asked last, or has changed since."""
        if not path:
            return False
        changed_ns = 0
        try:
            changed_ns = os.stat(path).st_mtime_ns
        except FileNotFoundError:
            pass  # It may come yet, which is a change.
        except OSError as error:
            self._log.err(f"{path}: stat failed ({error.strerror})", self._limit)
        is_same = self._seen.get(role) == (path, changed_ns)
        self._seen[role] = path, changed_ns
        return not is_same

    def _read_certificate(self) -> None:
        from vnet.live.streams.tls_faults import certificate_faults

        if self._is_well("SSL_use_certificate_file", certificate_faults(self._certificate)):
            self._files.certificate = self._certificate

    def _read_private_key(self) -> None:
        from vnet.live.streams.tls_faults import private_key_faults

        faults = private_key_faults(self._private_key, self._files.certificate)
        if self._is_well("SSL_use_PrivateKey_file", faults):
            self._files.private_key = self._private_key

    def _read_ca_cert(self) -> None:
        from vnet.live.streams.tls_faults import ca_faults

        path = self._ca_cert
        if path == _ANYBODY:
            self._log.warn("Peer certificate validation disabled (this is a security risk)")
        elif not self._files.must_bootstrap and self._is_well(
            f"failed to load client certificates from {path}", ca_faults(path)
        ):
            self._faults.clear()  # as OpenSSL does when it has read some

    def _is_well(self, what: str, faults: tuple[str, ...] | None) -> bool:
        """Say the oldest fault that has not been said yet, as whoever asks OpenSSL once for each
        failure does, which may leave several behind. None: there was no failure."""
        if faults is None:
            return True
        self._faults += faults
        said = self._faults.popleft() if self._faults else "error:00000000:lib(0)::reason(0)"
        self._log.err(f"{what}: {said}")
        return False
