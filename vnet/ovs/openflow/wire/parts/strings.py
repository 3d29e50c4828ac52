"""Names in fields of a fixed length, which end with a zero byte."""

from __future__ import annotations


def fixed_text(text: str, n_bytes: int) -> bytes:
    """A text in so many bytes, cut where it is longer; at least one zero byte ends it."""
    return text.encode("utf-8", "surrogateescape")[: n_bytes - 1].ljust(n_bytes, b"\0")


def text_of(data: bytes, n_bytes: int) -> str:
    """The text in a field; bytes that are no UTF-8 stand for themselves."""
    return data[: n_bytes - 1].partition(b"\0")[0].decode("utf-8", "surrogateescape")
