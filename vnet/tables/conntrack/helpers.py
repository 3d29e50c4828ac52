"""Which packets a protocol helper looks at (ovs-actions(7), ``ct(alg=...)``)."""

from __future__ import annotations

from enum import Enum

from vnet.tables.conntrack.extract import TCP, UDP
from vnet.tables.conntrack.headers import Headers
from vnet.tables.conntrack.packet import CtPacket

_FTP_PORT = b"\x00\x15"
_TFTP_PORT = b"\x00\x45"
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
    data, l4, protocol = headers.data, headers.l4, headers.protocol
    if protocol == TCP:
        source = target = _FTP_PORT
        if name == "ftp":
            if packet.target_port:
                target = packet.target_port.to_bytes(2, "big")
            elif packet.source_port:
                source = packet.source_port.to_bytes(2, "big")
        if data[l4 : l4 + 2] != source and data[l4 + 2 : l4 + 4] != target:
            return None
        helper = Helper.FTP
    elif protocol == UDP:
        target = _TFTP_PORT
        if name == "tftp" and packet.target_port:
            target = packet.target_port.to_bytes(2, "big")
        if data[l4 + 2 : l4 + 4] != target:
            return None
        helper = Helper.TFTP
    else:
        return None
    is_seen = not headers.is_v6 or (data[headers.l3 + 6] == protocol and data[12:14] == _TYPE_IPV6)
    return helper if is_seen else None


def may_watch(name: str, helper: Helper | None) -> bool:
    """Whether a rule that names a helper puts it on a connection with such a packet."""
    return helper is None or name == helper.value
