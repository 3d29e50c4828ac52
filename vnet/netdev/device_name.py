"""What the kernel lets devices be called (dev_valid_name() in net/core/dev.c)."""

from __future__ import annotations

MOST_NAME_BYTES = 15
_TAKEN = (".", "..", "all", "default")
"""Not names of files, or those of the settings for all devices."""


def is_device_name(name: str) -> bool:
    """Whether a device may be called so. ``%`` would have the kernel make up a number."""
    fits = 0 < len(name.encode()) <= MOST_NAME_BYTES
    return fits and name not in _TAKEN and not any(c in "/:%" or c.isspace() for c in name)
