"""``vnet new``: a topology file of one's own, from a shipped one."""

from __future__ import annotations

import json
import re
from pathlib import Path

from vnet.base.errors import StorageError, UsageError
from vnet.lab.shipped import resolve
from vnet.topology.schema.topology import json_schema

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}")


def create_topology(folder: Path, name: str, example: str) -> Path:
    """Write ``NAME.yaml`` and, for the editor, ``vnet.schema.json`` beside it.

    An existing topology file is never overwritten.
    """
    stem = name.removesuffix(".yaml")
    if not _NAME.fullmatch(stem):
        raise UsageError(
            f"{name!r} cannot be a lab's name", "use letters, digits, dots, dashes, underscores"
        )
    source = resolve("@" + example.removeprefix("@"))
    text = re.sub(r"(?m)^name: .*$", f"name: {stem}", source.read_text(encoding="utf-8"), count=1)
    path = folder / f"{stem}.yaml"
    schema = folder / "vnet.schema.json"
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
        if not schema.exists():
            schema.write_text(json.dumps(json_schema(), indent=2, ensure_ascii=False) + "\n")
    except FileExistsError:
        raise UsageError(f"{path} exists already", "choose another name") from None
    except OSError as error:
        raise StorageError(f"cannot write {error.filename}: {error.strerror}") from None
    return path
