"""Escapes that Python's parser takes and Open vSwitch's does not."""

from __future__ import annotations

import re

from vnet.ovs.jsonrpc.errors import JsonRpcError

_ESCAPE = re.compile(r"\\(?:u([0-9a-fA-F]{4})|.)", re.DOTALL)
_LEADING = range(0xD800, 0xDC00)
_TRAILING = range(0xDC00, 0xE000)


def check_escapes(text: str) -> None:
    r"""Raise :class:`JsonRpcError` for ``\u0000`` and for halves of surrogate pairs."""
    pair_ends_at: int | None = None
    for escape in _ESCAPE.finditer(text):
        code = int(escape[1], 16) if escape[1] else -1
        if code == 0:
            raise JsonRpcError("null bytes not supported in quoted strings")
        is_second_half = escape.start() == pair_ends_at
        if is_second_half != (code in _TRAILING) or (pair_ends_at and not is_second_half):
            raise JsonRpcError("malformed escaped surrogate pair")
        pair_ends_at = escape.end() if code in _LEADING else None
    if pair_ends_at:
        raise JsonRpcError("malformed escaped surrogate pair")
