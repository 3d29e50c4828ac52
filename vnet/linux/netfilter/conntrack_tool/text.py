"""A connection in one line, as ``conntrack -L`` prints it."""

from __future__ import annotations

from zlib import crc32

from vnet.base.ids import ip_text
from vnet.tables.conntrack.key import KeyParts, parts_of, zone_of
from vnet.tables.conntrack.linux import status
from vnet.tables.conntrack.linux.entry import Counted, Entry
from vnet.tables.conntrack.linux.tcp_states import TcpConnState

ICMP, TCP, UDP, DCCP, GRE, ICMPV6, SCTP, UDPLITE = 1, 6, 17, 33, 47, 58, 132, 136
PROTOCOLS = {
    TCP: "tcp",
    UDP: "udp",
    UDPLITE: "udplite",
    ICMP: "icmp",
    ICMPV6: "icmpv6",
    SCTP: "sctp",
    DCCP: "dccp",
    GRE: "gre",
}
WITH_PORTS = frozenset((TCP, UDP, UDPLITE, SCTP, DCCP))
_FAMILIES = {4: ("ipv4", 2), 6: ("ipv6", 10)}


def entry_text(
    entry: Entry, now_ns: int, *, extended: bool = False, with_id: bool = False, uses: int = 1
) -> str:
    """``extended`` begins with the address family; ``with_id`` ends with a number of its own."""
    parts = []
    if extended:
        name, number = _FAMILIES[entry.family]
        parts.append(f"{name:<8} {number}")
    protocol = entry.protocol
    parts.append(f"{PROTOCOLS.get(protocol, 'unknown'):<8} {protocol}")
    parts.append(str(entry.timeout_s(now_ns)))
    if protocol == TCP:
        parts.append(tcp_state(entry))
    counted = entry.counted or (None, None)
    parts += _tuple(parts_of(entry.key), counted[0])
    if not entry.status & status.SEEN_REPLY:
        parts.append("[UNREPLIED]")
    parts += _tuple(parts_of(entry.reply_key), counted[1])
    if entry.status & status.ASSURED:
        parts.append("[ASSURED]")
    parts.append(f"mark={entry.mark}")
    parts += _zones(entry)
    if entry.helper:
        parts.append(f"helper={entry.helper}")
    parts.append(f"use={uses}")
    if with_id:
        parts.append(f"id={ident(entry)}")
    return " ".join(parts)


def tcp_state(entry: Entry) -> str:
    """The name of a TCP connection's state."""
    return TcpConnState(entry.l4.state).name


def ident(entry: Entry) -> int:
    """A number that tells the connection from others."""
    return crc32(entry.key + entry.reply_key)


def _tuple(parts: KeyParts, counted: Counted | None) -> list[str]:
    words = [f"src={ip_text(parts.source)} dst={ip_text(parts.target)}"]
    if parts.protocol in WITH_PORTS:
        words.append(f"sport={parts.source_part} dport={parts.target_part}")
    elif parts.protocol in (ICMP, ICMPV6):
        words.append(f"type={parts.source_part >> 8} code=0 id={parts.ident}")
    elif parts.protocol == GRE:
        words.append(f"srckey={parts.source_part:#x} dstkey={parts.target_part:#x}")
    if counted is not None:
        words.append(f"packets={counted.packet_count} bytes={counted.byte_count}")
    return words


def _zones(entry: Entry) -> list[str]:
    original, reply = zone_of(entry.key), zone_of(entry.reply_key)
    if original == reply:
        return [f"zone={original}"] if original else []
    return [f"zone-orig={original}"] if original else [f"zone-reply={reply}"]
