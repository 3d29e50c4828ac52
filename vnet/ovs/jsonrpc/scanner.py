"""Where a JSON value in a growing buffer ends: each byte is looked at once or twice."""

from __future__ import annotations

import re

from vnet.ovs.jsonrpc.brackets import depths
from vnet.ovs.jsonrpc.limits import Limits

_BRACKET = re.compile(rb'(?:[^"\[\]{}]++|"(?:[^"\\]++|\\.)*+")*+([\[\]{}])', re.DOTALL)
_STRING = re.compile(rb'"(?:[^"\\]++|\\.)*+"', re.DOTALL)
_UP_TO_CUT_STRING = re.compile(rb'(?:[^"]++|"(?:[^"\\]++|\\.)*+")*+', re.DOTALL)
_INSIDE_STRING = re.compile(rb'(?:[^"\\]++|\\.)*+', re.DOTALL)
_BLOCK_BYTES = 16 << 10
"""So much is looked at as a whole; the one block with the end in it, bracket by bracket."""


class Scanner:
    """Follows brackets and strings of one value, an object or array, that comes in pieces."""

    __slots__ = ("_depth", "_is_in_string", "_limits", "_scanned")

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._scanned = 0
        self._depth = 0
        self._is_in_string = False

    @property
    def has_begun(self) -> bool:
        """Whether the beginning of the value was there before."""
        return self._scanned > 0

    def restart(self) -> None:
        """The buffer begins with another value."""
        self._scanned = self._depth = 0
        self._is_in_string = False

    def end_of_value(self, buffer: bytearray) -> int:
        """How long the value is, or 0 if the buffer does not have all of it.

        Raises :class:`~vnet.ovs.jsonrpc.errors.JsonRpcError` where it is nested too deeply.
        """
        while self._scanned < len(buffer):
            if self._is_in_string and not self._leave_string(buffer):
                return 0
            begin = self._scanned
            bare, n_whole = _without_strings(bytes(buffer[begin : begin + _BLOCK_BYTES]))
            found = depths(bare, self._depth)
            if 0 in found:
                return self._exact_end(buffer)
            if found:
                if max(found) > self._limits.depth:
                    raise self._limits.too_deep()
                self._depth = found[-1]
            self._scanned = begin + n_whole
            if self._scanned < min(begin + _BLOCK_BYTES, len(buffer)):
                self._is_in_string = True
                self._scanned += 1
        return 0

    def _exact_end(self, buffer: bytearray) -> int:
        """Where the value ends, which is in the next block."""
        for bracket in _BRACKET.finditer(buffer, self._scanned):
            self._depth += 1 if bracket[1] in b"[{" else -1
            if self._depth > self._limits.depth:
                raise self._limits.too_deep()
            if self._depth == 0:
                return bracket.end()
        raise AssertionError("the end was seen")

    def _leave_string(self, buffer: bytearray) -> bool:
        """Go to the end of the string that was begun, if it is there."""
        inside = _INSIDE_STRING.match(buffer, self._scanned)
        assert inside is not None
        self._scanned = inside.end()
        if buffer[self._scanned : self._scanned + 1] != b'"':
            return False
        self._scanned += 1
        self._is_in_string = False
        return True


def _without_strings(block: bytes) -> tuple[bytes, int]:
    """A block's text outside strings, and how much of the block that is with whole strings: all,
    or up to the string that is cut.
    """
    if b"\\" in block:
        whole = _UP_TO_CUT_STRING.match(block)
        assert whole is not None
        return _STRING.sub(b"", whole[0]), whole.end()
    parts = block.split(b'"')
    is_cut = len(parts) % 2 == 0
    return b"".join(parts[::2]), len(block) - (len(parts[-1]) + 1 if is_cut else 0)
