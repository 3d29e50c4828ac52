"""JSON values as the bytes Open vSwitch would write: compact, in UTF-8."""

from __future__ import annotations

import json
from typing import Any

from vnet.ovs.jsonrpc.errors import JsonRpcError

_ENCODER = json.JSONEncoder(
    ensure_ascii=False, check_circular=False, allow_nan=False, separators=(",", ":")
)
encode_text = _ENCODER.encode
"""A value as text, for the log or to be put into a larger text."""


def encode(value: Any) -> bytes:
    """A value as bytes. Raises :class:`JsonRpcError` where it is nested too deeply."""
    try:
        return encode_text(value).encode("utf-8", "surrogateescape")
    except RecursionError:
        raise JsonRpcError("output is nested too deeply") from None
