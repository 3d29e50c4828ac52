"""What the datapath could not decide: upcalls, and the flows that spare the next ones."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vnet.base.deep_calls import deep_calls
from vnet.base.drops import DropReason, drop_reason
from vnet.ovs.dpif.actions import DropCause
from vnet.ovs.dpif.cookies import (
    ControllerCookie,
    FlowSampleCookie,
    IpfixCookie,
    SflowCookie,
    SlowPathCookie,
)
from vnet.ovs.dpif.dpif import FlowStats, Upcall
from vnet.ovs.flow.flow import MEMBERS, Flow, with_tag_told
from vnet.ovs.flow.match import Match
from vnet.ovs.flow.names import port_text
from vnet.ovs.flow.packet_mask import packet_mask
from vnet.ovs.flow.ports import OdpPort, OfpPort
from vnet.ovs.ofproto.names import datapath_names, names_of
from vnet.ovs.ofproto.ofproto import Ofproto
from vnet.ovs.ofproto.pipeline_match import pipeline_match
from vnet.ovs.ofproto.revalidator import Ukey
from vnet.ovs.ofproto.trace.result import result_lines
from vnet.ovs.ofproto.tunnel.ports import came_by_tunnel
from vnet.ovs.ofproto.upcall_note import UpcallNote, steps_of
from vnet.ovs.ofproto.xlate.cache import XlateCache
from vnet.ovs.ofproto.xlate.context import XlateIn, XlateOut
from vnet.ovs.ofproto.xlate.recirc import FROZEN_MASK, FrozenState
from vnet.ovs.ofproto.xlate.report import Trace
from vnet.ovs.ofproto.xlate.translate import translate
from vnet.ovs.openflow.messages import Continuation, PacketIn
from vnet.ovs.openflow.ofpacts import PacketInReason
from vnet.sim.frame import Frame

if TYPE_CHECKING:
    from vnet.ovs.ofproto.backer import Backer

UNKNOWN_INGRESS = drop_reason(
    "ovs-unknown-ingress",
    cause="the frame came up from a port, or for a recirculation, that no bridge knows any more",
    cure="nothing, if a port or a flow was just removed; else see that the port is on a bridge",
)

UNKNOWN_TUNNEL = drop_reason(
    "ovs-unknown-tunnel",
    cause="no tunnel port is for packets with these ends and this key",
    cure="compare type, remote_ip, local_ip and key of the ports at both ends of the tunnel",
)

_CIRCLES = frozenset((DropCause.RECURSION_TOO_DEEP, DropCause.TOO_MANY_RESUBMITS))
_CONNECTION_MASK = sum(bits.mask for bits in MEMBERS if bits.name.startswith("ct_"))


class UpcallHandler:
    """Decides about frames that come up from one datapath."""

    def __init__(self, backer: Backer) -> None:
        self._backer = backer

    def handle(self, upcall: Upcall) -> None:
        """Translate, install, execute; or hand to whoever the flow's action is for."""
        with deep_calls():
            self._handle(upcall)

    def _handle(self, upcall: Upcall) -> None:
        if isinstance(upcall.cookie, ControllerCookie):
            self._packet_in(upcall, upcall.cookie)
            return
        ingress = self._backer.ingress(upcall.key)
        if ingress is None:
            self._drop(upcall, UNKNOWN_TUNNEL if came_by_tunnel(upcall.key) else UNKNOWN_INGRESS)
            return
        bridge, in_port = ingress
        match upcall.cookie:
            case None:
                self._miss(upcall, bridge, in_port)
            case SlowPathCookie():
                trace: Trace | None = None if upcall.frame.meta is None else []
                out, frame = self._translate(upcall, bridge, in_port, trace, stats=None, cache=None)
                self._execute(upcall, frame, out)
                out.release(self._backer.recirc, self._backer.scheduler.now_ns)
            case FlowSampleCookie() | SflowCookie() | IpfixCookie():
                return  # samples are for collectors, and nobody sends to those yet

    def _miss(self, upcall: Upcall, bridge: Ofproto, in_port: OfpPort) -> None:
        now_ns = self._backer.scheduler.now_ns
        stats = FlowStats(1, len(upcall.frame.data), now_ns, Flow.tcp_flags.of(upcall.key))
        cache = XlateCache()
        trace: Trace | None = None
        if upcall.frame.meta is not None or self._backer.upcall_watchers:
            trace = []
        out, frame = self._translate(upcall, bridge, in_port, trace, stats=stats, cache=cache)
        mask = out.datapath_mask
        if not self._backer.uses_megaflows:
            mask = with_tag_told(mask | packet_mask(Flow(upcall.key)).key)
        actions = out.installed_actions
        ukey = Ukey(upcall.key, mask, actions, now_ns, out.recirc_ids, cache)
        is_installed = not out.avoid_caching and self._backer.revalidator.install(ukey)
        if trace is not None:
            self._tell_watchers(upcall, bridge, in_port, trace, out, is_installed)
        self._execute(upcall, frame, out)
        if not is_installed:
            out.release(self._backer.recirc, self._backer.scheduler.now_ns)

    def _translate(
        self,
        upcall: Upcall,
        bridge: Ofproto,
        in_port: OfpPort,
        trace: Trace | None,
        *,
        stats: FlowStats | None,
        cache: XlateCache | None,
    ) -> tuple[XlateOut, Frame]:
        """What becomes of the frame, and the frame to do it to: where somebody follows it, its
        trace has got the translation's."""
        flow = Flow(upcall.key)
        flow.in_port = in_port
        out = translate(
            XlateIn(
                bridge=bridge,
                backer=self._backer,
                flow=flow,
                frame=upcall.frame.data,
                allow_side_effects=True,
                tcp_flags=flow.tcp_flags,
                stats=stats,
                cache=cache,
                trace=trace,
                port_names=True,
            )
        )
        if out.error in _CIRCLES:
            self._backer.xlate_log.circled(lambda: self._traced(upcall.frame, bridge, flow))
        return out, self._explained(upcall.frame, bridge, flow, trace, out)

    def _traced(self, frame: Frame, bridge: Ofproto, flow: Flow) -> str:
        from vnet.ovs.ofproto.trace.tracer import Tracer, TraceRequest

        return Tracer(self._backer).trace(TraceRequest(bridge, flow, frame.data)) + "\n"

    def _explained(
        self, frame: Frame, bridge: Ofproto, flow: Flow, trace: Trace | None, out: XlateOut
    ) -> Frame:
        if frame.meta is None or trace is None:
            return frame
        odp_names = datapath_names(self._backer.dpif)
        notes = tuple(result_lines(flow, trace, out, names_of(bridge), odp_names))
        now_ns, place = self._backer.scheduler.now_ns, self._backer.label_of(bridge)
        meta = frame.meta.add(now_ns, place, "ofproto/trace", frame.data, notes=notes)
        return Frame(frame.data, meta)

    def _tell_watchers(
        self,
        upcall: Upcall,
        bridge: Ofproto,
        in_port: OfpPort,
        trace: Trace,
        out: XlateOut,
        is_installed: bool,
    ) -> None:
        watchers = self._backer.upcall_watchers
        if not watchers:
            return
        from vnet.ovs.dpif.text.actions import actions_text
        from vnet.ovs.dpif.text.flows import flow_text

        dpif, port = self._backer.dpif, bridge.ports.get(in_port)
        odp_names = datapath_names(dpif)
        note = UpcallNote(
            self._backer.scheduler.now_ns,
            bridge.name,
            port_text(in_port) if port is None else port.name,
            upcall.frame.data,
            steps_of(trace),
            flow_text(
                upcall.key, out.datapath_mask, port_names=odp_names, vlan_limit=dpif.vlan_limit
            ),
            actions_text(out.installed_actions, port_names=odp_names),
            is_installed,
        )
        for watcher in watchers:
            watcher(note)

    def _execute(self, upcall: Upcall, frame: Frame, out: XlateOut) -> None:
        if out.is_taken:
            # It has arrived: the switch itself was its destination.
            self._backer.n_own_frames += 1
            return
        self._backer.dpif.execute(frame, upcall.key, out.actions, mru_bytes=upcall.mru_bytes)

    def _packet_in(self, upcall: Upcall, cookie: ControllerCookie) -> None:
        """The bridge whose flow it was has something for its controllers: behind patch ports it
        is not the one that the packet came in by."""
        state = self._backer.recirc.find(cookie.recirc_id)
        if cookie.dont_send or state is None:
            return
        if self._backer.bridges.get(state.bridge.name) is not state.bridge:
            self._drop(upcall, UNKNOWN_INGRESS)
            return
        packet_in = PacketIn(
            frame=upcall.frame.data,
            reason=PacketInReason(cookie.reason),
            table_id=state.table_id,
            cookie=cookie.rule_cookie,
            pipeline=_pipeline(upcall.key, state),
            controller_id=cookie.controller_id,
            max_len_bytes=cookie.max_len_bytes,
            userdata=state.userdata,
            continuation=_continuation(upcall.key, state) if cookie.continuation else None,
        )
        lost = self._backer.packet_in(state.bridge, packet_in)
        if lost is not None and upcall.ends_here:
            self._drop(upcall, lost)

    def _drop(self, upcall: Upcall, reason: DropReason) -> None:
        self._backer.dpif.drop(upcall.frame, OdpPort(Flow.in_port.of(upcall.key)), reason)


def _pipeline(key: int, state: FrozenState) -> Match:
    """What the packet's flow was when the ``controller`` action came."""
    if not state.conntracked:
        key &= ~_CONNECTION_MASK
    key = key & ~FROZEN_MASK | state.metadata
    return pipeline_match(key, state.bridge.tlv_mappings.options_of(key))


def _continuation(key: int, state: FrozenState) -> Continuation:
    """What the translation needs to go on, once the controller says so."""
    return Continuation(
        bridge=state.bridge.uuid,
        stack=state.stack,
        mirrors=state.mirrors,
        conntracked=state.conntracked,
        actions=state.actions,
        action_set=state.action_set,
        odp_port=Flow.in_port.of(key),
    )
