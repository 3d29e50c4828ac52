"""The schema that Open vSwitch 3.1.0 comes with."""

from __future__ import annotations

import json
import os
from functools import cache

from vnet.ovs.ovsdb.json_text import Json
from vnet.ovs.ovsdb.schema import DatabaseSchema

_FOLDER = os.path.join(os.path.dirname(__file__), "data")
OPEN_VSWITCH_SCHEMA_FILE = os.path.join(_FOLDER, "vswitch.ovsschema")


@cache
def open_vswitch_schema() -> DatabaseSchema:
    """The ``Open_vSwitch`` schema. All databases share one."""
    return DatabaseSchema.from_json(shipped_schema("vswitch"))


def shipped_schema(name: str) -> Json:
    """The text of a schema in ``data/``, read."""
    with open(os.path.join(_FOLDER, f"{name}.ovsschema"), encoding="utf-8") as file:
        return json.load(file)
