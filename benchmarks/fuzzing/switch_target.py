"""An Open vSwitch switch to throw frames at, whose flow tables and ports change all the time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from contextlib import suppress

from benchmarks.dummy_switch import DummySwitch
from benchmarks.fuzzing.accounting import drops_by_word
from benchmarks.fuzzing.flow_tables import GROUPS, IP6S, IPS, MACS, N_PORTS, FlowTables
from benchmarks.fuzzing.mutate import Stations
from benchmarks.fuzzing.seeds import hand_made
from benchmarks.fuzzing.target import Target, packed
from vnet.base.chance import Chance
from vnet.base.ids import mac_from_text
from vnet.netdev.device import TOO_SHORT
from vnet.ovs.flow.compose import compose
from vnet.ovs.flow.errors import OvsTextError
from vnet.ovs.flow.match_parse import parse_exact_flow
from vnet.ovs.flow.protocols import P_OF15_OXM
from vnet.ovs.openflow.errors import OpenFlowError
from vnet.ovs.openflow.messages import FlowMod, FlowModCommand, GroupModCommand
from vnet.ovs.openflow.text.flow_mod import parse_flow
from vnet.ovs.openflow.text.group import parse_group

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

_PORT_COLUMNS = ("tag", "trunks", "vlan_mode", "cvlans", "other_config")
_PORT_SETTINGS = (
    *((), (), ("tag=10",), ("tag=20",), ("trunks=10,20",), ("protected=true",)),
    *(("tag=10", "vlan_mode=native-tagged", "trunks=10,20"), ("tag=20", "vlan_mode=access")),
    *(("tag=10", "vlan_mode=dot1q-tunnel", "cvlans=20"), ("other_config:priority-tags=always",)),
)
_MIRROR = (
    *("--", "set", "bridge", "br0", "mirrors=@m", "--", "--id=@p4", "get", "port", "p4"),
    *("--", "--id=@m", "create", "mirror", "name=m", "select-all=true", "output-port=@p4"),
)

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


def _anything(_flow: str) -> bool:
    return True


class SwitchTarget(Target):
    """A bridge with four ports. Every ``frames_per_filling`` frames its tables are filled anew,
    with random flows of which ``is_wanted`` thinks well, and its ports are set up anew.

    ``sent`` is what the last frame led to. A ``forgetful`` one remembers no decision.
    """

    name = "switch"

    def __init__(
        self,
        chance: Chance,
        frames_per_filling: int,
        is_wanted: Callable[[str], bool] = _anything,
        *,
        forgetful: bool = False,
    ) -> None:
        super().__init__(chance.stream("switch target"))
        self.switch = DummySwitch(chance)
        self.switch.add_bridge(N_PORTS)
        for text in GROUPS:
            self.switch.bridge().group_mod(parse_group(text, GroupModCommand.ADD))
        self.stations = Stations(
            [mac_from_text(mac) for mac in MACS],
            *(packed(*IPS), packed(*IPS)),
            *(packed(*IP6S), packed(*IP6S)),
        )
        self.sent: list[tuple[str, bytes]] = []
        self._frames_per_filling = frames_per_filling
        self._is_wanted = is_wanted
        self._forgetful = forgetful
        self._fates: Counter[str] = Counter()

    def seeds(self) -> list[bytes]:
        """Those of all targets, packets that flows are meant for, and towers of headers."""
        tables = FlowTables(self.chance)
        packets = (parse_exact_flow(tables.packet()) for _ in range(_N_COMPOSED))
        return [*hand_made(), *map(compose, packets), *towers()]

    def take(self, data: bytes) -> None:
        if self.frames % self._frames_per_filling == 0:
            self._fill()
        self.frames += 1
        self.switch.inject(f"p{self.chance.randint(1, N_PORTS)}", data)
        self.sent = self.switch.take_sent()
        self._fates["(frames sent)"] += len(self.sent)
        self._fates["(messages to the controller)"] += len(self.switch.packet_ins)
        self.switch.packet_ins.clear()
        if self._forgetful:
            self.switch.vswitchd.backer.revalidator.purge()
        is_long = self.chance.random() < _LONG_PAUSE_ODDS
        self._advance(self.chance.choice(_LONG_PAUSES_NS if is_long else _PAUSES_NS))

    def _fill(self) -> None:
        chance, bridge = self.chance, self.switch.bridge()
        words = ["clear", "bridge", "br0", "mirrors"]
        for number in range(1, N_PORTS + 1):
            words += ["--", "clear", "port", f"p{number}", *_PORT_COLUMNS]
            settings = chance.choice(_PORT_SETTINGS)
            words += ["--", "set", "port", f"p{number}", "protected=false", *settings]
        self.switch.vsctl(*words, *(_MIRROR if chance.random() < 0.2 else ()))
        bridge.flow_mod(FlowMod(FlowModCommand.DELETE))
        tables = FlowTables(chance, loops=chance.random() < _LOOP_ODDS)
        for text in filter(self._is_wanted, tables.flows(_N_FLOWS)):
            with suppress(OvsTextError, OpenFlowError):
                bridge.flow_mod(parse_flow(text, FlowModCommand.ADD, allowed=P_OF15_OXM))
                self._fates["(flows added)"] += 1

    def settle(self) -> None:
        """Wait until everything is forgotten that is not configured."""
        self._advance(_SETTLING_NS)
        backer = self.switch.vswitchd.backer
        backer.revalidator.touch()  # what nobody refers to goes in the next round that there is
        self._advance(S)
        left = {
            "megaflows": self.switch.datapath.stats().n_flows,
            "recirculation identifiers": len(backer.recirc),
            "stations": len(self.switch.bridge().switching.mac_table),
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
        found = drops_by_word(self.switch.devices.values()) + self._fates
        for reason, count in self.switch.datapath.drops.items():
            found[reason.word] += count
        stats = self.switch.datapath.stats()
        found["(hits)"], found["(misses)"] = stats.n_hit, stats.n_missed
        return found

    def _advance(self, duration_ns: int) -> None:
        self.switch.scheduler.run(self.switch.scheduler.now_ns + duration_ns)
