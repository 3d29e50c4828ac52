"""Connections as ``conntrack -L -o xml`` prints them."""

from __future__ import annotations

from collections.abc import Iterable

from vnet.base.ids import ip_text
from vnet.linux.netfilter.conntrack_tool.text import (
    GRE,
    PROTOCOLS,
    TCP,
    WITH_PORTS,
    ident,
    tcp_state,
)
from vnet.tables.conntrack.key import KeyParts, parts_of, zone_of
from vnet.tables.conntrack.linux import status
from vnet.tables.conntrack.linux.entry import Counted, Entry

_HEAD = '<?xml version="1.0" encoding="utf-8"?>\n<conntrack>\n'


def entries_xml(entries: Iterable[Entry], now_ns: int) -> str:
    """A document; nothing of no entries."""
    flows = "".join(f"<flow>{_entry(entry, now_ns)}</flow>\n" for entry in entries)
    return f"{_HEAD}{flows}</conntrack>\n" if flows else ""


def _entry(entry: Entry, now_ns: int) -> str:
    counted = entry.counted or (None, None)
    text = _direction("original", parts_of(entry.key), counted[0])
    text += _direction("reply", parts_of(entry.reply_key), counted[1])
    inside = f"<state>{tcp_state(entry)}</state>" if entry.protocol == TCP else ""
    inside += f"<timeout>{entry.timeout_s(now_ns)}</timeout><mark>{entry.mark}</mark>"
    if zone := zone_of(entry.key):
        inside += f"<zone>{zone}</zone>"
    inside += f"<use>1</use><id>{ident(entry)}</id>"
    if entry.status & status.ASSURED:
        inside += "<assured/>"
    if not entry.status & status.SEEN_REPLY:
        inside += "<unreplied/>"
    return f'{text}<meta direction="independent">{inside}</meta>'


def _direction(name: str, parts: KeyParts, counted: Counted | None) -> str:
    number, family = (2, "ipv4") if len(parts.source) == 4 else (10, "ipv6")
    addresses = f"<src>{ip_text(parts.source)}</src><dst>{ip_text(parts.target)}</dst>"
    protocol = PROTOCOLS.get(parts.protocol, "unknown")
    ports = ""
    if parts.protocol in WITH_PORTS:
        ports = f"<sport>{parts.source_part}</sport><dport>{parts.target_part}</dport>"
    elif parts.protocol == GRE:
        keys = f"{parts.source_part:#x}", f"{parts.target_part:#x}"
        ports = f"<srckey>{keys[0]}</srckey><dstkey>{keys[1]}</dstkey>"
    counters = ""
    if counted is not None:
        counters = f"<packets>{counted.packet_count}</packets><bytes>{counted.byte_count}</bytes>"
        counters = f"<counters>{counters}</counters>"
    return (
        f'<meta direction="{name}"><layer3 protonum="{number}" protoname="{family}">{addresses}'
        f'</layer3><layer4 protonum="{parts.protocol}" protoname="{protocol}">{ports}</layer4>'
        f"{counters}</meta>"
    )
