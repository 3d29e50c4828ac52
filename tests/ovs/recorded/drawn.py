"""What the real switch draws anew each time, taken out of what it shows.

Addresses of dummy ports and numbers for frames that are looked up again are counted up for as long
as the daemon runs.
"""

from __future__ import annotations

import re

from vnet.wire import bpdu

_SLOW_PROTOCOLS = b"\x88\x09"
_SOURCE = slice(6, 12)
_TYPE = slice(12, 14)

_DRAWN = (
    (re.compile(r"(active member mac: )[0-9a-f:]+"), r"\1*"),
    (re.compile(r"(Recirc-ID : )\d+"), r"\1*"),
    (re.compile(r"(\b(?:active-backup|balance-\w+)\t)\d+\t"), r"\1*\t"),
    (re.compile(r"\brecirc\(0x[0-9a-f]+\)"), "recirc(*)"),
)


def without_own_address(frame: bytes) -> bytes:
    """A frame; of one that the port itself has sent, without that port's address."""
    is_bpdu = frame.startswith(bpdu.TARGET) and frame[14 : bpdu.PAYLOAD_AT] == bpdu.LLC
    if frame[_TYPE] != _SLOW_PROTOCOLS and not is_bpdu:
        return frame
    return frame[: _SOURCE.start] + bytes(6) + frame[_SOURCE.stop :]


def without_drawn_numbers(line: str) -> str:
    """A line of text with stars for what is drawn."""
    for pattern, stars in _DRAWN:
        line = pattern.sub(stars, line)
    return line
