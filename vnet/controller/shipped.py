"""The apps that come with vnet: ``@learning-switch`` and its like."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

from vnet.base.errors import UsageError
from vnet.base.text import did_you_mean, escaped


def shipped_apps() -> dict[str, Path]:
    """Every shipped app by name."""
    folder = Path(str(files("vnet.controller"))) / "apps"
    found = sorted(folder.glob("[a-z]*.py"))
    return {path.stem.replace("_", "-"): path for path in found}


def resolve_app(path: str | Path) -> Path:
    """``@name`` to the file of a shipped app; anything else is a path already."""
    text = str(path)
    if not text.startswith("@"):
        return Path(path)
    known = shipped_apps()
    if text[1:] not in known:
        hint = did_you_mean(text[1:], list(known), "there are")
        raise UsageError(f"no shipped app {escaped(text)}", hint)
    return known[text[1:]]
