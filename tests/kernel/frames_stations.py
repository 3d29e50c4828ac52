"""Frames for a bridge that was told of stations: from them and others, and questions about them."""

from __future__ import annotations

from collections.abc import Iterator

from scapy.layers.l2 import ARP, Ether
from scapy.packet import Raw

from tests.kernel.play import Inject, Step
from tests.kernel.setup import Lab, Port
from vnet.base.chance import Stream

_BROADCAST = "ff:ff:ff:ff:ff:ff"
_NOBODY = "0e:00:00:00:00:01"


class StationFrames:
    """Half of them are ARP."""

    def __init__(self, lab: Lab, chance: Stream) -> None:
        assert lab.bridge is not None
        self._lab = lab
        self._chance = chance
        self._macs = [mac for port in lab.ports for mac in port.stations.values()]
        self._macs += [*lab.bridge.fdb, _NOBODY]
        self._addresses = [ip for port in lab.ports for ip in port.stations]
        own = [text.partition("/")[0] for text in lab.bridge.addresses]
        self._addresses += [*lab.bridge.neighbors, *own, "10.0.0.250"]

    def steps(self, count: int) -> Iterator[Step]:
        for _ in range(count):
            port = self._chance.choice(self._lab.ports)
            yield Inject(port.name, bytes(self._frame(port)))

    def _frame(self, port: Port) -> Ether:
        chance = self._chance
        source = chance.choice((*port.stations.values(), chance.choice(self._macs)))
        target = chance.choice((_BROADCAST, chance.choice(self._macs)))
        if chance.random() < 0.5:
            return Ether(src=source, dst=target, type=0x88B5) / Raw(b"station")
        sender, asked = chance.choice(self._addresses), chance.choice(self._addresses)
        query = ARP(
            op=chance.choice((1, 1, 1, 2)),
            hwsrc=source,
            psrc=chance.choice((sender, sender, "0.0.0.0", asked)),
            pdst=chance.choice((asked, asked, asked, "127.0.0.1", "224.0.0.9")),
        )
        return Ether(src=source, dst=target) / query
