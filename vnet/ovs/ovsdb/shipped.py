"""The schema that Open vSwitch 3.1.0 comes with."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

from vnet.ovs.ovsdb.schema import DatabaseSchema

OPEN_VSWITCH_SCHEMA_FILE = Path(__file__).parent / "data" / "vswitch.ovsschema"


@cache
def open_vswitch_schema() -> DatabaseSchema:
    """The ``Open_vSwitch`` schema. All databases share one."""
    text = OPEN_VSWITCH_SCHEMA_FILE.read_text(encoding="utf-8")
    return DatabaseSchema.from_json(json.loads(text))
