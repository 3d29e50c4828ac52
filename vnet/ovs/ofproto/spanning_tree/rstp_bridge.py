"""A bridge that speaks 802.1D-2004 (``rstp_enable``)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from vnet.base.ids import mac_text
from vnet.base.units import NS_PER_S
from vnet.l2.rstp.bridge import Rstp
from vnet.l2.rstp.port import RstpPort, RstpState
from vnet.l2.rstp.vector import Times
from vnet.ovs.flow.hash_order import hash_table_order
from vnet.ovs.flow.hashing import hash_int
from vnet.ovs.ofproto.ports.ofport import OfPort
from vnet.ovs.ofproto.spanning_tree.settings import RstpPortSettings, RstpSettings
from vnet.ovs.ofproto.spanning_tree.standing import OUTSIDE_TREE, TreeStanding
from vnet.ovs.ofproto.spanning_tree.tree import Home, SpanningTree
from vnet.ovs.openflow.messages import PortState
from vnet.wire import bpdu
from vnet.wire.ether import TYPE_VLAN, type_of

if TYPE_CHECKING:
    from vnet.ovs.ofproto.ofproto import Ofproto

_ADDRESS_BITS = 48
_ADDRESS_MASK = (1 << _ADDRESS_BITS) - 1
_VLAN_TAG_BYTES = 4

_STATE_BITS = {
    RstpState.DISCARDING: PortState.NONE,
    RstpState.LEARNING: PortState.STP_LEARN,
    RstpState.FORWARDING: PortState.STP_FORWARD,
    RstpState.DISABLED: PortState.NONE,
}
_STANDINGS = {
    state: TreeStanding(state.learns, state.forwards, protocol="RSTP", state=bits)
    for state, bits in _STATE_BITS.items()
}


def _table_order(numbers: Sequence[int]) -> Sequence[int]:
    """Open vSwitch goes through the ports of a bridge in the order of a hash table."""
    return hash_table_order(hash_int(number, 0) for number in numbers)


class RstpBridge(SpanningTree):
    """The protocol on one bridge. Its seconds begin when it does."""

    protocol = "rstp"

    def __init__(self, bridge: Ofproto, home: Home, settings: RstpSettings) -> None:
        super().__init__(bridge, home)
        self.rstp = Rstp(settings.address, _table_order)
        self._members: dict[OfPort, RstpPort] = {}
        self._holders: dict[RstpPort, OfPort] = {}
        self._names: dict[RstpPort, str] = {}
        self._retired: list[RstpPort] = []
        self._ticked_ns = self.now_ns
        self._abandoned: RstpPort | None = None
        """The port that was the root port, while its stations are being moved."""
        self.watch_ports(is_first=True)

    def configure(
        self, settings: RstpSettings, ports: Mapping[OfPort, RstpPortSettings | None]
    ) -> None:
        """Set what is wanted of the bridge and of its ports, one after another. None: a port takes
        no part.

        The order counts: a new ForceVersion undoes the priority, and one time has to fit another.
        """
        rstp = self.rstp
        self.watch_ports(is_first=False)
        rstp.set_address(settings.address)
        rstp.set_priority(settings.priority)
        if settings.force_version != rstp.force_version:
            self._names.clear()
        rstp.set_force_version(settings.force_version)
        rstp.set_max_age(settings.max_age_s)
        rstp.set_forward_delay(settings.forward_delay_s)
        rstp.set_transmit_hold_count(settings.transmit_hold_count)
        for port, wanted in ports.items():
            if wanted is not None:
                self._configure_port(port, wanted)
            elif port in self._members:
                self._retire(port)
        self.wake()

    def _configure_port(self, port: OfPort, wanted: RstpPortSettings) -> None:
        member = self._members.get(port)
        if member is None:
            member = self._members[port] = self.rstp.add_port()
            self._holders[member] = port
        member.set_priority(wanted.priority)
        self.rstp.set_port_number(member, wanted.number)
        self._names[member] = port.name
        member.set_path_cost(wanted.path_cost)
        member.admin_edge = wanted.admin_edge
        member.auto_edge = wanted.auto_edge
        member.set_point_to_point(wanted.point_to_point)
        self.rstp.set_admin_enabled(member, wanted.is_admin_enabled)
        if wanted.mcheck:
            member.set_mcheck()
        self.set_standing(port, _STANDINGS[member.state])
        self._follow_link(port, member)

    def _retire(self, port: OfPort) -> None:
        """A port takes part no more. Its number is free later in this instant: ports that are
        configured after it do not get it.
        """
        member = self._members.pop(port)
        del self._holders[member]
        self.rstp.disable_port(member)
        self._retired.append(member)
        self.set_standing(port, OUTSIDE_TREE)

    def _remove_retired(self) -> None:
        for member in self._retired:
            self.rstp.remove_port(member)
            self._names.pop(member, None)
        self._retired.clear()

    def port_removed(self, port: OfPort) -> None:
        if port in self._members:
            self._retire(port)
            self._remove_retired()
            self.wake()

    def link_changed(self, port: OfPort) -> None:
        member = self._members.get(port)
        if member is not None:
            self._follow_link(port, member)
            self.wake()

    def _follow_link(self, port: OfPort, member: RstpPort) -> None:
        is_usable = port.may_enable and PortState.LINK_DOWN not in port.state
        self.rstp.set_operational(member, is_usable)

    def learning_changed(self, port: OfPort) -> None:
        if self._members.get(port) is not self._abandoned or self._abandoned is None:
            self._flush(port)

    def _flush(self, port: OfPort) -> None:
        switching = self.bridge.switching
        bundle = switching.bundle_of(port.number)
        if bundle is not None:
            switching.mac_table.flush_port(bundle)

    # -- frames and time

    def receive(self, port: OfPort, frame: bytes) -> None:
        member = self._members.get(port)
        data = _payload(frame)
        if member is not None and data is not None:
            self.rstp.receive(member, bpdu.parse(data))
            self.wake()

    def run(self) -> None:
        self._remove_retired()
        while self.now_ns - self._ticked_ns >= NS_PER_S:
            self._ticked_ns += NS_PER_S
            self.rstp.tick()
        effects = self.rstp.take()
        for member, said in effects.sent:
            if member in self._holders:
                # Whatever it says, Open vSwitch fills it up to the size of a rapid BPDU.
                data = bpdu.emit(said).ljust(bpdu.RAPID_BYTES, b"\0")
                self.send(self._holders[member], data)
        if effects.moved is not None:
            self._abandoned = effects.moved[0]
        for member in effects.changed:
            self.set_standing(self._holders[member], _STANDINGS[member.state])
        for member in effects.flushed:
            if member is not self._abandoned:
                self._flush(self._holders[member])
        if effects.moved is not None:
            self._move_stations(*effects.moved)
            self._abandoned = None

    def _move_stations(self, old: RstpPort, new: RstpPort) -> None:
        switching = self.bridge.switching
        if old in self._holders and new in self._holders:
            source = switching.bundle_of(self._holders[old].number)
            target = switching.bundle_of(self._holders[new].number)
            if source is not None and target is not None:
                switching.mac_table.move_port(source, target)

    @property
    def next_due_ns(self) -> int | None:
        return self._ticked_ns + NS_PER_S

    def topology_changed(self) -> None:
        self.rstp.poke()
        self.wake()

    # -- what is said of it

    def status(self) -> dict[str, str]:
        rstp = self.rstp
        best = rstp.root_priority
        return {
            "rstp_bridge_id": _id_text(rstp.id),
            "rstp_bridge_port_id": f"{best.bridge_port_id:04x}",
            "rstp_designated_id": _id_text(best.bridge_id),
            "rstp_designated_port_id": f"{best.port_id:04x}",
            "rstp_root_id": _id_text(best.root_id),
            "rstp_root_path_cost": str(best.root_path_cost),
        }

    def port_status(self, port: OfPort) -> dict[str, str]:
        member = self._members.get(port)
        if member is None:
            return {}
        best = member.port_priority
        return {
            "rstp_designated_bridge_id": _id_text(best.bridge_id),
            "rstp_designated_path_cost": str(best.root_path_cost),
            "rstp_designated_port_id": f"{best.port_id:04x}",
            "rstp_port_id": f"{member.id:04x}",
            "rstp_port_role": member.role.value,
            "rstp_port_state": member.state.value,
        }

    def port_statistics(self, port: OfPort) -> dict[str, int]:
        member = self._members.get(port)
        if member is None:
            return {}
        return {
            "rstp_error_count": member.n_errors,
            "rstp_rx_count": member.n_received,
            "rstp_tx_count": member.tx_count,
            "rstp_uptime": member.uptime_s,
        }

    def show(self) -> Iterator[str]:
        rstp = self.rstp
        yield f"---- {self.bridge.name} ----"
        yield "Root ID:"
        if rstp.is_root:
            yield from _identity(rstp.id, rstp.times)
            yield "  This bridge is the root"
        elif rstp.root_port is None:
            yield "unknown root port"
            return
        else:
            yield from _identity(rstp.root_priority.root_id, rstp.root_port.designated_times)
            yield f"  root-port       {self._name_of(rstp.root_port)}"
            yield f"  root-path-cost  {rstp.root_priority.root_path_cost}"
        yield ""
        yield "Bridge ID:"
        yield from _identity(rstp.id, rstp.times)
        yield ""
        yield "  Interface  Role       State      Cost     Pri.Nbr "
        yield "  ---------- ---------- ---------- -------- -------"
        for member in rstp.ports:
            if member.state is not RstpState.DISABLED:
                yield self._row(member)
        yield ""

    def _row(self, member: RstpPort) -> str:
        return (
            f"  {self._name_of(member)[:10]:<11}{member.role.value:<11}{member.state.value:<11}"
            f"{member.path_cost:<9}{member.priority}.{member.number}"
        )

    def _name_of(self, member: RstpPort) -> str:
        return self._names.get(member, "null")


def _id_text(bridge_id: int) -> str:
    priority = bridge_id >> _ADDRESS_BITS
    return f"{priority >> 12:x}.{priority & 0xFFF:03x}.{bridge_id & _ADDRESS_MASK:012x}"


def _payload(frame: bytes) -> bytes | None:
    """The bytes behind the LLC header, also of a frame with a VLAN tag; there, with padding."""
    if type_of(frame) != TYPE_VLAN:
        return bpdu.payload_of(frame)
    return frame[bpdu.PAYLOAD_AT + _VLAN_TAG_BYTES :] or None


def _identity(bridge_id: int, times: Times) -> Iterator[str]:
    address = (bridge_id & _ADDRESS_MASK).to_bytes(6, "big")
    yield f"  stp-priority    {bridge_id >> _ADDRESS_BITS}"
    yield f"  stp-system-id   {mac_text(address)}"
    yield f"  stp-hello-time  {times.hello_time}s"
    yield f"  stp-max-age     {times.max_age}s"
    yield f"  stp-fwd-delay   {times.forward_delay}s"
