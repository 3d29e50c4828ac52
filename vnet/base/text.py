"""Text that comes from files and frames, made fit to be shown.

A name in a topology, or a payload in a capture, may hold control characters, and a terminal
obeys those. Whatever is printed or written about such text goes through here.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

_MAX_QUOTED = 80
_MOST_DIGITS = 4000
_LONG_NUMBER = re.compile(rf"([0-9]{{{_MOST_DIGITS}}})[0-9]+")


def escaped(text: str) -> str:
    """``text`` without quotes, its unprintable characters written as escapes."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else repr(c)[1:-1] for c in text)


def with_readable_numbers(text: str) -> str:
    """``text`` with at most 4000 digits in a row: Python reads no number that has many more, and
    whoever wants one finds either far too large."""
    return _LONG_NUMBER.sub(r"\1", text) if len(text) > _MOST_DIGITS else text


def with_port(host: str, port: int) -> str:
    """A name or address with a port behind it (RFC 5952 section 6: IPv6 in brackets)."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def printable(text: str) -> str:
    """As :func:`escaped`, but lines and tabs stay."""
    if text.isprintable():
        return text
    return "\n".join(
        "\t".join(escaped(part) for part in line.split("\t")) for line in text.split("\n")
    )


def quote(value: object) -> str:
    """``value`` in quotes, unprintable characters escaped, cut to a readable length."""
    text = str(value)
    if len(text) > _MAX_QUOTED:
        text = text[: _MAX_QUOTED - 3] + "..."
    return repr(text)


def one_of(names: Iterable[str], limit: int = 10) -> str:
    """``a, b, c`` for a hint, cut short when there are many."""
    listed = list(names)
    text = ", ".join(escaped(name) for name in listed[:limit])
    return f"{text}, and {len(listed) - limit} more" if len(listed) > limit else text


def did_you_mean(word: str, known: Sequence[str], otherwise: str) -> str:
    """``did you mean 'x'?`` when a known word is close, else ``otherwise: a, b, c``."""
    from difflib import get_close_matches  # Most who import this are never wrong.

    spelt = {name.lower(): name for name in known[:1_000]}
    close = get_close_matches(word[:_MAX_QUOTED].lower(), spelt, n=1, cutoff=0.6)
    if close:
        return f"did you mean {quote(spelt[close[0]])}?"
    return f"{otherwise}: {one_of(known)}" if known else ""
