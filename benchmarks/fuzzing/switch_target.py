"""An Open vSwitch switch to throw frames at, whose flow tables and ports change all the time."""

from __future__ import annotations

import struct
from collections import Counter
from collections.abc import Callable
from contextlib import suppress

from benchmarks.fuzzing.accounting import drops_by_word
from benchmarks.fuzzing.flow_tables import GROUPS, IP6S, IPS, MACS, METERS, N_PORTS, FlowTables
from benchmarks.fuzzing.mutate import Stations
from benchmarks.fuzzing.seeds import hand_made
from benchmarks.fuzzing.switch_setup import (
    FAR,
    HOST_IP,
    HOST_MAC,
    N_NEAR_PORTS,
    NEAR,
    NEAR_COLUMNS,
    OTHER_BRIDGES,
    REMOTE_IP,
    REMOTE_MAC,
    UNDERLAY,
    far_flows,
    port_settings,
    quiet,
)
from benchmarks.fuzzing.target import Target, packed
from tests.ovs.command_switch import Switch
from vnet.base.chance import Chance
from vnet.base.ids import IpAddress, mac_from_text
from vnet.netdev.device import TOO_SHORT, NetDevice
from vnet.ovs.flow.compose import compose
from vnet.ovs.flow.errors import OvsTextError
from vnet.ovs.flow.match_parse import parse_exact_flow
from vnet.ovs.flow.protocols import P_OF15_OXM
from vnet.ovs.openflow.errors import OpenFlowError
from vnet.ovs.openflow.messages import (
    FlowMod,
    FlowModCommand,
    GroupModCommand,
    MeterModCommand,
)
from vnet.ovs.openflow.text.flow_mod import parse_flow
from vnet.ovs.openflow.text.group import parse_group
from vnet.ovs.openflow.text.meter import parse_meter
from vnet.wire import ether, ipv4

MS, S = 1_000_000, 1_000_000_000

_N_FLOWS = 15
"""In each random filling of the tables; a few are refused."""

_LOOP_ODDS = 0.05
"""How many fillings may send packets in circles, which takes its time."""

_PAUSES_NS = (0, 0, 0, 1_000, MS, 5 * MS, 100 * MS)
_LONG_PAUSES_NS = (5 * S, 40 * S, 310 * S)
_LONG_PAUSE_ODDS = 1 / 500
_SETTLING_NS = 2 * 86_400 * S
"""Longer than the tracker remembers an established connection."""

_N_COMPOSED = 300

_INPUTS = ("p1", "p2", "p3", "p4", "p1", "p2", "p3", "p4", "q2", "q3", "q4", "u1", NEAR)

_ADDRESSES = bytes.fromhex("020000000002020000000001")
_UDP = bytes.fromhex("4500001c00000000401100000a0000010a0000020035003500080000")
_NSH = "894f0fc601{:02x}000007c800000001000000020000000300000004"


def towers() -> list[bytes]:
    """What only a switch reads: stacks of tags and labels, service headers, LLC."""
    label, bottom = bytes.fromhex("00010002"), bytes.fromhex("00010140")
    bodies = [
        tag * count + b"\x08\x00" + _UDP
        for tag in (b"\x81\x00\x00\x0a", b"\x88\xa8\x00\x14", b"\x81\x00\x10\x00")
        for count in (1, 2, 3, 40)
    ]
    bodies += [b"\x88\x47" + label * count + bottom + _UDP for count in (0, 1, 2, 3, 9)]
    bodies += [b"\x88\x47" + label * 400, b"\x88\x48" + bottom, b"\x81\x00\x00"]
    bodies += [bytes.fromhex(_NSH.format(following)) + _UDP for following in (1, 3, 4, 9)]
    bodies += [
        bytes.fromhex("0026aaaa030000000800") + _UDP,
        bytes.fromhex("0026424203") + bytes(35),
    ]
    return [_ADDRESSES + body for body in bodies]


def tunnelled() -> list[bytes]:
    """What a tunnel's far end sends to the switch."""
    inside = _ADDRESSES + b"\x08\x00" + _UDP
    gre, vxlan = bytes.fromhex("2000655800000007"), bytes.fromhex("0800000000004d00")
    found = []
    for body in (inside, inside[:20], b""):
        udp_header = struct.pack("!HHHH", 50_000, 4789, 16 + len(body), 0)
        found += [_outer(17, udp_header + vxlan + body), _outer(47, gre + body)]
    return found


def _outer(protocol: int, payload: bytes) -> bytes:
    source, target = IpAddress(packed(REMOTE_IP)[0]), IpAddress(packed(HOST_IP)[0])
    packet = ipv4.emit(source, target, protocol, payload)
    return ether.frame(mac_from_text(HOST_MAC), mac_from_text(REMOTE_MAC), ether.TYPE_IPV4, packet)


def _anything(_flow: str) -> bool:
    return True


