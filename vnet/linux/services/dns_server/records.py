"""Records as a file spells them, and as they stand on the wire.

www.test A 10.0.0.1          test MX 10 mail.test         alias.test CNAME www.test
www.test 300 AAAA fd00::1    _ldap._tcp.test SRV 0 5 389 ldap.test
test TXT "hello world" two   9.0.0.10.in-addr.arpa PTR nine.test
"""

from __future__ import annotations

import re
import shlex
import struct
from collections.abc import Callable, Sequence

from vnet.base.ids import ip_from_text
from vnet.linux.services.dns_server import message
from vnet.linux.services.dns_server.message import emit_name
from vnet.linux.services.dns_server.settings import Record

_LABEL = re.compile("[A-Za-z0-9_]([A-Za-z0-9_-]{0,62})", re.ASCII)
_MOST_NAME_CHARACTERS = 253
_MOST_TEXT_BYTES = 255
_MOST_TTL_S = 0x7FFF_FFFF


def name_from_text(text: str) -> str:
    """A domain name in small letters, without the dot at its end. Raises ``ValueError``."""
    name = text.removesuffix(".")
    if len(name) > _MOST_NAME_CHARACTERS or not all(map(_LABEL.fullmatch, name.split("."))):
        raise ValueError(f"{text!r} is not a domain name")
    return name.lower()


def record_from_text(text: str) -> Record:
    """``NAME [TTL] [IN] TYPE DATA...`` as in a zone file. Raises ``ValueError``."""
    try:
        words = shlex.split(text)
    except ValueError:
        raise ValueError("a quotation mark is not closed") from None
    if len(words) < 3:
        raise ValueError("a record has a name, a type and data")
    name, *rest = words
    ttl_s = None
    if rest[0].isascii() and rest[0].isdecimal():
        ttl_s = int(rest.pop(0))
        if ttl_s > _MOST_TTL_S:
            raise ValueError(f"the time to live {ttl_s} is more than {_MOST_TTL_S}")
    if rest[0].upper() == "IN":
        rest.pop(0)
    if not rest or rest[0].upper() not in _KINDS:
        known = ", ".join(_KINDS)
        raise ValueError(f"{rest[0]!r} is not a type that is served: {known}" if rest else known)
    kind, read = _KINDS[rest[0].upper()]
    return Record(name_from_text(name), kind, read(rest[1:]), ttl_s)


def _only(words: Sequence[str], count: int, shape: str) -> Sequence[str]:
    if len(words) != count:
        raise ValueError(f"the data is {shape}")
    return words


def _address(words: Sequence[str], size: int, shape: str) -> bytes:
    (text,) = _only(words, 1, shape)
    try:
        ip = ip_from_text(text)
    except ValueError:
        ip = None
    if ip is None or len(ip) != size:
        raise ValueError(f"{text!r} is not {shape}")
    return bytes(ip)


def _a(words: Sequence[str]) -> bytes:
    return _address(words, 4, "an IPv4 address")


def _aaaa(words: Sequence[str]) -> bytes:
    return _address(words, 16, "an IPv6 address")


def _name(words: Sequence[str]) -> bytes:
    return emit_name(name_from_text(_only(words, 1, "one name")[0]))


def _mx(words: Sequence[str]) -> bytes:
    preference, target = _only(words, 2, "a preference and a name")
    return _numbers(preference) + emit_name(name_from_text(target))


def _srv(words: Sequence[str]) -> bytes:
    *numbers, target = _only(words, 4, "priority, weight, port and a name")
    return _numbers(*numbers) + emit_name(name_from_text(target))


def _numbers(*texts: str) -> bytes:
    for text in texts:
        if not (text.isascii() and text.isdecimal() and int(text) < 1 << 16):
            raise ValueError(f"{text!r} is not a number up to 65535")
    return struct.pack(f"!{len(texts)}H", *map(int, texts))


def _txt(words: Sequence[str]) -> bytes:
    texts = [word.encode() for word in words]
    if not texts or any(len(text) > _MOST_TEXT_BYTES for text in texts):
        raise ValueError(f"the data is text, {_MOST_TEXT_BYTES} bytes at most in each part")
    return b"".join(bytes((len(text),)) + text for text in texts)


_KINDS: dict[str, tuple[int, Callable[[Sequence[str]], bytes]]] = {
    "A": (message.A, _a),
    "AAAA": (message.AAAA, _aaaa),
    "CNAME": (message.CNAME, _name),
    "MX": (message.MX, _mx),
    "PTR": (message.PTR, _name),
    "SRV": (message.SRV, _srv),
    "TXT": (message.TXT, _txt),
}


def ip_of_reverse_name(name: str) -> bytes | None:
    """The address of ``1.0.0.10.in-addr.arpa`` and its kin; None for other names."""
    labels = name.split(".")
    if labels[-2:] == ["in-addr", "arpa"] and len(labels) == 6:
        parts = [part for part in labels[:4] if part.isdecimal() and len(part) < 4]
        numbers = [int(part) for part in reversed(parts)]
        return bytes(numbers) if len(numbers) == 4 and max(numbers) < 256 else None
    if labels[-2:] == ["ip6", "arpa"] and len(labels) == 34:
        digits = "".join(reversed(labels[:32]))
        return bytes.fromhex(digits) if re.fullmatch("[0-9a-f]{32}", digits) else None
    return None


def reverse_name(ip: bytes) -> str:
    """The name below which the name of an address stands."""
    if len(ip) == 4:
        return ".".join(str(byte) for byte in reversed(ip)) + ".in-addr.arpa"
    return ".".join(reversed(ip.hex())) + ".ip6.arpa"
