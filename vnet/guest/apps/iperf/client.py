"""iperf3 -c: a test, and its table."""

from __future__ import annotations

from typing import Any, TypedDict

from vnet.base.errors import UsageError
from vnet.base.ids import ip_text
from vnet.base.units import NS_PER_S
from vnet.guest.apps.app import App
from vnet.guest.apps.iperf import table
from vnet.guest.apps.iperf.messages import (
    PORT,
    Conversation,
    ProtocolError,
    Stage,
    document,
    make_cookie,
)
from vnet.guest.apps.iperf.stream import Interval, Stream
from vnet.guest.apps.iperf.table import Total
from vnet.linux.netns.namespace import Namespace
from vnet.linux.netns.sockets.tcp import TcpSocket
from vnet.linux.tcp.outcome import Failure

DEFAULT_DURATION_NS = 10 * NS_PER_S
BLOCK_BYTES = 131_072
_COOKIE_BITS = 180
_LOOK_NS = 1_000_000


class IperfOptions(TypedDict, total=False):
    """What a test can be asked for; :class:`IperfClient` has the defaults."""

    port: int
    duration_ns: int
    size_bytes: int | None
    interval_ns: int
    reverse: bool
    parallel: int


class IperfClient(App):
    """Sends for ``duration_ns``, or ``size_bytes`` in all; ``reverse`` has the server send.

    ``parallel`` streams do so at once. ``interval_ns`` is what a line of the table covers.
    """

    def __init__(
        self,
        namespace: Namespace,
        target: bytes,
        *,
        port: int = PORT,
        duration_ns: int = DEFAULT_DURATION_NS,
        size_bytes: int | None = None,
        interval_ns: int = NS_PER_S,
        reverse: bool = False,
        parallel: int = 1,
    ) -> None:
        super().__init__(namespace.scheduler)
        self.streams: list[Stream] = []
        self.errors: list[str] = []
        self._namespace = namespace
        self._target = target
        self._port = port
        self._duration_ns = duration_ns
        self._size_bytes = size_bytes
        self._interval_ns = interval_ns
        self._reverse = reverse
        self._parallel = parallel
        self._began_ns = 0
        self._ended_ns: int | None = None
        self._theirs: dict[int, dict[str, Any]] = {}
        self._talk: Conversation | None = None
        now_ns = namespace.scheduler.now_ns
        chance = namespace.chance.stream(f"{namespace.name} iperf3 cookie {now_ns}")
        self._cookie = make_cookie(chance.getrandbits(_COOKIE_BITS))

    # -- what came of it

    @property
    def duration_ns(self) -> int:
        """How long data was sent."""
        end_ns = self.scheduler.now_ns if self._ended_ns is None else self._ended_ns
        return end_ns - self._began_ns

    @property
    def sent_bytes(self) -> int:
        """What the sending side wrote."""
        return sum(total.moved_bytes for total in self._totals(sending=True))

    @property
    def received_bytes(self) -> int:
        """What the receiving side read until the test ended."""
        return sum(total.moved_bytes for total in self._totals(sending=False))

    @property
    def retransmits(self) -> int:
        """Segments that the sending side sent again."""
        return sum(total.retransmits or 0 for total in self._totals(sending=True))

    def _totals(self, *, sending: bool) -> list[Total]:
        """One side's figures for each stream: our own, or what the other end reported."""
        totals = []
        for stream in self.streams:
            if stream.sending == sending:
                resent = stream.retransmits if sending else None
                moved = stream.moved_bytes
                totals.append(Total(str(stream.ident), self.duration_ns, moved, resent))
                continue
            theirs = self._theirs.get(stream.number + 1, {})
            end_ns = int(float(theirs.get("end_time", 0)) * 1e9)
            resent = int(theirs.get("retransmits", 0)) if sending else None
            totals.append(Total(str(stream.ident), end_ns, int(theirs.get("bytes", 0)), resent))
        return totals

    def seen(self) -> dict[str, Any]:
        found: dict[str, Any] = {
            "sent_bytes": self.sent_bytes,
            "received_bytes": self.received_bytes,
            "retransmits": self.retransmits,
            "errors": len(self.errors),
        }
        receiving = self._totals(sending=False)
        longest_ns = max((total.end_ns for total in receiving), default=0)
        if longest_ns:
            found["goodput_mbit"] = round(self.received_bytes * 8e3 / longest_ns, 3)
        return found

    def remarks(self) -> list[str]:
        return [f"iperf3: error - {error}" for error in dict.fromkeys(self.errors)]

    # -- the test

    def start(self) -> None:
        try:
            control = self._namespace.sockets.tcp.connect(self._target, self._port)
        except UsageError as refusal:
            self._fail(refusal.what)
            return
        self._talk = Conversation(control, self._stage)
        control.on_connected = self._greet
        control.on_readable = self._heard
        control.on_closed = self._lost

    def close(self) -> None:
        for stream in self.streams:
            stream.stop()
            # What still comes is read to its end, which closes the connection.
            if stream.sending or self.errors:
                stream.socket.close()
        if self._talk is not None:
            self._talk.socket.close()

    def _fail(self, error: str) -> None:
        if not self.done:
            self.errors.append(error)
            self.scheduler.after(0, self.finish)

    def _greet(self, socket: TcpSocket) -> None:
        socket.set_nodelay()
        socket.send(self._cookie)

    def _heard(self, socket: TcpSocket) -> None:
        assert self._talk is not None
        try:
            self._talk.heard()
        except ProtocolError as error:
            self._fail(f"the server said {error}")
            return
        if socket.at_end and not self.done:
            self._fail("control socket has closed unexpectedly")

    def _lost(self, _socket: TcpSocket, failure: Failure | None) -> None:
        if failure is None:
            return
        connected = self._began_ns or self.streams
        what = "" if connected else "unable to connect to server: "
        self._fail(f"{what}{failure.value}")

    def _stage(self, stage: Stage) -> None:
        assert self._talk is not None
        if stage is Stage.PARAM_EXCHANGE:
            self._talk.send(document(self._parameters()))
        elif stage is Stage.CREATE_STREAMS:
            self._connect_streams()
        elif stage is Stage.TEST_RUNNING:
            self._run()
        elif stage is Stage.EXCHANGE_RESULTS:
            results = [stream.result(self.duration_ns) for stream in self.streams]
            self._talk.send(document({"sender_has_retransmits": 1, "streams": results}))
            self._talk.read_document(self._results_read)
        elif stage is Stage.DISPLAY_RESULTS:
            self._talk.say(Stage.IPERF_DONE)
            self.scheduler.after(0, self.finish)
        elif stage is Stage.ACCESS_DENIED:
            self._fail("the server is busy running a test. try again later")

    def _parameters(self) -> dict[str, Any]:
        limit = self._size_bytes
        parameters: dict[str, Any] = {
            "tcp": True,
            "omit": 0,
            "time": 0 if limit else self._duration_ns // NS_PER_S,
            "num": limit or 0,
            "blockcount": 0,
            "parallel": self._parallel,
        }
        if self._reverse:
            parameters["reverse"] = True
        return parameters | {"len": BLOCK_BYTES, "pacing_timer": 1000, "client_version": "3.12"}

    def _connect_streams(self) -> None:
        for number in range(self._parallel):
            try:
                socket = self._namespace.sockets.tcp.connect(self._target, self._port)
            except UsageError as refusal:
                self._fail(refusal.what)
                return
            sending = not self._reverse
            stream = Stream(self.scheduler, socket, number, BLOCK_BYTES, sending=sending)
            self.streams.append(stream)
            socket.on_connected = self._join
            socket.on_readable = stream.read
            socket.on_closed = self._stream_lost

    def _join(self, socket: TcpSocket) -> None:
        socket.send(self._cookie)

    def _stream_lost(self, _socket: TcpSocket, failure: Failure | None) -> None:
        if failure is not None:
            self._fail(failure.value)

    def _run(self) -> None:
        self._began_ns = self.scheduler.now_ns
        for stream in self.streams:
            stream.start(self._share(stream.number))
        self.scheduler.after(self._interval_ns, self._tick)
        if self._size_bytes is None:
            self.scheduler.after(self._duration_ns, self._end)
        else:
            self._look()

    def _share(self, number: int) -> int | None:
        """How much one of the streams is to send; None for as much as it can."""
        if self._size_bytes is None or self._reverse:
            return None
        whole, rest = divmod(self._size_bytes, self._parallel)
        return whole + (number < rest)

    def _look(self) -> None:
        """Whether all has arrived there, or, in reverse, here."""
        if self.done or self._ended_ns is not None:
            return
        moved = sum(stream.moved_bytes for stream in self.streams)
        complete = moved >= (self._size_bytes or 0)
        if complete and all(stream.is_done or self._reverse for stream in self.streams):
            self._end()
        else:
            self.scheduler.after(_LOOK_NS, self._look)

    def _tick(self) -> None:
        if self.done or self._ended_ns is not None:
            return
        for stream in self.streams:
            stream.mark(self.duration_ns)
        self.scheduler.after(self._interval_ns, self._tick)

    def _end(self) -> None:
        if self.done or self._ended_ns is not None:
            return
        self._ended_ns = self.scheduler.now_ns
        for stream in self.streams:
            stream.stop()
            if not stream.intervals or stream.intervals[-1].end_ns < self.duration_ns:
                stream.mark(self.duration_ns)
        assert self._talk is not None
        self._talk.say(Stage.TEST_END)

    def _results_read(self, results: dict[str, Any]) -> None:
        streams = results.get("streams")
        if not isinstance(streams, list):
            raise ProtocolError("no results")
        for each in streams:
            if isinstance(each, dict) and isinstance(each.get("id"), int):
                self._theirs[each["id"]] = each

    # -- as iperf3 prints it

    def text(self) -> str:
        """The whole of what iperf3 -c prints."""
        lines = []
        if self.streams:
            target = ip_text(self._target)
            lines.append(f"Connecting to host {target}, port {self._port}")
            if self._reverse:
                lines.append(f"Reverse mode, remote host {target} is sending")
            lines += [self._connected_line(stream) for stream in self.streams]
            lines += self._table()
        lines += self.remarks() or ["", "iperf Done."]
        return "\n".join(lines)

    @staticmethod
    def _connected_line(stream: Stream) -> str:
        (ours, port), (theirs, far_port) = stream.socket.local, stream.socket.remote
        return (
            f"[{stream.ident:3d}] local {ip_text(ours)} port {port} "
            f"connected to {ip_text(theirs)} port {far_port}"
        )

    def _table(self) -> list[str]:
        sending = not self._reverse
        lines = [table.heading(retransmits=sending, window=sending)]
        for row in zip(*(stream.intervals for stream in self.streams), strict=False):
            lines += [
                table.interval_row(str(stream.ident), interval, sending=sending)
                for stream, interval in zip(self.streams, row, strict=True)
            ]
            if len(row) > 1:
                lines.append(table.interval_row("SUM", _sum(row), sending=sending, window=False))
                lines.append(table.rule())
        if len(self.streams) == 1:
            lines.append(table.rule())
        lines.append(table.heading(retransmits=True))
        senders, receivers = self._totals(sending=True), self._totals(sending=False)
        if len(senders) > 1:
            senders, receivers = [*senders, _total(senders)], [*receivers, _total(receivers)]
        for sender, receiver in zip(senders, receivers, strict=True):
            lines.append(table.total_row(sender, "sender"))
            lines.append(table.total_row(receiver, "receiver"))
        return lines


def _sum(intervals: tuple[Interval, ...]) -> Interval:
    moved = sum(interval.moved_bytes for interval in intervals)
    resent = sum(interval.retransmits for interval in intervals)
    return Interval(intervals[0].start_ns, intervals[0].end_ns, moved, resent, 0)


def _total(totals: list[Total]) -> Total:
    moved = sum(total.moved_bytes for total in totals)
    resent = [total.retransmits for total in totals if total.retransmits is not None]
    return Total("SUM", max(t.end_ns for t in totals), moved, sum(resent) if resent else None)
