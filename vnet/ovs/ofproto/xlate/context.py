"""What goes into a translation, what comes out, and what it carries along meanwhile."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from vnet.ovs.dpif.actions import (
    SAMPLE_ALWAYS,
    Drop,
    DropCause,
    HashAlgorithm,
    Meter,
    OdpAction,
    OdpActions,
    Sample,
    Userspace,
)
from vnet.ovs.dpif.cookies import SlowPath, SlowPathCookie
from vnet.ovs.dpif.dpif import FlowStats
from vnet.ovs.flow.flow import Flow, with_tag_told
from vnet.ovs.flow.ports import OFPP_UNSET
from vnet.ovs.ofproto.features import Features
from vnet.ovs.ofproto.xlate.action_size import RunningSize
from vnet.ovs.ofproto.xlate.cache import LostCopy, SideEffect, XlateCache
from vnet.ovs.ofproto.xlate.recirc import TUNNEL_MASK, FrozenState, RecircTable
from vnet.ovs.ofproto.xlate.report import NodeKind, Trace, TraceNode
from vnet.ovs.openflow.ofpacts import Controller, Nat, Ofpact, Ofpacts, UnrollXlate

if TYPE_CHECKING:
    from vnet.ovs.ofproto.ofproto import Ofproto
    from vnet.ovs.ofproto.ports.ofport import OfPort
    from vnet.ovs.ofproto.rules.rule import Rule
    from vnet.ovs.ofproto.switching.bundle import Bundle
    from vnet.ovs.ofproto.tunnel.underlay import Underlay
    from vnet.ovs.ofproto.xlate.log import XlateLog
    from vnet.ovs.openflow.messages import FlowMod

MAX_DEPTH = 64
"""How deep resubmits to the same or an earlier table, groups and patch ports may nest."""

MAX_RESUBMITS = MAX_DEPTH * MAX_DEPTH
"""How many resubmits one translation may carry out, nested or not."""

MAX_BUCKETS = 1 << 14
"""How many buckets of groups one translation may look at. Open vSwitch knows no such limit: groups
that lead to groups keep it busy for ever."""

MAX_STACK_BYTES = 65536
_LENGTH_BYTES = 1
"""What a value on the stack takes besides its bytes."""
NOT_SLOW = SlowPath(0)
_TAKEN = SlowPath.CFM | SlowPath.BFD | SlowPath.LACP | SlowPath.STP | SlowPath.LLDP
"""Reasons of frames that a protocol of the port's has taken."""

NO_RULE_COOKIE = 0xFFFF_FFFF_FFFF_FFFF


class Backer(Protocol):
    """What the bridges that share one datapath share besides it."""

    @property
    def bridges(self) -> Mapping[str, Ofproto]:
        """All bridges of the datapath by name."""

    @property
    def recirc(self) -> RecircTable:
        """Their frozen translations."""

    @property
    def underlay(self) -> Underlay:
        """What they know about tunnels."""

    @property
    def features(self) -> Features:
        """What translations may make use of in the datapath."""

    @property
    def xlate_log(self) -> XlateLog:
        """Where it is said what goes wrong."""

    def send_to_tables(
        self, bridge: Ofproto, port: OfPort, frame: bytes, *, depth: int, resubmits: int
    ) -> None:
        """Have a bridge handle a frame at once, as if it had come in by a port."""

    def patch_peer(self, port: OfPort) -> tuple[Ofproto, OfPort] | None:
        """The other end of a patch port, and the bridge it is on; None where it has none."""


@dataclass(slots=True)
class RecircNode:
    """A lookup that a traced translation asks for, for the tracer to follow.

    ``flow`` is the flow as it was then, with the new ``recirc_id``; ``nat`` is what the ``ct``
    action translates addresses by.
    """

    reason: str
    recirc_id: int
    flow: Flow
    nat: Nat | None = None


