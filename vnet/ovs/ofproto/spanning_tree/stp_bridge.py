"""A bridge that speaks 802.1D-1998 (``stp_enable``)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from vnet.base.ids import mac_text
from vnet.base.units import NS_PER_S
from vnet.l2.stp.bridge import Stp
from vnet.l2.stp.offer import StpTimes
from vnet.l2.stp.port import StpPort, StpRole, StpState
from vnet.ovs.ofproto.ports.ofport import OfPort
from vnet.ovs.ofproto.spanning_tree.settings import StpPortSettings, StpSettings
from vnet.ovs.ofproto.spanning_tree.standing import OUTSIDE_TREE, TreeStanding
from vnet.ovs.ofproto.spanning_tree.tree import Home, SpanningTree
from vnet.ovs.openflow.messages import PortState
from vnet.wire import bpdu
from vnet.wire.bpdu import BpduType

if TYPE_CHECKING:
    from vnet.ovs.ofproto.ofproto import Ofproto

_UNITS_PER_SECOND = 256
_ADDRESS_BITS = 48
_ADDRESS_MASK = (1 << _ADDRESS_BITS) - 1
_NUMBER_MASK = 0xFF
_DEFAULT_PRIORITY = 128

_LOOK_NS = NS_PER_S
"""How long between two looks at the timers: Open vSwitch looks when it has something else to do,
and at least once a second.
"""

_HELLO_MS = (1_000, 10_000)
_MAX_AGE_MS = (6_000, 40_000)
_MAX_FORWARD_DELAY_MS = 30_000

_STATE_BITS = {
    StpState.LISTENING: PortState.NONE,
    StpState.LEARNING: PortState.STP_LEARN,
    StpState.FORWARDING: PortState.STP_FORWARD,
    StpState.BLOCKING: PortState.STP_BLOCK,
    StpState.DISABLED: PortState.NONE,
}
_STANDINGS = {
    state: TreeStanding(
        learns=state.learns,
        forwards=state.forwards,
        sends_bpdus=state is not StpState.BLOCKING,
        protocol="STP",
        state=bits,
    )
    for state, bits in _STATE_BITS.items()
}


def stp_times(settings: StpSettings) -> StpTimes:
    """What a bridge prescribes as the root: what was set, kept to what fits each other."""
    hello_ms = _within(settings.hello_time_ms, *_HELLO_MS)
    least_age_ms = max(2 * (hello_ms + 1_000), _MAX_AGE_MS[0])
    max_age_ms = _within(settings.max_age_ms, least_age_ms, _MAX_AGE_MS[1])
    delay_ms = _within(settings.forward_delay_ms, max_age_ms // 2 + 1_000, _MAX_FORWARD_DELAY_MS)
    return StpTimes(_units(max_age_ms), _units(hello_ms), _units(delay_ms))


def _within(value: int, least: int, most: int) -> int:
    return min(max(value, least), most)


def _units(time_ms: int) -> int:
    return time_ms * _UNITS_PER_SECOND // 1_000


class StpBridge(SpanningTree):
    """The protocol on one bridge.

    Its ports go by numbers. A number keeps its state when another port of the bridge takes it
    over, as happens where ports are numbered anew because one has come or gone.
    """

    def __init__(self, bridge: Ofproto, home: Home, settings: StpSettings) -> None:
        super().__init__(bridge, home)
        bridge_id = settings.priority << _ADDRESS_BITS | settings.address
        self.stp = Stp(bridge_id, stp_times(settings), self.now_ns)
        self._looks_ns = self.now_ns + _LOOK_NS
        """When the timers are looked at next."""
        self._members: dict[OfPort, StpPort] = {}
        self._holders: dict[StpPort, OfPort] = {}
        self._names: dict[StpPort, str] = {}
        self._entered_ns: dict[OfPort, int] = {}
        """Since when ports have been in the states that they are in."""
        self.watch_ports(is_first=True)

    def configure(
        self, settings: StpSettings, ports: Mapping[OfPort, StpPortSettings | None]
    ) -> None:
        """Set what is wanted of the bridge and of its ports, one after another. None: a port takes
        no part.
        """
        stp = self.stp
        self.watch_ports(is_first=False)
        address = stp.bridge_id >> _ADDRESS_BITS << _ADDRESS_BITS | settings.address
        stp.set_bridge_id(address)
        stp.set_bridge_id(settings.priority << _ADDRESS_BITS | settings.address)
        stp.set_times(stp_times(settings))
        for port, wanted in ports.items():
            if wanted is not None:
                self._configure_port(port, wanted)
            elif port in self._members:
                self._remove(port)
        self.wake()

    def _configure_port(self, port: OfPort, wanted: StpPortSettings) -> None:
        stp, number = self.stp, wanted.number
        was = self._members.get(port)
        if was is not None and was.number != number and self._holders.get(was) is port:
            self._disable(was)
        member = stp.ports.get(number)
        if member is None:
            member = stp.add_port(number, _DEFAULT_PRIORITY << 8 | number, wanted.path_cost)
        self._members[port] = member
        self._names[member] = port.name
        self._follow_link(port, member)
        stp.set_port_id(member, wanted.priority << 8 | number)
        stp.set_path_cost(member, wanted.path_cost)
        self.set_standing(port, _STANDINGS[member.state])

    def _remove(self, port: OfPort) -> None:
        self._disable(self._members.pop(port))
        self.set_standing(port, OUTSIDE_TREE)
        self._entered_ns.pop(port, None)

    def _disable(self, member: StpPort) -> None:
        self.stp.disable(member)
        self._holders.pop(member, None)

    def port_removed(self, port: OfPort) -> None:
        if port in self._members:
            self._remove(port)
            self.wake()

    def link_changed(self, port: OfPort) -> None:
        member = self._members.get(port)
        if member is not None:
            self._follow_link(port, member)
            self.wake()

    def _follow_link(self, port: OfPort, member: StpPort) -> None:
        if PortState.LINK_DOWN in port.state:
            self.stp.disable(member)
        else:
            self.stp.enable(member)
        self._holders[member] = port

    def set_standing(self, port: OfPort, standing: TreeStanding) -> None:
        if port.tree != standing:
            self._entered_ns[port] = self.now_ns
        super().set_standing(port, standing)

    def learning_changed(self, port: OfPort) -> None:  # noqa: ARG002 - all are forgotten
        self.bridge.switching.flush()

    # -- frames and time

    def receive(self, port: OfPort, frame: bytes) -> None:
        member = self._members.get(port)
        if member is None or member.state is StpState.DISABLED:
            return
        data = bpdu.payload_of(frame)
        if data is None:
            return
        read = bpdu.parse(data)
        if read is None or read.type is BpduType.RAPID or _is_long_notice(read.type, data):
            member.n_errors += 1
            return
        self.stp.receive(member, read)
        self.wake()

    def run(self) -> None:
        if self.now_ns >= self._looks_ns:
            self.stp.run(self.now_ns, counts_ahead=True)
            self._looks_ns = self.now_ns + _LOOK_NS
        effects = self.stp.take()
        for member, said, state in effects.sent:
            if member in self._holders:
                # Whether a BPDU may leave is for the state to say that it was made in.
                self.set_standing(self._holders[member], _STANDINGS[state])
                self.send(self._holders[member], bpdu.emit(said))
        for member in effects.changed:
            if member in self._holders:
                self.set_standing(self._holders[member], _STANDINGS[member.state])
        for _ in range(effects.n_detected):
            self._home.tree_log.topology_changed(self.bridge.name)
        if effects.must_flush:
            self.bridge.switching.flush()

    @property
    def next_due_ns(self) -> int | None:
        return self._looks_ns

    def topology_changed(self) -> None:
        self.stp.detect_topology_change()
        self.wake()

    # -- what is said of it

    def status(self) -> dict[str, str]:
        return {
            "stp_bridge_id": _id_text(self.stp.bridge_id),
            "stp_designated_root": _id_text(self.stp.root_id),
            "stp_root_path_cost": str(self.stp.root_path_cost),
        }

    def port_status(self, port: OfPort) -> dict[str, str]:
        member = self._members.get(port)
        if member is None:
            return {}
        elapsed_ns = self.now_ns - self._entered_ns.get(port, 0)
        return {
            "stp_port_id": str(member.id),
            "stp_role": self.stp.role(member).value,
            "stp_sec_in_state": str(elapsed_ns // NS_PER_S),
            "stp_state": member.state.value,
        }

    def port_statistics(self, port: OfPort) -> dict[str, int]:
        member = self._members.get(port)
        if member is None:
            return {}
        return {
            "stp_error_count": member.n_errors,
            "stp_rx_count": member.n_received,
            "stp_tx_count": member.n_sent,
        }

    def show(self) -> Iterator[str]:
        stp = self.stp
        yield f"---- {self.bridge.name} ----"
        yield "Root ID:"
        yield from _identity(stp.root_id, stp.own_times)
        if stp.root_port is None:
            yield "  This bridge is the root"
        else:
            yield f"  root-port       {self._names[stp.root_port]}"
            yield f"  root-path-cost  {stp.root_path_cost}"
        yield ""
        yield "Bridge ID:"
        yield from _identity(stp.bridge_id, stp.times)
        yield ""
        yield "  Interface  Role       State      Cost  Pri.Nbr "
        yield "  ---------- ---------- ---------- ----- -------"
        for member in stp.ports.values():
            if member.state is not StpState.DISABLED:
                yield self._row(member)
        yield ""

    def _row(self, member: StpPort) -> str:
        role: StpRole = self.stp.role(member)
        name = f"{self._names[member]:.10}"
        priority, number = member.id >> 8, member.id & _NUMBER_MASK
        return (
            f"  {name:<11}{role.value:<11}{member.state.value:<11}"
            f"{member.path_cost:<6}{priority}.{number}"
        )


def _id_text(bridge_id: int) -> str:
    return f"{bridge_id >> _ADDRESS_BITS:04x}.{bridge_id & _ADDRESS_MASK:012x}"


def _is_long_notice(kind: BpduType, data: bytes) -> bool:
    """Open vSwitch wants a notice to have its four bytes and no more."""
    return kind is BpduType.TOPOLOGY_CHANGE_NOTICE and len(data) != bpdu.HEADER_BPDU_BYTES


def _identity(bridge_id: int, times: StpTimes) -> Iterator[str]:
    """A bridge by its identifier. Open vSwitch shows its own times for the root's and the times
    in force for its own.
    """
    address = (bridge_id & _ADDRESS_MASK).to_bytes(6, "big")
    yield f"  stp-priority  {bridge_id >> _ADDRESS_BITS}"
    yield f"  stp-system-id   {mac_text(address)}"
    yield f"  stp-hello-time  {_seconds(times.hello_time)}s"
    yield f"  stp-max-age     {_seconds(times.max_age)}s"
    yield f"  stp-fwd-delay   {_seconds(times.forward_delay)}s"


def _seconds(units: int) -> int:
    return units * 1_000 // _UNITS_PER_SECOND // 1_000
