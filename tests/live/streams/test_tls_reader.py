"""Files of keys and certificates that cannot be used: said once, as Open vSwitch 3.1 says it with
OpenSSL 3.0, and what was used before goes on."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.live.streams.test_tls import authorities  # noqa: F401 - a fixture
from vnet.live.daemon.log import Process
from vnet.live.streams.tls_faults import ca_faults, certificate_faults, private_key_faults
from vnet.live.streams.tls_files import TlsFiles
from vnet.live.streams.tls_reader import TlsReader
from vnet.ovs.vlog.level import Destination
from vnet.ovs.vlog.vlog import Vlog
from vnet.ovs.vswitchd.remote_config import SslConfig

SYSTEM = (
    "error:80000002:system library::No such file or directory",
    "error:10080002:BIO routines::system lib",
)
SSL_SYSTEM = "error:0A080002:SSL routines::system lib"
NO_START = "error:0480006C:PEM routines::no start line"
BAD_END = "error:04800066:PEM routines::bad end line"
BAD_BASE64 = "error:04800064:PEM routines::bad base64 decode"
WRONG_TAG = "error:068000A8:asn1 encoding routines::wrong tag"
SSL_PEM = "error:0A080009:SSL routines::PEM lib"
NO_KEY = ("error:1E08010C:DECODER routines::unsupported", SSL_PEM)
MISMATCH = "error:05800074:x509 certificate routines::key values mismatch"


class Lines:
    def __init__(self) -> None:
        self.lines: list[str] = []

    def write(self, line: str) -> None:
        self.lines.append(line.rstrip("\n"))

    def take(self) -> list[str]:
        lines, self.lines = self.lines, []
        return lines


@pytest.fixture
def said() -> Lines:
    return Lines()


@pytest.fixture
def vlog(said: Lines) -> Vlog:
    vlog = Vlog(Process("ovs-vswitchd"))
    vlog.set_pattern(Destination.FILE, "%c|%p|%m")
    vlog.set_sink(Destination.FILE, said)
    return vlog


def row(folder: Path, key: str, certificate: str, ca: str) -> SslConfig:
    return SslConfig(str(folder / key), str(folder / certificate), str(folder / ca))


@pytest.mark.parametrize(
    ("text", "of_certificate"),
    [
        ("", NO_START),
        ("garbage\n", NO_START),
        ("-----BEGIN CERTIFICATE-----\nAAAA\n", BAD_END),
        ("-----BEGIN CERTIFICATE-----\n!!!!\n-----END CERTIFICATE-----\n", BAD_BASE64),
        ("-----BEGIN CERTIFICATE-----\nAAAAAAAA\n-----END CERTIFICATE-----\n", WRONG_TAG),
    ],
)
def test_what_is_no_certificate_is_told_apart(
    tmp_path: Path, text: str, of_certificate: str
) -> None:
    path = tmp_path / "file.pem"
    path.write_text(text)
    assert (certificate_faults(str(path)) or ())[0] == of_certificate
    assert (certificate_faults(str(path)) or ())[-1] == SSL_PEM
    assert (ca_faults(str(path)) or ())[0] == of_certificate
    assert private_key_faults(str(path), "") == NO_KEY


def test_a_folder_is_an_empty_file_and_a_missing_one_none(tmp_path: Path) -> None:
    assert certificate_faults(str(tmp_path)) == (NO_START, SSL_PEM)
    missing = str(tmp_path / "missing")
    assert certificate_faults(missing) == (*SYSTEM, SSL_SYSTEM)
    assert private_key_faults(missing, "") == (*SYSTEM, SSL_SYSTEM)
    assert ca_faults(missing) == SYSTEM


def test_a_key_has_to_be_one_and_the_certificates(authorities: Path) -> None:  # noqa: F811
    key, certificate = (str(authorities / name) for name in ("good.key", "good.pem"))
    assert certificate_faults(certificate) is None
    assert private_key_faults(key, "") is None
    assert private_key_faults(key, certificate) is None
    assert private_key_faults(certificate, certificate) == NO_KEY
    assert private_key_faults(key, str(authorities / "foreign.pem")) == (MISMATCH,)
    assert private_key_faults(key, str(authorities / "gone.pem")) is None, "read before, and gone"
    assert certificate_faults(key) == (NO_START, SSL_PEM)


def test_files_that_cannot_be_used_are_told_of_once_and_others_go_on(
    authorities: Path,  # noqa: F811
    vlog: Vlog,
    said: Lines,
) -> None:
    files = TlsFiles()
    reader = TlsReader(files, vlog)
    missing = row(authorities, "no.key", "no.pem", "no-ca.pem")
    reader.follow(missing)
    ca = f"failed to load client certificates from {missing.ca_cert}"
    assert said.take() == [
        f"stream_ssl|ERR|SSL_use_certificate_file: {SYSTEM[0]}",
        f"stream_ssl|ERR|SSL_use_PrivateKey_file: {SYSTEM[1]}",
        f"stream_ssl|ERR|{ca}: {SSL_SYSTEM}",
    ]
    assert (files.private_key, files.certificate) == ("", "")
    reader.follow(missing)
    assert said.take() == []
    good = row(authorities, "good.key", "good.pem", "good-ca.pem")
    reader.follow(good)
    assert said.take() == []
    assert (files.private_key, files.certificate) == (good.private_key, good.certificate)
    reader.follow(row(authorities, "no.key", "no.pem", "good-ca.pem"))
    assert len(said.take()) == 2
    assert (files.private_key, files.certificate) == (good.private_key, good.certificate)


def test_files_that_come_or_change_later_are_read_when_they_are_needed(
    authorities: Path,  # noqa: F811
    tmp_path: Path,
    vlog: Vlog,
    said: Lines,
) -> None:
    files = TlsFiles()
    later = row(tmp_path, "late.key", "late.pem", "late-ca.pem")
    TlsReader(files, vlog).follow(later)
    assert len(said.take()) == 3
    for name in ("good.key", "good.pem", "good-ca.pem"):
        os.link(authorities / name, tmp_path / name.replace("good", "late"))
    assert files.look_again is not None
    files.look_again()
    assert said.take() == []
    assert (files.private_key, files.certificate) == (later.private_key, later.certificate)


def test_who_checks_nobody_is_warned(authorities: Path, vlog: Vlog, said: Lines) -> None:  # noqa: F811
    files = TlsFiles(str(authorities / "good.key"), str(authorities / "good.pem"), "none")
    TlsReader(files, vlog)
    warning = "Peer certificate validation disabled (this is a security risk)"
    assert said.take() == [f"stream_ssl|WARN|{warning}"]
    assert files.ca_cert == "none"
