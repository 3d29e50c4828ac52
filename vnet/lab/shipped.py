"""The topologies that come with vnet: ``@two-hosts`` and its like."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

from vnet.base.errors import UsageError
from vnet.base.text import escaped


def shipped_folder() -> Path:
    """Where the shipped topologies are: in the wheel's package, or beside it in a checkout."""
    package = Path(str(files("vnet")))
    inside = package / "topologies"
    return inside if inside.is_dir() else package.parent / "topologies"


def shipped() -> dict[str, Path]:
    """Every shipped topology by name."""
    return {path.stem: path for path in sorted(shipped_folder().glob("*.yaml"))}


def resolve(path: str | Path) -> Path:
    """``@name`` to the file of a shipped topology; anything else is a path already."""
    text = str(path)
    if not text:
        raise UsageError("the name of the topology file is empty")
    if not text.startswith("@"):
        return Path(path)
    known = shipped()
    if text[1:] not in known:
        raise UsageError(f"no shipped topology {escaped(text)}", f"there are @{', @'.join(known)}")
    return known[text[1:]]
