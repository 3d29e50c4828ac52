"""A DNS lookup, sent, repeated and told as dig(1) of BIND 9.18 does it.

A server is asked three times, each time from another port with the same identifier; then the
next one of resolv.conf once. What does not fit comes by TCP. A query says that it knows EDNS, and
carries a cookie (RFC 7873).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypedDict

from vnet.base.errors import UsageError
from vnet.base.ids import ip_text
from vnet.base.units import NS_PER_S
from vnet.guest.apps.app import App, milliseconds
from vnet.linux.netns.namespace import Namespace
from vnet.linux.netns.sockets.errors import SocketError
from vnet.linux.netns.sockets.tcp import TcpSocket
from vnet.linux.netns.sockets.udp import Datagram, UdpSocket
from vnet.linux.services.dns import query
from vnet.linux.services.dns.answer import parse_answer
from vnet.linux.services.dns.stream import MessageReader, prefixed
from vnet.linux.services.dns_server import drops
from vnet.linux.tcp.outcome import Failure
from vnet.sim.scheduler import Timer

if TYPE_CHECKING:
    from dnslib import DNSRecord

DEFAULT_TRIES = 3
DEFAULT_TIMEOUT_NS = 5 * NS_PER_S
DEFAULT_SIZE_BYTES = 1232
_COOKIE_BYTES = 8
_SERVFAIL = 2
_OURSELVES = b"\x7f\0\0\1"


class DigOptions(TypedDict, total=False):
    """What a lookup can be asked for; :class:`Dig` has the defaults."""

    kind: int
    klass: int
    servers: Sequence[bytes]
    port: int
    tries: int
    timeout_ns: int
    recurse: bool
    authentic: bool
    dnssec: bool
    edns: bool
    cookie: bool
    size_bytes: int
    tcp: bool
    ignore: bool


@dataclass
class DigResult:
    """What came of a lookup. Without a ``message`` no server answered.

    ``remarks`` are what dig says on the way; ``elapsed_ns`` is how long the last question took.
    """

    name: str
    sent: int = 0
    message: DNSRecord | None = None
    size_bytes: int = 0
    server: bytes = b""
    port: int = query.PORT
    by_tcp: bool = False
    elapsed_ns: int = 0
    ended_ns: int = 0
    remarks: list[str] = field(default_factory=list)

    @property
    def status(self) -> str:
        """NOERROR and its kin; nothing where nobody answered."""
        from vnet.guest.apps.dns.dig_text import status_of

        return "" if self.message is None else status_of(self.message)

    @property
    def answers(self) -> list[str]:
        """The data of all answers, as text."""
        from vnet.guest.apps.dns.dig_text import data_text

        return [] if self.message is None else [data_text(record) for record in self.message.rr]


class Dig(App):
    """Asks ``servers``, or those of the machine's resolver, for ``kind`` of ``name``.

    Raises :class:`UsageError` for a name that cannot be.
    """

    def __init__(
        self,
        namespace: Namespace,
        name: str,
        *,
        kind: int = query.A,
        klass: int = query.IN,
        servers: Sequence[bytes] = (),
        port: int = query.PORT,
        tries: int = DEFAULT_TRIES,
        timeout_ns: int = DEFAULT_TIMEOUT_NS,
        recurse: bool = True,
        authentic: bool = True,
        dnssec: bool = False,
        edns: bool = True,
        cookie: bool = True,
        size_bytes: int = DEFAULT_SIZE_BYTES,
        tcp: bool = False,
        ignore: bool = False,
    ) -> None:
        super().__init__(namespace.scheduler)
        self.result = DigResult(name, port=port)
        self._namespace = namespace
        try:
            labels = query.labels_of(name)
        except ValueError as error:
            raise UsageError(f"dig: '{name}' is not a legal name ({error})") from None
        chance = namespace.chance.stream(
            f"{namespace.name} dig {name} {namespace.scheduler.now_ns}"
        )
        ident = chance.randrange(1 << 16)
        own_cookie = chance.randbytes(_COOKIE_BYTES) if cookie else b""
        pseudo = b""
        if edns:
            pseudo = query.emit_edns(size_bytes, dnssec=dnssec, cookie=own_cookie)
        flags = query.RECURSION_DESIRED * recurse | query.AUTHENTIC_DATA * authentic
        self.query = query.emit_query(ident, labels, kind, klass=klass, flags=flags, edns=pseudo)
        self._servers = list(servers or namespace.resolv_conf.servers or [_OURSELVES])
        self._port = port
        self._tries = tries
        self._timeout_ns = timeout_ns
        self._by_tcp = tcp
        self._ignore = ignore
        self._began_ns = 0
        self._timer = Timer(self.scheduler, self._failed, "timed out")
        self._socket: UdpSocket | None = None
        self._stream: TcpSocket | None = None
        self._reader = MessageReader()

    def start(self) -> None:
        self.scheduler.after(0, self._ask)

    def seen(self) -> dict[str, Any]:
        result, message = self.result, self.result.message
        found: dict[str, Any] = {
            "sent": result.sent,
            "received": int(message is not None),
            "status": result.status or "none",
            "answers": len(result.answers),
            "data": ", ".join(result.answers),
        }
        if message is not None:
            found["authoritative"] = bool(message.header.aa)
            found["tcp"] = result.by_tcp
            found["time_ms"] = milliseconds(result.elapsed_ns)
        return found

    def remarks(self) -> list[str]:
        return list(dict.fromkeys(remark.removeprefix(";; ") for remark in self.result.remarks))

    def close(self) -> None:
        self._timer.cancel()
        self._hang_up()

    # -- asking

    def _ask(self) -> None:
        """Ask the server whose turn it is."""
        if self.done:
            return None
        self.result.server = self._servers[0]
        self._began_ns = self.scheduler.now_ns
        self._timer.arm(self._timeout_ns)
        if self._by_tcp:
            return self._connect()
        self._socket = self._namespace.sockets.open_udp(self._heard, on_error=self._error)
        self._socket.discovers_mtu = False
        try:
            self._namespace.sockets.source_for(self.result.server)
        except UsageError as refusal:
            # Never from inside a send: what fails is told in an event of its own.
            return self._fail_soon(refusal.what.rpartition(": ")[2].lower())
        self.result.sent += 1
        return self._socket.send_to(self.result.server, self._port, self.query)

    def _fail_soon(self, why: str) -> None:
        self._timer.cancel()
        self.scheduler.after(0, self._failed, why)

    def _failed(self, why: str) -> None:
        """Nothing came of this try: again, or the next server."""
        if self.done or self.result.message is not None:
            return None
        where = f"{ip_text(self.result.server)}#{self._port}"
        if self._by_tcp and why == "connection refused":
            text = f"Connection to {where}({ip_text(self.result.server)}) for {self.result.name}"
            self.result.remarks.append(f";; {text} failed: {why}.")
        else:
            self.result.remarks.append(f";; communications error to {where}: {why}")
        self._hang_up()
        if self._tries > 1:
            self._tries -= 1
            return self._ask()
        return self._try_next()

    def _try_next(self) -> None:
        if len(self._servers) > 1:
            del self._servers[0]
            return self._ask()
        self.result.ended_ns = self.scheduler.now_ns
        return self.finish()

    def _error(self, error: SocketError) -> None:
        self._fail_soon(_ERRORS.get(error.text, error.text.lower()))

    # -- answers

    def _heard(self, socket: UdpSocket, datagram: Datagram) -> None:
        if (datagram.source, datagram.source_port) != (self.result.server, self._port):
            return socket.refuse(drops.STRAY_ANSWER)
        if not self._take(datagram.data):
            return socket.refuse(drops.STRAY_ANSWER)
        return None

    def _take(self, data: bytes) -> bool:
        """Take an answer; False if it is none to our question."""
        message = parse_answer(data)
        if message is None or data[:2] != self.query[:2] or not message.header.qr:
            return False
        if message.header.tc and not self._by_tcp and not self._ignore:
            self.result.remarks.append(";; Truncated, retrying in TCP mode.")
            self._hang_up()
            self._by_tcp = True
            self._ask()
            return True
        if message.header.rcode == _SERVFAIL and len(self._servers) > 1:
            self._hang_up()
            self._try_next()
            return True
        self.result.message = message
        self.result.size_bytes = len(data)
        self.result.by_tcp = self._by_tcp
        self.result.ended_ns = self.scheduler.now_ns
        self.result.elapsed_ns = self.scheduler.now_ns - self._began_ns
        self.scheduler.after(0, self.finish)
        return True

    # -- by TCP

    def _connect(self) -> None:
        self._reader = MessageReader()
        try:
            stream = self._namespace.sockets.tcp.connect(self.result.server, self._port)
        except UsageError as refusal:
            return self._fail_soon(refusal.what.rpartition(": ")[2].lower())
        self._stream = stream
        stream.on_connected = self._say
        stream.on_readable = self._heard_by_tcp
        stream.on_closed = self._closed
        return None

    def _say(self, stream: TcpSocket) -> None:
        self.result.sent += 1
        stream.send(prefixed(self.query))

    def _heard_by_tcp(self, stream: TcpSocket) -> None:
        self._reader.feed(stream.receive())
        data = self._reader.next()
        if data is not None:
            self._take(data)
        elif stream.at_end:
            self._fail_soon("end of file")

    def _closed(self, stream: TcpSocket, failure: Failure | None) -> None:
        if stream is self._stream and self.result.message is None:
            self._stream = None
            self._fail_soon("end of file" if failure is None else failure.value.lower())

    def _hang_up(self) -> None:
        self._timer.cancel()
        if self._socket is not None:
            self._socket.close()
        stream, self._stream = self._stream, None
        if stream is not None:
            stream.close()


_ERRORS = {
    "Destination Port Unreachable": "connection refused",
    "Destination unreachable: Port unreachable": "connection refused",
    "Destination Host Unreachable": "host unreachable",
    "Destination Net Unreachable": "network unreachable",
}
"""What the kernel says of an ICMP error, as libuv and BIND put it."""
