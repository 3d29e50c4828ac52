"""What a process shows and whom it trusts: the certificates of ``ssl:`` and ``pssl:``.

As Open vSwitch has them: both sides show a certificate, and both check the other's against the CA
certificate. Names in certificates are not compared.
"""

from __future__ import annotations

import errno
import hashlib
import os
import ssl
import warnings

from vnet.live.streams.tls_files import DEFAULT_PROTOCOLS, TlsFiles
from vnet.ovs.vlog.vlog import SILENT, Vlog

_VERSIONS = {
    "tlsv1": ssl.OP_NO_TLSv1,
    "tlsv1.1": ssl.OP_NO_TLSv1_1,
    "tlsv1.2": ssl.OP_NO_TLSv1_2,
}
_MISMATCH = (
    "Private key does not match certificate public key: "
    "error:0A0000BE:SSL routines::no private key assigned"
)
_NO_VERSION = ssl.OP_NO_SSLv2 | ssl.OP_NO_SSLv3 | ssl.OP_NO_TLSv1_3


def make_context(files: TlsFiles, *, server: bool, vlog: Vlog = SILENT) -> ssl.SSLContext:
    """What a connection is made with. Raises OSError, having said why."""
    log = vlog.module("stream_ssl")
    if files.look_again is not None:
        files.look_again()
    missing = [
        name
        for name, is_there in (
            ("Private key", files.private_key),
            ("Certificate", files.certificate),
            ("CA certificate", files.ca_cert),
        )
        if not is_there
    ]
    for name in missing:
        log.err(f"{name} must be configured to use SSL")
    if missing:
        raise OSError(errno.ENOPROTOOPT, os.strerror(errno.ENOPROTOOPT))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER if server else ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    try:
        _load(context, files)
        _trust(context, files, server=server)
    except (OSError, ValueError) as error:
        is_mismatch = getattr(error, "reason", None) == "KEY_VALUES_MISMATCH"
        log.err(_MISMATCH if is_mismatch else f"cannot use SSL: {error}")
        raise OSError(errno.ENOPROTOOPT, os.strerror(errno.ENOPROTOOPT)) from error
    _set_protocols(context, files.protocols, vlog)
    return context


def _load(context: ssl.SSLContext, files: TlsFiles) -> None:
    context.set_ciphers(files.ciphers)
    if not files.peer_ca_certs:
        context.load_cert_chain(files.certificate, files.private_key)
        return
    # OpenSSL reads a chain from one file, so both are put into one that is in no folder.
    descriptor = os.memfd_create("chain")
    try:
        for path in (files.certificate, files.peer_ca_certs):
            with open(path, "rb") as file:
                os.write(descriptor, file.read() + b"\n")
        context.load_cert_chain(f"/proc/self/fd/{descriptor}", files.private_key)
    finally:
        os.close(descriptor)


def _trust(context: ssl.SSLContext, files: TlsFiles, *, server: bool) -> None:
    if files.ca_cert == "none" or (files.must_bootstrap and not server):
        context.verify_mode = ssl.CERT_NONE
        return
    context.verify_mode = ssl.CERT_REQUIRED
    try:
        context.load_verify_locations(files.ca_cert)
    except (OSError, ValueError):
        # Whoever has read the file before has said so, and trusts nobody, as Open vSwitch.
        if files.look_again is None:
            raise


def _set_protocols(context: ssl.SSLContext, protocols: str, vlog: Vlog) -> None:
    """Allow what a list such as ``TLSv1.1,TLSv1.2`` names; the usual list leaves it as it is."""
    log = vlog.module("stream_ssl")
    if protocols == DEFAULT_PROTOCOLS:
        return
    names = protocols.replace(",", " ").lower().split()
    if not names:
        log.err("SSL protocol settings invalid")
        return
    for name in names:
        if name not in _VERSIONS:
            log.err(f"{name}: SSL protocol not recognized")
            return
    with warnings.catch_warnings():
        # Python would have a range, but a list may leave out one in the middle.
        warnings.simplefilter("ignore", DeprecationWarning)
        context.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
        context.options |= _NO_VERSION
        for name, forbids in _VERSIONS.items():
            if name not in names:
                context.options |= forbids


def learn_ca(files: TlsFiles, chain: list[bytes], vlog: Vlog = SILENT) -> None:
    """Write down the last certificate (DER) of a first peer's chain as the CA's. Raises OSError."""
    log = vlog.module("stream_ssl")
    if not chain:
        log.err("could not bootstrap CA cert: no certificate presented by peer")
        raise OSError(errno.EPROTO, os.strerror(errno.EPROTO))
    text = ssl.DER_cert_to_PEM_cert(chain[-1])
    if not _is_self_signed(text):
        log.err("could not bootstrap CA cert: obtained certificate is not self-signed")
        if len(chain) < 2:
            log.err(
                "only one certificate was received, so probably the peer "
                "is not configured to send its CA certificate"
            )
        raise OSError(errno.EPROTO, os.strerror(errno.EPROTO))
    try:
        descriptor = os.open(files.ca_cert, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o444)
    except FileExistsError:
        log.info(f"reading CA cert {files.ca_cert} created by another process")
        return
    except OSError as error:
        reason = error.strerror
        log.err(f"could not bootstrap CA cert: creating {files.ca_cert} failed: {reason}")
        raise
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(text)
    fingerprint = hashlib.sha1(chain[-1], usedforsecurity=False).hexdigest()
    spaced = ":".join(fingerprint[i : i + 2] for i in range(0, len(fingerprint), 2))
    log.info(f"successfully bootstrapped CA cert to {files.ca_cert}")
    log.info(f"Trusting CA cert from {files.ca_cert} (fingerprint {spaced})")
    log.info("killing successful connection to retry using CA cert")


def _is_self_signed(text: str) -> bool:
    """Whether a certificate is its own issuer's, as those of CAs are."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(cadata=text)
    known = context.get_ca_certs()
    return bool(known) and known[0].get("subject") == known[0].get("issuer")
