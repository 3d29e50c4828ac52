"""A daemon over a database in this process, set up by transactions."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from typing import Any

from benchmarks.dummy_device import RememberingDevice
from vnet.base.ids import Mac
from vnet.netdev.device import NetDevice
from vnet.ovs.datapath.datapath import Datapath
from vnet.ovs.ovsdb.atoms import Uuid
from vnet.ovs.ovsdb.database import Database
from vnet.ovs.ovsdb.row import Row
from vnet.ovs.ovsdb.shipped import open_vswitch_schema
from vnet.ovs.ovsdb.view import LocalView
from vnet.ovs.vlog.level import Destination
from vnet.ovs.vlog.vlog import Vlog
from vnet.ovs.vswitchd.config import BridgeConfig, InterfaceConfig
from vnet.ovs.vswitchd.daemon import Abilities, Daemon
from vnet.sim.scheduler import Scheduler

Columns = dict[str, Any]


class Lines:
    """The lines of a log: module, level, message."""

    program, pid, host = "ovs-vswitchd", 1, "test"

    def __init__(self) -> None:
        self.lines: list[str] = []

    def wall_ms(self) -> int:
        return 0

    def monotonic_ms(self) -> int:
        return 0

    def write(self, line: str) -> None:
        self.lines.append(line.rstrip())


def logged(pattern: str = "%c|%p|%m") -> tuple[Vlog, Lines]:
    """A log, and the lines that its file would get."""
    lines = Lines()
    vlog = Vlog(lines)
    vlog.set_pattern(Destination.FILE, pattern)
    vlog.set_sink(Destination.FILE, lines)
    return vlog, lines


class RowSwitch:
    """Types ``dummy`` and ``internal`` have devices; a ``system`` one only by a name that begins
    with ``eth``."""

    def __init__(self, *, in_order: bool = False, abilities: Abilities | None = None) -> None:
        drawn = random.Random(1)
        self.scheduler = Scheduler()
        self.devices: dict[str, RememberingDevice] = {}
        self.database = Database(
            open_vswitch_schema(), new_uuid=lambda: Uuid.from_bytes(drawn.randbytes(16))
        )
        vlog, self.log = logged()
        self.daemon = Daemon(
            self.scheduler,
            Datapath(self.scheduler, "ovs-dummy"),
            self,
            LocalView(self.database),
            abilities=abilities,
            vlog=vlog,
            in_order=in_order,
        )
        self.vswitchd = self.daemon.vswitchd
        self.transact({"op": "insert", "table": "Open_vSwitch", "row": {}})

    # -- devices

    def open(self, _bridge: BridgeConfig, interface: InterfaceConfig) -> NetDevice | None:
        name = interface.name
        if interface.type in ("", "system") and not name.startswith("eth"):
            return None
        mac = Mac(bytes((0xAA, 0x55, 0xAA, 0x55, 0, len(self.devices))))
        self.devices[name] = device = RememberingDevice(self.scheduler, name, mac)
        return device

    def close(self, device: NetDevice, interface: InterfaceConfig) -> None:
        assert self.devices.pop(interface.name) is device

    def configure(self, device: NetDevice, interface: InterfaceConfig) -> None:
        if interface.mtu_request is not None:
            device.mtu_bytes = interface.mtu_request

    # -- the database

    def transact(self, *operations: Columns) -> None:
        """Carry out a transaction, which must find nothing wrong."""
        results = self.database.execute(list(operations))
        assert isinstance(results, list)
        wrong = [result for result in results if result and "error" in result]
        assert not wrong, wrong

    def add_bridge(self, name: str, *ports: Columns, **columns: object) -> None:
        """Add a bridge with its local port and others."""
        local = {"name": name, "type": "internal"}
        self.transact(
            *port_operations(local, *ports),
            {
                "op": "insert",
                "table": "Bridge",
                "uuid-name": "bridge",
                "row": {
                    "name": name,
                    "datapath_type": "dummy",
                    "ports": named_ports(1 + len(ports)),
                    **columns,
                },
            },
            mutate("Open_vSwitch", "bridges", "insert", ["named-uuid", "bridge"]),
            CONFIGURED,
        )

    def add_ports(self, bridge: str, *ports: Columns) -> None:
        """Add ports, each of one interface of these columns."""
        self.transact(
            *port_operations(*ports),
            mutate("Bridge", "ports", "insert", named_ports(len(ports)), name=bridge),
            CONFIGURED,
        )

    def delete_port(self, bridge: str, name: str) -> None:
        """Take a port out of its bridge."""
        uuid = ["uuid", self.row("Port", name).uuid]
        self.transact(mutate("Bridge", "ports", "delete", uuid, name=bridge), CONFIGURED)

    def set(self, table: str, name: str, **columns: object) -> None:
        """Set columns of a row."""
        where = [["name", "==", name]] if name != "." else []
        self.transact({"op": "update", "table": table, "where": where, "row": columns}, CONFIGURED)

    def rows(self, table: str) -> Iterator[Row]:
        """All rows of a table."""
        return iter(self.database.tables[table].rows.values())

    def row(self, table: str, name: str) -> Row:
        """A row by its name."""
        return next(row for row in self.rows(table) if row.columns["name"] == (name,))

    def get(self, table: str, name: str, *columns: str) -> Any:
        """A column, or several: an atom, None, a tuple, or a dict for a map."""
        row = next(self.rows(table)) if name == "." else self.row(table, name)
        schema = self.database.schema.tables[table].columns
        found: list[Any] = []
        for column in columns:
            datum, kind = row.columns[column], schema[column].type
            if kind.is_map:
                found.append(dict(datum))
            else:
                found.append(next(iter(datum), None) if kind.n_max == 1 else datum)
        return found[0] if len(columns) == 1 else found

    def numbers(self, bridge: str = "br0") -> dict[str, int]:
        """OpenFlow port numbers by name."""
        ports = self.vswitchd.bridges[bridge].ports.values()
        return {port.name: port.number for port in ports}


CONFIGURED: Columns = {
    "op": "mutate",
    "table": "Open_vSwitch",
    "where": [],
    "mutations": [["next_cfg", "+=", 1]],
}
"""What a client adds that wants to know when its changes are in force."""


def mutate(table: str, column: str, how: str, value: object, **where: object) -> Columns:
    """An operation that changes one column of rows."""
    clauses = [[name, "==", wanted] for name, wanted in where.items()]
    return {
        "op": "mutate",
        "table": table,
        "where": clauses,
        "mutations": [[column, how, value]],
    }


def port_operations(*ports: Mapping[str, object]) -> Iterator[Columns]:
    """Operations that make ports ``port0``, ``port1``, ... of one interface each."""
    for number, interface in enumerate(ports):
        yield {
            "op": "insert",
            "table": "Interface",
            "uuid-name": f"interface{number}",
            "row": interface,
        }
        yield {
            "op": "insert",
            "table": "Port",
            "uuid-name": f"port{number}",
            "row": {"name": interface["name"], "interfaces": ["named-uuid", f"interface{number}"]},
        }


def named_ports(n: int) -> list[object]:
    """The set of them."""
    return ["set", [["named-uuid", f"port{number}"] for number in range(n)]]


def dummy(name: str, **columns: object) -> Columns:
    """The columns of a dummy interface."""
    return {"name": name, "type": "dummy", **columns}
