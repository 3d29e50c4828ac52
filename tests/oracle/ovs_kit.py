"""A switch of ours that is set up by the very command lines that set up the real one.

Command lines of ``ovs-vsctl``, ``ovs-ofctl`` and ``ovs-appctl`` go to the code that is behind them
and not to the programs. Virtual time stands still unless a test moves it.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path

from benchmarks.dummy_switch import DummySwitch
from vnet.base.chance import Chance
from vnet.base.ids import prefix_from_text
from vnet.base.units import NS_PER_MS
from vnet.netdev.route_source import HostAddress
from vnet.ovs.dpif.text.flows import parse_key
from vnet.ovs.flow.compose import compose
from vnet.ovs.flow.errors import OvsTextError
from vnet.ovs.flow.flow import Flow
from vnet.ovs.flow.names import Names
from vnet.ovs.flow.ports import OdpPort
from vnet.ovs.flow.protocols import (
    P_ANY,
    P_OF10_ANY,
    P_OF11_STD,
    P_OF12_OXM,
    P_OF13_OXM,
    P_OF14_OXM,
    P_OF15_OXM,
)
from vnet.ovs.ofproto.ofproto import Ofproto
from vnet.ovs.openflow.messages import (
    FlowMod,
    FlowModCommand,
    GroupMod,
    GroupModCommand,
    MeterModCommand,
    PortConfig,
    PortMod,
)
from vnet.ovs.openflow.text.flow_mod import parse_flow
from vnet.ovs.openflow.text.group import parse_group
from vnet.ovs.openflow.text.meter import parse_meter
from vnet.ovs.vswitchd.appctl.table import appctl

PROTOCOLS = {
    "10": P_OF10_ANY,
    "11": P_OF11_STD,
    "12": P_OF12_OXM,
    "13": P_OF13_OXM,
    "14": P_OF14_OXM,
    "15": P_OF15_OXM,
}

PORT_CONFIGS = {
    "down": PortConfig.PORT_DOWN,
    "no-receive": PortConfig.NO_RECV,
    "no-flood": PortConfig.NO_FLOOD,
    "no-forward": PortConfig.NO_FWD,
}


def oracle_path(*parts: str) -> Path | None:
    """A file or folder of the oracle, or None where there is none."""
    root = os.environ.get("VNET_ORACLE")
    path = Path(root, *parts) if root else None
    return path if path and path.exists() else None


class Switch(DummySwitch):
    """A dummy switch that is set up by command lines."""

    def __init__(self, chance: Chance | None = None) -> None:
        super().__init__(chance)
        self.vswitchd.backer.underlay.set_host(self.dummies)

    def run(self, argv: Sequence[str], lines: Sequence[str] = ()) -> str:
        """Carry out one command; ``lines`` are those of the file it names. Returns its output."""
        program, *words = argv
        if program == "ovs-vsctl":
            self.vsctl(*words)
            return ""
        if program == "ovs-ofctl":
            self.ofctl(words, lines)
            return ""
        assert program == "ovs-appctl", argv
        return self.appctl(words)

    def ofctl(self, words: Sequence[str], lines: Sequence[str] = ()) -> None:
        rest, allowed = list(words), P_ANY
        while rest[0].startswith("-"):
            option = rest.pop(0)
            if option.startswith("-O"):
                version = option[2:] or rest.pop(0)
                allowed = PROTOCOLS[version[-2:]]
        command, bridge_name, *arguments = rest
        if command == "parse-pcap":
            return  # it looks at a capture and at no switch
        if command == "add-tlv-map":
            raise OvsTextError("tunnel options are not mapped to fields")
        bridge = self.bridge(bridge_name)
        names = Names({port.name: port.number for port in bridge.ports.values()})
        requests = _REQUESTS[command](arguments, lines, names, allowed)
        if command in _METER_MODS:
            text = arguments[0] if arguments else ""
            bridge.meter_mod(parse_meter(text, _METER_MODS[command]))
        elif command == "mod-port":
            self.mod_port(bridge, *arguments)
        else:
            bridge.bundle(requests)
        self.vswitchd.backer.revalidator.settle()

    def mod_port(self, bridge: Ofproto, port_name: str, setting: str) -> None:
        port = bridge.port_by_name(port_name)
        assert port is not None
        bridge.port_mod(PortMod(port.number, PORT_CONFIGS[setting], PORT_CONFIGS[setting]))

    def appctl(self, words: Sequence[str]) -> str:
        name, *arguments = words[2:] if words[0] == "-t" else words
        backer = self.vswitchd.backer
        match name:
            case "netdev-dummy/receive":
                for packet in arguments[1:]:
                    self.inject(arguments[0], _frame(packet))
            case "netdev-dummy/set-admin-state":
                *named, state = arguments
                for device in named or self.devices:
                    self.devices[device].set_admin(state == "up")
            case "fdb/add":
                bridge_name, port_name, vlan, mac = arguments
                switching = self.bridge(bridge_name).switching
                switching.mac_table.add_static(
                    int(mac.replace(":", ""), 16),
                    int(vlan),
                    switching.bundles[port_name],
                    self.scheduler.now_ns,
                )
            case "revalidator/purge":
                backer.revalidator.purge()
            case "dpif-dummy/change-port-number":
                self.change_port_number(arguments[1], int(arguments[2]))
            case "netdev-dummy/ip4addr" | "netdev-dummy/ip6addr":
                address = HostAddress(*prefix_from_text(arguments[1]))
                self.dummies.set_address(self.devices[arguments[0]], address)
            case "dpif/set-dp-features":
                assert arguments[1:] == ["tnl_push_pop", "false"], arguments
                backer.underlay.is_native = False
            case "time/warp":
                self.scheduler.run(self.scheduler.now_ns + int(arguments[0]) * NS_PER_MS)
            case "time/stop" | "exit" | "revalidator/wait":
                pass
            case _:
                return appctl(self.vswitchd, name, arguments)
        return ""

    def change_port_number(self, port_name: str, number: int) -> None:
        """Give a datapath port another number, as if the datapath had done so by itself."""
        backer = self.vswitchd.backer
        for bridge in self.vswitchd.bridges.values():
            port = bridge.port_by_name(port_name)
            if port is not None and port.odp_port is not None and port.device is not None:
                backer.unmap_port(port.odp_port)
                self.datapath.port_del(port.odp_port)
                port.odp_port = self.datapath.port_add(port.device, "dummy", OdpPort(number))
                backer.map_port(bridge, port)


def _frame(packet: str) -> bytes:
    try:
        return bytes.fromhex(packet)
    except ValueError:
        return compose(Flow(parse_key(packet)))


Request = FlowMod | GroupMod
_Words = Sequence[str]
_Reader = Callable[[_Words, _Words, Names, int], list[Request]]


def _flows(command: FlowModCommand | None) -> _Reader:
    def requests(arguments: _Words, lines: _Words, names: Names, allowed: int) -> list[Request]:
        texts = lines if command is None else arguments or [""]
        return [parse_flow(text, command, names, allowed) for text in _without_comments(texts)]

    return requests


def _groups(command: GroupModCommand | None) -> _Reader:
    def requests(arguments: _Words, lines: _Words, names: Names, allowed: int) -> list[Request]:
        texts = _without_comments(lines if command is None else arguments)
        return [parse_group(text, command, names, allowed) for text in texts]

    return requests


def _none(_arguments: _Words, _lines: _Words, _names: Names, _allowed: int) -> list[Request]:
    return []


_METER_MODS = {
    "add-meter": MeterModCommand.ADD,
    "mod-meter": MeterModCommand.MODIFY,
    "del-meter": MeterModCommand.DELETE,
    "del-meters": MeterModCommand.DELETE,
}
_REQUESTS: dict[str, _Reader] = {
    "add-flow": _flows(FlowModCommand.ADD),
    "add-flows": _flows(None),
    "mod-flows": _flows(FlowModCommand.MODIFY),
    "del-flows": _flows(FlowModCommand.DELETE),
    "add-group": _groups(GroupModCommand.ADD),
    "add-groups": _groups(None),
    "mod-group": _groups(GroupModCommand.MODIFY),
    "del-groups": _groups(GroupModCommand.DELETE),
    "mod-port": _none,
    **dict.fromkeys(_METER_MODS, _none),
}


def _without_comments(lines: Sequence[str]) -> list[str]:
    texts = [line.split("#")[0].strip() for line in lines]
    return texts if len(texts) == 1 else [text for text in texts if text]
