"""What a daemon's log says of its datapath, where somebody wants to know (``-vdpif:dbg``).

Nothing is put together, nor even asked for, while nobody reads it.
"""

from __future__ import annotations

from typing import NamedTuple, get_args

from vnet.ovs.dpif.actions import OdpActions
from vnet.ovs.dpif.dpif import Dpif
from vnet.ovs.dpif.requests import Command, Request
from vnet.ovs.dpif.text.actions import actions_text
from vnet.ovs.dpif.text.attribute import EMPTY
from vnet.ovs.dpif.text.flows import (
    FlowAttributes,
    FlowPart,
    NotInstallableError,
    flow_text,
    key_text,
    read_key_text,
    read_text,
    ufid_of,
    ufid_text,
)
from vnet.ovs.dpif.text.packets import packet_text
from vnet.ovs.dpif.text.stats import stats_text
from vnet.ovs.flow.flow import Flow
from vnet.ovs.flow.match import Match
from vnet.ovs.flow.match_text import match_text
from vnet.ovs.ofproto.revalidator import FlowDump
from vnet.ovs.vlog.level import Level
from vnet.ovs.vlog.vlog import Vlog

_PER_MINUTE = 600


class Put(NamedTuple):
    """What was to be done with a flow: ``ufid`` is its name."""

    ufid: str
    actions: OdpActions
    creates: bool
    modifies: bool


