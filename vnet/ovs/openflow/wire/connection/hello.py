"""Which version two peers speak (OFPT_HELLO, section 6.3.1).

Each says the highest version that it knows, and in a bitmap which ones where some below are
missing. The highest that both know is spoken.
"""

from __future__ import annotations

import struct
from collections.abc import Collection

from vnet.ovs.openflow.wire.errors import error
from vnet.ovs.openflow.wire.message import HELLO, Message, ProtocolError, encode

Versions = Collection[int]

_ELEMENT = struct.Struct("!HH")
_VERSION_BITMAP = 1
_MOST_VERSIONS = 32


def hello(versions: Versions, xid: int) -> bytes:
    """The greeting of somebody who speaks ``versions``."""
    body = b""
    if not _is_unbroken(versions):
        bitmap = sum(1 << version for version in versions)
        body = _ELEMENT.pack(_VERSION_BITMAP, _ELEMENT.size + 4) + bitmap.to_bytes(4, "big")
    return encode(max(versions), HELLO, xid, body)


def negotiate(versions: Versions, greeting: Message) -> int:
    """The version to speak with who sent ``greeting``.

    Raises :class:`ProtocolError` where there is none, with the answer that says so.
    """
    if greeting.type != HELLO or greeting.version == 0:
        text = f"received message while expecting hello: type {greeting.type}"
        raise ProtocolError("vconn", text)
    theirs = versions_of(greeting)
    common = set(theirs).intersection(versions)
    if common:
        return max(common)
    ours_text, theirs_text = _listed(versions), _listed(theirs)
    told = f"We support {ours_text}, you support {theirs_text}, no common versions."
    answer = error(greeting.version, 0, "OFPHFC_INCOMPATIBLE", told.encode())
    text = f"version negotiation failed ({support_text(versions, greeting)})"
    raise ProtocolError("vconn", text, answer)


def support_text(versions: Versions, greeting: Message) -> str:
    """What versions both ends know, as logs say it."""
    theirs = versions_of(greeting)
    return f"we support {_listed(versions)}, peer supports {_listed(theirs)}"


def versions_of(greeting: Message) -> list[int]:
    """The versions that who sent a greeting speaks."""
    body, offset = greeting.body, 0
    while offset + _ELEMENT.size <= len(body):
        kind, n_bytes = _ELEMENT.unpack_from(body, offset)
        if n_bytes < _ELEMENT.size or offset + n_bytes > len(body):
            break
        if kind == _VERSION_BITMAP and n_bytes >= _ELEMENT.size + 4:
            start = offset + _ELEMENT.size
            bitmap = int.from_bytes(body[start : start + 4], "big")
            told = [number for number in range(1, _MOST_VERSIONS) if bitmap >> number & 1]
            if told:
                return told
        offset += n_bytes + -n_bytes % 8
    return list(range(1, min(greeting.version, _MOST_VERSIONS - 1) + 1))


def _is_unbroken(versions: Versions) -> bool:
    return set(versions) == set(range(1, max(versions) + 1))


def _listed(versions: Versions) -> str:
    if len(versions) > 1 and _is_unbroken(versions):
        return f"version 0x{max(versions):02x} and earlier"
    word = "version" if len(versions) == 1 else "versions"
    return f"{word} {', '.join(f'0x{version:02x}' for version in sorted(versions))}"
