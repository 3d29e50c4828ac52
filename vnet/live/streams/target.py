"""``tcp:192.0.2.1:6640``, ``punix:db.sock``: where a stream leads to, or waits."""

from __future__ import annotations

import errno
import os
import socket
from typing import NamedTuple

from vnet.live.directories import run_directory
from vnet.ovs.vlog.vlog import SILENT, Vlog

OVSDB_PORT = 6640
"""IANA's port for OVSDB, where none is given."""
OPENFLOW_PORT = 6653
"""IANA's port for OpenFlow."""

LOOPBACK = "127.0.0.1"
"""Where others are waited for unless an address is given. (Open vSwitch: everywhere.)"""

_KINDS = ("unix", "tcp", "ssl")
_LARGEST_SCOPE_ID = 0xFFFF_FFFF
_LONGEST_SCOPE_DIGITS = 10
_LONGEST_PORT_DIGITS = 5


class Target(NamedTuple):
    """A target taken apart. ``path`` is absolute, for unix alone; ``text`` is as written."""

    text: str
    kind: str
    path: str = ""
    host: str = ""
    port: int = 0

    @property
    def family(self) -> socket.AddressFamily:
        """What its socket is of."""
        if self.path:
            return socket.AF_UNIX
        return socket.AF_INET6 if ":" in self.host else socket.AF_INET

    @property
    def address(self) -> tuple[str, int] | tuple[str, int, int, int]:
        """What the socket of a host is bound or connected to."""
        if self.family is socket.AF_INET:
            return self.host, self.port
        host, _, scope = self.host.partition("%")
        return host, self.port, 0, _scope_id(scope)


def parse_active(
    text: str,
    *,
    directory: str | None = None,
    default_port: int = OVSDB_PORT,
    vlog: Vlog = SILENT,
) -> Target:
    """``unix:PATH``, ``tcp:HOST[:PORT]`` or ``ssl:HOST[:PORT]``.

    Relative paths are below ``directory``, or else below where sockets are. Raises OSError.
    """
    kind, colon, rest = text.partition(":")
    if not colon or kind not in _KINDS:
        raise _os_error(errno.EAFNOSUPPORT)
    if kind == "unix":
        return Target(text, kind, path=_absolute(rest, directory))
    host, port = _split_host_first(rest)
    if not host:
        vlog.module("socket_util").err(f"{rest}: host must be specified")
        raise _os_error(errno.EAFNOSUPPORT)
    number = _port(rest, port or str(default_port), vlog)
    return Target(text, kind, host=_host(rest, host, vlog), port=number)


def parse_passive(
    text: str,
    *,
    directory: str | None = None,
    default_port: int = OVSDB_PORT,
    vlog: Vlog = SILENT,
) -> Target:
    """``punix:PATH``, ``ptcp:[PORT][:HOST]`` or ``pssl:[PORT][:HOST]``, likewise."""
    kind, colon, rest = text.partition(":")
    if not colon or kind[:1] != "p" or kind[1:] not in _KINDS:
        raise _os_error(errno.EAFNOSUPPORT)
    if kind == "punix":
        return Target(text, "unix", path=_absolute(rest, directory))
    port, _, host = rest.partition(":")
    return Target(
        text,
        kind[1:],
        host=_host(rest, _bare(host) or LOOPBACK, vlog),
        port=_port(rest, port or str(default_port), vlog),
    )


def is_passive(text: str) -> bool:
    """Whether a target waits for others."""
    return text.partition(":")[0] in {f"p{kind}" for kind in _KINDS}


def host_text(host: str) -> str:
    """An address as targets have it: IPv6 in brackets."""
    return f"[{host}]" if ":" in host else host


def _split_host_first(rest: str) -> tuple[str, str]:
    if rest.startswith("["):
        host, _, port = rest[1:].partition("]")
        return host, port.removeprefix(":")
    if rest.count(":") > 1:
        return rest, ""  # An IPv6 address without brackets is one to its end.
    host, _, port = rest.partition(":")
    return host, port


def _bare(host: str) -> str:
    return host[1:-1] if host.startswith("[") and host.endswith("]") else host


def _absolute(path: str, directory: str | None) -> str:
    return os.path.join(run_directory() if directory is None else directory, path)


def _port(target: str, text: str, vlog: Vlog) -> int:
    is_number = text.isascii() and text.isdigit()
    if not is_number or len(text) > _LONGEST_PORT_DIGITS or int(text) > 0xFFFF:
        vlog.module("socket_util").err(f'{target}: bad port number "{text}"')
        raise _os_error(errno.EAFNOSUPPORT)
    return int(text)


def _host(target: str, host: str, vlog: Vlog) -> str:
    """An address. Names are not looked up, for that could take long; but for this machine's."""
    if host == "localhost":
        return LOOPBACK
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    address, _, scope = host.partition("%")
    log = vlog.module("socket_util")
    try:
        socket.inet_pton(family, address)
    except (OSError, UnicodeError):
        log.err(f'{target}: bad IP address "{host}"')
        raise _os_error(errno.EAFNOSUPPORT) from None
    try:
        _scope_id(scope)
    except OSError as error:
        log.err(f'{target}: bad IPv6 scope "{scope}" ({error.strerror})')
        raise _os_error(errno.EAFNOSUPPORT) from None
    return host


def _scope_id(scope: str) -> int:
    """The number of a link that an IPv6 address is good on, or a device's; 0 where none is named.
    Raises OSError."""
    if not scope:
        return 0
    if not (scope.isascii() and scope.isdigit()):
        return socket.if_nametoindex(scope)
    if len(scope) > _LONGEST_SCOPE_DIGITS or int(scope) > _LARGEST_SCOPE_ID:
        raise _os_error(errno.ERANGE)
    return int(scope)


def _os_error(number: int) -> OSError:
    return OSError(number, os.strerror(number))
