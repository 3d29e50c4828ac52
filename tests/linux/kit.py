"""A machine on a table: namespaces, cables between them, and a probe where a cable ends.

A :class:`Probe` is the far end of a device's cable in the hands of the test. It sends the
bytes it is given and keeps what arrives, with the time; Scapy reads it, so that the tests do
not lean on the parsers they test.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from scapy.layers.inet import IP
from scapy.layers.inet6 import ICMPv6MLDMultAddrRec, ICMPv6MLReport2, IPv6
from scapy.layers.l2 import ARP, Ether

from vnet.base.chance import Chance
from vnet.base.drops import DropReason
from vnet.base.ids import Mac, ip_from_text, mac_from_text, mac_text, prefix_from_text
from vnet.linux.netns.interface import Interface
from vnet.linux.netns.namespace import Namespace
from vnet.netdev.device import NetDevice
from vnet.netdev.pair import PairDevice, pair_up
from vnet.sim.frame import Frame
from vnet.sim.scheduler import Scheduler
from vnet.tables.neigh import Nud

MS = 1_000_000
S = 1_000 * MS
BROADCAST = "ff:ff:ff:ff:ff:ff"


class Probe:
    """The test's end of a cable."""

    def __init__(self, lab: Lab, device: PairDevice) -> None:
        self._lab = lab
        self.device = device
        self.mac = mac_text(device.mac)
        self.heard: list[tuple[int, bytes]] = []
        device.rx_handler = self._keep

    def _keep(self, frame: Frame) -> None:
        self.heard.append((self._lab.scheduler.now_ns, frame.data))

    def send(self, frame: Any) -> None:
        """Put a frame on the cable (bytes, or a Scapy packet) and let the instant pass."""
        self.device.transmit(Frame(bytes(frame)))
        self._lab.run(0)

    @property
    def packets(self) -> list[Any]:
        """What arrived, dissected."""
        return [Ether(data) for _time_ns, data in self.heard]

    def of(self, *layers: Any) -> list[Any]:
        """The packets with all of these layers."""
        return [p for p in self.packets if all(p.haslayer(layer) for layer in layers)]

    def times_ms(self, *layers: Any) -> list[float]:
        """When those packets arrived."""
        return [
            time_ns / MS
            for (time_ns, _data), packet in zip(self.heard, self.packets, strict=True)
            if all(packet.haslayer(layer) for layer in layers)
        ]

    def forget(self) -> None:
        self.heard.clear()

    def answers_arp(self, ip: str) -> None:
        """From now on this probe is a station that has ``ip``."""

        def answer(frame: Frame) -> None:
            self._keep(frame)
            packet = Ether(frame.data)
            if ARP in packet and packet[ARP].op == 1 and packet[ARP].pdst == ip:
                reply = ARP(op=2, hwsrc=self.mac, psrc=ip, hwdst=packet.src, pdst=packet[ARP].psrc)
                self.device.transmit(Frame(bytes(Ether(src=self.mac, dst=packet.src) / reply)))

        self.device.rx_handler = answer


class Notes:
    """A sniffer that writes down what it is shown."""

    def __init__(self) -> None:
        self.seen: list[tuple[int, bytes, bool]] = []
        self.lost: list[tuple[int, bytes, DropReason]] = []

    def capture(self, time_ns: int, data: bytes, outbound: bool) -> None:
        self.seen.append((time_ns, data, outbound))

    def note_drop(self, time_ns: int, data: bytes, reason: DropReason, *_notes: object) -> None:
        self.lost.append((time_ns, data, reason))


