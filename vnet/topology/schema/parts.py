"""What the models of a topology file are made of, machines and steps alike.

The models are built on first use (``defer_build``), to keep the import cheap.
"""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from vnet.base.units import duration_text


class Part(BaseModel):
    """A map in the file: no key but its own, no value converted behind the author's back."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, defer_build=True)


def server_field() -> Any:
    """Who serves a step, where its target does not."""
    what = (
        "Who serves where the target only translates: a machine, and behind a colon its port where "
        "that is another. Left out, the target."
    )
    return Field(default=None, description=what)


def duration_field(default_ns: int, description: str) -> Any:
    """A field whose default the JSON Schema shows as a file would spell it."""
    shown: dict[str, Any] = {"default": duration_text(default_ns)}
    return Field(default=default_ns, description=description, json_schema_extra=shown)
