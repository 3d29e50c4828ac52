"""The rows of a machine's switches, as whoever builds a lab changes them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from vnet.base.errors import UsageError
from vnet.ovs.ovsdb.json_text import Json
from vnet.ovs.ovsdb.row import Row
from vnet.ovs.ovsdb.view import LocalView
from vnet.ovs.vswitchd.config import BridgeConfig, BridgePortConfig, MirrorConfig, SwitchConfig
from vnet.ovs.vswitchd.to_rows import Insertions

_ROOT = "Open_vSwitch"


class SwitchRows:
    """Gathers changes, for one transaction at a time. ``config`` tells what the rows say.

    A mirror may name ports that are yet to come. The database cannot keep that, so it is kept
    here, and the mirror refers to a port as soon as there is one of that name.
    """

    def __init__(self, view: LocalView, config: Callable[[], SwitchConfig]) -> None:
        self._view = view
        self._config = config
        self._mirrors: dict[str, tuple[MirrorConfig, ...]] = {}
        self._indexed: SwitchConfig | None = None
        self._ports: dict[str, tuple[str, BridgePortConfig]] = {}
        self._start()
        self._transact([{"op": "insert", "table": _ROOT, "row": {}}])

    def _start(self) -> None:
        self._rows = Insertions(self._view.schema)
        self._new_bridges: list[Json] = []
        self._new_ports: dict[str, list[Json]] = {}
        self._comers: dict[str, tuple[str, BridgePortConfig]] = {}

    # -- changes

    def add_bridge(self, config: BridgeConfig) -> None:
        """A bridge comes, with its ports."""
        self._mirrors[config.name] = config.mirrors
        self._new_bridges.append(self._rows.insert(config))

    def add_port(self, bridge: str, port: BridgePortConfig) -> None:
        """A port comes."""
        self._new_ports.setdefault(bridge, []).append(self._rows.insert(port))
        for interface in port.interfaces:
            self._comers[interface.name] = bridge, port

    def remove_port(self, bridge: str, port: BridgePortConfig, device: str) -> None:
        """A device goes from a port, and the port with the last."""
        (interface,) = (each for each in port.interfaces if each.name == device)
        if len(port.interfaces) > 1:
            where: Json = [["_uuid", "==", ["uuid", port.identity]]]
            self._mutate("Port", where, "interfaces", "delete", [["uuid", interface.identity]])
        else:
            where = [["name", "==", bridge]]
            self._mutate("Bridge", where, "ports", "delete", [["uuid", port.identity]])

    def _mutate(self, table: str, where: Json, column: str, mutator: str, rows: list[Json]) -> None:
        mutation = [column, mutator, ["set", rows]]
        operation = {"op": "mutate", "table": table, "where": where, "mutations": [mutation]}
        self._rows.operations.append(operation)

    def commit(self) -> list[str]:
        """Carry out what was gathered; the interfaces that have come, by name."""
        if self._new_bridges:
            self._mutate(_ROOT, [], "bridges", "insert", self._new_bridges)
        for bridge, ports in self._new_ports.items():
            self._mutate("Bridge", [["name", "==", bridge]], "ports", "insert", ports)
        operations, names = self._rows.operations, list(self._new_ports)
        comers = list(self._comers)
        self._start()
        self._transact(operations)
        self._transact([op for bridge in names for op in self._fill_mirrors(bridge, comers)])
        return comers

    def _transact(self, operations: list[Json]) -> None:
        results: list[Any] = []
        if operations:
            self._view.transact(operations, results.extend)
        for result in results:
            if result and "error" in result:
                raise UsageError(result.get("details", result["error"]))

    def _fill_mirrors(self, bridge: str, comers: list[str]) -> Iterator[Json]:
        """Have a bridge's mirrors refer to the ports that have come."""
        wanted = {mirror.name: mirror for mirror in self._mirrors.get(bridge, ())}
        if not wanted:
            return
        row = self._bridge_row(bridge)
        ports = {p.columns["name"][0]: p.uuid for p in self._referred("Port", row, "ports")}
        come = {name: uuid for name, uuid in ports.items() if name in comers}
        for mirror in self._referred("Mirror", row, "mirrors"):
            config = wanted.get(mirror.columns["name"][0])
            if config is None:
                continue
            outputs = () if config.output_port is None else (config.output_port,)
            named = {
                "select_src_port": config.select_src_port,
                "select_dst_port": config.select_dst_port,
                "output_port": outputs,
            }
            mutations = [
                [column, "insert", ["set", [["uuid", come[name]] for name in names]]]
                for column, names in (
                    (column, [name for name in names if name in come])
                    for column, names in named.items()
                )
                if names
            ]
            if mutations:
                where = [["_uuid", "==", ["uuid", mirror.uuid]]]
                yield {"op": "mutate", "table": "Mirror", "where": where, "mutations": mutations}

    def _bridge_row(self, name: str) -> Row:
        rows = self._view.rows("Bridge").values()
        return next(row for row in rows if row.columns["name"] == (name,))

    def _referred(self, table: str, row: Row, column: str) -> Iterator[Row]:
        rows = self._view.rows(table)
        return (rows[uuid] for uuid in row.columns[column])

    # -- what there is

    def port_of(self, device: str) -> tuple[str, BridgePortConfig] | None:
        """The port that a device is behind, with its bridge before it; a bridge's own is none."""
        if self._indexed is not self._config():
            self._indexed = self._config()
            self._ports = {
                interface.name: (bridge.name, port)
                for bridge in self._indexed.bridges
                for port in bridge.ports
                if port.name != bridge.name
                for interface in port.interfaces
            }
        return self._comers.get(device) or self._ports.get(device)
