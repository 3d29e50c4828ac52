"""What dig(1) prints: the message section by section, in columns of tabs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from vnet.base.ids import ip_text
from vnet.guest.apps.dns.names import class_text, type_text

if TYPE_CHECKING:
    from dnslib import DNSRecord

    from vnet.guest.apps.dns.dig import DigResult

VERSION = "9.18.49-1~deb12u3-Debian"
_TAB = 8
_TTL, _CLASS, _TYPE, _DATA = 24, 32, 40, 48
_OPT = 41
_EXTENDED_ERROR = 15
_COOKIE = 10
_STATUS = (
    *("NOERROR", "FORMERR", "SERVFAIL", "NXDOMAIN", "NOTIMP", "REFUSED", "YXDOMAIN", "YXRRSET"),
    *("NXRRSET", "NOTAUTH", "NOTZONE"),
)
_OPCODES = {0: "QUERY", 1: "IQUERY", 2: "STATUS", 4: "NOTIFY", 5: "UPDATE"}
_FLAGS = (
    ("qr", 15),
    ("aa", 10),
    ("tc", 9),
    ("rd", 8),
    ("ra", 7),
    ("ad", 5),
    ("cd", 4),
)
_EXTENDED = {
    0: "Other",
    14: "Not Ready",
    15: "Blocked",
    17: "Filtered",
    18: "Prohibited",
    20: "Not Authoritative",
    21: "Not Supported",
    22: "No Reachable Authority",
    23: "Network Error",
    24: "Invalid Data",
}


@dataclass(frozen=True)
class Shown:
    """What is printed: dig's ``+[no]cmd``, ``comments``, ``question``, and so on."""

    command: bool = True
    comments: bool = True
    question: bool = True
    answer: bool = True
    authority: bool = True
    additional: bool = True
    stats: bool = True
    short: bool = False
    identify: bool = False


def dig_text(
    result: DigResult, words: Sequence[str], shown: Shown, epoch_ns: int, *, named_server: bool
) -> str:
    """All that dig prints of a lookup that was typed as ``words``."""
    lines = list(result.remarks)
    if shown.short and result.message is not None:
        return "\n".join([*lines, *_short(result, shown)])
    if shown.command:
        typed = "".join(f" {word}" for word in words)
        lines += ["", f"; <<>> DiG {VERSION} <<>>{typed}"]
        lines += ["; (1 server found)"] if named_server else []
        lines.append(";; global options: +cmd")
    if result.message is None:
        return "\n".join([*lines, ";; no servers could be reached"])
    return "\n".join([*lines, *_message(result.message, shown), *_stats(result, shown, epoch_ns)])


def _short(result: DigResult, shown: Shown) -> list[str]:
    tail = ""
    if shown.identify:
        elapsed_ms = result.elapsed_ns // 1_000_000
        tail = f" from server {ip_text(result.server)} in {elapsed_ms} ms."
    return [f"{data}{tail}" for data in result.answers]


def _message(message: DNSRecord, shown: Shown) -> list[str]:
    header = message.header
    pseudo = next((record for record in message.ar if record.rtype == _OPT), None)
    lines = []
    if shown.comments:
        opcode = _OPCODES.get(header.opcode, f"RESERVED{header.opcode}")
        flags = "".join(f" {word}" for word, bit in _FLAGS if header.bitmap >> bit & 1)
        counts = (header.q, header.a, header.auth, header.ar)
        lines += [
            ";; Got answer:",
            f";; ->>HEADER<<- opcode: {opcode}, status: {status_of(message)}, id: {header.id}",
            f";; flags:{flags}; QUERY: {counts[0]}, ANSWER: {counts[1]}, AUTHORITY: {counts[2]}, "
            f"ADDITIONAL: {counts[3]}",
            "",
        ]
        if pseudo is not None:
            lines += [";; OPT PSEUDOSECTION:", *_pseudo(pseudo)]
    if shown.question and message.questions:
        lines += [";; QUESTION SECTION:"] if shown.comments else []
        lines += [_question(question) for question in message.questions]
        lines += [""] if shown.comments else []
    rest = [record for record in message.ar if record.rtype != _OPT]
    for wanted, title, records in (
        (shown.answer, "ANSWER", message.rr),
        (shown.authority, "AUTHORITY", message.auth),
        (shown.additional, "ADDITIONAL", rest),
    ):
        if wanted and records:
            lines += [f";; {title} SECTION:"] if shown.comments else []
            lines += [record_text(record) for record in records]
            lines += [""] if shown.comments else []
    return lines


