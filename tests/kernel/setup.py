"""A small lab, as data: one machine, its ports, and the stations at the far ends of their wires.

Everything is text and numbers, so that a lab can be written down with what the kernel did in it.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

VIEWS = ("rules", "connections")
"""What stands in a port's place before a line that the machine shows."""


@dataclass(frozen=True)
class Port:
    """A device of the machine, with a tap at the other end of its wire.

    ``settings`` are those of a bridge port, as ip-link(8) names them. ``stations`` are the
    addresses that the tap answers for, and their MACs. ``is_member`` of the bridge, if there is
    one.
    """

    name: str
    mac: str
    mtu_bytes: int = 1500
    addresses: tuple[str, ...] = ()
    settings: dict[str, int] = field(default_factory=dict)
    stations: dict[str, str] = field(default_factory=dict)
    is_member: bool = True


@dataclass(frozen=True)
class Bridge:
    """br0, of which ports are members. ``settings`` as ip-link(8) names them.

    ``fdb`` has the stations that it was told of, each with its port and the words of ``bridge fdb
    add``; ``neighbors`` those of the host, for good.
    """

    addresses: tuple[str, ...] = ()
    settings: dict[str, int] = field(default_factory=dict)
    fdb: dict[str, str] = field(default_factory=dict)
    neighbors: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Route:
    """What ``ip route add`` is told."""

    network: str
    kind: str = "unicast"
    gateway: str | None = None
    device: str | None = None
    metric: int | None = None
    source: str | None = None


@dataclass(frozen=True)
class Lab:
    """``sysctls`` are set before there are devices where they name none, else after.

    ``rules`` is what iptables-restore(8) reads, ``rules6`` the same for ip6tables-restore.
    """

    ports: tuple[Port, ...]
    bridge: Bridge | None = None
    routes: tuple[Route, ...] = ()
    sysctls: dict[str, int] = field(default_factory=dict)
    ipv6: bool = False
    rules: str = ""
    rules6: str = ""

    @property
    def has_rules(self) -> bool:
        return bool(self.rules or self.rules6)

    def port(self, name: str) -> Port:
        return next(port for port in self.ports if port.name == name)

    def is_of_device(self, sysctl: str) -> bool:
        """Whether a sysctl is a setting of a device that must be there first."""
        names = {port.name for port in self.ports} | {"br0"}
        return bool(names & set(sysctl.split(".")))

    def as_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, document: dict[str, Any]) -> Lab:
        bridge = document["bridge"]
        return cls(
            tuple(_tuples(Port, port) for port in document["ports"]),
            None if bridge is None else _tuples(Bridge, bridge),
            tuple(Route(**route) for route in document["routes"]),
            document["sysctls"],
            document["ipv6"],
            document.get("rules", ""),
            document.get("rules6", ""),
        )


def _tuples(kind: Any, document: dict[str, Any]) -> Any:
    return kind(**{**document, "addresses": tuple(document["addresses"])})