class Lab:
    """A clock, a seed, and the machines that were made."""

    def __init__(self, seed: int = 1) -> None:
        self.scheduler = Scheduler()
        self.chance = Chance(seed)

    def run(self, duration_ns: int) -> None:
        self.scheduler.run(self.scheduler.now_ns + duration_ns)

    @property
    def now_ms(self) -> float:
        return self.scheduler.now_ns / MS

    def machine(self, name: str, **kwargs: Any) -> Namespace:
        return Namespace(self.scheduler, name, self.chance, **kwargs)

    def cable(self, name: str, mac: str, far_name: str, far_mac: str) -> tuple[PairDevice, ...]:
        near = PairDevice(self.scheduler, name, mac_from_text(mac))
        far = PairDevice(self.scheduler, far_name, mac_from_text(far_mac))
        pair_up(near, far)
        return near, far

    def probe(self, machine: Namespace, name: str, number: int = 1, *, ipv6: bool = False) -> Probe:
        """Give ``machine`` a device 02:…:<number> whose cable ends in a probe 0a:…:<number>."""
        near, far = self.cable(name, host_mac(number), "probe", probe_mac(number))
        machine.add_device(near, ipv6=ipv6)
        far.set_admin(True)
        probe = Probe(self, far)
        machine.set_up(name)
        return probe

    def join(
        self, one: Namespace, name: str, other: Namespace, far_name: str, *, ipv6: bool = False
    ) -> None:
        """A cable between two machines, both ends up."""
        number = len(one.interfaces) * 16 + len(other.interfaces)
        near, far = self.cable(
            name,
            mac_text(Mac(b"\x02" + one.name.encode()[:4].ljust(4, b"\0") + bytes((number,)))),
            far_name,
            mac_text(Mac(b"\x06" + other.name.encode()[:4].ljust(4, b"\0") + bytes((number,)))),
        )
        one.add_device(near, ipv6=ipv6)
        other.add_device(far, ipv6=ipv6)
        one.set_up(name)
        other.set_up(far_name)


def host_mac(number: int) -> str:
    return f"02:00:00:00:00:{number:02x}"


def probe_mac(number: int) -> str:
    return f"0a:00:00:00:00:{number:02x}"


def address(machine: Namespace, device: str, text: str) -> None:
    """``ip addr add TEXT dev DEVICE``."""
    machine.add_address(device, *prefix_from_text(text))


def route(machine: Namespace, text: str, gateway: str) -> None:
    """``ip route add TEXT via GATEWAY``."""
    network, length = prefix_from_text(text)
    machine.add_route(network, length, gateway=ip_from_text(gateway))


def host(lab: Lab, text: str = "10.0.0.1/24", *, ipv6: bool = False) -> tuple[Namespace, Probe]:
    """A machine with one address on eth0, and the probe at the other end."""
    machine = lab.machine("host")
    probe = lab.probe(machine, "eth0", ipv6=ipv6)
    address(machine, "eth0", text)
    return machine, probe


def router(lab: Lab) -> tuple[Namespace, Probe, Probe]:
    """10.0.1.254 towards probe 1, who is 10.0.1.1, and 10.0.2.254 towards probe 2, 10.0.2.1."""
    machine = lab.machine("router")
    machine.sysctls["net.ipv4.ip_forward"] = 1
    probes = []
    for number in (1, 2):
        probe = lab.probe(machine, f"eth{number}", number)
        address(machine, f"eth{number}", f"10.0.{number}.254/24")
        probe.answers_arp(f"10.0.{number}.1")
        probes.append(probe)
    return machine, probes[0], probes[1]


def to_host(probe: Probe, payload: Any, number: int = 1) -> Any:
    """``payload`` in a frame from the probe to the device 02:…:<number>."""
    return Ether(src=probe.mac, dst=host_mac(number)) / payload


def ip(source: str, target: str, **fields: Any) -> Any:
    return IP(src=source, dst=target, **fields)


def ip6(source: str, target: str, **fields: Any) -> Any:
    return IPv6(src=source, dst=target, **fields)


def nud_of(interface: Interface, text: str) -> Nud | None:
    """The state of a neighbour, or None where there is none."""
    packed = ip_from_text(text)
    cache = interface.nd_cache if len(packed) == 16 else interface.arp_cache
    neighbor = cache.table.get(packed)
    return None if neighbor is None else neighbor.state


def drops(device: NetDevice) -> dict[str, int]:
    """A device's losses by word."""
    return {reason.word: count for reason, count in device.drops.items()}


def dropped(machine: Namespace, reason: DropReason) -> int:
    """How often a machine lost something for ``reason``, over all its devices."""
    return sum(i.device.drops.get(reason, 0) for i in machine.interfaces.values())


def mld_records(report: Any) -> list[tuple[int, str]]:
    """The (type, group) records of an MLDv2 report; Scapy hangs each below the one before."""
    records = []
    record = report[ICMPv6MLReport2].records[0]
    while isinstance(record, ICMPv6MLDMultAddrRec):
        records.append((record.rtype, record.dst))
        record = record.payload
    return records


def swallow(*_: object) -> None:
    """A callback for what a test does not look at."""


Callback = Callable[..., None]
