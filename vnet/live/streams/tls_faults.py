"""What OpenSSL 3.0 remembers of a file that it could not use, as ERR_error_string(3) says it.

Python has only the last of several faults, and Open vSwitch tells the first.
"""

from __future__ import annotations

import binascii
import os
import re
import ssl
from collections.abc import Iterator

_BIO_SYSTEM = "error:10080002:BIO routines::system lib"
_SSL_SYSTEM = "error:0A080002:SSL routines::system lib"
_SSL_PEM = "error:0A080009:SSL routines::PEM lib"
_NO_START_LINE = "error:0480006C:PEM routines::no start line"
_BAD_END_LINE = "error:04800066:PEM routines::bad end line"
_BAD_BASE64 = "error:04800064:PEM routines::bad base64 decode"
_BAD_ASN1 = (
    "error:068000A8:asn1 encoding routines::wrong tag",
    "error:0688010A:asn1 encoding routines::nested asn1 error",
    "error:0488000D:PEM routines::ASN1 lib",
)
_NO_KEY = ("error:1E08010C:DECODER routines::unsupported", _SSL_PEM)
_MISMATCH = ("error:05800074:x509 certificate routines::key values mismatch",)

_BEGIN = re.compile(rb"^-----BEGIN ([^\n]*?)-----[ \t\r]*$", re.MULTILINE)
_CERTIFICATES = (b"CERTIFICATE", b"X509 CERTIFICATE", b"TRUSTED CERTIFICATE")


class _PemError(ValueError):
    """A file is not what it should be; the message is OpenSSL's."""


def certificate_faults(path: str) -> tuple[str, ...] | None:
    """Of SSL_CTX_use_certificate_file(3); None: none."""
    faults = ca_faults(path)
    if faults is None:
        return None
    return (*faults, _SSL_SYSTEM if _BIO_SYSTEM in faults else _SSL_PEM)


def ca_faults(path: str) -> tuple[str, ...] | None:
    """Of SSL_load_client_CA_file(3); None: none."""
    try:
        text = _contents(path)
    except OSError as error:
        return _system_faults(error)
    try:
        for label, der in _blocks(text):
            if label in _CERTIFICATES:
                ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(cadata=der)
                return None
    except _PemError as error:
        return (str(error),)
    except (ssl.SSLError, ValueError):
        return _BAD_ASN1
    return (_NO_START_LINE,)


def private_key_faults(path: str, certificate: str) -> tuple[str, ...] | None:
    """Of SSL_CTX_use_PrivateKey_file(3), where a ``certificate`` may be in use that it has to
    match; None: none."""
    try:
        text = _contents(path)
    except OSError as error:
        return (*_system_faults(error), _SSL_SYSTEM)
    try:
        labels = [label for label, _der in _blocks(text)]
    except _PemError:
        return _NO_KEY
    if not any(label.endswith(b"PRIVATE KEY") for label in labels):
        return _NO_KEY
    if not certificate:
        return None
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_cert_chain(certificate, path)
    except ssl.SSLError as error:
        return _MISMATCH if error.reason == "KEY_VALUES_MISMATCH" else _NO_KEY
    except OSError:
        return None  # The certificate's file has gone since: nobody can say.
    return None


def _contents(path: str) -> bytes:
    """A folder is opened like a file, and there is nothing in it."""
    if os.path.isdir(path):
        return b""
    with open(path, "rb") as file:
        return file.read()


def _system_faults(error: OSError) -> tuple[str, ...]:
    number = error.errno or 0
    return (
        f"error:{0x8000_0000 | number:08X}:system library::{os.strerror(number)}",
        _BIO_SYSTEM,
    )


def _blocks(text: bytes) -> Iterator[tuple[bytes, bytes]]:
    """What a PEM file has (RFC 7468), each with its label. Raises :class:`_PemError`."""
    at = 0
    while (begin := _BEGIN.search(text, at)) is not None:
        end = text.find(b"-----END " + begin[1] + b"-----", begin.end())
        if end < 0:
            raise _PemError(_BAD_END_LINE)
        # Keys with a password have headers, and an empty line behind them.
        body = text[begin.end() : end].replace(b"\r", b"").strip().rpartition(b"\n\n")[2]
        try:
            yield begin[1], binascii.a2b_base64(b"".join(body.split()), strict_mode=True)
        except binascii.Error as error:
            raise _PemError(_BAD_BASE64) from error
        at = end
