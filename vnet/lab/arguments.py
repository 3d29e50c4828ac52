"""What the calls of a lab take, held against what can be. All raise :class:`UsageError`."""

from __future__ import annotations

from vnet.base.errors import UsageError
from vnet.base.units import parse_duration_ns


def duration_ns(text: str) -> int:
    """A time, written as in topology files: ``"200ms"``."""
    try:
        return parse_duration_ns(text)
    except (ValueError, TypeError, AttributeError):
        raise UsageError(f"{text!r} is not a duration", 'write it as "200ms"') from None


def within(what: str, value: int, least: int, most: int) -> int:
    """A whole number from ``least`` to ``most``."""
    if type(value) is not int or not least <= value <= most:
        raise UsageError(f"a {what} of {value!r} cannot be", f"a whole number, {least} to {most}")
    return value


def spelt(what: str, value: str) -> str:
    """A text, and nothing else that was passed for one."""
    if not isinstance(value, str):
        raise UsageError(f"a {what} of {value!r} cannot be", "it is a text")
    return value
