"""Where the recordings of real systems are."""

from __future__ import annotations

import os
from pathlib import Path


def oracle_path(*parts: str) -> Path | None:
    """A file or folder of the oracle, or None where there is none."""
    root = os.environ.get("VNET_ORACLE")
    path = Path(root, *parts) if root else None
    return path if path and path.exists() else None
