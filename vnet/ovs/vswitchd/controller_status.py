"""What the Controller table says of a controller."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple


class ControllerStatus(NamedTuple):
    """``is_connected``, ``role`` and the pairs of ``status``."""

    is_connected: bool
    role: str | None
    pairs: Mapping[str, str]


NOT_CONNECTED = ControllerStatus(False, None, {})
"""Of one that is waited for, or that is none."""
