"""Where a target of a database leads to, as far as flows can say it: by TCP and IPv4."""

from __future__ import annotations

from typing import NamedTuple

from vnet.base.ids import IpAddress, ip_from_text
from vnet.ovs.flow.tokens import c_decimal

IPV4_LOOPBACK = IpAddress(bytes((127, 0, 0, 1)))

_KINDS = ("tcp", "ssl")
_IPV4_BYTES = 4
_MAX_PORT = 0xFFFF


class RemoteAddress(NamedTuple):
    """Who listens there."""

    ip: IpAddress
    port: int


def remote_address(target: str, default_port: int) -> RemoteAddress | None:
    """``tcp:IP[:PORT]`` or ``ssl:IP[:PORT]``; None for whatever else a target may be."""
    kind, _, rest = target.partition(":")
    host, colon, port_text = rest.partition(":")
    port = c_decimal(port_text) if colon and port_text else default_port
    if kind not in _KINDS or port is None or not 0 <= port <= _MAX_PORT:
        return None
    try:
        ip = ip_from_text(host)
    except ValueError:
        return None
    return RemoteAddress(ip, port) if len(ip) == _IPV4_BYTES else None
