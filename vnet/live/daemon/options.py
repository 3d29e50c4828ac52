"""The options that both daemons have, and what is done at each of them."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from vnet.live.daemon.errors import FatalError
from vnet.live.daemon.getopt import Argument, Option
from vnet.live.daemon.log import LogFile
from vnet.live.directories import run_directory
from vnet.live.streams.tls_files import TlsFiles
from vnet.ovs.vlog.spec import SpecError, apply_spec
from vnet.ovs.vlog.vlog import Vlog

if TYPE_CHECKING:
    from vnet.live.daemon.user import User

DAEMON_OPTIONS = (
    Option("detach"),
    Option("no-self-confinement"),
    Option("no-chdir"),
    Option("pidfile", Argument.OPTIONAL),
    Option("overwrite-pidfile"),
    Option("monitor"),
    Option("user", Argument.REQUIRED),
)
LOG_OPTIONS = (
    Option("verbose", Argument.OPTIONAL, "v"),
    Option("log-file", Argument.OPTIONAL),
    Option("syslog-method", Argument.REQUIRED),
    Option("syslog-target", Argument.REQUIRED),
)
TLS_OPTIONS = (
    Option("private-key", Argument.REQUIRED, "p"),
    Option("certificate", Argument.REQUIRED, "c"),
    Option("ca-cert", Argument.REQUIRED, "C"),
    Option("ssl-protocols", Argument.REQUIRED),
    Option("ssl-ciphers", Argument.REQUIRED),
    Option("peer-ca-cert", Argument.REQUIRED),
    Option("bootstrap-ca-cert", Argument.REQUIRED),
)
OTHER_OPTIONS = (
    Option("help", short="h"),
    Option("version", short="V"),
    Option("unixctl", Argument.REQUIRED),
)

SYSLOG_PREFIXES = {"null": "", "libc": "<%B> %D{%h %e %T} %E %A:", "unix": "<%B>", "udp": "<%B>"}
"""What a way to the system's log puts before each line."""


class CommonOptions:
    """What was asked for so far. Those about logs have their effect at once, in order."""

    def __init__(self, program: str, vlog: Vlog, log_file: LogFile) -> None:
        self.is_confined = True
        """Whether sockets that a database names have to be in the run directory."""
        self.detach = False
        self.supervise = False
        self.changes_folder = True
        self.pidfile: str | None = None
        self.overwrite_pidfile = False
        self.user: User | None = None
        self.unixctl: str | None = None
        self.tls = TlsFiles()
        self.syslog_prefix = ""
        self._program = program
        self._vlog = vlog
        self._log_file = log_file
        method = os.environ.get("OVS_SYSLOG_METHOD", "")
        self._set_syslog_method(method or "libc")

    def take(self, name: str, value: str | None) -> bool:
        """Do as an option says; False where it is none of these. Raises :class:`FatalError`."""
        return (
            self._take_daemon_option(name, value)
            or self._take_log_option(name, value)
            or self._take_tls_option(name, value or "")
        )

    def _take_daemon_option(self, name: str, value: str | None) -> bool:
        match name:
            case "detach":
                self.detach = True
            case "no-chdir":
                self.changes_folder = False
            case "pidfile":
                self.pidfile = os.path.join(run_directory(), value or f"{self._program}.pid")
            case "overwrite-pidfile":
                self.overwrite_pidfile = True
            case "monitor":
                self.supervise = True
            case "user":
                from vnet.live.daemon.user import User

                self.user = User(value or "", self.pidfile)
            case "unixctl":
                self.unixctl = value
            case "no-self-confinement":
                self.is_confined = False
            case _:
                return False
        return True

    def _take_log_option(self, name: str, value: str | None) -> bool:
        match name:
            case "verbose":
                try:
                    apply_spec(self._vlog, value or "")
                except SpecError as error:
                    raise FatalError(f'processing "{value}": {error}') from error
            case "log-file":
                self._open_log(value)
            case "syslog-method":
                self._set_syslog_method(value or "")
            case "syslog-target":
                pass  # Nothing is sent to other machines.
            case _:
                return False
        return True

    def _open_log(self, path: str | None) -> None:
        """A log file that was named must be there; the usual one need not."""
        try:
            self._log_file.open(path)
        except OSError as error:
            if path is not None:
                raise FatalError from error

    def _set_syslog_method(self, method: str) -> None:
        prefix = SYSLOG_PREFIXES.get(method.partition(":")[0])
        if prefix is None:
            raise FatalError(f"unsupported syslog method '{method}'")
        self.syslog_prefix = prefix

    def _take_tls_option(self, name: str, value: str) -> bool:
        match name:
            case "private-key":
                self.tls.private_key = value
            case "certificate":
                self.tls.certificate = value
            case "ca-cert" | "bootstrap-ca-cert":
                self.tls.ca_cert = value
                self.tls.bootstraps = name == "bootstrap-ca-cert"
            case "peer-ca-cert":
                self.tls.peer_ca_certs = value
            case "ssl-protocols":
                self.tls.protocols = value
            case "ssl-ciphers":
                self.tls.ciphers = value
            case _:
                return False
        return True
