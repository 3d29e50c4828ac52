"""What a client is refused in a plain sentence, and how much it may ask for."""

from __future__ import annotations

MOST_OF_A_KIND = 10_000
"""Monitors, locks or waiting transactions that one client may have. (Open vSwitch: any number.)"""


class RefusedError(Exception):
    """A request is refused; ``str()`` is what the client is told."""