@dataclass(slots=True)
class XlateIn:
    """What to translate, and how far it may reach.

    ``flow`` is what the datapath extracted, except that ``in_port`` is an OpenFlow port; the
    translation works on a copy. With ``rule`` and ``actions`` both None the tables are looked up.

    ``allow_side_effects``: learn addresses and flows and shorten timeouts now. ``stats``: what
    to credit now to everything that is met on the way. ``cache``: where to keep side effects and
    credits for later. All three off: nothing outside changes. ``trace``: where to explain.
    """

    bridge: Ofproto
    backer: Backer
    flow: Flow
    frame: bytes | None = None
    rule: Rule | None = None
    actions: Ofpacts | None = None
    allow_side_effects: bool = False
    tcp_flags: int = 0
    stats: FlowStats | None = None
    cache: XlateCache | None = None
    trace: Trace | None = None
    recirc_queue: list[RecircNode] | None = None
    in_packet_out: bool = False
    port_names: bool = False
    depth: int = 0
    resubmits: int = 0
    frozen_state: FrozenState | None = None
    """What to resume from; None: what the flow's ``recirc_id`` stands for, if it has one."""


@dataclass(slots=True)
class XlateOut:
    """What a translation found.

    ``wc`` is the mask of all that the result depends on, ``flow`` the flow as it was at the end.
    ``recirc_ids`` are held by whoever keeps the actions; :meth:`release` gives them back. After an
    error, and where there is nothing to do, the one action is a drop that says why. ``slow``:
    frames must come up one by one, through ``slow_meter_id`` of the datapath if there is one.
    ``avoid_caching``: no flow may be installed at all.
    """

    actions: OdpActions
    wc: Flow
    flow: Flow
    error: DropCause = DropCause.OK
    slow: SlowPath = NOT_SLOW
    slow_meter_id: int | None = None
    avoid_caching: bool = False
    recirc_ids: list[int] = field(default_factory=list)

    @property
    def datapath_mask(self) -> int:
        """The mask as a datapath flow has it: of its port, every bit, and always whether there is
        a VLAN tag, for no flow is of frames with and without one.
        """
        return with_tag_told(self.wc.key | Flow.in_port.mask)

    @property
    def installed_actions(self) -> OdpActions:
        """What a datapath flow does: the actions, or send each frame up."""
        if not self.slow:
            return self.actions
        up = Userspace(SlowPathCookie(self.slow))
        if self.slow_meter_id is None:
            return (up,)
        return (Sample(SAMPLE_ALWAYS, (Meter(self.slow_meter_id), up)),)

    @property
    def is_taken(self) -> bool:
        """Whether a protocol of the switch's own was the frame's destination, and nothing else."""
        return (
            bool(self.slow) and bool(self.slow & _TAKEN) and self.actions == (Drop(DropCause.OK),)
        )

    def release(self, recirc: RecircTable, now_ns: int) -> None:
        """Nobody uses the actions any more."""
        for recirc_id in self.recirc_ids:
            recirc.unref(recirc_id, now_ns)
        self.recirc_ids.clear()


MirrorPacket = Callable[["XlateCtx", "Bundle", int], None]
"""Copies the packet, which leaves by a bundle, to mirrors (bits). Copies are outputs themselves,
so outputs reach it through the context and not by name.
"""


