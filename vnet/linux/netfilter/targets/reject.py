"""``-j REJECT``: drop a packet and tell its sender."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, NamedTuple

from vnet.base.ids import is_multicast_ip
from vnet.linux.netfilter.drops import REJECT
from vnet.linux.netfilter.hooks import Hook
from vnet.linux.netfilter.netfilter import Netfilter
from vnet.linux.netfilter.packet import ICMP, TCP, UDP, NfPacket
from vnet.linux.netfilter.verdict import Verdict, drop
from vnet.linux.netfilter.xtables.errors import XtablesError
from vnet.linux.netfilter.xtables.extension import Act, Target
from vnet.linux.netfilter.xtables.option import Given, Option, Word
from vnet.wire import icmp, icmpv6, ipv4, ipv6, tcp
from vnet.wire.checksum import checksum, transport_holds

_RST, _ACK, _SYN, _FIN = 4, 16, 2, 1
_RESET = -1
_PORT_UNREACHABLE = {4: 3, 6: 4}
_ICMPV6 = 58
_GRE = 47
_NEVER_SUMMED = frozenset((50, 51, 33, 132, 136))
"""ESP and AH, DCCP, SCTP, UDP-Lite."""
_ASKED = {4: (ICMP, icmp.ECHO_REQUEST), 6: (_ICMPV6, icmpv6.ECHO_REQUEST)}
"""The only message of ICMP that is a program's."""

_DISCOVERY = range(icmpv6.ROUTER_SOLICITATION, icmpv6.REDIRECT + 1)


class Kind(NamedTuple):
    """A word for ``--reject-with``, another one for it, the ICMP code, and nft's word."""

    name: str
    also: str
    code: int
    nft: str


_KINDS = {
    4: (
        Kind("icmp-net-unreachable", "net-unreach", 0, "net-unreachable"),
        Kind("icmp-host-unreachable", "host-unreach", 1, "host-unreachable"),
        Kind("icmp-proto-unreachable", "proto-unreach", 2, "prot-unreachable"),
        Kind("icmp-port-unreachable", "port-unreach", 3, "port-unreachable"),
        Kind("icmp-net-prohibited", "net-prohib", 9, "net-prohibited"),
        Kind("icmp-host-prohibited", "host-prohib", 10, "host-prohibited"),
        Kind("tcp-reset", "tcp-rst", _RESET, "tcp reset"),
        Kind("icmp-admin-prohibited", "admin-prohib", 13, "admin-prohibited"),
    ),
    6: (
        Kind("icmp6-no-route", "no-route", 0, "no-route"),
        Kind("icmp6-adm-prohibited", "adm-prohibited", 1, "admin-prohibited"),
        Kind("icmp6-addr-unreachable", "addr-unreach", 3, "addr-unreachable"),
        Kind("icmp6-port-unreachable", "port-unreach", 4, "port-unreachable"),
        Kind("tcp-reset", "tcp-reset", _RESET, "tcp reset"),
        Kind("icmp6-policy-fail", "policy-fail", 5, "policy-fail"),
        Kind("icmp6-reject-route", "reject-route", 6, "reject-route"),
    ),
}
"""In the order in which words that are cut short are looked for."""


def _kind(word: Word) -> Kind:
    text = word.text.lower()
    for kind in _KINDS[word.family]:
        if kind.name.startswith(text) or kind.also.startswith(text):
            return kind
    raise XtablesError(f'unknown reject type "{word.text}"')


@dataclass(frozen=True, slots=True)
class RejectTarget(Target):
    """What the sender is told."""

    NAME: ClassVar[str] = "REJECT"
    TABLES: ClassVar[tuple[str, ...] | None] = ("filter",)
    HOOKS: ClassVar[tuple[Hook, ...] | None] = (Hook.INPUT, Hook.FORWARD, Hook.OUTPUT)
    OPTIONS: ClassVar[tuple[Option, ...]] = (Option("reject-with", _kind),)

    kind: Kind
    family: int

    @classmethod
    def read(cls, given: Given) -> RejectTarget:
        code = _PORT_UNREACHABLE[given.family]
        default = next(kind for kind in _KINDS[given.family] if kind.code == code)
        return cls(given.get("reject-with", default), given.family)

    def needed_protocol(self) -> int:
        return TCP if self.kind.code == _RESET else 0

    def saved(self) -> str:
        return f"--reject-with {self.kind.name}"

    def shown(self, *, numeric: bool) -> str:  # noqa: ARG002
        return f"reject-with {self.kind.name}"

    def nft(self) -> str | None:
        if self.kind.code == _PORT_UNREACHABLE[self.family]:
            return "reject"
        if self.kind.code == _RESET:
            return "reject with tcp reset"
        return f"reject with icmp{'' if self.family == 4 else 'v6'} type {self.kind.nft}"

    def act(self, netfilter: Netfilter) -> Act:
        verdict = drop(REJECT, f"reject-with {self.kind.name}")
        tell = _reset if self.kind.code == _RESET else _unreachable
        code = self.kind.code

        def refuse(packet: NfPacket) -> Verdict:
            tell(netfilter, packet, code)
            return verdict

        return refuse


