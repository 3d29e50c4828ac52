"""Frames cut into fields.

Every byte goes into exactly one field, whatever the frame is: what is not understood is ``data``.
So two frames with the same fields have the same bytes, but for what is compared as labels, and
but for checksums, of which it is compared whether they hold.
"""

from __future__ import annotations

from functools import lru_cache

from vnet.compare.cursor import Cursor, FrameEndsError
from vnet.compare.dissect.ethernet import ethernet
from vnet.compare.field import Field
from vnet.wire.pcapng import LINK_ETHERNET

__all__ = ["dissect"]


@lru_cache(maxsize=16_384)
def dissect(
    data: bytes, link_type: int = LINK_ETHERNET, missing_bytes: int = 0
) -> tuple[Field, ...]:
    """The fields of a frame, of which ``missing_bytes`` at its end were not captured.

    Remembered, because a frame is captured at many points of its way.
    """
    cursor = Cursor(data, missing_bytes)
    if link_type == LINK_ETHERNET:
        try:
            ethernet(cursor)
        except FrameEndsError:
            cursor.end = len(data)
    cursor.rest("data")
    return tuple(cursor.fields)