class DatapathLog:
    """Listens to a datapath as long as one of the modules ``dpif`` and ``dpif_netdev`` is to tell
    all that it can. Ports are told by number, as those modules know them."""

    def __init__(self, dpif: Dpif, vlog: Vlog) -> None:
        self._dpif = dpif
        self._door = vlog.module("dpif")
        self._inside = vlog.module("dpif_netdev")
        self._door_limit = self._door.limit(_PER_MINUTE, _PER_MINUTE)
        self._inside_limit = self._inside.limit(_PER_MINUTE, _PER_MINUTE)
        self._odp_util = vlog.module("odp_util")
        self._key_limit = self._odp_util.limit(10, 10)
        self._fault_limits = {part: self._inside.limit(1, 5) for part in get_args(FlowPart)}
        self._failure_limit = self._door.limit(60, 5)
        self._is_listening = False
        vlog.on_change.append(self._levels_changed)
        self._levels_changed()

    def _levels_changed(self) -> None:
        is_wanted = self._door.is_enabled(Level.DBG) or self._inside.is_enabled(Level.DBG)
        if is_wanted and not self._is_listening:
            self._dpif.watch(self._hear)
        elif self._is_listening and not is_wanted:
            self._dpif.unwatch(self._hear)
        self._is_listening = is_wanted

    def _hear(self, request: Request) -> None:
        if self._inside.is_enabled(Level.DBG):
            self._tell_inside(request)
        if self._door.is_enabled(Level.DBG):
            line = self._at_the_door(request)
            if line:
                self._tell_at_the_door(line)

    def _tell_at_the_door(self, line: str) -> None:
        self._door.dbg(f"{self._dpif.kind}@{self._dpif.name}: {line}", self._door_limit)

    def dumped(self, dump: FlowDump) -> None:
        """The revalidator has asked for all flows."""
        if not self._door.is_enabled(Level.DBG):
            return
        for flow in dump.flows:
            shown, actions = EMPTY, ""
            if not dump.names_only:
                shown = self._in_full(flow.key, flow.mask)
                actions = f", actions:{actions_text(flow.actions)}"
            counts = stats_text(flow.stats, dump.time_ns)
            self._tell_at_the_door(f"flow_dump {ufid_of(flow)} {shown}, {counts}{actions}")
        self._tell_at_the_door("dumped all flows")

    def _in_full(self, key: int, mask: int) -> str:
        return flow_text(key, mask, verbose=True, vlan_limit=self._dpif.vlan_limit)

    # -- what the datapath says itself

    def _tell_inside(self, request: Request) -> None:
        match request.command:
            case Command.PACKET_MISS:
                self._inside.dbg(self._upcall_text(request, "miss"), self._inside_limit)
            case Command.PACKET_ACTION:
                self._inside.dbg(self._upcall_text(request, "action"), self._inside_limit)
            case Command.FLOW_NEW | Command.FLOW_SET:
                self._tell_of_flow(request)

    def _upcall_text(self, request: Request, kind: str) -> str:
        key, frame = request.key or 0, request.frame or b""
        vlan_limit = self._dpif.vlan_limit
        packet = packet_text(frame, Flow.packet_type.of(key), vlan_limit)
        shown = key_text(key, vlan_limit=vlan_limit)
        return f"{self._dpif.name}: {kind} upcall:\n{shown}\n{packet}"

    def _tell_of_flow(self, request: Request) -> None:
        key, mask, actions = request.key, request.mask, request.actions
        assert key is not None
        assert mask is not None
        assert actions is not None
        shown = flow_text(key, mask, vlan_limit=self._dpif.vlan_limit)
        what, was, name = "flow_add", "", request.name or ufid_text(key, mask)
        if request.command is Command.FLOW_SET:
            flow = self._dpif.flow_get(key, mask)
            what, was, name = (
                "flow_mod",
                f", old_actions:{actions_text(flow.actions)}",
                ufid_of(flow),
            )
        mega = ufid_text(key, mask)
        self._inside.dbg(
            f"{what}: {name} mega_{mega} {shown}{was}, actions:{actions_text(actions)}",
            self._inside_limit,
        )
        # A classifier has flows of one port only, and they always tell kinds of packets apart.
        mask = mask & ~Flow.in_port.mask | Flow.packet_type.mask
        self._inside.dbg(f"flow match: {match_text(Match(key & mask, mask))}")

    # -- what goes wrong, whoever reads it

    def refused(self, refusal: NotInstallableError, attributes: FlowAttributes, put: Put) -> None:
        """A flow cannot be installed."""
        part, key = refusal.part, read_key_text(attributes)
        if part == "key" and refusal.why:
            self._odp_util.warn(refusal.why, self._key_limit)
            self._odp_util.warn(f"the flow key in error is: {key}", self._key_limit)
        fault = f"internal error parsing flow key {key}"
        if part == "mask":
            fault = f"internal error parsing flow mask {read_text(attributes)} ({refusal.why})"
        elif part == "in_port":
            verb = "[create]" if put.creates else "[modify]"
            fault = f"failed to put{verb} flow: in_port is not an exact match"
        self._inside.err(fault, self._fault_limits[part])
        self.not_put(attributes, put, "Invalid argument")

    def not_put(self, attributes: FlowAttributes, put: Put, why: str) -> None:
        """A flow was not installed or changed."""
        verbs = "[create]" * put.creates + "[modify]" * put.modifies
        shown = f"{put.ufid} {read_text(attributes)}, actions:{actions_text(put.actions)}"
        self._failed(f"put{verbs}", why, shown)

    def not_deleted(self, ufid: str, key: str) -> None:
        """There was no such flow."""
        self._failed("flow_del", "No such file or directory", f"{ufid} {key}")

    def _failed(self, what: str, why: str, shown: str) -> None:
        name = f"{self._dpif.kind}@{self._dpif.name}"
        self._door.warn(f"{name}: failed to {what} ({why}) {shown}", self._failure_limit)

    # -- what is said at its door

    def _at_the_door(self, request: Request) -> str:
        match request.command:
            case Command.VPORT_NEW:
                return f"added {request.name} as port {request.number}"
            case Command.VPORT_DEL:
                return f"port_del({request.number})"
            case Command.METER_SET:
                return f"DPIF meter {request.number} set"
            case Command.METER_DEL:
                return f"DPIF meter {request.number} deleted"
            case Command.FLOW_SET:
                return self._modified(request)
            case Command.FLOW_DEL:
                return self._deleted(request)
            case _:
                return ""

    def _modified(self, request: Request) -> str:
        key, mask = request.key or 0, request.mask or 0
        name = ufid_of(self._dpif.flow_get(key, mask))
        actions = actions_text(request.actions or ())
        return f"put[modify] {name} {self._in_full(key, mask)}, actions:{actions}"

    def _deleted(self, request: Request) -> str:
        if request.key is None or request.mask is None:
            return "flow_flush success"
        flow = self._dpif.flow_get(request.key, request.mask)
        shown = key_text(flow.key, vlan_limit=self._dpif.vlan_limit)
        return f"flow_del {ufid_of(flow)} {shown}, {stats_text(flow.stats, request.time_ns)}"
