"""``ss -t``: the TCP sockets of a node."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from vnet.base.ids import ip_text
from vnet.linux.netns.namespace import Namespace
from vnet.linux.netns.sockets.tcp import TcpSocket
from vnet.linux.tcp.reno import NO_THRESHOLD
from vnet.linux.tcp.states import State

_HEADS = ("State", "Recv-Q", "Send-Q", "Local Address:Port", "Peer Address:Port", "Process")


class _Row(NamedTuple):
    state: State
    receive_queue: int
    send_queue: int
    local: tuple[str, str]
    remote: tuple[str, str]
    details: str = ""


def tcp_sockets_text(
    namespace: Namespace, *, everything: bool, listening: bool, details: bool
) -> str:
    """The table: what is connected; ``listening`` ports instead, or ``everything``."""
    rows = [
        row
        for row in _rows(namespace)
        if everything or (row.state is State.LISTEN) == listening
        if everything or row.state not in (State.TIME_WAIT, State.SYN_RECEIVED)
    ]
    cells = [
        (
            row.state.value,
            str(row.receive_queue),
            str(row.send_queue),
            *(_joined(row.local, rows, 3), _joined(row.remote, rows, 4)),
        )
        for row in rows
    ]
    widths = [
        max(len(head), *(len(line[at]) for line in cells)) if cells else len(head)
        for at, head in enumerate(_HEADS[:5])
    ]
    lines = [" ".join(h.ljust(w) for h, w in zip(_HEADS, (*widths, 0), strict=True))]
    for row, line in zip(rows, cells, strict=True):
        text = " ".join(cell.ljust(w) for cell, w in zip(line, widths, strict=True))
        lines.append(text.rstrip())
        if details and row.details:
            lines.append(f"\t {row.details}")
    return "\n".join(lines)


def _joined(end: tuple[str, str], rows: list[_Row], column: int) -> str:
    """An address and a port, the colons of a column below each other."""
    ends = [row.local if column == 3 else row.remote for row in rows]
    head = _HEADS[column].rpartition(":")[0]
    width = max(len(head), *(len(address) for address, _port in ends))
    return f"{end[0]:>{width}}:{end[1]}"


def _rows(namespace: Namespace) -> Iterator[_Row]:
    tcp = namespace.sockets.tcp
    for listener in tcp.listeners.values():
        # As the kernel has it: how many wait to be accepted, and how many may.
        address = ip_text(listener.address) if listener.address else "*"
        local = (address, str(listener.port))
        yield _Row(State.LISTEN, len(listener.waiting), listener.backlog, local, ("*", "*"))
    for socket in tcp.sockets.values():
        yield _Row(
            socket.state,
            socket.available,
            socket.unsent_bytes,
            _end(*socket.local),
            _end(*socket.remote),
            _details(socket, namespace.sysctls.ipv4.tcp_congestion_control),
        )
    for ours, port, theirs, far_port in tcp.remains:
        yield _Row(State.TIME_WAIT, 0, 0, _end(ours, port), _end(theirs, far_port))


def _end(address: bytes, port: int) -> tuple[str, str]:
    text = ip_text(address)
    return (f"[{text}]" if len(address) == 16 else text), str(port)


def _details(socket: TcpSocket, congestion_control: str) -> str:
    """What -i adds, in the kernel's order."""
    connection = socket.connection
    sender, agreed = connection.sender, connection.agreed
    rtt = sender.rtt
    words = [congestion_control]
    if agreed.send_scale is not None:
        words.append(f"wscale:{agreed.send_scale},{agreed.receive_scale}")
    words.append(f"rto:{rtt.rto_us // 1000}")
    if rtt.smoothed_us:
        words.append(f"rtt:{rtt.smoothed_us / 1000:g}/{rtt.deviation_us / 1000:g}")
    words += [f"mss:{sender.mss}", f"cwnd:{sender.reno.window}"]
    if sender.reno.threshold != NO_THRESHOLD:
        words.append(f"ssthresh:{sender.reno.threshold}")
    for name, count in (
        ("bytes_retrans", sender.bytes_resent),
        ("bytes_acked", sender.bytes_acked),
        ("bytes_received", connection.receiver.received),
        ("unacked", len(sender.board.segments)),
    ):
        words += [f"{name}:{count}"] if count else []
    if sender.resent_total:
        words.append(f"retrans:{sender.board.resent_out}/{sender.resent_total}")
    words += [f"lost:{sender.board.lost_out}"] if sender.board.lost_out else []
    words += [f"sacked:{sender.board.sacked_out}"] if sender.board.sacked_out else []
    return " ".join([*words, f"snd_wnd:{sender.window}"])
