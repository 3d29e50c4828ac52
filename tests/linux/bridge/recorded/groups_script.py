"""What a recorded case of multicast snooping does, to the kernel and to vnet alike.

A bridge ``br0`` has the ports p1 to p3, which lead to e1 to e3. A step is a command line in the
bridge's namespace, a frame (in hexadecimal) that a far end sends, a wait in seconds, or a look:
what ``bridge -d mdb`` prints, and what has come to the far ends since the look before.
"""

from __future__ import annotations

from dataclasses import dataclass

from vnet.wire import icmpv6, igmp, ipv4, ipv6, mld
from vnet.wire.checksum import checksum, transport_checksum
from vnet.wire.ether import frame
from vnet.wire.igmp import Record

PORTS = (1, 2, 3)


def host_mac(number: int) -> bytes:
    return bytes((2, 0, 0, 0, 0, number))


def port_mac(number: int) -> bytes:
    return bytes((6, 0, 0, 0, 0, number))


def ip(text: str) -> bytes:
    return bytes(map(int, text.split(".")))


def _group_mac(target: bytes) -> bytes:
    if len(target) == 16:
        return b"\x33\x33" + target[12:]
    return b"\x01\x00\x5e" + bytes((target[1] & 0x7F, *target[2:]))


def packet4(host: int, target: str, protocol: int, payload: bytes, source: str = "") -> str:
    """A frame of host ``host`` to a group of IPv4."""
    to = ip(target)
    sender = ip(source or f"10.0.0.{host}")
    options = ipv4.ROUTER_ALERT if protocol == ipv4.IGMP else b""
    packet = ipv4.emit(sender, to, protocol, payload, ttl=1, options=options)
    return f"e{host} {frame(_group_mac(to), host_mac(host), 0x0800, packet).hex()}"


def data(host: int, target: str) -> str:
    return packet4(host, target, 17, b"\x03\xe8\0\x09\0\x0c\0\0data")


def data_of(host: int, target: str, source: str) -> str:
    """Traffic whose sender the packet says to be ``source``."""
    return packet4(host, target, 17, b"\x03\xe8\0\x09\0\x0c\0\0data", source)


def join(host: int, group: str) -> str:
    return packet4(host, group, ipv4.IGMP, igmp.message_v2(igmp.REPORT_V2, ip(group)))


def leave(host: int, group: str) -> str:
    return packet4(host, "224.0.0.2", ipv4.IGMP, igmp.message_v2(igmp.LEAVE, ip(group)))


def report3(host: int, *records: tuple[int, str, tuple[str, ...]]) -> str:
    made = tuple(Record(kind, ip(group), tuple(map(ip, srcs))) for kind, group, srcs in records)
    return packet4(host, "224.0.0.22", ipv4.IGMP, igmp.report_v3(made))


def query(host: int, group: str = "0.0.0.0", code: int = 10, source: str = "") -> str:
    message = igmp.message_v2(igmp.QUERY, ip(group))
    message = bytes((message[0], code, 0, 0)) + message[4:]
    message = message[:2] + checksum(message).to_bytes(2, "big") + message[4:]
    return packet4(host, "224.0.0.1", ipv4.IGMP, message, source)


def pim_hello(host: int) -> str:
    return packet4(host, "224.0.0.13", 103, b"\x20\0\xdf\xff")


def mld_frame(host: int, target: str, kind: int, body: bytes) -> str:
    source = bytes.fromhex("fe80000000000000000000fffe00") + bytes((0, host))
    to = bytes.fromhex(target)
    message = bytes((kind, 0, 0, 0)) + body
    check = transport_checksum(source, to, icmpv6.PROTOCOL, message)
    message = message[:2] + check.to_bytes(2, "big") + message[4:]
    options = bytes((icmpv6.PROTOCOL, 0)) + ipv6.ROUTER_ALERT_MLD
    packet = ipv6.emit(source, to, ipv6.HOP_BY_HOP, options + message, hop_limit=1)
    return f"e{host} {frame(_group_mac(to), host_mac(host), 0x86DD, packet).hex()}"


FF05 = "ff05" + "00" * 13 + "99"


def mld_join(host: int, group: str = FF05) -> str:
    return mld_frame(host, group, 131, mld.message_v1(bytes.fromhex(group)))


def mld_leave(host: int, group: str = FF05) -> str:
    return mld_frame(host, "ff02" + "00" * 13 + "02", 132, mld.message_v1(bytes.fromhex(group)))


def mld_query(host: int) -> str:
    return mld_frame(host, "ff02" + "00" * 13 + "01", 130, b"\x03\xe8\0\0" + bytes(16))


