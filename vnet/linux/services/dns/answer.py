"""Reading whole DNS messages with dnslib, which labs without DNS never import."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dnslib import DNSRecord


def parse_answer(data: bytes) -> DNSRecord | None:
    """A message with all its records; None for bytes that are none."""
    from dnslib import DNSError, DNSRecord
    from dnslib.buffer import BufferError as ShortError
    from dnslib.label import DNSLabelError

    try:
        return DNSRecord.parse(data)
    except (DNSError, ShortError, DNSLabelError, struct.error, ValueError, IndexError):
        return None
    except RecursionError:
        # The library follows names that point to themselves until Python stops it.
        return None
