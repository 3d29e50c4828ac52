"""Rows as the arguments of ``ovs-vsctl set`` that make them: ``tag=10 trunks=20,30``."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterator, Mapping

from vnet.ovs.ovsdb.shipped import open_vswitch_schema
from vnet.ovs.vswitchd.config import BridgePortConfig
from vnet.ovs.vswitchd.row import Row
from vnet.ovs.vswitchd.to_rows import members

_PLAIN = re.compile(r"[A-Za-z0-9_./-]+")


def settings_text(row: Row) -> str:
    """What differs from a new row. References to other rows and the name are left out."""
    return " ".join(_settings(row))


def qos_commands(port: BridgePortConfig) -> list[str]:
    """The commands that make a port's QoS and its queues, and refer to them."""
    qos = port.qos
    if qos is None:
        return []
    root = f"@{port.name}-qos"
    queues = {number: f"@{port.name}-q{number}" for number in qos.queues}
    created = [f"--id={root} create qos", settings_text(qos)]
    created += [f"queues:{number}={row_id}" for number, row_id in queues.items()]
    return [
        f"set port {port.name} qos={root}",
        " ".join(filter(None, created)),
        *(
            # Rows are created with a column at least.
            f"--id={queues[number]} create queue {settings_text(queue) or 'other_config={}'}"
            for number, queue in qos.queues.items()
        ),
    ]


def _settings(row: Row) -> Iterator[str]:
    for column, value in members(open_vswitch_schema(), row):
        known = column.type
        refers = known.key.ref_table or (known.value and known.value.ref_table)
        if refers or not column.is_mutable:
            continue
        if isinstance(value, Mapping):
            for key, item in value.items():
                yield f"{column.name}:{_atom_text(key)}={_atom_text(item)}"
        else:
            atoms = value if isinstance(value, tuple) else (value,)
            yield f"{column.name}={','.join(map(_atom_text, atoms))}"


def _atom_text(atom: object) -> str:
    """An atom as the database's text has it, quoted for that and for a shell where need be."""
    text = str(atom).lower() if isinstance(atom, bool) else str(atom)
    return text if _PLAIN.fullmatch(text) else shlex.quote(json.dumps(text))
