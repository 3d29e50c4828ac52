"""A connection that nobody else can read, once both sides have shown who they are."""

from __future__ import annotations

import errno
import os
import socket
import ssl
from _ssl import err_names_to_codes
from collections.abc import Callable
from typing import cast

from vnet.live.clock import WallClock
from vnet.live.streams.stream import Stream
from vnet.live.streams.tls import learn_ca
from vnet.live.streams.tls_files import TlsFiles
from vnet.ovs.vlog.vlog import Vlog

_LOG_PER_MINUTE, _LOG_BURST = 10, 25
_LIBRARY_SHIFT = 23
"""Where OpenSSL's error codes have the library (ERR_GET_LIB(3))."""


class TlsStream(Stream):
    """Usable at once: what is sent goes out when the handshake is over.

    ``on_ready_to_use`` is told of that moment. A handshake that fails ends the stream.
    ``context`` is what :func:`~vnet.live.streams.tls.make_context` makes of the files.
    """

    def __init__(
        self,
        clock: WallClock,
        sock: socket.socket,
        peer: str,
        files: TlsFiles,
        *,
        context: ssl.SSLContext,
        server: bool,
        vlog: Vlog,
    ) -> None:
        self._tls = context.wrap_socket(
            sock, server_side=server, do_handshake_on_connect=False, suppress_ragged_eofs=True
        )
        self._files = files
        self._vlog = vlog
        self._limit = vlog.module("stream_ssl").limit(_LOG_PER_MINUTE, _LOG_BURST)
        self._is_server = server
        self._bootstraps = files.must_bootstrap and not server
        self._has_shaken = False
        self._wants_to_write = False
        self.on_ready_to_use: Callable[[], None] | None = None
        super().__init__(clock, self._tls, peer)

    @property
    def peer_name(self) -> str | None:
        """The common name of the peer's certificate (RFC 7047's role checks go by it)."""
        shown = self._tls.getpeercert() if self._has_shaken else None
        subject = cast("tuple[tuple[tuple[str, str], ...], ...]", (shown or {}).get("subject", ()))
        names = dict(pair for part in subject for pair in part)
        return names.get("commonName")

    def on_ready(self) -> None:
        """Shake hands first."""
        if not self._has_shaken and not self._shake():
            return
        self._wants_to_write = False
        super().on_ready()
        self._read_what_is_decrypted()
        if self.is_open:
            self._watch()

    def start(self) -> None:
        """Say hello, where this side is the one that does."""
        self.on_ready()

    def _shake(self) -> bool:
        try:
            self._tls.do_handshake()
        except (ssl.SSLWantReadError, ssl.SSLWantWriteError) as wanted:
            self._wants_to_write = isinstance(wanted, ssl.SSLWantWriteError)
            self._watch()
            return False
        except OSError as error:
            name = "SSL_accept" if self._is_server else "SSL_connect"
            self._say(f"{name}: {_reason(error)}")
            self._end(errno.EPROTO)
            return False
        self._has_shaken = True
        if self._bootstraps:
            self._learn_ca()
            return False
        if self.on_ready_to_use is not None:
            self.on_ready_to_use()
        return self.is_open

    def _learn_ca(self) -> None:
        """Trust this peer's CA next time; this connection was not checked, and is given up."""
        try:
            learn_ca(self._files, _chain(self._tls), self._vlog)
        except OSError as error:
            self._end(error.errno or errno.EIO)
        else:
            self._end(errno.EPROTO)

    def resume(self) -> None:
        """Read on, also what has been decrypted already."""
        super().resume()
        self._clock.next_turn(self._read_what_is_decrypted)

    def _read_what_is_decrypted(self) -> None:
        """OpenSSL may hold more than was asked for, of which the system knows nothing."""
        while self.is_open and self._tls.pending() and self._may_read:
            self._read()

    def _receive(self) -> bytes:
        try:
            return super()._receive()
        except (ssl.SSLWantReadError, ssl.SSLWantWriteError) as wanted:
            self._wants_to_write = isinstance(wanted, ssl.SSLWantWriteError)
            raise BlockingIOError from wanted
        except ssl.SSLError as error:
            self._say(f"SSL_read: {_reason(error)}")
            raise OSError(errno.EIO, os.strerror(errno.EIO)) from error

    def _transmit(self, data: bytes | bytearray) -> int:
        if not self._has_shaken:
            raise BlockingIOError
        try:
            return super()._transmit(data)
        except (ssl.SSLWantReadError, ssl.SSLWantWriteError) as wanted:
            raise BlockingIOError from wanted
        except ssl.SSLError as error:
            self._say(f"SSL_write: {_reason(error)}")
            raise OSError(errno.EIO, os.strerror(errno.EIO)) from error

    def _watch(self) -> None:
        if not self._has_shaken or self._wants_to_write:
            self._watch_for(reading=True, writing=self._wants_to_write)
        else:
            super()._watch()

    def _say(self, text: str) -> None:
        self._vlog.module("stream_ssl").warn(text, self._limit)


def _reason(error: OSError) -> str:
    """As OpenSSL itself says it."""
    name = getattr(error, "reason", None)
    if name not in err_names_to_codes:
        return name or error.strerror or str(error)
    library, number = err_names_to_codes[name]
    code = f"{library << _LIBRARY_SHIFT | number:08X}"
    text = name.lower().replace("_", " ")
    return f"error:{code}:{getattr(error, 'library', '')} routines::{text}"


def _chain(tls: ssl.SSLSocket) -> list[bytes]:
    """All the certificates (DER) that the peer has shown, its own first."""
    get_chain = getattr(tls, "get_unverified_chain", None)
    if get_chain is not None:  # Python 3.13
        return list(get_chain())
    # Before, only the object beneath knows.
    certificates = tls._sslobj.get_unverified_chain() or []  # type: ignore[attr-defined]
    return [ssl.PEM_cert_to_DER_cert(one.public_bytes()) for one in certificates]
