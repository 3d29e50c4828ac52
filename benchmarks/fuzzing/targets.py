"""What the frames are thrown at: a bridge, a machine, a lab, and the readers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from benchmarks.fuzzing.accounting import Witness, at_rest, drops_by_word
from benchmarks.fuzzing.mutate import Stations
from benchmarks.fuzzing.readers import ReadersTarget
from benchmarks.fuzzing.seeds import PEER
from benchmarks.fuzzing.target import Target, packed
from vnet.base.chance import Chance, Stream
from vnet.base.ids import ip_from_text, mac_from_text, prefix_from_text
from vnet.guest.apps.ping import Ping
from vnet.guest.machine import Machine
from vnet.lab.lab import Lab
from vnet.linux.bridge.config import LinuxBridgeConfig, PortConfig
from vnet.linux.bridge.stations import set_station
from vnet.linux.netns.namespace import Namespace
from vnet.linux.netns.vlan_devices import add_vlan_device
from vnet.netdev.device import NetDevice
from vnet.netdev.pair import PairDevice, pair_up
from vnet.sim.frame import Frame
from vnet.sim.scheduler import Scheduler
from vnet.tables.fdb import FdbKind

MS, S = 1_000_000, 1_000_000_000
PAUSES_NS = (0, 0, 1000, 100_000, MS, MS, 5 * MS)
_LONG_PAUSES_NS = (5 * S, 35 * S, 70 * S, 310 * S)
_LONG_PAUSE_EVERY = 5000
"""Frames between the pauses in which neighbours, fragments and bridge entries age."""


class _Network(Target):
    """A target with devices, wires and a clock."""

    def __init__(
        self, chance: Stream, scheduler: Scheduler, doors: list[NetDevice], witnesses: list[Witness]
    ) -> None:
        super().__init__(chance)
        self.scheduler = scheduler
        self._doors = doors
        self._witnesses = witnesses
        self.devices: list[NetDevice] = []

    def take(self, data: bytes) -> None:
        """From a station at the far end of a wire, or a guest that has gone mad."""
        self.frames += 1
        self._door_for(data).transmit(Frame(data))
        pause_ns = self.chance.choice(PAUSES_NS)
        if self.frames % _LONG_PAUSE_EVERY == 0:
            pause_ns = self.chance.choice(_LONG_PAUSES_NS)
        self._advance(pause_ns)

    def _door_for(self, data: bytes) -> NetDevice:
        """Any; but where a wire leads to the very station that is addressed, usually that."""
        if self.chance.random() < 0.9:
            for door in self._doors:
                if isinstance(door, PairDevice) and door.peer.mac == data[:6]:
                    return door
        return self.chance.choice(self._doors)

    def settle(self) -> None:
        self._advance(100 * S)
        self.faults += at_rest(self.devices, self._advance)
        for witness in self._witnesses:
            self.faults += [
                f"{self.name}: {label} took {data.hex()} and shows no mark"
                for label, data in witness.vanished
            ]

    def fates(self) -> Counter[str]:
        found = drops_by_word(self.devices)
        found["(sent by a device)"] = sum(device.tx_packets for device in self.devices)
        return found

    def _advance(self, duration_ns: int) -> None:
        until_ns = self.scheduler.now_ns + duration_ns
        self.scheduler.run(until_ns)
        while self.scheduler.now_ns < until_ns:  # the end of a program stops the scheduler
            self.scheduler.run(until_ns)


def _cabled(
    namespace: Namespace, name: str, number: int, mtu_bytes: int, *, ipv6: bool
) -> PairDevice:
    """Give ``namespace`` a device 02:…:<number>; returns the far end, 0a:…:<number>."""
    mac = number.to_bytes(5, "big")
    near = PairDevice(namespace.scheduler, name, mac_from_text((b"\x02" + mac).hex(":")), mtu_bytes)
    far = PairDevice(
        namespace.scheduler, "far", mac_from_text((b"\x0a" + mac).hex(":")), 1 << 20, f"at {name}"
    )
    pair_up(near, far)
    namespace.add_device(near, ipv6=ipv6)
    far.rx_handler = _swallow
    far.set_admin(True)
    namespace.set_up(name)
    return far


def _swallow(_frame: Frame) -> None:
    """A far end is nobody: what reaches it has arrived."""


class BridgeTarget(_Network):
    """Four ports of a Linux bridge: one with a small mtu, one pair isolated, one hairpin."""

    name = "bridge"

    def __init__(self, chance: Chance) -> None:
        scheduler = Scheduler()
        machine = Namespace(scheduler, "br", chance)
        bridge = machine.add_bridge("br0", ipv6=True)
        doors: list[NetDevice] = []
        for number, mtu_bytes in enumerate((9000, 1500, 576, 9000), start=1):
            doors.append(_cabled(machine, f"p{number}", number, mtu_bytes, ipv6=False))
            machine.enslave(f"p{number}", "br0")
        machine.add_address("br0", *prefix_from_text("10.0.0.1/24"))
        machine.set_up("br0")
        bridge.ports[0].isolated = bridge.ports[1].isolated = True
        bridge.ports[3].hairpin = True
        devices = [i.device for i in machine.interfaces.values()]
        witness = Witness(devices, machine)
        super().__init__(chance.stream("bridge target"), scheduler, doors, [witness])
        self.devices = [*devices, *doors]
        self.stations = Stations(
            [device.mac for device in self.devices if any(device.mac)],
            packed("10.0.0.1", "10.0.0.255", "224.0.0.1"),
            packed("10.0.0.2", "10.0.0.3", "0.0.0.0"),
            packed("ff02::1", "fd00::2"),
            packed("fe80::9", "fd00::3", "::"),
        )


class VlanTarget(_Network):
    """A Linux bridge that filters VLANs, with all that looks at frames besides.

    Access ports of VLANs 10 and 20, a trunk with a native VLAN, and a locked port; the host speaks
    in VLAN 10, answers for a station there, and has br_netfilter.
    """

    name = "vlans"

    def __init__(self, chance: Chance) -> None:
        scheduler = Scheduler()
        machine = Namespace(scheduler, "br", chance)
        machine.links.load_br_netfilter()
        bridge = machine.add_bridge("br0")
        doors: list[NetDevice] = []
        for number, mtu_bytes in enumerate((1500, 576, 9000, 1500), start=1):
            doors.append(_cabled(machine, f"p{number}", number, mtu_bytes, ipv6=False))
            machine.enslave(f"p{number}", "br0")
        machine.set_up("br0")
        LinuxBridgeConfig(vlan_filtering=True, vlan_stats=True).apply(bridge)
        wanted = (
            PortConfig(pvid=0, tagged=(10,)),
            PortConfig(pvid=10),
            PortConfig(pvid=20, flags={"isolated": True}),
            PortConfig(pvid=1, tagged=(10, 20)),
            PortConfig(pvid=10, flags={"locked": True, "neigh_suppress": True}),
        )
        for port, config in zip((bridge.own_port, *bridge.ports), wanted, strict=True):
            config.apply(port)
        add_vlan_device(machine, "br0", "br0.10", 10, ipv6=True)
        machine.add_address("br0.10", *prefix_from_text("10.0.0.1/24"))
        machine.set_up("br0.10")
        known, mac = ip_from_text("10.0.0.77"), mac_from_text(PEER)
        machine.interface("br0.10").arp_cache.table.set_permanent(known, mac, 0)
        set_station(bridge.ports[3], mac, FdbKind.STATIC, vid=10)
        devices = [i.device for i in machine.interfaces.values()]
        super().__init__(
            chance.stream("vlan target"), scheduler, doors, [Witness(devices, machine)]
        )
        self.devices = [*devices, *doors]
        self.stations = Stations(
            [device.mac for device in self.devices if any(device.mac)],
            packed("10.0.0.1", "10.0.0.77", "10.0.0.255", "224.0.0.1"),
            packed("10.0.0.2", "10.0.0.3", "0.0.0.0"),
            packed("ff02::1", "fd00::2"),
            packed("fe80::9", "fd00::3", "::"),
        )


class MachineTarget(_Network):
    """One machine that is a host with open sockets and a router of both families.

    eth0 takes the largest frames, eth1 has IPv6's least mtu and eth2 IPv4's usual least, so that
    forwarding fragments and refuses. Three stations at the far ends are known for good.
    """

    name = "machine"

    def __init__(self, chance: Chance) -> None:
        scheduler = Scheduler()
        machine = Namespace(scheduler, "m", chance)
        machine.sysctls["net.ipv4.ip_forward"] = 1
        machine.sysctls["net.ipv6.conf.all.forwarding"] = 1
        doors: list[NetDevice] = [
            _cabled(machine, "eth0", 1, 65_535, ipv6=True),
            _cabled(machine, "eth1", 2, 1280, ipv6=True),
            _cabled(machine, "eth2", 3, 576, ipv6=False),
        ]
        for device, texts in (
            ("eth0", ("10.0.0.1/24", "fd00::1/64")),
            ("eth1", ("192.0.2.1/24", "fd00:9::2/64")),
            ("eth2", ("198.51.100.1/24",)),
        ):
            for text in texts:
                machine.add_address(device, *prefix_from_text(text))
        for device, text in (
            ("eth0", "10.0.0.77"),
            ("eth1", "192.0.2.9"),
            ("eth1", "fd00:9::1"),
            ("eth2", "198.51.100.9"),
        ):
            interface = machine.interface(device)
            ip = ip_from_text(text)
            cache = interface.nd_cache if len(ip) == 16 else interface.arp_cache
            cache.table.set_permanent(ip, mac_from_text(PEER), 0)
        machine.sockets.open_udp(lambda *_: None, 7, on_error=lambda *_: None)
        machine.sockets.open_echo(1, lambda *_: None, lambda *_: None)
        devices = [i.device for i in machine.interfaces.values()]
        witness = Witness(devices, machine)
        super().__init__(chance.stream("machine target"), scheduler, doors, [witness])
        self._machine = machine
        self.devices = [*devices, *doors]
        self.stations = Stations(
            [device.mac for device in devices if any(device.mac)],
            packed(
                *("10.0.0.1", "10.0.0.1", "192.0.2.1", "192.0.2.9", "198.51.100.9", "10.0.0.77"),
                *("10.0.0.255", "255.255.255.255", "224.0.0.1", "203.0.113.5"),
            ),
            packed("10.0.0.2", "10.0.0.77", "192.0.2.9", "198.51.100.9", "0.0.0.0"),
            packed(
                *("fd00::1", "fd00::1", "fd00:9::1", "fd00:9::2", "fd00:9::1", "fd00::2"),
                *("ff02::1", "ff02::1:ff00:1", "2001:db8::5", "fe80::ff:fe00:1"),
            ),
            packed("fd00::2", "fd00::3", "fd00:9::1", "fe80::9", "::"),
        )
        self._advance(4 * S)

    def settle(self) -> None:
        super().settle()
        for stack in (self._machine.ipv4, self._machine.ipv6):
            if stack.held_bytes:
                self.faults.append(f"{stack.held_bytes} bytes of fragments are held for ever")


LAB = """
version: 1
name: fuzzed
hosts:
  h1: {hypervisor: xen, nics: {eth0: {ip: 192.0.2.1/24}}, switches: {xenbr0: }}
  h2: {hypervisor: kvm, nics: {eth0: {mtu: 9000}}, switches: {br0: }}
