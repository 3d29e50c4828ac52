"""Sockets for ICMP and ICMPv6 echo, as ping(8) has them."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

from vnet.linux.netns.sockets.errors import SocketError

if TYPE_CHECKING:
    from vnet.linux.netns.sockets.table import Sockets


class EchoReply(NamedTuple):
    source: bytes
    sequence: int
    data: bytes
    ttl: int


class EchoRedirect(NamedTuple):
    """A router's word on a request: ``gateway`` is the better next hop. ``code`` is ICMP's."""

    reporter: bytes
    sequence: int
    code: int
    gateway: bytes


class EchoSocket:
    """Receives the replies to, and the errors about, echo requests with one identifier.

    ``on_redirect`` is told of redirects, which are no errors.
    """

    __slots__ = ("_sockets", "ident", "on_error", "on_redirect", "on_reply")

    def __init__(
        self,
        sockets: Sockets,
        ident: int,
        on_reply: Callable[[EchoReply], None],
        on_error: Callable[[SocketError], None],
    ) -> None:
        self._sockets = sockets
        self.ident = ident
        self.on_reply = on_reply
        self.on_error = on_error
        self.on_redirect: Callable[[EchoRedirect], None] | None = None

    def close(self) -> None:
        """Stop receiving; harmless when closed."""
        self._sockets.echo.pop(self.ident, None)
