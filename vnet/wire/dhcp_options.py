"""Options of DHCP messages (RFC 2132): their numbers, their names, and their place in bytes.

An area of options is a row of  code, length, value...  Pads (0) have no length, and 255 ends it.
A value of more than 255 bytes comes in several options of one code (RFC 3396).
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import Enum
from typing import NamedTuple

PAD = 0
NETMASK = 1
TIME_OFFSET = 2
ROUTER = 3
DNS_SERVER = 6
HOSTNAME = 12
DOMAIN_NAME = 15
MTU = 26
BROADCAST = 28
NTP_SERVER = 42
VENDOR_ENCAPSULATED = 43
NETBIOS_NAME_SERVER = 44
NETBIOS_SCOPE = 47
REQUESTED_ADDRESS = 50
LEASE_TIME = 51
OVERLOAD = 52
MESSAGE_TYPE = 53
SERVER_ID = 54
PARAMETER_REQUEST = 55
MESSAGE = 56
MAX_MESSAGE_SIZE = 57
T1 = 58
T2 = 59
VENDOR_CLASS = 60
CLIENT_ID = 61
TFTP_SERVER = 66
BOOT_FILE = 67
RAPID_COMMIT = 80
CLIENT_FQDN = 81
AGENT_INFORMATION = 82
SUBNET_SELECTION = 118
DOMAIN_SEARCH = 119
CLASSLESS_ROUTES = 121
END = 255

MOST_VALUE_BYTES = 255
Option = tuple[int, bytes]
"""Code and value."""


class OptionKind(Enum):
    """How the value of an option is written."""

    ADDRESSES = "addresses"
    TEXT = "text"
    NUMBER = "number"
    SECONDS = "seconds"
    NAMES = "names"
    BYTES = "bytes"


class OptionType(NamedTuple):
    """An option by its number; numbers and seconds take ``size_bytes``."""

    code: int
    kind: OptionKind
    size_bytes: int = 0


def _types(kind: OptionKind, size_bytes: int = 0, **codes: int) -> dict[str, OptionType]:
    return {
        name.replace("_", "-"): OptionType(code, kind, size_bytes) for name, code in codes.items()
    }


BY_NAME: dict[str, OptionType] = {
    **_types(
        OptionKind.ADDRESSES,
        netmask=1,
        router=3,
        dns_server=6,
        log_server=7,
        lpr_server=9,
        swap_server=16,
        policy_filter=21,
        broadcast=28,
        router_solicitation=32,
        static_route=33,
        nis_server=41,
        ntp_server=42,
        netbios_ns=44,
        netbios_dd=45,
        x_windows_fs=48,
        x_windows_dm=49,
        mobile_ip_home=68,
        smtp_server=69,
        pop3_server=70,
        nntp_server=71,
        irc_server=74,
        tftp_server_address=150,
    ),
    **_types(
        OptionKind.TEXT,
        hostname=12,
        domain_name=15,
        root_path=17,
        extension_path=18,
        nis_domain=40,
        tftp_server=66,
        bootfile_name=67,
        posix_timezone=100,
        tzdb_timezone=101,
    ),
    **_types(
        OptionKind.NUMBER,
        1,
        ip_forward_enable=19,
        non_local_source_routing=20,
        default_ttl=23,
        all_subnets_local=27,
        router_discovery=31,
        trailer_encapsulation=34,
        ethernet_encap=36,
        tcp_ttl=37,
        netbios_nodetype=46,
    ),
    **_types(OptionKind.NUMBER, 2, boot_file_size=13, max_datagram_reassembly=22, mtu=26),
    **_types(OptionKind.NUMBER, 4, time_offset=2, arp_timeout=35, tcp_keepalive=38, ipv6_only=108),
    **_types(OptionKind.SECONDS, 4, T1=58, T2=59),
    **_types(OptionKind.NAMES, domain_search=119),
    **_types(
        OptionKind.BYTES,
        netbios_scope=47,
        vendor_class=60,
        user_class=77,
        sip_server=120,
        classless_static_route=121,
    ),
}
"""The options that may be set by name, in dnsmasq's words."""

