"""The queries that a bridge sends, byte by byte (RFC 2236, 3376, 2710, 3810)."""

from __future__ import annotations

from vnet.linux.bridge.multicast.reading import ALL_HOSTS, ALL_NODES, IPV4
from vnet.linux.bridge.multicast.settings import MulticastSettings
from vnet.linux.timer_wheel import JIFFY_NS
from vnet.wire import icmpv6, igmp, ipv4, ipv6
from vnet.wire.checksum import checksum, transport_checksum
from vnet.wire.ether import frame

_TYPE_IPV4 = 0x0800
_TYPE_IPV6 = 0x86DD
_TOS = 0xC0
_ROBUSTNESS = 2
_SUPPRESS = 0x08
_NS_PER_S = 1_000_000_000
_NS_PER_MS = 1_000_000
_JIFFIES_PER_TENTH = 100_000_000 // JIFFY_NS
_ANY_4 = bytes(4)
_ANY_6 = bytes(16)


def query_frame(
    family: int,
    settings: MulticastSettings,
    mac: bytes,
    source: bytes,
    group: bytes | None,
    *,
    target: bytes | None = None,
    sources: tuple[bytes, ...] = (),
    suppresses: bool = False,
) -> bytes:
    """A query about ``group``, or about all; ``target`` None sends it to every host.

    ``mac`` and ``source`` are the sender's; ``sources`` and ``suppresses`` are for versions that
    know sources.
    """
    asked_ns = (
        settings.query_response_interval_ns if group is None else settings.last_member_interval_ns
    )
    flags = _SUPPRESS * suppresses | _ROBUSTNESS
    interval_s = settings.query_interval_ns // _NS_PER_S & 0xFF
    tail = bytes((flags, interval_s)) + len(sources).to_bytes(2, "big") + b"".join(sources)
    if family == IPV4:
        code = asked_ns // JIFFY_NS // _JIFFIES_PER_TENTH & 0xFF
        message = bytes((igmp.QUERY, code, 0, 0)) + (group or _ANY_4)
        if settings.igmp_version == 3:
            message += tail
        return _igmp_frame(mac, source, target or ALL_HOSTS, message)
    body = (asked_ns // _NS_PER_MS & 0xFFFF).to_bytes(2, "big") + bytes(2) + (group or _ANY_6)
    message = bytes((icmpv6.MLD_QUERY, 0, 0, 0)) + body
    if settings.mld_version == 2:
        message += tail
    return _mld_frame(mac, source, target or ALL_NODES, message)


def _igmp_frame(mac: bytes, source: bytes, target: bytes, message: bytes) -> bytes:
    message = message[:2] + checksum(message).to_bytes(2, "big") + message[4:]
    packet = ipv4.emit(
        source,
        target,
        ipv4.IGMP,
        message,
        ttl=1,
        tos=_TOS,
        flags_offset=ipv4.DONT_FRAGMENT,
        options=ipv4.ROUTER_ALERT,
    )
    group_mac = b"\x01\x00\x5e" + bytes((target[1] & 0x7F, *target[2:]))
    return frame(group_mac, mac, _TYPE_IPV4, packet)


def _mld_frame(mac: bytes, source: bytes, target: bytes, message: bytes) -> bytes:
    total = transport_checksum(source, target, icmpv6.PROTOCOL, message)
    message = message[:2] + total.to_bytes(2, "big") + message[4:]
    # The kernel pads the option with two Pad1, where hosts have a PadN.
    options = bytes((icmpv6.PROTOCOL, 0)) + ipv6.ROUTER_ALERT_MLD[:4] + bytes(2)
    packet = ipv6.emit(source, target, ipv6.HOP_BY_HOP, options + message, hop_limit=1)
    return frame(b"\x33\x33" + target[12:], mac, _TYPE_IPV6, packet)
