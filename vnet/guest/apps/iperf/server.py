"""iperf3 -s: one test at a time, for as long as it runs."""

from __future__ import annotations

from typing import Any

from vnet.guest.apps.app import App
from vnet.guest.apps.iperf.messages import (
    COOKIE_BYTES,
    PORT,
    Conversation,
    ProtocolError,
    Stage,
    document,
)
from vnet.guest.apps.iperf.stream import Stream
from vnet.linux.netns.namespace import Namespace
from vnet.linux.netns.sockets.tcp import TcpListener, TcpSocket
from vnet.linux.tcp.outcome import Failure

_MOST_STREAMS = 128
_DEFAULT_BLOCK = 131_072


class IperfServer(App):
    """Listens until closed. ``tests`` counts those that came to their end."""

    def __init__(self, namespace: Namespace, port: int = PORT) -> None:
        super().__init__(namespace.scheduler)
        self.tests = 0
        self.received_bytes = 0
        self.errors: list[str] = []
        self._namespace = namespace
        self._port = port
        self._listener: TcpListener | None = None
        self._test: _Test | None = None
        self._client: App | None = None

    def start(self) -> None:
        self._listener = self._namespace.sockets.tcp.listen(self._port, self._accept)

    def seen(self) -> dict[str, Any]:
        return {"tests": self.tests, "received_bytes": self.received_bytes}

    def remarks(self) -> list[str]:
        return list(dict.fromkeys(self.errors))

    def close(self) -> None:
        if self._listener is not None:
            self._listener.close()

    @property
    def busy(self) -> bool:
        """Whether a test is going on: that of the client it serves, or else of any."""
        return self._test is not None if self._client is None else not self._client.done

    def serve(self, client: App) -> None:
        """Take the test of ``client`` next.

        What an earlier client's test still has to hear comes to an end by itself, as it would
        with a server that was started for each.
        """
        self._client = client
        self._test = None

    def _accept(self, listener: TcpListener) -> None:
        while (socket := listener.accept()) is not None:
            if self._test is None:
                self._test = _Test(self, socket)
            elif self._test.wants_streams:
                self._test.add_stream(socket)
            else:
                socket.send(bytes((Stage.ACCESS_DENIED,)))
                socket.close()

    def over(self, test: _Test, error: str | None) -> None:
        """A test has ended, well or not."""
        if self._test is test:
            self._test = None
        if error is None:
            self.tests += 1
            self.received_bytes += sum(s.moved_bytes for s in test.streams if not s.sending)
        else:
            self.errors.append(error)


class _Test:
    """A test, as the server has it."""

    def __init__(self, server: IperfServer, control: TcpSocket) -> None:
        self.streams: list[Stream] = []
        self._server = server
        self._control = control
        self._cookie = b""
        self._parameters: dict[str, Any] = {}
        self._expected = 0
        self._joined = 0
        self._over = False
        self._began_ns = 0
        self._talk = Conversation(control, self._stage)
        self._talk.read_cookie(self._cookie_read)
        control.on_readable = self._heard
        control.on_closed = self._lost
        self._heard(control)

    @property
    def wants_streams(self) -> bool:
        return len(self.streams) < self._expected

    def _heard(self, socket: TcpSocket) -> None:
        try:
            self._talk.heard()
        except ProtocolError as error:
            self._end(str(error))
            return
        if socket.at_end and not self._over:
            self._end("control socket has closed unexpectedly")

    def _lost(self, _socket: TcpSocket, failure: Failure | None) -> None:
        if failure is not None:
            self._end(failure.value)

    def _cookie_read(self, cookie: bytes) -> None:
        self._cookie = cookie
        self._talk.say(Stage.PARAM_EXCHANGE)
        self._talk.read_document(self._parameters_read)

    def _parameters_read(self, parameters: dict[str, Any]) -> None:
        self._parameters = parameters
        streams = parameters.get("parallel", 1)
        if not isinstance(streams, int) or not 1 <= streams <= _MOST_STREAMS:
            raise ProtocolError(f"{streams} streams")
        self._expected = streams
        self._talk.say(Stage.CREATE_STREAMS)

    def add_stream(self, socket: TcpSocket) -> None:
        """A data connection; the cookie that it begins with says whose."""
        block = self._parameters.get("len", _DEFAULT_BLOCK)
        sending = bool(self._parameters.get("reverse"))
        size = block if isinstance(block, int) and 0 < block <= 1 << 20 else _DEFAULT_BLOCK
        scheduler = self._server.scheduler
        stream = Stream(scheduler, socket, len(self.streams), size, sending=sending)
        self.streams.append(stream)
        socket.on_readable = lambda _socket: self._join(stream)
        self._join(stream)

    def _join(self, stream: Stream) -> None:
        """The cookie is the first that comes; what follows it is data."""
        if stream.socket.available < COOKIE_BYTES:
            return
        if stream.socket.receive(COOKIE_BYTES) != self._cookie:
            self.streams.remove(stream)
            stream.socket.abort()
            return
        stream.socket.on_readable = stream.read
        self._joined += 1
        if self._joined == self._expected:
            self._talk.say(Stage.TEST_START)
            self._talk.say(Stage.TEST_RUNNING)
            self._began_ns = self._server.scheduler.now_ns
            for each in self.streams:
                each.start(None)

    def _stage(self, stage: Stage) -> None:
        if stage is Stage.TEST_END:
            for stream in self.streams:
                stream.stop()
            self._talk.say(Stage.EXCHANGE_RESULTS)
            self._talk.read_document(self._results_read)
        elif stage is Stage.IPERF_DONE:
            self._end(None)

    def _results_read(self, _results: dict[str, Any]) -> None:
        end_ns = self._server.scheduler.now_ns - self._began_ns
        results = [stream.result(end_ns) for stream in self.streams]
        self._talk.send(document({"sender_has_retransmits": 1, "streams": results}))
        self._talk.say(Stage.DISPLAY_RESULTS)

    def _end(self, error: str | None) -> None:
        self._over = True
        self._control.on_closed = _unheard
        self._control.close()
        for stream in self.streams:
            stream.stop()
            if stream.sending:
                stream.socket.close()
        self._server.over(self, error)


def _unheard(_socket: TcpSocket, _failure: Failure | None) -> None:
    return None
