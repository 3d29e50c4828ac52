"""``-j TCPMSS``: make the MSS of SYNs smaller (net/netfilter/xt_TCPMSS.c)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from vnet.linux.netfilter.drops import DROP
from vnet.linux.netfilter.hooks import Hook
from vnet.linux.netfilter.matches.tcp_options import MSS, options_of
from vnet.linux.netfilter.netfilter import Netfilter
from vnet.linux.netfilter.packet import TCP, NfPacket
from vnet.linux.netfilter.verdict import Verdict, drop
from vnet.linux.netfilter.xtables.errors import XtablesError
from vnet.linux.netfilter.xtables.extension import Act, Target
from vnet.linux.netfilter.xtables.option import Given, Option, whole
from vnet.wire import ipv4, tcp
from vnet.wire.checksum import checksum_rewritten

_CLAMP = 0xFFFF
_HEADER_BYTES = {4: 40, 6: 60}
"""IP and TCP without options."""
_DEFAULT_MSS = {4: 536, 6: 1220}
"""What a sender takes that names no MSS (RFC 9293 section 3.7.1)."""
_MOST_HEADER_BYTES = 60
_MALFORMED = drop(DROP, "TCPMSS: the TCP header is cut off")
_TOO_SMALL = drop(DROP, "TCPMSS: the path can take no segment at all")


@dataclass(frozen=True, slots=True)
class TcpmssTarget(Target):
    """``mss`` of SYNs; 65535 is what the path can take."""

    NAME: ClassVar[str] = "TCPMSS"
    PROTOCOL: ClassVar[int] = TCP
    OPTIONS: ClassVar[tuple[Option, ...]] = (
        Option("set-mss", whole(0xFFFF - 20)),
        Option("clamp-mss-to-pmtu"),
    )
    CLAMPING: ClassVar[frozenset[Hook]] = frozenset((Hook.FORWARD, Hook.OUTPUT, Hook.POSTROUTING))

    mss: int

    @classmethod
    def read(cls, given: Given) -> TcpmssTarget:
        if not given.values:
            raise XtablesError("TCPMSS target: At least one parameter is required")
        return cls(_CLAMP if "clamp-mss-to-pmtu" in given.values else given.get("set-mss"))

    def may_stand(self, table: str, hooks: frozenset[Hook]) -> bool:  # noqa: ARG002
        return self.mss != _CLAMP or hooks <= self.CLAMPING

    def saved(self) -> str:
        return "--clamp-mss-to-pmtu" if self.mss == _CLAMP else f"--set-mss {self.mss}"

    def shown(self, *, numeric: bool) -> str:  # noqa: ARG002
        return "TCPMSS clamp to PMTU" if self.mss == _CLAMP else f"TCPMSS set {self.mss}"

    def nft(self) -> str | None:
        size = "rt mtu" if self.mss == _CLAMP else str(self.mss)
        return f"tcp option maxseg size set {size}"

    def act(self, netfilter: Netfilter) -> Act:
        fixed = self.mss

        def clamp(packet: NfPacket) -> Verdict | None:
            if packet.is_later_fragment:
                return None
            segment = tcp.parse(packet.transport)
            if segment is None:
                return _MALFORMED
            mss = fixed if fixed != _CLAMP else path_mss(netfilter, packet)
            if mss is None:
                return _TOO_SMALL
            set_mss(packet, mss)
            return None

        return clamp


def path_mss(netfilter: Netfilter, packet: NfPacket) -> int | None:
    """The largest segment that both ways of a connection take; None where none fits."""
    namespace, target, source = netfilter.namespace, packet.target, packet.source
    if packet.family == 4:
        stack = namespace.ipv4
        mtu = min(stack.mtu_to(target), stack.mtu_to(source))
    else:
        mtu = min(namespace.ipv6.mtu_to(target), namespace.ipv6.mtu_to(source))
    headers = _HEADER_BYTES[packet.family]
    return mtu - headers if mtu > headers else None


def set_mss(packet: NfPacket, mss: int) -> None:
    """Write a smaller MSS; a header without one gets it, where nothing follows the header."""
    data, at = packet.data, packet.layout.at
    segment = packet.transport
    for kind, place, length in options_of(segment):
        if kind == MSS and length == 4:
            if segment[place + 2] << 8 | segment[place + 3] > mss:
                packet.data = data[:at] + _rewritten(segment, place, mss)
            return
    header_bytes = (segment[12] >> 4) * 4
    if len(segment) > header_bytes or header_bytes >= _MOST_HEADER_BYTES:
        return
    option = bytes((MSS, 4)) + min(mss, _DEFAULT_MSS[packet.family]).to_bytes(2, "big")
    longer = _with_option(segment, option)
    packet.data = _with_length(data[:at], len(option)) + longer


def _rewritten(segment: bytes, place: int, mss: int) -> bytes:
    """The segment with another MSS; its checksum goes with the words that change."""
    new = segment[: place + 2] + mss.to_bytes(2, "big") + segment[place + 4 :]
    words = slice((place + 2) & ~1, (place + 5) & ~1)
    check = checksum_rewritten(int.from_bytes(segment[16:18], "big"), segment[words], new[words])
    return new[:16] + check.to_bytes(2, "big") + new[18:]


def _with_option(segment: bytes, option: bytes) -> bytes:
    """The segment, which is a header alone, with one more option of four bytes; its checksum, the
    right one or not, goes with what changes."""
    offset = bytes((segment[12] + 0x10, segment[13]))
    before = len(segment).to_bytes(2, "big") + bytes(4) + segment[12:14]
    after = (len(segment) + 4).to_bytes(2, "big") + option + offset
    check = checksum_rewritten(int.from_bytes(segment[16:18], "big"), before, after)
    head = segment[:12] + offset + segment[14:16] + check.to_bytes(2, "big") + segment[18:20]
    return head + option + segment[20:]


def _with_length(headers: bytes, more: int) -> bytes:
    """The IP headers of a packet that has become longer."""
    if headers[0] >> 4 == 4:
        total = int.from_bytes(headers[2:4], "big")
        return ipv4.with_total_bytes(headers, total + more)
    payload = int.from_bytes(headers[4:6], "big")
    return headers[:4] + (payload + more).to_bytes(2, "big") + headers[6:]
