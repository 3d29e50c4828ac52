"""A bridge that filters VLANs, with a probe on each of its ports."""

from __future__ import annotations

from scapy.layers.l2 import Dot1AD, Dot1Q, Ether

from tests.linux.kit import BROADCAST, Lab, drops, probe_mac
from vnet.linux.bridge.bridge import Bridge
from vnet.linux.bridge.port import BridgePort
from vnet.linux.netns.namespace import Namespace
from vnet.sim.frame import Frame

Tags = tuple[str, ...]
"""The tags of a frame from the outside in: ``("8100:5:10",)`` is 802.1Q, priority 5, VLAN 10."""


class Table:
    """A bridge of ``ports`` ports; port N's device is 02:…:N and a probe 0a:…:N hangs on it."""

    def __init__(self, ports: int = 4, *, filtering: bool = True) -> None:
        self.lab = Lab()
        self.machine: Namespace = self.lab.machine("br")
        self.bridge: Bridge = self.machine.add_bridge("br0")
        self.vlans = self.bridge.vlan_filter
        self.vlans.set_filtering(filtering)
        numbers = range(1, ports + 1)
        self.probes = [self.lab.probe(self.machine, f"p{n}", n) for n in numbers]
        for number in numbers:
            self.machine.enslave(f"p{number}", "br0")
        self.machine.set_up("br0")
        self.up: list[bytes] = []
        self.bridge.device.rx_handler = lambda frame: self.up.append(frame.data)

    def port(self, number: int) -> BridgePort:
        """Port ``number``; 0 is the bridge itself."""
        return self.bridge.ports[number - 1] if number else self.bridge.own_port

    def access(self, number: int, vid: int) -> None:
        """Take a port out of VLAN 1 and make it one of ``vid`` alone."""
        self.vlans.delete(self.port(number), 1)
        self.vlans.add(self.port(number), vid, pvid=True, untagged=True)

    def trunk(self, number: int, *vids: int) -> None:
        """Take a port out of VLAN 1 and have it carry ``vids`` tagged."""
        self.vlans.delete(self.port(number), 1)
        for vid in vids:
            self.vlans.add(self.port(number), vid)

    def send(
        self, number: int, target: str = BROADCAST, *tags: str, source: str = "", size: int = 46
    ) -> dict[int | str, Tags]:
        """Probe ``number`` sends; who got it, by port number or "up", and with what tags."""
        data = frame(source or probe_mac(number), target, *tags, size=size)
        self.probes[number - 1].send(data)
        return self.reached()

    def send_own(self, target: str, *tags: str) -> dict[int | str, Tags]:
        """The host sends through the bridge's own device."""
        source = ":".join(f"{byte:02x}" for byte in self.bridge.device.mac)
        self.bridge.device.transmit(Frame(frame(source, target, *tags)))
        self.lab.run(0)
        return self.reached()

    def reached(self) -> dict[int | str, Tags]:
        who: dict[int | str, Tags] = {}
        for number, probe in enumerate(self.probes, 1):
            for _, data in probe.heard:
                who[number] = tags_of(data)
            probe.forget()
        for data in self.up:
            who["up"] = tags_of(data)
        self.up.clear()
        return who

    def lost(self, number: int) -> dict[str, int]:
        """What the port's device dropped, by reason; 0 is the bridge's own."""
        return drops(self.port(number).device)

    def fdb(self) -> set[tuple[str, int, str, str]]:
        """MAC, VLAN, device and kind of each entry."""
        return {
            (e.mac.hex(":"), e.vid, e.port.device.name, e.kind.name.lower())
            for e in self.bridge.entries()
        }


def frame(source: str, target: str, *tags: str, size: int = 46) -> bytes:
    """An Ethernet frame of the experimental type with these tags around it."""
    packet = Ether(src=source, dst=target)
    for tag in tags:
        tpid, priority, vid = tag.split(":")
        layer = Dot1Q if tpid == "8100" else Dot1AD
        packet = packet / layer(prio=int(priority), vlan=int(vid))
    packet.lastlayer().type = 0x88B5
    return bytes(packet) + b"x" * size


def tags_of(data: bytes) -> Tags:
    """The tags of a frame."""
    tags: list[str] = []
    at = 12
    while data[at : at + 2] in (b"\x81\x00", b"\x88\xa8"):
        tci = int.from_bytes(data[at + 2 : at + 4], "big")
        tags.append(f"{data[at : at + 2].hex()}:{tci >> 13}:{tci & 0xFFF}")
        at += 4
    return tuple(tags)
