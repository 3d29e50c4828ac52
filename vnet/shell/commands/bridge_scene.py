"""Where a command of ``bridge`` is given, and what its names stand for."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from vnet.base.errors import UsageError
from vnet.base.text import did_you_mean, one_of, quote
from vnet.linux.bridge.bridge import Bridge
from vnet.linux.bridge.port import BridgePort
from vnet.linux.bridge.state import PortState
from vnet.linux.netns.interface import Interface


@dataclass(frozen=True)
class Scene:
    """Where a command is given: a node, with its bridges, devices and the options in front."""

    node: str
    bridges: Mapping[str, Bridge]
    devices: Sequence[str]
    interfaces: Mapping[str, Interface]
    options: Mapping[str, object]

    def bridge(self, name: str) -> Bridge:
        """A bridge by name."""
        if name not in self.bridges:
            hint = did_you_mean(name, list(self.bridges), "it has")
            raise UsageError(f"{self.node} has no bridge {quote(name)}", hint)
        return self.bridges[name]

    def device(self, name: str | None) -> str | None:
        """A device by name, or None for None."""
        if name is not None and name not in self.devices:
            hint = did_you_mean(name, self.devices, "it has")
            raise UsageError(f"{self.node} has no device {quote(name)}", hint)
        return name

    def port(self, name: str) -> BridgePort | None:
        """The port that a device is, or None."""
        self.device(name)
        ports = (port for bridge in self.bridges.values() for port in bridge.ports)
        return next((port for port in ports if port.device.name == name), None)

    def target(self, name: str, flags: Sequence[str]) -> BridgePort:
        """What ``dev NAME master``, ``self`` or neither is about: a port, or a bridge itself."""
        port = self.port(name)
        if port is not None and "self" not in flags:
            return port
        if name in self.bridges and "self" in flags:
            return self.bridges[name].own_port
        hint = f"say self for the bridge {name}" if name in self.bridges else ""
        if port is not None:
            hint = f"say master: {name} is a port, and has nothing of the kind itself"
        raise UsageError(
            "RTNETLINK answers: Operation not supported", hint or f"{name} is no port of a bridge"
        )


Action: TypeAlias = Callable[[Scene, Sequence[str]], str]
"""What is done to an object, given the words behind it."""


def port_state(text: str) -> int:
    """A port's state by name, or by the kernel's number."""
    by_name = {state.name.lower(): state.value for state in PortState}
    if text.lower() in by_name:
        return by_name[text.lower()]
    if text.isascii() and text.isdecimal() and int(text) in by_name.values():
        return int(text)
    raise UsageError("Error: invalid STP port state", f"one of {one_of(by_name)}")
