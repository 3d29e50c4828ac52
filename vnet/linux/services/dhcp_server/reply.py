"""What a DHCP server answers, byte by byte: which option finds room where.

The options area has the size that the client said it can take. What does not fit there may go
where the names of the boot file and of the server would stand, with a word to say so (option 52,
RFC 2132 section 9.3).
"""

from __future__ import annotations

from vnet.wire import dhcp
from vnet.wire.dhcp import Dhcp
from vnet.wire.dhcp_options import END, MOST_VALUE_BYTES, OVERLOAD

_PACKET_BYTES = 548
"""A client that does not say takes this much: 576 bytes with the headers of IP and UDP."""
_MOST_PACKET_BYTES = 16_384
_HEADERS_BYTES = 28
_OPTIONS_AT = dhcp.HEADER_BYTES + len(dhcp.COOKIE)
_OVERLOAD_BYTES = 3
_LENGTH_AND_CODE = 2


def room_for(most_message_bytes: int | None) -> int:
    """How many bytes of options there may be, for a client that takes so large a packet."""
    size = _PACKET_BYTES
    if most_message_bytes is not None:
        # dnsmasq counts without a sign: who says 0 takes everything.
        wanted = most_message_bytes - _HEADERS_BYTES
        size = _MOST_PACKET_BYTES if wanted < 0 else wanted
        size = max(_PACKET_BYTES, min(size, _MOST_PACKET_BYTES))
    return size - _OPTIONS_AT


class OptionSpace:
    """The areas of a reply, filled option by option.

    ``agent`` is a relay's own option (82), which goes back to it as the last one.
    """

    def __init__(self, room: int, agent: bytes | None = None) -> None:
        self._agent = agent or b""
        self._room = room - len(self._agent)
        self._options = bytearray()
        self._file: bytearray | None = None
        self._sname: bytearray | None = None
        self._overload_at: int | None = None
        self._may_overload = False
        self.left_out: list[int] = []
        """Options for which there was no room."""

    def allow_overload(self) -> None:
        """From now on the areas of the file and the server may be used."""
        self._may_overload = True
        self._room -= _OVERLOAD_BYTES

    def put(self, code: int, value: bytes) -> bool:
        """Write an option; False if there is no room for it, or its length is beyond a byte."""
        area = self._area_for(len(value)) if len(value) <= MOST_VALUE_BYTES else None
        if area is None:
            self.left_out.append(code)
            return False
        area += bytes((code, len(value))) + value
        return True

    def _area_for(self, length: int) -> bytearray | None:
        if len(self._options) + length + _LENGTH_AND_CODE + 1 < self._room:
            return self._options
        if not self._may_overload:
            return None
        if self._overload_at is None:
            self._overload_at = len(self._options) + _LENGTH_AND_CODE
            self._options += bytes((OVERLOAD, 1, 0))
        needed = length + _LENGTH_AND_CODE + 1
        if self._file is None:
            self._file = bytearray()
            self._options[self._overload_at] |= 1
        if len(self._file) + needed < dhcp.FILE_BYTES:
            return self._file
        if self._sname is None:
            self._sname = bytearray()
            self._options[self._overload_at] |= 2
        return self._sname if len(self._sname) + needed < dhcp.SNAME_BYTES else None

    def packet(self, head: Dhcp) -> bytes:
        """The message, with ``head`` for its fixed part."""
        ended = bytes((END,))
        return dhcp.emit_areas(
            head,
            bytes(self._options) + self._agent + ended,
            b"" if self._file is None else bytes(self._file) + ended,
            b"" if self._sname is None else bytes(self._sname) + ended,
        )