routers:
  r1:
    nics:
      eth0: {ip: [10.0.0.254/24, 'fd00::fe/64']}
      eth1: {ip: [10.0.9.254/24, 'fd00:9::fe/64'], mtu: 1280}
switches: {sw1: {ports: 3}}
vms:
  vm1: {host: h1, vnics: [{ip: [10.0.0.1/24, 'fd00::1/64']}], gateway: [10.0.0.254, 'fd00::fe']}
  vm2: {host: h1, vnics: [{ip: [10.0.0.2/24, 'fd00::2/64']}]}
  vm3:
    host: h2
    vnics: [{ip: [10.0.9.3/24, 'fd00:9::3/64'], mtu: 9000}]
    gateway: [10.0.9.254, 'fd00:9::fe']
links:
  - {ends: ['h1:eth0', 'sw1:p1'], latency: 100us}
  - {ends: ['r1:eth0', 'sw1:p2'], latency: 50us, bandwidth: 100mbit, queue: 10}
  - {ends: ['r1:eth1', 'h2:eth0'], latency: 20us, mtu: 9000}
"""


class LabTarget(_Network):
    """A whole lab: two hosts, a switch, a router, echo servers, and pings that never end."""

    name = "lab"

    def __init__(self, chance: Chance) -> None:
        self.lab = Lab.from_text(LAB, seed=chance.seed)
        network = self.lab.network
        machines = list(network.machines())
        witnesses = [
            Witness([i.device for i in m.namespace.interfaces.values()], m.namespace)
            for m in machines
        ]
        for node in network.switches.values():
            witnesses.append(Witness([*node.switch.own_devices(), *node.ports.values()]))
        doors = [
            device
            for device in network.devices()
            if device.kind in ("vnic", "nic") and device.owner != "sw1"
        ]
        super().__init__(chance.stream("lab target"), network.scheduler, doors, witnesses)
        self.devices = list(network.devices())
        self._servers = [vm.serve_echo() for vm in network.vms.values()]
        self._pairs = [
            (network.vms[source], ip_from_text(target))
            for source, target in (
                *(("vm1", "10.0.0.2"), ("vm1", "10.0.9.3"), ("vm3", "10.0.0.1")),
                *(("vm2", "fd00::1"), ("vm1", "fd00:9::3"), ("vm3", "fd00::1")),
            )
        ]
        self._pings: list[Ping | None] = [None for _ in self._pairs]
        self._paused = False
        self.answered = 0
        self.stations = Stations(
            [device.mac for device in self.devices if any(device.mac)],
            [a for m in machines for a in _addresses(m, 4)] + packed("10.0.0.255", "224.0.0.1"),
            packed("10.0.0.77", "10.0.9.77", "10.0.0.2", "10.0.9.3", "192.0.2.9"),
            [a for m in machines for a in _addresses(m, 16)] + packed("ff02::1"),
            packed("fd00::77", "fd00:9::77", "fd00::2", "fd00:9::3", "fe80::9"),
        )
        self._advance(4 * S)

    def take(self, data: bytes) -> None:
        if self.frames % 500 == 0:
            self._keep_pinging()
        super().take(data)

    def settle(self) -> None:
        super().settle()
        self.answered += sum(ping.result.received for ping in self._pings if ping is not None)
        self._pings = [None for _ in self._pairs]

    def fates(self) -> Counter[str]:
        found = super().fates()
        found["(pings answered)"] = self.answered
        found["(datagrams echoed)"] = sum(server.received for server in self._servers)
        return found

    def _keep_pinging(self) -> None:
        for number, (machine, target) in enumerate(self._pairs):
            ping = self._pings[number]
            if ping is None or ping.done:
                self.answered += 0 if ping is None else ping.result.received
                ping = machine.make_ping(target, count=5, size_bytes=(56, 2000)[number % 2])
                self._pings[number] = ping
                ping.start()


def _addresses(machine: Machine, size: int) -> list[bytes]:
    return [
        a.ip
        for interface in machine.namespace.interfaces.values()
        for a in interface.addresses
        if len(a.ip) == size
    ]


def targets(seed: int) -> Iterable[Target]:
    """One of each, made one after the other so that each has the memory to itself."""
    for kind in (BridgeTarget, VlanTarget, MachineTarget, LabTarget, ReadersTarget):
        yield kind(Chance(seed))
