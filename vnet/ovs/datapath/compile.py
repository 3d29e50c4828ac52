"""From datapath actions to a program: what each action does to a packet (lib/odp-execute.c).

Every packet ends somewhere: one that no action of its flow sends anywhere is dropped at the end
of the program, by name. Where it is up to an action with lists of its own (``clone``, ``sample``,
``check_pkt_len``), that list owns the packet, and drops it.
"""

from __future__ import annotations

from vnet.base.deep_calls import deep_calls
from vnet.base.drops import DropReason
from vnet.netdev.device import TOO_SHORT
from vnet.ovs.datapath import encap, rewrite
from vnet.ovs.datapath.metering import exceed
from vnet.ovs.datapath.packet import PT_ETHERNET, RECIRC_ID, Packet
from vnet.ovs.datapath.program import Engine, Operation, Program, run
from vnet.ovs.datapath.reasons import (
    DROP_CAUSES,
    NO_ACTIONS,
    NO_SUCH_TUNNEL,
    NOT_ETHERNET,
    NSH_UNKNOWN_NEXT,
    RECIRCULATION_TOO_DEEP,
)
from vnet.ovs.datapath.tracking import tracker_action
from vnet.ovs.datapath.tunnels.device import TunnelDevice
from vnet.ovs.datapath.tunnels.push import has_source_port, pusher
from vnet.ovs.dpif import actions as odp
from vnet.ovs.dpif.actions import OdpAction, OdpActions
from vnet.ovs.dpif.cookies import SampleCookie
from vnet.ovs.flow.flow import Flow
from vnet.wire.ether import HEADER_BYTES

MAX_RECIRCULATIONS = 6
"""MAX_RECIRC_DEPTH of lib/dpif-netdev.c."""

_QUEUE = Flow.skb_priority
"""The userspace datapath takes a packet's priority as the number of its queue."""

_TAKERS = frozenset({odp.Output, odp.TnlPop, odp.Recirc, odp.Userspace, odp.Drop})
"""Actions that take a packet somewhere, or say that it ends."""


def _only_looks(action: OdpAction) -> bool:
    """Whether it is a sample for a collector."""
    return isinstance(action, odp.Userspace) and isinstance(action.cookie, SampleCookie)


def _takes(action: OdpAction) -> bool:
    """Whether every packet gets somewhere by an action."""
    match action:
        case odp.Output():
            return True
        case odp.Clone():
            return any(_takes(inner) for inner in action.actions)
        case odp.CheckPktLen():
            lists = (action.if_greater, action.if_less_equal)
            return all(any(_takes(inner) for inner in actions) for actions in lists)
        case _:
            return type(action) in _TAKERS and not _only_looks(action)


def _may_take(action: OdpAction) -> bool:
    """Whether some packets may get somewhere by an action."""
    match action:
        case odp.Clone() | odp.Sample():
            return any(_may_take(inner) for inner in action.actions)
        case odp.CheckPktLen():
            return any(_may_take(inner) for inner in (*action.if_greater, *action.if_less_equal))
        case _:
            return type(action) in _TAKERS and not _only_looks(action)


def _goes_on(action: OdpAction) -> bool:
    """Whether some packets may get somewhere else than to userspace by an action."""
    match action:
        case odp.Clone() | odp.Sample():
            return any(_goes_on(inner) for inner in action.actions)
        case odp.CheckPktLen():
            return any(_goes_on(inner) for inner in (*action.if_greater, *action.if_less_equal))
        case _:
            return type(action) in _TAKERS and not isinstance(action, odp.Userspace)


def _is_all(number: int, actions: OdpActions) -> bool:
    """Whether nothing but an action, the last of those that hand packets to userspace, takes
    packets anywhere."""
    takers = [taker for taker, action in enumerate(actions) if _may_take(action)]
    if not takers or number != takers[-1]:
        return False
    return not any(_goes_on(actions[taker]) for taker in takers[:-1])


_HOLDERS = frozenset({odp.Clone, odp.Sample, odp.CheckPktLen})
"""Actions with lists of their own."""

_ASKERS = _HOLDERS | {odp.Userspace}
"""Actions by which packets may come up to userspace."""


def nests(actions: OdpActions) -> bool:
    """Whether there are lists within a list: nobody knows how deep."""
    return not _HOLDERS.isdisjoint(map(type, actions))


