"""The numbers of qdiscs and classes: ``1:`` and ``1:10``, 16 bits and 16 bits, in hexadecimal."""

from __future__ import annotations

import re

ROOT = 0xFFFFFFFF
INGRESS = 0xFFFFFFF1
"""Where what comes in is judged: the parent of the qdisc ``ffff:``."""
INGRESS_HANDLE = 0xFFFF0000
CLSACT_INGRESS = 0xFFFFFFF2
"""What ``tc filter`` calls the same place."""

_HEX = re.compile("[0-9A-Fa-f]{1,8}", re.ASCII)
_CLASS = re.compile(f"({_HEX.pattern})?:({_HEX.pattern})?|({_HEX.pattern})", re.ASCII)
_MOST = 0xFFFF


def major(handle: int) -> int:
    """The number of the qdisc, that of the class taken away."""
    return handle & 0xFFFF0000


def minor(handle: int) -> int:
    """The number of the class in its qdisc."""
    return handle & _MOST


def parse_handle(text: str) -> int:
    """A qdisc: ``1:``, or ``1``; ``none`` is 0. Raises ``ValueError``.

    tc reads no further than the colon: ``1:1`` is the qdisc ``1:``.
    """
    if text == "none":
        return 0
    number = text.partition(":")[0]
    if _HEX.fullmatch(number) is None or int(number, 16) > _MOST:
        raise ValueError(text)
    return int(number, 16) << 16


def parse_class(text: str) -> int:
    """A class: ``1:10``, ``:10``, ``root`` or ``none``. Raises ``ValueError``."""
    if text in ("root", "none"):
        return ROOT if text == "root" else 0
    found = _CLASS.fullmatch(text)
    if found is None:
        raise ValueError(text)
    if found[3] is not None:
        return int(found[3], 16)
    return _numbers(found[1], found[2])


def _numbers(before: str | None, behind: str | None) -> int:
    first, second = int(before or "0", 16), int(behind or "0", 16)
    if first > _MOST or second > _MOST:
        raise ValueError(f"{before}:{behind}")
    return first << 16 | second


def handle_text(handle: int) -> str:
    """``1:``, or ``8001:``."""
    return f"{handle >> 16:x}:"


def class_text(handle: int) -> str:
    """``1:10``, ``1:``, ``:10``, ``root`` or ``none``."""
    if handle in (ROOT, 0):
        return "root" if handle else "none"
    before = f"{handle >> 16:x}" if major(handle) else ""
    behind = f"{minor(handle):x}" if minor(handle) else ""
    return f"{before}:{behind}"
