"""Databases of Open vSwitch for tests."""

from __future__ import annotations

import shlex
from collections.abc import Sequence

from vnet.base.chance import Chance
from vnet.ovs.ovsdb.atoms import Uuid
from vnet.ovs.ovsdb.database import Database
from vnet.ovs.ovsdb.shipped import open_vswitch_schema
from vnet.ovs.ovsdb.view import LocalView
from vnet.ovs.vsctl.run import run_vsctl
from vnet.ovs.vswitchd.config import SwitchConfig
from vnet.ovs.vswitchd.from_rows import ConfigReader


def empty_database() -> LocalView:
    """A database with nothing in it, whose UUIDs are always the same."""
    chance = Chance(1).stream("uuids")
    schema = open_vswitch_schema()
    return LocalView(Database(schema, new_uuid=lambda: Uuid.from_bytes(chance.randbytes(16))))


def configured(*command_lines: str | Sequence[str]) -> SwitchConfig:
    """What command lines of ovs-vsctl make of an empty database, in the order of their coming."""
    view = empty_database()
    reader = ConfigReader(view, in_order=True)
    view.on_commit(reader.note)
    for line in command_lines:
        run_vsctl(view, shlex.split(line) if isinstance(line, str) else line)
    return reader.config()
