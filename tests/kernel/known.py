"""Differences from the kernel that are known, each with its reason."""

from __future__ import annotations

import json
from pathlib import Path

_FILE = Path(__file__).with_name("known_differences.json")


def known_steps(kind: str, seed: int) -> set[int]:
    """The steps of a case in which vnet does not do what the kernel does."""
    entries = json.loads(_FILE.read_text())
    assert all(entry["why"] for entry in entries)
    return {e["step"] for e in entries if (e["kind"], e["seed"]) == (kind, seed)}
