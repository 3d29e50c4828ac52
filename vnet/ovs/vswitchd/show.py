"""The configuration as ``ovs-vsctl show`` prints it: bridges, ports, interfaces."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping

from vnet.ovs.vswitchd.config import BridgePortConfig, InterfaceConfig, SwitchConfig

_PLAIN = re.compile(r"[A-Za-z_][A-Za-z_.0-9-]*")
_INDENT = " " * 4


def show_config(config: SwitchConfig, uuid: str) -> Iterator[str]:
    """``uuid`` names the configuration. What comes in sets is in the order in which it came, which
    the database does not keep."""
    yield uuid
    for bridge in config.bridges:
        yield f"{_INDENT}Bridge {_text(bridge.name)}"
        if bridge.fail_mode is not None:
            yield f"{_INDENT * 2}fail_mode: {bridge.fail_mode}"
        if bridge.datapath_type:
            yield f"{_INDENT * 2}datapath_type: {_text(bridge.datapath_type)}"
        for port in bridge.all_ports:
            yield from (f"{_INDENT * 2}{line}" for line in _port(port))


def _port(port: BridgePortConfig) -> Iterator[str]:
    yield f"Port {_text(port.name)}"
    if port.tag is not None:
        yield f"{_INDENT}tag: {port.tag}"
    if port.trunks:
        yield f"{_INDENT}trunks: [{', '.join(map(str, sorted(port.trunks)))}]"
    for interface in port.interfaces:
        yield from (f"{_INDENT}{line}" for line in _interface(interface))


def _interface(interface: InterfaceConfig) -> Iterator[str]:
    yield f"Interface {_text(interface.name)}"
    if interface.type:
        yield f"{_INDENT}type: {_text(interface.type)}"
    if interface.options:
        yield f"{_INDENT}options: {_map_text(interface.options)}"


def _map_text(options: Mapping[str, str]) -> str:
    pairs = (f"{_text(key)}={_text(value)}" for key, value in sorted(options.items()))
    return f"{{{', '.join(pairs)}}}"


def _text(text: str) -> str:
    """A string of the database, in quotes where it could be taken for something else."""
    is_plain = _PLAIN.fullmatch(text) and text not in ("true", "false")
    return text if is_plain else json.dumps(text)
