"""What a Python user holds of a switch."""

from __future__ import annotations

from typing import Any

from vnet.base.errors import UsageError
from vnet.lab.switches import Switch
from vnet.linux.bridge.bridge import Bridge


class SwitchHandle:
    """A bridge in a host, or a switch on the wire."""

    def __init__(self, switch: Switch) -> None:
        self._switch = switch

    @property
    def name(self) -> str:
        return self._switch.name

    @property
    def bridge(self) -> Bridge:
        """The Linux bridge itself."""
        bridge = self._switch.bridge
        if bridge is None:
            raise UsageError(f"{self._switch.label} is no Linux bridge")
        return bridge

    @property
    def ports(self) -> dict[str, int]:
        """The ports by name, with their numbers."""
        return self._switch.ports()

    def fdb(self) -> list[dict[str, Any]]:
        """The stations it knows, as ``bridge fdb`` would list them; ages in seconds."""
        return self._switch.fdb()

    def __repr__(self) -> str:
        return f"<SwitchHandle {self._switch.label}>"