def compiled(engine: Engine, key: int, actions: OdpActions) -> Program:
    """The program of a flow's actions. Raises ``ValueError`` for what cannot be carried out."""
    if not nests(actions):
        return Compiler(engine, key).compile(actions)
    with deep_calls():
        return Compiler(engine, key).compile(actions)


_DEEP = 100
"""Lists that are nested deeper need more calls than Python thinks reasonable."""


def _with_deep_calls(program: Program) -> Operation:
    def deeper(packet: Packet) -> bool:
        with deep_calls():
            run(program, packet)
        return False

    return deeper


class Compiler:
    """Compiles the actions of one flow. ``key`` is the flow's, which ``ct`` looks at."""

    def __init__(self, engine: Engine, key: int) -> None:
        self.engine = engine
        self.key = key
        self._n_around = 0

    def _nested(self, actions: OdpActions, owns_packet: bool, is_all: bool) -> Program:
        """Compile a list within an action."""
        self._n_around += 1
        program = self.compile(actions, owns_packet=owns_packet, is_all=is_all)
        if self._n_around == _DEEP:
            program = (_with_deep_calls(program),)
        self._n_around -= 1
        return program

    def compile(
        self, actions: OdpActions, *, owns_packet: bool = True, is_all: bool = True
    ) -> Program:
        """Compile a list. Raises ``ValueError`` for what cannot be carried out.

        ``is_all``: what the list does to a packet is all that is done with it.
        """
        program: Program = ()
        owner: int | None = None
        if owns_packet and not any(_takes(action) for action in actions):
            owners = [number for number, action in enumerate(actions) if _may_take(action)]
            owner = owners[-1] if owners else None
            if owner is None:
                program = (self._dropper(NO_ACTIONS),)
        for number in reversed(range(len(actions))):
            action = actions[number]
            asks = is_all and type(action) in _ASKERS
            alone = asks and _is_all(number, actions)
            operation = self._operation(action, program, number == owner, alone)
            program = (operation, *program)
        return program

    def _operation(
        self, action: OdpAction, rest: Program, owns_packet: bool, is_all: bool
    ) -> Operation:
        """The operation of one action. ``rest`` is the program behind it."""
        match action:
            case odp.Output():
                return self._output(action)
            case odp.Set():
                return rewrite.set_part(action)
            case odp.TnlPush():
                return self._tnl_push(action)
            case odp.TnlPop():
                return self._tnl_pop(action)
            case odp.Recirc():
                return self._recirc(action)
            case odp.Ct():
                return self._track(action, rest)
            case odp.Clone():
                return self._clone(action, owns_packet, is_all)
            case odp.Sample():
                return self._sample(action, owns_packet, is_all)
            case odp.CheckPktLen():
                return self._check_pkt_len(action, owns_packet, is_all)
            case odp.Trunc():
                return self._trunc(action)
            case odp.Userspace():
                return self._userspace(action, is_all)
            case odp.Meter():
                return self._meter(action)
            case odp.PopNsh():
                return self._pop_nsh()
            case odp.Drop():
                return self._dropper(DROP_CAUSES[action.cause])
        operation = rewrite.change(action)
        if operation is None:
            raise ValueError(f"a datapath cannot carry out {action}")
        return operation

    def _dropper(self, reason: DropReason) -> Operation:
        lose = self.engine.lose

        def drop(packet: Packet) -> bool:
            lose(packet, reason)
            return False

        return drop

    def _output(self, action: odp.Output) -> Operation:
        send, lose = self.engine.vport(action.port).send, self.engine.lose
        shift, ones = _QUEUE.shift, _QUEUE.ones

        def output(packet: Packet) -> bool:
            frame = packet.sent()
            if packet.packet_type != PT_ETHERNET:
                lose(packet, NOT_ETHERNET)
            elif len(frame.data) < HEADER_BYTES:
                lose(packet, TOO_SHORT)
            else:
                send(frame, packet.metadata >> shift & ones)
            return True

        return output

    def _trunc(self, action: odp.Trunc) -> Operation:
        longest = max(action.max_len_bytes, HEADER_BYTES)

        def trunc(packet: Packet) -> bool:
            packet.cut_bytes = max(len(packet.data) - longest, 0)
            return True

        return trunc

    def _recirc(self, action: odp.Recirc) -> Operation:
        engine, recirc_id = self.engine, action.recirc_id

        def recirc(packet: Packet) -> bool:
            if packet.depth >= MAX_RECIRCULATIONS:
                engine.lose(packet, RECIRCULATION_TOO_DEEP)
                return True
            twin = packet.copy()
            twin.depth += 1
            twin.metadata = RECIRC_ID.set(twin.metadata, recirc_id)
            engine.recirculate(twin)
            return True

        return recirc

    def _tnl_push(self, action: odp.TnlPush) -> Operation:
        engine, out_port = self.engine, action.out_port
        tunnel, push = engine.vport(action.tnl_port), pusher(action)
        is_spread = has_source_port(action)

        def tnl_push(packet: Packet) -> bool:
            device = tunnel.device
            if not isinstance(device, TunnelDevice):
                engine.lose(packet, NO_SUCH_TUNNEL)
                return False
            port = engine.udp_source_port(packet.original) if is_spread else 0
            packet.become(push(packet.sent().data, device, port), out_port)
            packet.meta = engine.note(packet.meta, "tunnel push", packet.data)
            return True

        return tnl_push

    def _tnl_pop(self, action: odp.TnlPop) -> Operation:
        engine, tunnel = self.engine, self.engine.vport(action.port)

        def tnl_pop(packet: Packet) -> bool:
            if packet.depth >= MAX_RECIRCULATIONS:
                engine.lose(packet, RECIRCULATION_TOO_DEEP)
            else:
                engine.decapsulate(packet.sent(), tunnel, packet.depth)
            return True

        return tnl_pop

    def _userspace(self, action: odp.Userspace, is_all: bool) -> Operation:
        engine, cookie = self.engine, action.cookie

        def userspace(packet: Packet) -> bool:
            twin = packet.copy()
            twin.data = packet.sent().data
            engine.upcall(twin, cookie, ends_here=is_all)
            return True

        return userspace

    def _clone(self, action: odp.Clone, owns_packet: bool, is_all: bool) -> Operation:
        program = self._nested(action.actions, owns_packet, is_all)

        def clone(packet: Packet) -> bool:
            twin = packet.copy()
            twin.cut_bytes, packet.cut_bytes = packet.cut_bytes, 0
            run(program, twin)
            return True

        return clone

    def _sample(self, action: odp.Sample, owns_packet: bool, is_all: bool) -> Operation:
        program = self._nested(action.actions, owns_packet, is_all)
        draw, engine, probability = self.engine.chance.getrandbits, self.engine, action.probability

        def sample(packet: Packet) -> bool:
            if draw(32) < probability:
                run(program, packet.copy())
            elif owns_packet:
                engine.lose(packet, NO_ACTIONS)
            return True

        return sample

    def _check_pkt_len(self, action: odp.CheckPktLen, owns_packet: bool, is_all: bool) -> Operation:
        limit = action.packet_bytes
        longer, others = (
            self._nested(actions, owns_packet, is_all)
            for actions in (action.if_greater, action.if_less_equal)
        )

        def check_pkt_len(packet: Packet) -> bool:
            size = len(packet.data) - packet.cut_bytes - packet.padding_bytes
            run(longer if size > limit else others, packet.copy())
            return True

        return check_pkt_len

    def _meter(self, action: odp.Meter) -> Operation:
        engine, meter_id = self.engine, action.meter_id

        def meter(packet: Packet) -> bool:
            band = engine.exceeded_band(meter_id, len(packet.data))
            return band is None or exceed(engine, packet, band)

        return meter

    def _track(self, action: odp.Ct, rest: Program) -> Operation:
        engine, key, asked = self.engine, self.key, tracker_action(action)

        def track(packet: Packet) -> bool:
            # Fragments wait in the tracker, and come out together: each goes on by itself.
            for one in engine.track(packet, asked, key):
                run(rest, one)
            return False

        return track

    def _pop_nsh(self) -> Operation:
        lose = self.engine.lose

        def pop_nsh(packet: Packet) -> bool:
            is_known = encap.pop_nsh(packet)
            if not is_known:
                lose(packet, NSH_UNKNOWN_NEXT)
            return is_known

        return pop_nsh