def data6(host: int, group: str = FF05) -> str:
    source = bytes.fromhex("fe80000000000000000000fffe00") + bytes((0, host))
    to = bytes.fromhex(group)
    packet = ipv6.emit(source, to, 17, b"\x03\xe8\0\x09\0\x0c\x12\x34data", hop_limit=1)
    return f"e{host} {frame(_group_mac(to), host_mac(host), 0x86DD, packet).hex()}"


@dataclass(frozen=True)
class GroupCase:
    """``ipv6``: the bridge has a link-local address, and of what comes only queries count."""

    name: str
    steps: tuple[tuple[str, str], ...]
    ipv6: bool = False


LOOK = ("look", "")
SOON = ("wait", "0.3")


def bridge_set(words: str) -> tuple[str, str]:
    return ("do", f"ip link set br0 type bridge {words}")


G, H = "239.1.1.1", "239.2.2.2"

A, B, C = "10.9.9.1", "10.9.9.2", "10.9.9.3"

VERSION_3 = (
    bridge_set("mcast_igmp_version 3"),
    bridge_set("mcast_query_response_interval 100 mcast_last_member_interval 50"),
    bridge_set("mcast_querier 1"),
    ("wait", "1.5"),
    LOOK,
)
"""Sources are known, and reports are relied on."""

