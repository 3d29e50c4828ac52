"""Strings that are no text. Bytes that are not UTF-8 arrive as lone surrogates (PEP 383)."""

from __future__ import annotations

from vnet.ovs.ovsdb.errors import constraint_violation

_NOTHING_FOLLOWS = b"\0"


def check_utf8(text: str) -> None:
    """Raise a constraint violation for bytes that are not UTF-8, up to the one that is wrong."""
    try:
        text.encode()
    except UnicodeEncodeError:
        raise constraint_violation(
            f"not a valid UTF-8 string: invalid UTF-8 sequence{_wrong_bytes(text)}"
        ) from None


def _wrong_bytes(text: str) -> str:
    try:
        octets = text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        octets = text.encode("utf-8", "surrogatepass")
    try:
        octets.decode()
    except UnicodeDecodeError as fault:
        is_start = fault.reason == "invalid start byte"
        end = fault.start + 1 if is_start else fault.end + 1
        wrong = (octets + _NOTHING_FOLLOWS)[fault.start : end]
        return "".join(f" {octet:#04x}" for octet in wrong)
    raise AssertionError("these bytes are UTF-8 after all")
