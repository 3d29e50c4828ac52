"""A switch as the app that controls it sees it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from vnet.base.units import parse_duration_ns
from vnet.ovs.flow.errors import OvsTextError
from vnet.ovs.flow.flow import Flow
from vnet.ovs.flow.match import MatchBuilder
from vnet.ovs.flow.names import Names, parse_port
from vnet.ovs.flow.ports import OFPP_CONTROLLER, OFPP_NONE, OfpPort
from vnet.ovs.flow.protocols import P_OF13_UP
from vnet.ovs.openflow.controller.connection import ControllerConnection
from vnet.ovs.openflow.messages import (
    GROUP_ALL,
    METER_ALL,
    FlowModCommand,
    FlowStatsRequest,
    MeterModCommand,
    PacketOut,
    PortDesc,
)
from vnet.ovs.openflow.ofpacts import Ofpacts
from vnet.ovs.openflow.text.actions import parse_actions
from vnet.ovs.openflow.text.command import take_command
from vnet.ovs.openflow.text.flow_mod import read_flow
from vnet.ovs.openflow.text.group import read_group
from vnet.ovs.openflow.text.meter import parse_meter
from vnet.ovs.openflow.text.sending import protocol_for
from vnet.ovs.openflow.version import OpenFlowVersion
from vnet.ovs.openflow.wire import kinds
from vnet.ovs.openflow.wire.group.stats import encode_group_request
from vnet.ovs.openflow.wire.meter import encode_meter_request
from vnet.ovs.openflow.wire.port.request import encode_port_request
from vnet.sim.scheduler import Scheduler

CallLater = Callable[[int, Callable[..., object], tuple[object, ...]], None]


class Switch:
    """One switch. ``name`` is what the lab calls it, ``ports`` are its ports by number.

    What it is told in words are the words of ovs-ofctl(8); ports go by number or name. Texts that
    say nothing raise :class:`~vnet.ovs.flow.errors.OvsTextError`. What the switch refuses comes
    back as an ``ErrorReply``.
    """

    def __init__(
        self,
        name: str,
        connection: ControllerConnection,
        scheduler: Scheduler,
        call_later: CallLater,
        openflow_full: Callable[[], bool] = lambda: False,
    ) -> None:
        self.name = name
        self.ports: dict[int, PortDesc] = {}
        self._connection = connection
        self._scheduler = scheduler
        self._call_later = call_later
        self._openflow_full = openflow_full

    def __repr__(self) -> str:
        return f"<Switch {self.name}>"

    @property
    def version(self) -> OpenFlowVersion:
        """The version of OpenFlow that is spoken."""
        return self._connection.spoken_version

    @property
    def datapath_id(self) -> int:
        """The number by which controllers know it, 64 bits."""
        features = self._connection.features
        assert features is not None, "apps are told once the features are known"
        return features.datapath_id

    @property
    def now_ns(self) -> int:
        """Virtual time."""
        return self._scheduler.now_ns

    @property
    def names(self) -> Names:
        """The names of its ports, and whether texts may say what Open vSwitch lacks."""
        ports = {desc.name: desc.port for desc in self.ports.values()}
        return Names(ports, openflow_full=self._openflow_full())

    # -- what it is told

    def flow_mod(self, text: str) -> None:
        """``"priority=5,icmp,actions=drop"``; ``modify``, ``modify_strict``, ``delete`` or
        ``delete_strict`` may come first, as in a file for ``ovs-ofctl add-flows``."""
        mod, usable = read_flow(text, None, self.names)
        self._check(usable)
        self.send(mod)

    def group_mod(self, text: str) -> None:
        """``"group_id=1,type=all,bucket=output:1"``, with a command first as in a file for
        ``ovs-ofctl add-groups``."""
        mod, usable = read_group(text, None, self.names)
        self._check(usable)
        self.send(mod)

    def meter_mod(self, text: str) -> None:
        """``"meter=1 kbps band=type=drop rate=1000"``, with ``modify`` or ``delete`` first if it
        is not to be added."""
        self._check(P_OF13_UP)
        command, rest = take_command(text, tuple(MeterModCommand))
        self.send(parse_meter(rest.strip(), command))

    def packet_out(
        self, actions: str | Ofpacts, frame: bytes | Any, *, in_port: int | str = OFPP_CONTROLLER
    ) -> None:
        """Have it do this with a frame (bytes, or a Scapy packet): ``"FLOOD"``, ``"output:2"``,
        ``"TABLE"``. ``in_port`` is where the frame came in, if it did: a port's number or name."""
        if isinstance(in_port, str):
            in_port = self._port(in_port)
        if isinstance(actions, str):
            actions, usable = parse_actions(actions, self.names)
            self._check(usable)
        pipeline = MatchBuilder()
        pipeline.flow.in_port = in_port
        pipeline.mask.fill(Flow.in_port)
        self.send(PacketOut(bytes(frame), actions, pipeline.build()))

    def send(self, request: object) -> int:
        """Send a FlowMod, GroupMod, MeterMod, PortMod, PacketOut or FlowStatsRequest of
        :mod:`vnet.ovs.openflow.messages`; its transaction's number."""
        return self._connection.say(request)

    # -- what it is asked; the event that answers has the number that is returned

    def barrier(self) -> int:
        """Ask for a ``BarrierReply``, when all that was said before is done."""
        return self._connection.barrier()

    def flow_stats(self, text: str = "") -> int:
        """Ask for a ``FlowStatsReply`` of all flows, or as ovs-ofctl's dump-flows takes them:
        ``"table=1,ip"``, ``"out_port=2"``."""
        mod, usable = read_flow(text, FlowModCommand.DELETE, self.names)
        self._check(usable)
        asked = FlowStatsRequest(
            *(mod.match, mod.table_id, mod.cookie, mod.cookie_mask, mod.out_port, mod.out_group)
        )
        return self.send(asked)

    def port_stats(self, port: int | str = OFPP_NONE) -> int:
        """Ask for a ``PortStatsReply`` of all ports, or of one by its number or name."""
        number = OfpPort(self._port(port) if isinstance(port, str) else port)
        body = encode_port_request(number, self.version)
        return self._connection.ask(kinds.OFPST_PORT_REQUEST, body)

    def group_stats(self, group_id: int = GROUP_ALL) -> int:
        """Ask for a ``GroupStatsReply`` of all groups, or of one."""
        is_of10 = self.version is OpenFlowVersion.OF10
        kind = kinds.NXST_GROUP_REQUEST if is_of10 else kinds.OFPST_GROUP_REQUEST
        return self._connection.ask(kind, encode_group_request(group_id))

    def meter_stats(self, meter_id: int = METER_ALL) -> int:
        """Ask for a ``MeterStatsReply`` of all meters, or of one."""
        self._check(P_OF13_UP)
        return self._connection.ask(kinds.OFPST_METER_REQUEST, encode_meter_request(meter_id))

    def after(self, delay: str, function: Callable[..., object], *arguments: object) -> None:
        """Call a function later: ``"5s"`` or ``"200ms"`` of virtual time from now, unless the
        switch has gone by then."""
        self._call_later(parse_duration_ns(delay), function, arguments)

    def _port(self, text: str) -> int:
        number = parse_port(text, self.names)
        if number is None:
            raise OvsTextError(f"{self.name}: there is no port {text}")
        return number

    def _check(self, usable: int) -> None:
        """Raise OvsTextError for what the version that is spoken has no words for."""
        protocol_for(usable, self._connection.protocol)