CASES = (
    GroupCase(
        "other_querier",
        (
            ("send", data(1, G)),
            SOON,
            LOOK,
            ("send", query(1)),
            ("send", join(2, G)),
            SOON,
            LOOK,
            ("send", data(3, G)),
            SOON,
            LOOK,
            ("wait", "1.2"),
            ("send", data(3, G)),
            ("send", data(3, H)),
            ("send", data(3, "224.0.0.251")),
            SOON,
            LOOK,
            ("send", join(3, H)),
            ("send", data(2, H)),
            SOON,
            LOOK,
            ("send", leave(2, G)),
            ("wait", "1.2"),
            LOOK,
            ("send", query(1, G)),
            ("wait", "2.5"),
            LOOK,
        ),
    ),
    GroupCase(
        "own_querier",
        (
            bridge_set("mcast_query_response_interval 100 mcast_startup_query_interval 200"),
            bridge_set("mcast_query_interval 300 mcast_last_member_interval 50"),
            bridge_set("mcast_querier 1"),
            ("wait", "1.5"),
            LOOK,
            ("send", join(2, G)),
            ("send", join(3, G)),
            SOON,
            LOOK,
            ("send", data(1, G)),
            SOON,
            LOOK,
            ("send", leave(2, G)),
            ("wait", "0.5"),
            LOOK,
            ("wait", "1"),
            LOOK,
            ("do", "bridge link set dev p3 fastleave on"),
            ("send", leave(3, G)),
            SOON,
            LOOK,
            ("send", query(1, source="10.0.0.1")),
            SOON,
            LOOK,
        ),
    ),
    GroupCase(
        "version_3_reports",
        (
            bridge_set("mcast_query_response_interval 100"),
            bridge_set("mcast_querier 1"),
            ("wait", "1.5"),
            ("send", report3(1, (4, G, ()), (2, H, ("10.9.9.9",)))),
            ("send", report3(2, (1, "239.3.3.3", ("10.9.9.9",)), (9, "239.4.4.4", ()))),
            SOON,
            LOOK,
            ("send", report3(1, (3, G, ()))),
            ("send", data(3, G)),
            SOON,
            LOOK,
            ("wait", "2.5"),
            LOOK,
        ),
    ),
    GroupCase(
        "queries_of_version_3",
        (
            bridge_set("mcast_igmp_version 3"),
            bridge_set("mcast_querier 1"),
            ("wait", "0.5"),
            LOOK,
        ),
    ),
    GroupCase(
        "sources",
        (
            *VERSION_3,
            ("send", report3(1, (5, G, (A, B)))),
            ("send", report3(2, (4, G, ()))),
            SOON,
            LOOK,
            ("send", data_of(3, G, A)),
            ("send", data_of(3, G, C)),
            SOON,
            LOOK,
            ("send", report3(2, (4, G, (B,)))),
            SOON,
            LOOK,
            ("send", data_of(3, G, A)),
            ("send", data_of(3, G, B)),
            ("send", data_of(3, G, C)),
            SOON,
            LOOK,
            ("send", report3(1, (6, G, (A,)))),
            ("wait", "0.7"),
            LOOK,
            ("wait", "1.5"),
            LOOK,
        ),
    ),
    GroupCase(
        "leaving_with_sources",
        (
            *VERSION_3,
            ("send", report3(1, (4, G, ()))),
            ("send", report3(2, (4, G, ()))),
            SOON,
            LOOK,
            ("send", report3(1, (3, G, ()))),
            ("wait", "0.7"),
            LOOK,
            ("wait", "1.5"),
            LOOK,
            ("send", report3(2, (3, G, (A,)))),
            ("wait", "2"),
            LOOK,
            ("send", report3(2, (2, G, (C,)))),
            SOON,
            LOOK,
            ("send", report3(2, (1, G, (A,)))),
            SOON,
            LOOK,
        ),
    ),
    GroupCase(
        "routers",
        (
            ("send", query(1)),
            ("wait", "1.5"),
            ("send", pim_hello(2)),
            ("do", "bridge link set dev p3 mcast_router 0"),
            ("send", pim_hello(3)),
            SOON,
            LOOK,
            ("send", data(3, H)),
            SOON,
            LOOK,
            ("do", "bridge link set dev p3 mcast_router 2"),
            ("do", "bridge link set dev p1 mcast_router 0"),
            ("send", data(2, H)),
            SOON,
            LOOK,
            ("send", join(2, G)),
            ("do", "bridge link set dev p2 mcast_router 3"),
            ("send", data(1, G)),
            SOON,
            LOOK,
        ),
    ),
    GroupCase(
        "by_hand",
        (
            ("send", query(1)),
            ("wait", "1.5"),
            ("do", f"bridge mdb add dev br0 port p2 grp {G} permanent"),
            ("do", f"bridge mdb add dev br0 port p3 grp {G} temp"),
            ("do", f"bridge mdb add dev br0 port br0 grp {H}"),
            ("do", "bridge mdb add dev br0 port p1 grp 01:00:5e:07:07:07 permanent"),
            ("do", "bridge mdb add dev br0 port p2 grp ff05::42 permanent"),
            LOOK,
            ("send", data(1, G)),
            ("send", leave(2, G)),
            SOON,
            LOOK,
            ("do", "ip link set p2 down"),
            ("do", "ip link set p3 down"),
            ("wait", "0.2"),
            LOOK,
            ("do", f"bridge mdb del dev br0 port p2 grp {G}"),
            ("do", f"bridge mdb del dev br0 port br0 grp {H}"),
            ("wait", "0.2"),
            LOOK,
        ),
    ),
    GroupCase(
        "flags",
        (
            ("do", "bridge link set dev p2 mcast_flood off"),
            ("send", data(1, G)),
            SOON,
            LOOK,
            ("send", query(1)),
            ("wait", "1.5"),
            ("do", "bridge link set dev p2 mcast_to_unicast on"),
            ("send", join(2, G)),
            ("send", data(3, G)),
            SOON,
            LOOK,
            bridge_set("mcast_snooping 0"),
            ("send", data(3, G)),
            ("send", join(3, G)),
            SOON,
            LOOK,
        ),
    ),
    GroupCase(
        "wrong",
        (
            # A checksum of IGMP, one of IP, a query astray, a cut report; none passes.
            ("send", join(1, G)[:-2] + "00"),
            ("send", (lambda good: good[: 3 + 2 * 24] + "0000" + good[3 + 2 * 26 :])(data(1, G))),
            ("send", packet4(1, G, 2, bytes.fromhex("1164ee9b00000000"))),
            ("send", report3(1, (4, H, ()))[:-16] + "00" * 8),
            SOON,
            LOOK,
        ),
    ),
    GroupCase(
        "full",
        (
            bridge_set("mcast_hash_max 2"),
            ("send", join(1, G)),
            ("send", join(1, H)),
            ("send", join(1, "239.3.3.3")),
            SOON,
            LOOK,
            ("send", join(1, "239.4.4.4")),
            SOON,
            LOOK,
        ),
    ),
    GroupCase(
        "mld",
        (
            ("send", mld_query(1)),
            ("send", mld_join(2)),
            ("wait", "1.5"),
            LOOK,
            bridge_set("mcast_query_response_interval 100 mcast_last_member_interval 50"),
            bridge_set("mcast_querier 1"),
            SOON,
            ("send", mld_leave(2)),
            ("wait", "0.5"),
            LOOK,
        ),
    ),
    GroupCase(
        "mld_queries",
        (
            ("wait", "3"),
            LOOK,
            bridge_set("mcast_query_response_interval 100 mcast_last_member_interval 50"),
            bridge_set("mcast_querier 1"),
            ("wait", "0.3"),
            LOOK,
            ("send", mld_join(2)),
            ("send", mld_leave(2)),
            SOON,
            LOOK,
            bridge_set("mcast_mld_version 2"),
            ("wait", "1.2"),
            LOOK,
        ),
        ipv6=True,
    ),
)
