"""The commands of ovs-vsctl(8): which words and options each takes, and what carries it out."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple, TypeAlias

from vnet.ovs.ovsdb.schema import DatabaseSchema
from vnet.ovs.vsctl.commands import bridges, controllers, ports, records, system
from vnet.ovs.vsctl.context import Command, Context
from vnet.ovs.vsctl.listing import Listing
from vnet.ovs.vsctl.record import Record
from vnet.ovs.vsctl.show import show

Printed: TypeAlias = "str | Listing | Record | None"
"""What a command prints: a text, rows, the UUID that a new row will get, or nothing."""


class Syntax(NamedTuple):
    """How many words a command takes after its name (``most`` None: any number), and options.

    An option with ``=`` behind its name takes a value. ``check`` looks at the names in it before
    any command of the line is carried out.
    """

    run: Callable[[Context, Command], Printed]
    words: str
    least: int
    most: int | None
    options: tuple[str, ...] = ()
    check: Callable[[DatabaseSchema, Command], None] | None = None


_MAY = ("--may-exist",)
_IF = ("--if-exists",)
_PROBE = ("--inactivity-probe=",)
_SETTINGS = "[COLUMN[:KEY]=VALUE]..."

COMMANDS: dict[str, Syntax] = {
    "init": Syntax(system.init, "", 0, 0),
    "show": Syntax(show, "", 0, 0),
    "emer-reset": Syntax(system.reset, "", 0, 0),
    # bridges
    "add-br": Syntax(bridges.add_bridge, "BRIDGE [PARENT VLAN]", 1, 3, _MAY),
    "del-br": Syntax(bridges.delete_bridge, "BRIDGE", 1, 1, _IF),
    "list-br": Syntax(bridges.list_bridges, "", 0, 0, ("--real", "--fake")),
    "br-exists": Syntax(bridges.check_bridge, "BRIDGE", 1, 1),
    "br-to-vlan": Syntax(bridges.show_vlan, "BRIDGE", 1, 1),
    "br-to-parent": Syntax(bridges.show_parent, "BRIDGE", 1, 1),
    "br-set-external-id": Syntax(bridges.set_external_id, "BRIDGE KEY [VALUE]", 2, 3),
    "br-get-external-id": Syntax(bridges.show_external_ids, "BRIDGE [KEY]", 1, 2),
    # ports, bonds, interfaces
    "list-ports": Syntax(ports.list_ports, "BRIDGE", 1, 1),
    "add-port": Syntax(ports.add_port, f"BRIDGE PORT {_SETTINGS}", 2, None, _MAY),
    "del-port": Syntax(ports.delete_port, "[BRIDGE] PORT", 1, 2, (*_IF, "--with-iface")),
    "port-to-br": Syntax(ports.show_bridge_of_port, "PORT", 1, 1),
    "add-bond": Syntax(
        ports.add_bond, f"BRIDGE BOND IFACE... {_SETTINGS}", 4, None, (*_MAY, "--fake-iface")
    ),
    "add-bond-iface": Syntax(ports.add_bond_interface, "BOND IFACE", 2, 2, _MAY),
    "del-bond-iface": Syntax(ports.delete_bond_interface, "[BOND] IFACE", 1, 2, _IF),
    "list-ifaces": Syntax(ports.list_interfaces, "BRIDGE", 1, 1),
    "iface-to-br": Syntax(ports.show_bridge_of_interface, "IFACE", 1, 1),
    # controllers, managers, SSL
    "get-controller": Syntax(controllers.show_controllers, "BRIDGE", 1, 1),
    "del-controller": Syntax(controllers.delete_controllers, "BRIDGE", 1, 1),
    "set-controller": Syntax(controllers.set_controllers, "BRIDGE TARGET...", 1, None, _PROBE),
    "get-fail-mode": Syntax(controllers.show_fail_mode, "BRIDGE", 1, 1),
    "del-fail-mode": Syntax(controllers.delete_fail_mode, "BRIDGE", 1, 1),
    "set-fail-mode": Syntax(controllers.set_fail_mode, "BRIDGE MODE", 2, 2),
    "get-manager": Syntax(controllers.show_managers, "", 0, 0),
    "del-manager": Syntax(controllers.delete_managers, "", 0, 0),
    "set-manager": Syntax(controllers.set_managers, "TARGET...", 1, None, _PROBE),
    "get-ssl": Syntax(controllers.show_ssl, "", 0, 0),
    "del-ssl": Syntax(controllers.delete_ssl, "", 0, 0),
    "set-ssl": Syntax(
        controllers.set_ssl, "PRIVATE-KEY CERTIFICATE CA-CERT", 3, 3, ("--bootstrap",)
    ),
    # Auto Attach, connection tracking, datapaths
    "add-aa-mapping": Syntax(system.add_mapping, "BRIDGE I-SID VLAN", 3, 3),
    "del-aa-mapping": Syntax(system.delete_mapping, "BRIDGE I-SID VLAN", 3, 3),
    "get-aa-mapping": Syntax(system.show_mappings, "BRIDGE", 1, 1),
    "add-zone-tp": Syntax(
        system.add_zone, "DATAPATH zone=ZONE [TIMEOUT=SECONDS]...", 3, None, _MAY
    ),
    "del-zone-tp": Syntax(system.delete_zone, "DATAPATH zone=ZONE", 2, 2, _IF),
    "list-zone-tp": Syntax(system.list_zones, "DATAPATH", 1, 1),
    "list-dp-cap": Syntax(system.list_capabilities, "DATAPATH", 1, 1),
    # any row
    "comment": Syntax(system.comment, "[ARG]...", 0, None),
    "get": Syntax(
        records.get,
        "TABLE RECORD [COLUMN[:KEY]]...",
        2,
        None,
        (*_IF, "--id="),
        records.check_settings,
    ),
    "list": Syntax(
        records.list_records,
        "TABLE [RECORD]...",
        1,
        None,
        (*_IF, "--columns="),
        records.check_listed,
    ),
    "find": Syntax(
        records.find_records,
        f"TABLE {_SETTINGS}",
        1,
        None,
        ("--columns=",),
        records.check_listed,
    ),
    "set": Syntax(
        records.set_columns,
        "TABLE RECORD COLUMN[:KEY]=VALUE...",
        3,
        None,
        _IF,
        records.check_settings,
    ),
    "add": Syntax(
        records.add_values,
        "TABLE RECORD COLUMN [KEY=]VALUE...",
        4,
        None,
        _IF,
        records.check_column,
    ),
    "remove": Syntax(
        records.remove_values,
        "TABLE RECORD COLUMN KEY|VALUE|KEY=VALUE...",
        4,
        None,
        _IF,
        records.check_column,
    ),
    "clear": Syntax(
        records.clear_columns, "TABLE RECORD COLUMN...", 3, None, _IF, records.check_columns
    ),
    "create": Syntax(
        records.create, "TABLE COLUMN[:KEY]=VALUE...", 2, None, ("--id=",), records.check_table
    ),
    "destroy": Syntax(
        records.destroy, "TABLE [RECORD]...", 1, None, (*_IF, "--all"), records.check_table
    ),
    "wait-until": Syntax(
        records.wait_until, f"TABLE RECORD {_SETTINGS}", 2, None, (), records.check_settings
    ),
}
