"""Bytes in, JSON values out: sans-I/O, and linear in the number of bytes however they are cut.

A whole value in one piece, the usual case, goes straight to Python's parser. Of one that comes in
pieces only the brackets are followed until it is whole.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from vnet.ovs.jsonrpc.errors import JsonRpcError
from vnet.ovs.jsonrpc.escapes import check_escapes
from vnet.ovs.jsonrpc.limits import DEFAULT_LIMITS, Limits
from vnet.ovs.jsonrpc.numbers import read_integer, read_real, refuse_constant
from vnet.ovs.jsonrpc.scanner import Scanner

_DECODER = json.JSONDecoder(
    parse_int=read_integer, parse_float=read_real, parse_constant=refuse_constant
)
_SPACE = re.compile(rb"[ \t\n\r]*+")
_LONGEST_CUT_CHARS = 12
"""Of a keyword or escape that the end of the input cuts in two there is less than this."""


class MessageReader:
    """One peer's stream. After a :class:`JsonRpcError` there is nothing left to read.

    Bytes that are no UTF-8 become lone surrogates, which ``encode`` turns back.
    """

    __slots__ = ("_buffer", "_limits", "_scanner")

    def __init__(self, limits: Limits = DEFAULT_LIMITS) -> None:
        self._limits = limits
        self._buffer = bytearray()
        self._scanner = Scanner(limits)

    @property
    def buffered_bytes(self) -> int:
        """How much has come of a value that is not whole."""
        return len(self._buffer)

    def read(self, data: bytes) -> Iterator[Any]:
        """The values that ``data`` completes, in order. Take them all: nothing is read ahead.

        Raises :class:`JsonRpcError`, after those before it, where what comes is no JSON object or
        array, or is too much.
        """
        if not self._buffer and data[:1] == b"{" and self._limits.is_surely_within(data):
            found = _parse_first(data)
            if found is not None:
                value, data = found
                yield value
        self._buffer += data
        while (message := self._next()) is not None:
            yield _parse(message, self._limits)

    def _next(self) -> bytes | None:
        """The next whole value in the buffer, taken out of it."""
        buffer, scanner = self._buffer, self._scanner
        has_begun = scanner.has_begun
        if not has_begun and not self._find_beginning():
            return None
        end = scanner.end_of_value(buffer)
        if max(end, len(buffer) if end == 0 else 0) > self._limits.message_bytes:
            raise self._limits.too_long()
        if end == 0:
            if not has_begun:
                _parse_first(bytes(buffer))
            return None
        message = bytes(buffer[:end])
        del buffer[:end]
        scanner.restart()
        return message

    def _find_beginning(self) -> bool:
        """Drop the space before the next value; whether any of that is there."""
        space = _SPACE.match(self._buffer)
        if space is not None:
            del self._buffer[: space.end()]
        if not self._buffer:
            return False
        if self._buffer[0] not in b"[{":
            raise JsonRpcError("syntax error at beginning of input")
        return True


def _parse(message: bytes, limits: Limits) -> Any:
    """The value that a message is, which is neither too long nor too deep."""
    limits.check_parts(message)
    text = message.decode("utf-8", "surrogateescape")
    if "\\u" in text:
        check_escapes(text)
    try:
        return _DECODER.decode(text)
    except json.JSONDecodeError as error:
        raise JsonRpcError(_sentence(error)) from None
    except RecursionError:
        raise JsonRpcError("input is nested too deeply") from None


def _parse_first(data: bytes) -> tuple[Any, bytes] | None:
    """The value at the beginning and what follows it; None if it is cut.

    Raises :class:`JsonRpcError` for what no continuation could make a value.
    """
    text = data.decode("utf-8", "surrogateescape")
    try:
        value, end = _DECODER.raw_decode(text)
    except json.JSONDecodeError as error:
        is_cut = error.pos + _LONGEST_CUT_CHARS > len(text) or error.msg.startswith("Unterminated")
        if is_cut:
            return None
        raise JsonRpcError(_sentence(error)) from None
    except RecursionError:
        raise JsonRpcError("input is nested too deeply") from None
    if "\\u" in text:
        check_escapes(text[:end])
    rest = b"" if end == len(text) else text[end:].encode("utf-8", "surrogateescape")
    return value, rest


def _sentence(error: json.JSONDecodeError) -> str:
    return f"line {error.lineno - 1}, column {error.colno - 1}, byte {error.pos}: {error.msg}"