def _unreachable(netfilter: Netfilter, packet: NfPacket, code: int) -> None:
    """An ICMP error, if the packet is sound and no later fragment."""
    if packet.is_later_fragment or not _is_sound(packet) or _is_own_icmp(packet):
        return
    namespace, entered = netfilter.namespace, packet.entered
    by = None if entered is None else namespace.interfaces.get(entered.name)
    frame = packet.frame
    is_group = frame is not None and bool(frame.data[0] & 1)
    if packet.family == 4:
        namespace.icmp.send_error(
            *(packet.data, icmp.UNREACHABLE, code, packet.meta, by),
            to_us=not is_group,
            about=packet,
        )
    else:
        namespace.icmpv6.send_error(
            *(packet.data, icmpv6.UNREACHABLE, code, packet.meta, by),
            to_many=is_group,
            about=packet,
        )


def _is_own_icmp(packet: NfPacket) -> bool:
    """Whether it is a reply of the stack's own, which sends one message at a time.

    Neighbour discovery sends its own besides.
    """
    protocol, asked = _ASKED[packet.family]
    if packet.hook is not Hook.OUTPUT or packet.protocol != protocol:
        return False
    kind = packet.icmp_type
    return kind != asked and not (packet.family == 6 and kind in _DISCOVERY)


def _is_sound(packet: NfPacket) -> bool:
    """Whether the checksum of what is inside holds.

    Protocols that nobody knows are taken for having one over all that they carry; only of a few
    is it known that they have none, or of their own (nf_reject_verify_csum()).
    """
    protocol, segment = packet.protocol, packet.transport
    if packet.family == 6 and not segment:
        return False
    if protocol is None or protocol in _NEVER_SUMMED:
        return True
    if protocol == _GRE and not segment[:1] >= b"\x80":
        return True
    if protocol == UDP and (len(segment) < 8 or segment[6:8] == b"\0\0"):
        return True
    if packet.family == 4 and packet.data[6] & 0x20:
        return True
    if packet.family == 4 and protocol not in (TCP, UDP):
        return not segment or checksum(segment) == 0
    return transport_holds(packet.source, packet.target, protocol, segment)


def _reset(netfilter: Netfilter, packet: NfPacket, _code: int) -> None:
    """A RST as the connection's other end would send it (net/ipv4/netfilter/nf_reject_ipv4.c)."""
    segment = None if packet.is_later_fragment else tcp.parse(packet.transport)
    if segment is None or segment.flags & _RST or not _is_sound(packet):
        return
    source, target = packet.target, packet.source
    if is_multicast_ip(source) or is_multicast_ip(target):
        return
    reset = tcp.emit(source, target, reset_for(segment))
    namespace = netfilter.namespace
    if packet.track is not None and packet.track.conn is not None:
        # It is over, though nobody tracks the reset.
        netfilter.conntrack.close(packet.track.conn, namespace.scheduler.now_ns)
    if packet.family == 4:
        ttl = namespace.sysctls.ipv4.ip_default_ttl
        whole = ipv4.emit(
            *(source, target, TCP, reset), ttl=ttl, ident=0, flags_offset=ipv4.DONT_FRAGMENT
        )
        namespace.ipv4.send(whole, packet.meta, about=packet)
    else:
        hop_limit = namespace.ipv6.hop_limit_to(target, None)
        whole = ipv6.emit(source, target, TCP, reset, hop_limit=hop_limit)
        namespace.ipv6.send(whole, packet.meta, about=packet)


def reset_for(segment: tcp.Tcp) -> tcp.Tcp:
    """The RST that answers a segment (RFC 9293 section 3.10.7.1)."""
    ports = segment.target_port, segment.source_port
    if segment.flags & _ACK:
        return tcp.Tcp(*ports, segment.acknowledgement, 0, _RST, 0, 0, b"", b"")
    taken = len(segment.payload) + bool(segment.flags & _SYN) + bool(segment.flags & _FIN)
    acknowledged = (segment.sequence + taken) & 0xFFFFFFFF
    return tcp.Tcp(*ports, 0, acknowledged, _RST | _ACK, 0, 0, b"", b"")
