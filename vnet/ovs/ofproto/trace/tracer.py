"""Following a packet through the tables of a bridge, without forwarding it."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, replace

from vnet.base.deep_calls import deep_calls
from vnet.ovs.dpif.actions import Clone, DropCause, OdpActions, Output, Recirc
from vnet.ovs.flow.flow import Flow
from vnet.ovs.flow.names import NO_NAMES
from vnet.ovs.flow.ports import OfpPort
from vnet.ovs.ofproto.backer import Backer
from vnet.ovs.ofproto.names import datapath_names, names_of
from vnet.ovs.ofproto.ofproto import Ofproto
from vnet.ovs.ofproto.trace.recirculation import recirculation_lines
from vnet.ovs.ofproto.trace.result import result_lines
from vnet.ovs.ofproto.xlate.context import RecircNode, XlateIn
from vnet.ovs.ofproto.xlate.report import Trace
from vnet.ovs.ofproto.xlate.translate import translate
from vnet.ovs.openflow.ofpacts import Ofpacts
from vnet.sim.frame import Frame

MAX_PASSES = 256
"""How often a packet is traced anew. One that recirculates for ever is traced for ever by Open
vSwitch; its datapath, and ours, drops such a packet after a few rounds.
"""


@dataclass(frozen=True, slots=True)
class TraceRequest:
    """What to trace. ``flow.in_port`` is an OpenFlow port of ``bridge``.

    With a ``frame`` the trace has side effects, as if the frame had come in. ``actions`` stand in
    for the tables (``ofproto/trace-packet-out``). ``ct_next`` are the connection states that
    lookups after ``ct`` find, one after the other.
    """

    bridge: Ofproto
    flow: Flow
    frame: bytes | None = None
    actions: Ofpacts | None = None
    ct_next: tuple[int, ...] = ()
    names: bool = False


class Tracer:
    """Traces through the bridges of one datapath."""

    def __init__(self, backer: Backer) -> None:
        self._backer = backer

    def trace(self, request: TraceRequest) -> str:
        """The whole trace, recirculations after each other, as ``ovs-appctl`` prints it, without
        the last newline."""
        with deep_calls():
            return "\n".join(self._lines(request)).removesuffix("\n")

    def _lines(self, request: TraceRequest) -> list[str]:
        states = deque(request.ct_next)
        queue: deque[RecircNode] = deque()
        lines = list(self._pass(request, queue))
        n_passes = 0
        while queue:
            node = queue.popleft()
            n_passes += 1
            if n_passes <= MAX_PASSES:
                lines += ["", *recirculation_lines(node, states)]
                lines += self._pass(replace(request, flow=node.flow), queue)
            self._backer.recirc.unref(node.recirc_id, self._backer.scheduler.now_ns)
        if n_passes > MAX_PASSES:
            lines.append(f"\nNo more than {MAX_PASSES} recirculations are traced.")
        return lines

    def _pass(self, request: TraceRequest, queue: deque[RecircNode]) -> Iterator[str]:
        trace: Trace = []
        recirculations: list[RecircNode] = []
        out = translate(
            XlateIn(
                bridge=request.bridge,
                backer=self._backer,
                flow=request.flow,
                frame=request.frame,
                actions=request.actions,
                allow_side_effects=request.frame is not None,
                tcp_flags=request.flow.tcp_flags,
                trace=trace,
                recirc_queue=recirculations,
                port_names=request.names,
            )
        )
        queue += recirculations
        names = names_of(request.bridge) if request.names else NO_NAMES
        odp_names = datapath_names(self._backer.dpif) if request.names else None
        yield from result_lines(request.flow, trace, out, names, odp_names)
        if request.frame is not None and out.error is DropCause.OK:
            self._execute(request, out.actions)
        out.release(self._backer.recirc, self._backer.scheduler.now_ns)

    def _execute(self, request: TraceRequest, actions: OdpActions) -> None:
        """What is left of the actions goes to controllers and collectors."""
        assert request.frame is not None
        port = request.bridge.ports.get(OfpPort(request.flow.in_port))
        flow = request.flow.copy()
        flow.in_port = 0 if port is None or port.odp_port is None else port.odp_port
        self._backer.dpif.execute(Frame(request.frame), flow.key, _without_outputs(actions))


def _without_outputs(actions: OdpActions) -> OdpActions:
    kept = (action for action in actions if not isinstance(action, (Output, Recirc)))
    return tuple(
        Clone(_without_outputs(action.actions)) if isinstance(action, Clone) else action
        for action in kept
    )
