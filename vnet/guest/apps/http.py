"""HTTP: a server of a few files, as ``python3 -m http.server`` is, and a GET as curl sends it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, TypedDict

from vnet.base.errors import UsageError
from vnet.base.ids import ip_text
from vnet.base.units import NS_PER_MS, NS_PER_S
from vnet.guest.apps.app import App, milliseconds
from vnet.linux.netns.namespace import Namespace
from vnet.linux.netns.sockets.tcp import TcpListener, TcpSocket
from vnet.linux.tcp.outcome import Failure

PORT = 80
_MOST_HEAD_BYTES = 65_536
_HEAD_END = b"\r\n\r\n"
_REASONS = {200: "OK", 400: "Bad request syntax", 404: "File not found", 501: "Not Implemented"}


class HttpServer(App):
    """Serves ``files``, by path, until closed; anything else is a 404."""

    def __init__(self, namespace: Namespace, epoch_ns: int, port: int = PORT) -> None:
        super().__init__(namespace.scheduler)
        self.files: dict[str, bytes] = {}
        self.requests = 0
        self._namespace = namespace
        self._epoch_ns = epoch_ns
        self._port = port
        self._listener: TcpListener | None = None
        self._heads: dict[TcpSocket, bytes] = {}

    def start(self) -> None:
        self._listener = self._namespace.sockets.tcp.listen(self._port, self._accept)

    def offer(self, path: str, size_bytes: int | None) -> None:
        """Have so many zeros at ``path`` from now on; None for nothing at all."""
        if size_bytes is None:
            self.files.pop(path, None)
        else:
            self.files[path] = bytes(size_bytes)

    def seen(self) -> dict[str, Any]:
        return {"requests": self.requests}

    def close(self) -> None:
        if self._listener is not None:
            self._listener.close()

    def _accept(self, listener: TcpListener) -> None:
        while (socket := listener.accept()) is not None:
            self._heads[socket] = b""
            socket.on_readable = self._read
            socket.on_closed = self._closed

    def _closed(self, socket: TcpSocket, _failure: Failure | None) -> None:
        self._heads.pop(socket, None)

    def _read(self, socket: TcpSocket) -> None:
        head = self._heads[socket] = self._heads[socket] + socket.receive()
        if _HEAD_END in head:
            self._answer(socket, head)
        elif socket.at_end or len(head) > _MOST_HEAD_BYTES:
            socket.close()

    def _answer(self, socket: TcpSocket, head: bytes) -> None:
        self.requests += 1
        status, body = self._find(head.split(b"\r\n", 1)[0].split())
        left = memoryview(self._head(status, body) + body)

        def write(_socket: TcpSocket) -> None:
            nonlocal left
            while left:
                accepted = socket.send(bytes(left[:_MOST_HEAD_BYTES]))
                left = left[accepted:]
                if not accepted:
                    return
            socket.close()

        socket.on_readable = _discard
        socket.on_writable = write
        write(socket)

    def _find(self, request: list[bytes]) -> tuple[int, bytes]:
        """The status and the body that a request line is answered with."""
        if len(request) != 3 or not request[2].startswith(b"HTTP/1."):
            status = 400
        elif request[0] != b"GET":
            status = 501
        else:
            path = request[1].decode("latin-1").partition("?")[0]
            if path in self.files:
                return 200, self.files[path]
            status = 404
        text = f"<h1>Error response</h1>\n<p>Error code: {status}</p>\n<p>{_REASONS[status]}.</p>\n"
        return status, text.encode()

    def _head(self, status: int, body: bytes) -> bytes:
        now_s = (self._epoch_ns + self.scheduler.now_ns) // NS_PER_S
        date = datetime.fromtimestamp(now_s, UTC).strftime("%a, %d %b %Y %H:%M:%S GMT")
        kind = "application/octet-stream" if status == 200 else "text/html;charset=utf-8"
        lines = (
            f"HTTP/1.0 {status} {_REASONS[status]}",
            "Server: SimpleHTTP/0.6 Python/3.11.2",
            f"Date: {date}",
            f"Content-type: {kind}",
            f"Content-Length: {len(body)}",
        )
        return "\r\n".join(lines).encode() + _HEAD_END


_TIMED_OUT = "Operation timed out"
_NO_HTTP = "Received HTTP/0.9 when not allowed"
_NOTHING = "Empty reply from server"


class HttpOptions(TypedDict, total=False):
    """What a GET can be asked for; :class:`HttpGet` has the defaults."""

    port: int
    path: str
    host: str
    timeout_ns: int


class HttpGet(App):
    """Gets a file. ``status`` is 0 until the server has said one; ``body`` is what came."""

    def __init__(
        self,
        namespace: Namespace,
        target: bytes,
        *,
        port: int = PORT,
        path: str = "/",
        host: str = "",
        timeout_ns: int = 60 * NS_PER_S,
    ) -> None:
        super().__init__(namespace.scheduler)
        self.status = 0
        self.head = ""
        self.body = bytearray()
        self.errors: list[str] = []
        self._namespace = namespace
        self._target = target
        self._port = port
        self._path = path
        shown = ip_text(target)
        self._host = host or (f"[{shown}]" if len(target) == 16 else shown)
        self._timeout_ns = timeout_ns
        self._began_ns = 0
        self._connected = False
        self._failed_ns = 0
        self._ended_ns: int | None = None
        self._length: int | None = None
        self._unread = b""
        self._socket: TcpSocket | None = None

    def start(self) -> None:
        self._began_ns = self.scheduler.now_ns
        try:
            self._socket = self._namespace.sockets.tcp.connect(self._target, self._port)
        except UsageError as refusal:
            self._fail(refusal.what)
            return
        self._socket.on_connected = self._ask
        self._socket.on_readable = self._read
        self._socket.on_closed = self._closed
        self.scheduler.after(self._timeout_ns, self._fail, _TIMED_OUT)

    def seen(self) -> dict[str, Any]:
        found: dict[str, Any] = {
            "status": self.status,
            "received_bytes": len(self.body),
            "errors": len(self.errors),
        }
        if self._ended_ns is not None:
            found["duration_ms"] = milliseconds(self._ended_ns - self._began_ns)
        return found

    def remarks(self) -> list[str]:
        return list(dict.fromkeys(self.errors))

    def complaint(self, host: str) -> str:
        """What curl prints where it failed, with its exit code; ``host`` is as the URL has it."""
        error = self.errors[0]
        after_ms = (self._failed_ns - self._began_ns) // NS_PER_MS
        if error == _TIMED_OUT:
            what = f"{error if self._connected else 'Connection timed out'} after {after_ms}"
            whole = f" out of {self._length}" if self._length is not None else ""
            got = f" with {len(self.body)}{whole} bytes received" if self._connected else ""
            return f"curl: (28) {what} milliseconds{got}"
        if not self._connected:
            what = f"Failed to connect to {host} port {self._port} after {after_ms} ms"
            return f"curl: (7) {what}: Couldn't connect to server"
        code = {_NO_HTTP: 1, _NOTHING: 52}.get(error)
        if code is None and self._ended_ns is not None:
            code = 18
        return f"curl: (56) Recv failure: {error}" if code is None else f"curl: ({code}) {error}"

    def close(self) -> None:
        if self._socket is not None:
            self._socket.close()

    def _ask(self, socket: TcpSocket) -> None:
        self._connected = True
        host = self._host if self._port == PORT else f"{self._host}:{self._port}"
        lines = (
            f"GET {self._path} HTTP/1.1",
            f"Host: {host}",
            "User-Agent: curl/7.88.1",
            "Accept: */*",
        )
        socket.send("\r\n".join(lines).encode() + _HEAD_END)

    def _read(self, socket: TcpSocket) -> None:
        data = socket.receive()
        if self.head:
            self.body += data
        else:
            self._unread += data
            head, end, rest = self._unread.partition(_HEAD_END)
            if not end and len(head) <= _MOST_HEAD_BYTES and not socket.at_end:
                return
            if not self._take_head(head.decode("latin-1")):
                self._fail(_NO_HTTP if head else _NOTHING)
                return
            self.body += rest
        if socket.at_end or (self._length is not None and len(self.body) >= self._length):
            self._complete(socket)

    def _take_head(self, head: str) -> bool:
        """Read status line and Content-Length; False where it is no HTTP."""
        status_line, *fields = head.split("\r\n")
        words = status_line.split()
        if len(words) < 2 or not words[0].startswith("HTTP/1.") or not words[1].isdecimal():
            return False
        self.head, self.status = head, int(words[1])
        for field in fields:
            name, _colon, value = field.partition(":")
            if name.strip().lower() == "content-length" and value.strip().isdecimal():
                self._length = int(value)
        return True

    def _complete(self, socket: TcpSocket) -> None:
        if self._length is not None and len(self.body) < self._length:
            left = self._length - len(self.body)
            self.errors.append(f"transfer closed with {left} bytes remaining to read")
        self._ended_ns = self.scheduler.now_ns
        socket.on_readable = _discard
        self.scheduler.after(0, self.finish)

    def _closed(self, _socket: TcpSocket, failure: Failure | None) -> None:
        if failure is not None:
            self._fail(failure.value)

    def _fail(self, error: str) -> None:
        if not self.done and self._ended_ns is None:
            self.errors.append(error)
            self._failed_ns = self.scheduler.now_ns
            self.scheduler.after(0, self.finish)


def _discard(socket: TcpSocket) -> None:
    socket.receive()