class SwitchTarget(Target):
    """Three bridges. Every ``frames_per_filling`` frames their tables are filled anew, with random
    flows of which ``is_wanted`` thinks well, as of meters, and their ports are set up anew.

    ``sent`` is what the last frame led to. A ``forgetful`` one remembers no decision. Where
    ``nobody_moves``, what a station sends always comes in by the same port.
    """

    name = "switch"

    def __init__(
        self,
        chance: Chance,
        frames_per_filling: int,
        is_wanted: Callable[[str], bool] = _anything,
        *,
        forgetful: bool = False,
        nobody_moves: bool = False,
    ) -> None:
        super().__init__(chance.stream("switch target"))
        self.switch = Switch(chance)
        self.switch.add_bridge(N_PORTS, NEAR_COLUMNS)
        for line in OTHER_BRIDGES:
            self.switch.vsctl(*line.split())
        for line in UNDERLAY:
            self.switch.appctl(line.split())
        for text in filter(is_wanted, METERS):
            self.switch.bridge().meter_mod(parse_meter(text, MeterModCommand.ADD))
        for text in GROUPS:
            self.switch.bridge().group_mod(parse_group(text, GroupModCommand.ADD))
        self.stations = Stations(
            [mac_from_text(mac) for mac in (*MACS, HOST_MAC)],
            *(packed(*IPS, HOST_IP), packed(*IPS, HOST_IP)),
            *(packed(*IP6S), packed(*IP6S)),
        )
        self.sent: list[tuple[str, bytes]] = []
        self._frames_per_filling = frames_per_filling
        self._is_wanted = is_wanted
        self._forgetful = forgetful
        self._nobody_moves = nobody_moves
        self._fates: Counter[str] = Counter()

    def seeds(self) -> list[bytes]:
        """Those of all targets, packets that flows are meant for, towers of headers, and what
        comes by tunnels.
        """
        tables = FlowTables(self.chance)
        packets = (parse_exact_flow(tables.packet()) for _ in range(_N_COMPOSED))
        return [*hand_made(), *map(compose, packets), *towers(), *tunnelled()]

    def take(self, data: bytes) -> None:
        if self.frames % self._frames_per_filling == 0:
            self._fill()
            self.switch.vswitchd.backer.revalidator.settle()
            self.switch.take_sent()
        self.frames += 1
        port, before = self._port_for(data), self._marks()
        self.switch.inject(port, data)
        self.sent = self.switch.take_sent()
        if not self.sent and self._marks() == before:
            self.faults.append(f"{self.name}: a frame by {port} vanished: {data.hex()}")
        self._fates["(frames sent)"] += len(self.sent)
        self._fates["(messages to the controller)"] += len(self.switch.packet_ins)
        self.switch.packet_ins.clear()
        if self._forgetful:
            self.switch.vswitchd.backer.revalidator.purge()
        is_long = self.chance.random() < _LONG_PAUSE_ODDS
        self._advance(self.chance.choice(_LONG_PAUSES_NS if is_long else _PAUSES_NS))
        self.switch.take_sent()  # what bonds and spanning trees say meanwhile answers no frame

    def _port_for(self, data: bytes) -> str:
        if self._nobody_moves:
            return _INPUTS[sum(data[6:12]) % len(_INPUTS)]
        return self.chance.choice(_INPUTS)

    def _devices(self) -> list[NetDevice]:
        """All that count drops."""
        return [*self.switch.devices.values(), *self.switch.datapath.tunnel_devices()]

    def _marks(self) -> tuple[int, ...]:
        """What a frame that does not leave must change."""
        switch = self.switch
        dropped = sum(switch.datapath.drops.values())
        for device in self._devices():
            dropped += sum(device.drops.values())
        held = switch.datapath.tracker.fragments.held
        return dropped, held, len(switch.packet_ins), switch.vswitchd.backer.n_own_frames

    def _fill(self) -> None:
        chance = self.chance
        self.switch.vsctl(*port_settings(chance).split())
        loops = chance.random() < _LOOP_ODDS
        tables = FlowTables(chance, loops=loops, n_ports=N_NEAR_PORTS, meters=True)
        for name, texts in ((NEAR, tables.flows(_N_FLOWS)), (FAR, far_flows(chance))):
            bridge = self.switch.bridge(name)
            bridge.flow_mod(FlowMod(FlowModCommand.DELETE))
            for text in filter(self._is_wanted, texts):
                with suppress(OvsTextError, OpenFlowError):
                    bridge.flow_mod(parse_flow(text, FlowModCommand.ADD, allowed=P_OF15_OXM))
                    self._fates["(flows added)"] += 1

    def settle(self) -> None:
        """Wait until everything is forgotten that is not configured."""
        self.switch.vsctl(*quiet().split())
        self._advance(_SETTLING_NS)
        backer = self.switch.vswitchd.backer
        backer.revalidator.touch()  # what nobody refers to goes in the next round that there is
        self._advance(S)
        bridges = self.switch.vswitchd.bridges.values()
        left = {
            "megaflows": self.switch.datapath.stats().n_flows,
            "recirculation identifiers": len(backer.recirc),
            "stations": sum(len(bridge.switching.mac_table) for bridge in bridges),
            "connections": len(list(self.switch.datapath.ct_dump())),
            "frames unaccounted for": max(0, self.frames - self._looked_at()),
        }
        self.faults += [f"{self.name}: {n} {what} left" for what, n in left.items() if n]

    def _looked_at(self) -> int:
        """At least once each: looked up, lost on the way to a decision, or too short."""
        stats = self.switch.datapath.stats()
        n_short = sum(device.drops.get(TOO_SHORT, 0) for device in self.switch.devices.values())
        return stats.n_hit + stats.n_missed + stats.n_lost + n_short

    def fates(self) -> Counter[str]:
        found = drops_by_word(self._devices()) + self._fates
        for reason, count in self.switch.datapath.drops.items():
            found[reason.word] += count
        stats = self.switch.datapath.stats()
        found["(hits)"], found["(misses)"] = stats.n_hit, stats.n_missed
        return found

    def _advance(self, duration_ns: int) -> None:
        self.switch.scheduler.run(self.switch.scheduler.now_ns + duration_ns)
