"""Marking a packet instead of dropping it: Congestion Experienced (RFC 3168)."""

from __future__ import annotations

_IPV4, _IPV6 = b"\x08\x00", b"\x86\xdd"
_AT = 14
_CE, _NOT_CAPABLE = 3, 0


def with_ce(data: bytes) -> bytes | None:
    """A frame with the mark; None if its sender does not know ECN, or it is no IP packet."""
    kind = data[12:14]
    if kind == _IPV4 and len(data) >= _AT + 20:
        return _ipv4_with_ce(data)
    if kind == _IPV6 and len(data) >= _AT + 40:
        field = data[_AT + 1] >> 4 & 3
        if field == _NOT_CAPABLE:
            return None
        return data[: _AT + 1] + bytes((data[_AT + 1] | _CE << 4,)) + data[_AT + 2 :]
    return None


def _ipv4_with_ce(data: bytes) -> bytes | None:
    tos = data[_AT + 1]
    if tos & 3 in (_NOT_CAPABLE, _CE):
        return data if tos & 3 == _CE else None
    marked = tos | _CE
    # RFC 1624: what is added to a word is taken from the checksum.
    total = (~(data[_AT + 10] << 8 | data[_AT + 11]) & 0xFFFF) + marked - tos
    check = ~((total & 0xFFFF) + (total >> 16)) & 0xFFFF
    return (
        data[: _AT + 1]
        + bytes((marked,))
        + data[_AT + 2 : _AT + 10]
        + check.to_bytes(2, "big")
        + data[_AT + 12 :]
    )
