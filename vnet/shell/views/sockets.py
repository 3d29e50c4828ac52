"""``ss``: the sockets of a node, in the columns of iproute2."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from vnet.base.ids import IPV4_ANY, IPV6_ANY, ip_text
from vnet.linux.netns.namespace import Namespace
from vnet.linux.netns.sockets.tcp import TcpSocket
from vnet.linux.tcp.reno import NO_THRESHOLD
from vnet.linux.tcp.states import State

UNCONNECTED = "UNCONN"
_ANY_PORT = 0
SERVICES = {
    7: "echo",
    9: "discard",
    22: "ssh",
    53: "domain",
    67: "bootps",
    68: "bootpc",
    80: "http",
    123: "ntp",
    443: "https",
    5353: "mdns",
    8080: "http-alt",
}


class Row(NamedTuple):
    """A socket. An empty address is one of both families, port 0 any; ``device`` is the interface
    that it is bound to."""

    protocol: str
    state: str
    receive_queue: int
    send_queue: int
    local: tuple[bytes, int]
    remote: tuple[bytes, int]
    details: str = ""
    device: str = ""

    @property
    def family(self) -> int:
        """4 or 6; what hears both is of IPv6."""
        return 4 if len(self.local[0]) == 4 else 6


def rows_of(namespace: Namespace) -> list[Row]:
    """All sockets: those of UDP, and of TCP, each with IPv4 before IPv6."""
    rows = [*_udp_rows(namespace), *_tcp_rows(namespace)]
    return sorted(rows, key=lambda row: (row.protocol == "tcp", row.family))


def _udp_rows(namespace: Namespace) -> Iterator[Row]:
    for socket in namespace.sockets.udp:
        address, device = socket.address, ""
        if socket.device is not None:
            # Of the daemons, only those of DHCP are bound to a device, and they speak IPv4.
            address, device = address or IPV4_ANY, socket.device.device.name
        local = address, socket.port
        yield Row("udp", UNCONNECTED, 0, 0, local, _anybody(address), device=device)


def _tcp_rows(namespace: Namespace) -> Iterator[Row]:
    tcp = namespace.sockets.tcp
    for listener in tcp.listeners.values():
        # As the kernel has it: how many wait to be accepted, and how many may.
        yield Row(
            "tcp",
            State.LISTEN.value,
            len(listener.waiting),
            listener.backlog,
            (listener.address, listener.port),
            _anybody(listener.address),
        )
    control = namespace.sysctls.ipv4.tcp_congestion_control
    for socket in tcp.sockets.values():
        yield Row(
            "tcp",
            socket.state.value,
            socket.available,
            socket.unsent_bytes,
            socket.local,
            socket.remote,
            _details(socket, control),
        )
    for ours, port, theirs, far_port in tcp.remains:
        yield Row("tcp", State.TIME_WAIT.value, 0, 0, (ours, port), (theirs, far_port))


def _anybody(address: bytes) -> tuple[bytes, int]:
    return {4: IPV4_ANY, 16: IPV6_ANY}.get(len(address), b""), _ANY_PORT


# -- the table


class Columns(NamedTuple):
    """What is shown besides the ends: whether there are several kinds and states."""

    protocol: bool
    state: bool
    numeric: bool
    header: bool = True
    details: bool = False


class _Column(NamedTuple):
    head: str
    before: str
    aligned: Callable[[str, int], str]


_COLUMNS = (
    _Column("Netid", " ", str.ljust),
    _Column("State", " ", str.ljust),
    _Column("Recv-Q", " ", str.ljust),
    _Column("Send-Q", " ", str.ljust),
    _Column("Local Address:", " ", str.rjust),
    _Column("Port", "", str.ljust),
    _Column("Peer Address:", " ", str.rjust),
    _Column("Port", "", str.ljust),
    _Column("Process", "", str.ljust),
)


def sockets_text(rows: Sequence[Row], columns: Columns) -> str:
    """The table, each column as wide as what is in it."""
    hidden = {at for at, shown in enumerate((columns.protocol, columns.state)) if not shown}
    kept = [at for at in range(len(_COLUMNS)) if at not in hidden]
    heads = [tuple(column.head for column in _COLUMNS)] if columns.header else []
    cells = [*heads, *(_cells(row, numeric=columns.numeric) for row in rows)]
    widths = {at: max((len(line[at]) for line in cells), default=0) for at in kept}
    lines = []
    for number, line in enumerate(cells):
        text = "".join(
            ("" if at == kept[0] else _COLUMNS[at].before)
            + _COLUMNS[at].aligned(line[at], widths[at])
            for at in kept
        )
        lines.append(text.rstrip())
        row = rows[number - len(heads)] if number >= len(heads) else None
        if columns.details and row is not None and row.details:
            lines.append(f"\t {row.details}")
    return "\n".join(lines)


def _cells(row: Row, *, numeric: bool) -> tuple[str, ...]:
    return (
        row.protocol,
        row.state,
        # Six wide, even without a head.
        f"{row.receive_queue:<6}",
        f"{row.send_queue:<6}",
        *_end(*row.local, numeric=numeric, device=row.device),
        *_end(*row.remote, numeric=numeric),
        "",
    )


def _end(address: bytes, port: int, *, numeric: bool, device: str = "") -> tuple[str, str]:
    text = ip_text(address) if address else "*"
    shown = f"[{text}]" if len(address) == 16 else text
    shown += f"%{device}" if device else ""
    name = None if numeric else SERVICES.get(port)
    return f"{shown}:", "*" if port == _ANY_PORT else name or str(port)


# -- the summary


def summary_text(rows: Sequence[Row]) -> str:
    """``ss -s``: how many there are of each kind."""
    tcp = [row for row in rows if row.protocol == "tcp"]
    udp = [row for row in rows if row.protocol == "udp"]
    old = sum(row.state == State.TIME_WAIT.value for row in tcp)
    established = sum(row.state == State.ESTABLISHED.value for row in tcp)
    alive = [row for row in tcp if row.state != State.TIME_WAIT.value]
    lines = [
        f"Total: {len(alive) + len(udp)}",
        f"TCP:   {len(tcp)} (estab {established}, closed {old}, orphaned 0, timewait {old})",
        "",
        "Transport Total     IP        IPv6",
    ]
    for name, found in (
        ("RAW", []),
        ("UDP", udp),
        ("TCP", alive),
        ("INET", [*udp, *alive]),
        ("FRAG", []),
    ):
        ipv4 = sum(row.family == 4 for row in found)
        counts = (len(found), ipv4, len(found) - ipv4)
        lines.append(f"{name}\t  " + "".join(f"{count:<10}" for count in counts).rstrip())
    return "\n".join(lines)


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