def _pseudo(record: Any) -> list[str]:
    version, flags = record.ttl >> 16 & 0xFF, " do" if record.ttl & 0x8000 else ""
    lines = [f"; EDNS: version: {version}, flags:{flags}; udp: {record.rclass}"]
    for option in record.rdata:
        if option.code == _EXTENDED_ERROR and len(option.data) >= 2:
            code = int.from_bytes(option.data[:2], "big")
            name = f" ({_EXTENDED[code]})" if code in _EXTENDED else ""
            text = option.data[2:].decode("utf-8", "replace").rstrip("\0")
            lines.append(f"; EDE: {code}{name}{f': ({text})' if text else ''}")
        elif option.code == _COOKIE:
            lines.append(f"; COOKIE: {option.data.hex()}")
        else:
            lines.append(f"; OPT={option.code}: {option.data.hex(' ')}".rstrip())
    return lines


def _stats(result: DigResult, shown: Shown, epoch_ns: int) -> list[str]:
    if not shown.stats:
        return []
    when = datetime.fromtimestamp(0, UTC) + timedelta(
        microseconds=(epoch_ns + result.ended_ns) // 1000
    )
    server = ip_text(result.server)
    return [
        f";; Query time: {result.elapsed_ns // 1_000_000} msec",
        f";; SERVER: {server}#{result.port}({server}) ({'TCP' if result.by_tcp else 'UDP'})",
        f";; WHEN: {when:%a %b %d %H:%M:%S} UTC {when.year}",
        f";; MSG SIZE  rcvd: {result.size_bytes}",
        "",
    ]


def status_of(message: DNSRecord) -> str:
    """The response code in BIND's spelling."""
    code = message.header.rcode
    return _STATUS[code] if code < len(_STATUS) else f"RESERVED{code}"


def _question(question: Any) -> str:
    line = _indented(f";{name_text(question.qname)}", _CLASS) + class_text(question.qclass)
    return _indented(line, _TYPE) + type_text(question.qtype)


def record_text(record: Any) -> str:
    """A record in the columns of a zone file."""
    line = name_text(record.rname)
    cells = (
        (_TTL, str(record.ttl)),
        (_CLASS, class_text(record.rclass)),
        (_TYPE, type_text(record.rtype)),
        (_DATA, data_text(record)),
    )
    for column, text in cells:
        line = _indented(line, column) + text
    return line


def _indented(line: str, column: int) -> str:
    """``line`` up to ``column``, by tabs; one column further where it is too long."""
    at = len(line.expandtabs(_TAB))
    target = max(column, at + 1)
    tabs = target // _TAB - at // _TAB
    return line + "\t" * tabs + " " * (target - (target // _TAB * _TAB if tabs else at))


def name_text(label: Any) -> str:
    """A name with the dot at its end, and escapes for what has a meaning or cannot be seen."""
    return "".join(f"{''.join(map(_character, part))}." for part in label.label) or "."


def _character(byte: int) -> str:
    if byte in b'."\\();@$':
        return f"\\{chr(byte)}"
    return chr(byte) if 0x21 <= byte <= 0x7E else f"\\{byte:03d}"


def data_text(record: Any) -> str:
    """A record's data as a zone file has it."""
    data, kind = record.rdata, type_text(record.rtype)
    if kind == "A":
        return ip_text(bytes(data.data))
    if kind == "AAAA":
        return ip_text(bytes(data.data))
    if kind in ("CNAME", "NS", "PTR"):
        return name_text(data.label)
    if kind == "MX":
        return f"{data.preference} {name_text(data.label)}"
    if kind == "SRV":
        return f"{data.priority} {data.weight} {data.port} {name_text(data.target)}"
    if kind == "SOA":
        numbers = " ".join(map(str, data.times))
        return f"{name_text(data.mname)} {name_text(data.rname)} {numbers}"
    if kind == "TXT":
        return " ".join(_quoted(part) for part in data.data)
    return str(data.toZone())


def _quoted(text: bytes) -> str:
    shown = (
        f"\\{chr(byte)}" if byte in b'"\\' else chr(byte) if 32 <= byte < 127 else f"\\{byte:03d}"
        for byte in text
    )
    return f'"{"".join(shown)}"'