INTERNAL = frozenset(
    (
        PAD,
        REQUESTED_ADDRESS,
        LEASE_TIME,
        OVERLOAD,
        MESSAGE_TYPE,
        SERVER_ID,
        PARAMETER_REQUEST,
        MESSAGE,
        MAX_MESSAGE_SIZE,
        CLIENT_ID,
        CLIENT_FQDN,
        AGENT_INFORMATION,
        SUBNET_SELECTION,
        END,
    )
)
"""What the protocol itself uses: nobody sets these by hand."""


def parse(area: bytes) -> tuple[tuple[Option, ...], bool]:
    """The options of an area in order, and whether it is whole.

    It is not if an option runs over the end; those before it count all the same. An area that
    just stops, without the end option, is whole.
    """
    found: list[Option] = []
    at, size = 0, len(area)
    while at < size:
        code = area[at]
        if code == END:
            break
        if code == PAD:
            at += 1
            continue
        if at + 2 > size or at + 2 + area[at + 1] > size:
            return tuple(found), False
        length = area[at + 1]
        found.append((code, area[at + 2 : at + 2 + length]))
        at += 2 + length
    return tuple(found), True


def emit(options: Iterable[Option]) -> bytes:
    """Options in order, long values in several pieces, without the end."""
    area = bytearray()
    for code, value in options:
        pieces = range(0, len(value), MOST_VALUE_BYTES) if value else (0,)
        for at in pieces:
            piece = value[at : at + MOST_VALUE_BYTES]
            area += bytes((code, len(piece))) + piece
    return bytes(area)


def joined(options: Iterable[Option], code: int) -> bytes | None:
    """The value of an option, all its pieces in one (RFC 3396); None where there is none."""
    pieces = [value for each, value in options if each == code]
    return b"".join(pieces) if pieces else None


def addresses(value: bytes) -> tuple[bytes, ...]:
    """The IPv4 addresses in a value; what is left over at its end is no address."""
    return tuple(value[at : at + 4] for at in range(0, len(value) - 3, 4))


def emit_names(names: Iterable[str]) -> bytes:
    """Domain names as RFC 1035 has them, a suffix that was there before as a pointer to it
    (RFC 3397)."""
    places: dict[tuple[str, ...], int] = {}
    data = bytearray()
    for name in names:
        labels = tuple(name.rstrip(".").split("."))
        while labels and labels not in places:
            if len(data) < 0x4000:
                places[labels] = len(data)
            label = labels[0].encode()
            data += bytes((len(label),)) + label
            labels = labels[1:]
        data += (0xC000 | places[labels]).to_bytes(2, "big") if labels else b"\0"
    return bytes(data)


def parse_names(value: bytes) -> tuple[str, ...] | None:
    """The domain names of an option; None where they are malformed or go round in circles."""
    names: list[str] = []
    at = 0
    while at < len(value):
        labels: list[str] = []
        here, after, jumps = at, -1, 0
        while True:
            if here >= len(value):
                return None
            length = value[here]
            if length >= 0xC0:
                if here + 2 > len(value) or jumps > len(value):
                    return None
                after = here + 2 if after < 0 else after
                here = (length & 0x3F) << 8 | value[here + 1]
                jumps += 1
                continue
            here += 1
            if not length:
                break
            if length > 63 or here + length > len(value):
                return None
            labels.append(value[here : here + length].decode("ascii", "backslashreplace"))
            here += length
            if len(labels) > 127:
                return None
        if labels:
            names.append(".".join(labels))
        at = here if after < 0 else after
    return tuple(names)


class ClasslessRoute(NamedTuple):
    """A route that a client is told of; a gateway of 0.0.0.0 is the link itself."""

    network: bytes
    prefix_length: int
    gateway: bytes


def parse_routes(value: bytes) -> tuple[ClasslessRoute, ...]:
    """The routes of option 121 (RFC 3442), up to one that is cut off or makes no sense."""
    routes: list[ClasslessRoute] = []
    at = 0
    while at < len(value):
        length = value[at]
        size = (length + 7) // 8
        end = at + 1 + size + 4
        if length > 32 or end > len(value):
            break
        network = value[at + 1 : at + 1 + size].ljust(4, b"\0")
        routes.append(ClasslessRoute(network, length, value[end - 4 : end]))
        at = end
    return tuple(routes)