class XlateCtx:
    """The state of a translation that is under way.

    ``flow`` is the packet as the actions so far leave it, ``base_flow`` the packet as the
    datapath has it after ``actions``; their difference becomes actions before each output.
    ``bridge`` changes on the way through patch ports.
    """

    def __init__(self, xin: XlateIn, mirror_packet: MirrorPacket) -> None:
        self.in_ = xin
        self.mirror_packet = mirror_packet
        self.bridge = xin.bridge
        self.flow = xin.flow.copy()
        self.flow.actset_output = OFPP_UNSET
        self.base_flow = self.flow.copy()
        # The datapath keeps nothing of the tunnel a packet came by: all of it is set anew.
        self.base_flow.key &= ~TUNNEL_MASK
        self.wc = Flow()
        self.actions: list[OdpAction] = []
        self.actions_size = RunningSize()
        self.slow = NOT_SLOW
        self.avoid_caching = False
        self.recirc_ids: list[int] = []
        self.error = DropCause.OK
        self.lost_copies: list[LostCopy] = []
        """Outputs that led nowhere. Of a frame that goes nowhere else the last is the end."""
        self.trace: Trace | None = xin.trace

        self.frozen_state = xin.frozen_state
        if self.frozen_state is None and self.flow.recirc_id:
            self.frozen_state = xin.backer.recirc.find(self.flow.recirc_id)
        self.origin: tuple[Ofproto, int] | None = None
        self.table_id = 0
        self.rule: Rule | None = xin.rule
        self.rule_cookie = NO_RULE_COOKIE
        self.depth = xin.depth
        self.resubmits = xin.resubmits
        self.n_buckets = 0
        self.exit = False
        self.stack: list[bytes] = []
        self.stack_bytes = 0
        self.action_set: list[Ofpact] = []
        self.action_set_has_group = False
        self.in_action_set = False
        self.orig_skb_priority = self.flow.skb_priority
        self.n_outputs = 0
        """By how many ports the packet has left; a tunnel is one."""
        self.mirrors = 0
        self.mirror_snaplen = 0
        """Mirrors that the packet has gone to, as bits, and how much of it they want."""

        self.freezing = False
        self.frozen_actions: list[Ofpact] = []
        self.unroll: UnrollXlate | None = None
        self.pause: Controller | None = None
        self.recirc_hash: tuple[HashAlgorithm, int] | None = None
        self.recirc_meter_id: int | None = None
        self.was_mpls = False
        self.conntracked = False
        self.ct_nat: Nat | None = None
        self.pending_encap = False
        self.pending_decap = False
        self.encap_metadata = b""

        self.learned: list[tuple[Ofproto, FlowMod, int]] = []
        """The flows to make once the translation has ended, each with its ``limit``."""

    # -- explaining

    def report(self, kind: NodeKind, text: str) -> Trace | None:
        """Add a line to the trace, if there is one, and return where lines below it go.

        Whoever wants lines below it sets ``trace`` to that, and back afterwards.
        """
        if self.trace is None:
            return None
        node = TraceNode(kind, text)
        self.trace.append(node)
        return node.children

    def detail(self, text: str) -> None:
        """Something to know about the present action."""
        self.report(NodeKind.DETAIL, text)

    def supports(self, feature: str) -> bool:
        """Whether the datapath may be asked for something."""
        return bool(self.in_.backer.features[feature])

    def slow_without(self, feature: str) -> None:
        """What was just translated needs a feature: where there is none, each frame comes up."""
        if not self.supports(feature):
            self.slow |= SlowPath.ACTION

    def warn(self, text: str) -> None:
        """Something that a user would not expect."""
        self.report(NodeKind.WARN, text)

    def fail(self, text: str, error: DropCause = DropCause.OK) -> None:
        """Something went wrong; with an ``error`` it ends the translation. The log has it where
        there is a packet, and nobody has asked what would become of one."""
        self.report(NodeKind.ERROR, text)
        if self.in_.frame is not None and self.in_.recirc_queue is None:
            self.in_.backer.xlate_log.failed(text, self.bridge.name, self.base_flow)
        if error is not DropCause.OK:
            self.error = error

    def has_failed(self) -> bool:
        """Whether an error has ended the translation."""
        return self.error is not DropCause.OK

    # -- side effects

    @property
    def may_act(self) -> bool:
        """Whether something outside may be touched, now or later."""
        return self.in_.allow_side_effects or self.in_.cache is not None

    def credit(self, effect: SideEffect) -> None:
        """Count something, now or later, as the translation is asked to."""
        if self.in_.stats is not None:
            effect.push(self.in_.stats)
        if self.in_.cache is not None:
            self.in_.cache.add(effect)

    # -- the stack

    def push_stack(self, values: Iterable[bytes]) -> None:
        """Put values on the stack, the last on top."""
        for value in values:
            self.stack.append(value)
            self.stack_bytes += len(value) + _LENGTH_BYTES

    def pop_stack(self) -> bytes:
        """Take the top of the stack, which must not be empty."""
        value = self.stack.pop()
        self.stack_bytes -= len(value) + _LENGTH_BYTES
        return value
