"""How the bridges of a host are managed: by brctl(8) if they are Linux's, by others if not.

A host may have bridges of several kinds. What its scripts do with them is the same for all; by
which command they do it, the kind knows.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from vnet.linux.bridge.config import LinuxBridgeConfig
from vnet.linux.netns.namespace import Namespace

if TYPE_CHECKING:
    from vnet.ovs.vswitchd.config import BridgePortConfig


class Bridging(Protocol):
    """The bridges of one kind in a host. A change returns the command line that makes it.

    A device has one master; :class:`~vnet.base.errors.UsageError` where it has one already.
    """

    def add_port(self, bridge: str, device: str, settings: BridgePortConfig | None = None) -> str:
        """``device`` becomes a port; with the ``settings`` that it had elsewhere, if any."""

    def remove_port(self, bridge: str, device: str) -> str:
        """``device`` is a port no longer."""

    def bridge_of(self, device: str) -> str | None:
        """The bridge that ``device`` is a port of, if it is one of this kind."""

    def settings_of(self, device: str) -> BridgePortConfig | None:
        """How the port ``device`` is set up, as far as another bridge can take that over."""


class LinuxBridging:
    """The bridges of a namespace."""

    def __init__(self, namespace: Namespace) -> None:
        self._namespace = namespace
        self._configs: dict[str, LinuxBridgeConfig] = {}

    def set_up(self, bridge: str, config: LinuxBridgeConfig) -> list[str]:
        """Set a fresh bridge up, and its ports as they will come; returns the command lines."""
        self._configs[bridge] = config
        return config.apply(self._namespace.bridges[bridge])

    def add_port(
        self,
        bridge: str,
        device: str,
        settings: BridgePortConfig | None = None,  # noqa: ARG002 (those are of another kind)
    ) -> str:
        """``brctl addif``, and what the bridge's configuration says of the port."""
        self._namespace.enslave(device, bridge)
        found = self._namespace.bridges[bridge]
        port = found.port_of(self._namespace.interface(device).device)
        assert port is not None
        config = self._configs.get(bridge)
        more = [] if config is None else config.apply_to_port(port)
        return " && ".join([f"brctl addif {bridge} {device}", *more])

    def remove_port(self, bridge: str, device: str) -> str:
        """``brctl delif``."""
        self._namespace.release(device)
        return f"brctl delif {bridge} {device}"

    def bridge_of(self, device: str) -> str | None:
        """Its master, if that is a bridge."""
        bridge = self._namespace.master_of(device)
        return None if bridge is None else bridge.device.name

    def settings_of(self, device: str) -> None:  # noqa: ARG002
        """Nothing to take along: a port's settings go by its name on the host it comes to."""
        return
