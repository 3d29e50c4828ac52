"""UDP ports of VXLAN, on each of which all headers have group policies (GBP), or none has."""

from __future__ import annotations

from typing import NamedTuple

from vnet.ovs.ofproto.tunnel.config import TunnelConfig


class _Use(NamedTuple):
    udp_port: int
    is_gbp: bool


class VxlanPorts:
    """What each VXLAN tunnel of a daemon, whatever its bridge, has its UDP port for."""

    def __init__(self) -> None:
        self._uses: dict[str, _Use] = {}

    def take(self, name: str, config: TunnelConfig) -> bool:
        """A tunnel is to be as ``config`` says. False, and it stays as it was, where others have
        the port for the other kind of headers."""
        if config.kind != "vxlan":
            return True
        opposite = _Use(config.udp_port, not config.is_gbp)
        if any(use == opposite for other, use in self._uses.items() if other != name):
            return False
        self._uses[name] = _Use(config.udp_port, config.is_gbp)
        return True

    def give_back(self, name: str) -> None:
        """A tunnel goes, if there was one of this name."""
        self._uses.pop(name, None)
