"""Where a JSON value in a growing buffer ends: each byte is looked at once or twice."""

from __future__ import annotations

import re

from vnet.ovs.jsonrpc.limits import Limits

_TOKEN = re.compile(rb'"(?:[^"\\]++|\\.)*+"|[\[{]|[\]}]|"', re.DOTALL)
_INSIDE_STRING = re.compile(rb'(?:[^"\\]++|\\.)*+', re.DOTALL)


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
        if self._is_in_string and not self._leave_string(buffer):
            return 0
        for token in _TOKEN.finditer(buffer, self._scanned):
            kind = token[0]
            if kind in (b"[", b"{"):
                self._depth += 1
                if self._depth > self._limits.depth:
                    raise self._limits.too_deep()
            elif kind in (b"]", b"}"):
                self._depth -= 1
                if self._depth == 0:
                    return token.end()
            elif len(kind) == 1:
                self._is_in_string, self._scanned = True, token.end()
                self._leave_string(buffer)
                return 0
        self._scanned = len(buffer)
        return 0

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
