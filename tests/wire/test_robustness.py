"""No parser raises, whatever the bytes: a bad frame is somebody's to count."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vnet.wire import (
    arp,
    geneve,
    gre,
    icmp,
    icmpv6,
    igmp,
    ipv4,
    ipv6,
    mld,
    nd,
    ra,
    tcp,
    udp,
    vlan,
    vxlan,
)
from vnet.wire.checksum import checksum, pseudo_header_sum

IP6 = bytes(range(16))


def walk_ipv6(data: bytes) -> None:
    header = ipv6.parse(data)
    if header is not None:
        ipv6.upper_layer(header)


PARSERS: dict[str, Callable[[bytes], object]] = {
    "arp": arp.parse,
    "geneve": geneve.parse,
    "gre": gre.parse,
    "icmp": icmp.parse,
    "icmpv6": lambda data: icmpv6.parse(IP6, IP6, data),
    "igmp query": igmp.parse_query,
    "igmp report": igmp.parse_report,
    "ipv4": ipv4.parse,
    "ipv6": walk_ipv6,
    "mld query": mld.parse_query,
    "mld report": mld.parse_report,
    "nd advertisement": nd.parse_advertisement,
    "nd options": nd.options,
    "nd redirect": nd.parse_redirect,
    "nd solicitation": nd.parse_solicitation,
    "ra": ra.parse,
    "rs": ra.parse_solicitation,
    "tcp": tcp.parse,
    "udp": udp.parse,
    "vlan": vlan.parse,
    "vxlan": vxlan.parse,
}

# One good message for each, so that what is cut off or changed gets past the first checks.
IP4 = bytes((10, 0, 0, 1))
RECORDS = (igmp.Record(4, IP4, (IP4, IP4)),)
RECORDS6 = (igmp.Record(4, IP6, (IP6, IP6)),)
CHAIN = ipv6.hop_by_hop(60, ipv6.ROUTER_ALERT_MLD) + ipv6.hop_by_hop(44, bytes(6)) + bytes(24)
SEGMENT = tcp.Tcp(1, 2, 3, 4, 5, 6, 7, bytes(8), b"payload")
GOOD: dict[str, bytes] = {
    "arp": arp.emit(arp.Arp(1, bytes(6), IP4, bytes(6), IP4)),
    "geneve": b"\x02" + geneve.emit(5)[1:] + bytes(8),
    "gre": gre.emit(has_checksum=True, key=5, sequence=9),
    "icmp": icmp.emit(icmp.Icmp(8, 0, bytes(4), b"data")),
    "icmpv6": icmpv6.emit(IP6, IP6, icmpv6.Icmpv6(128, 0, bytes(8))),
    "igmp query": bytes.fromhex("1114f3dcef010203000000010a000009"),
    "igmp report": igmp.report_v3(RECORDS),
    "ipv4": ipv4.emit(IP4, IP4, 17, b"payload", options=ipv4.ROUTER_ALERT),
    "ipv6": ipv6.emit(IP6, IP6, ipv6.HOP_BY_HOP, CHAIN),
    "mld query": bytes(23) + b"\x02" + IP6 * 2,
    "mld report": mld.report_v2(RECORDS6),
    "nd advertisement": nd.advertisement(0x60, IP6, bytes(6)),
    "nd options": nd.option(1, bytes(6)) + nd.option(3, bytes(30)) + nd.option(5, bytes(6)),
    "nd redirect": nd.redirect(IP6, IP6, bytes(6), bytes(40)),
    "nd solicitation": nd.solicitation(IP6, bytes(6), bytes(6)),
    "ra": bytes(12) + nd.option(3, bytes(30)) + nd.option(5, bytes(6)) + nd.option(24, bytes(14)),
    "rs": ra.solicitation(bytes(6)),
    "tcp": tcp.emit(IP4, IP4, SEGMENT),
    "udp": udp.emit(IP4, IP4, 1, 2, b"payload"),
    "vlan": bytes(12) + b"\x81\x00\x20\x07\x08\x00",
    "vxlan": vxlan.emit(5),
}

every_parser = pytest.mark.parametrize("name", sorted(PARSERS))


def mended(name: str, data: bytes) -> bytes:
    """``data`` with the checksum put right, where one stands guard before the rest."""
    if name == "ipv4":
        header = data[:10] + b"\0\0" + data[12:]
        return header[:10] + checksum(header[: (data[0] & 15) * 4]).to_bytes(2, "big") + header[12:]
    if name in ("icmp", "icmpv6", "igmp query", "igmp report"):
        message = data[:2] + b"\0\0" + data[4:]
        start = pseudo_header_sum(IP6, IP6, 58, len(message)) if name == "icmpv6" else 0
        return message[:2] + checksum(message, start).to_bytes(2, "big") + message[4:]
    return data


@every_parser
def test_the_good_message_is_good(name: str) -> None:
    assert PARSERS[name](GOOD[name]) is not None or name == "ipv6"


@every_parser
def test_every_truncation_is_borne(name: str) -> None:
    parse, good = PARSERS[name], GOOD[name]
    for size in range(len(good)):
        parse(good[:size])
        if size >= 12:
            parse(mended(name, good[:size]))


@every_parser
@given(data=st.binary(max_size=120))
def test_random_bytes_are_borne(name: str, data: bytes) -> None:
    PARSERS[name](data)


@every_parser
@given(at=st.integers(0, 59), value=st.integers(0, 255), size=st.integers(12, 80))
def test_one_wrong_byte_is_borne(name: str, at: int, value: int, size: int) -> None:
    good = GOOD[name]
    at %= len(good)
    spoiled = (good[:at] + bytes((value,)) + good[at + 1 :])[:size]
    PARSERS[name](mended(name, spoiled))
