"""Which packets a protocol helper looks at (ovs-actions(7), ``ct(alg=...)``)."""

from __future__ import annotations

from enum import Enum

from vnet.tables.conntrack.extract import TCP, UDP
from vnet.tables.conntrack.headers import Headers
from vnet.tables.conntrack.packet import CtPacket

_FTP_PORT = 21
_TFTP_PORT = 69
_TYPE_IPV6 = b"\x86\xdd"


class Helper(Enum):
    """The value is the name in rules."""

    FTP = "ftp"
    TFTP = "tftp"


def helper_for(packet: CtPacket, headers: Headers, name: str) -> Helper | None:
    """The helper whose control packet this is, ``name`` being the rule's.

    That is, if the ports are the protocol's, or a named helper's that the rule matched. IPv6
    packets count only without a VLAN tag and without extension headers.
    """
    data, l3, l4, protocol = headers.data, headers.l3, headers.l4, headers.protocol
    if headers.is_v6 and (data[l3 + 6] != protocol or data[12:14] != _TYPE_IPV6):
        return None
    if protocol == TCP:
        source, target = _FTP_PORT, _FTP_PORT
        if name == "ftp":
            if packet.target_port:
                target = packet.target_port
            elif packet.source_port:
                source = packet.source_port
        if data[l4 : l4 + 2] == source.to_bytes(2, "big"):
            return Helper.FTP
        return Helper.FTP if data[l4 + 2 : l4 + 4] == target.to_bytes(2, "big") else None
    if protocol == UDP:
        target = packet.target_port if name == "tftp" and packet.target_port else _TFTP_PORT
        return Helper.TFTP if data[l4 + 2 : l4 + 4] == target.to_bytes(2, "big") else None
    return None


def may_watch(name: str, helper: Helper | None) -> bool:
    """Whether a rule that names a helper puts it on a connection with such a packet."""
    return helper is None or name == helper.value
