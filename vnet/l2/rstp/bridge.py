"""A bridge that speaks the rapid spanning tree protocol (802.1D-2004, 17.18).

It is told of BPDUs (:meth:`Rstp.receive`), of links (:meth:`Rstp.set_operational`) and, once a
second, of time (:meth:`Rstp.tick`), and is then asked what came of it (:meth:`Rstp.take`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from vnet.l2.rstp import (
    information,
    reception,
    role_transition,
    selection,
    state_transition,
    topology_change,
    transmit,
)
from vnet.l2.rstp.machine import Running
from vnet.l2.rstp.port import RstpPort, RstpState
from vnet.l2.rstp.vector import Times, Vector
from vnet.wire.bpdu import Bpdu, BpduRole, BpduType

DEFAULT_PRIORITY = 32768
DEFAULT_TRANSMIT_HOLD_COUNT = 6
STP_COMPATIBILITY = 0
"""The value of ForceVersion with which a bridge speaks the old protocol only."""
RSTP_OPERATION = 2

HELLO_TIME_S = 2
MIGRATE_TIME_S = 3
"""The only values that the standard allows (table 17-1)."""

_MAX_PORTS = 4095
_MAX_STEPS = 1000
_PRIORITY_STEP = 4096
_MAX_PRIORITY = 61440
_DEFAULT_TIMES = Times(0, 20, HELLO_TIME_S, 15)

PortOrder = Callable[[Sequence[int]], Sequence[int]]


class RstpEffects(NamedTuple):
    """What has to be done: BPDUs to send, ports with a new state, and stations to forget.

    ``flushed`` are ports whose stations may be elsewhere. Where ``moved`` is set, those of its
    first port are behind its second from now on.
    """

    sent: list[tuple[RstpPort, Bpdu]]
    changed: list[RstpPort]
    flushed: list[RstpPort]
    moved: tuple[RstpPort, RstpPort] | None


class Rstp:
    """One bridge.

    ``order`` gives, for the numbers of all ports in the order of their coming, the positions in
    which machines are taken in turn; by number, unless it is given. Settings that are out of
    range leave what was set before.
    """

    def __init__(self, address: int, order: PortOrder | None = None) -> None:
        self._order = order or _by_number
        self._ports: list[RstpPort] = []
        self.ports: tuple[RstpPort, ...] = ()
        """In the order in which their machines are taken in turn."""
        self.address = address
        self.migrate_time = MIGRATE_TIME_S
        self.force_version = RSTP_OPERATION
        self._sent: list[tuple[RstpPort, Bpdu]] = []
        self._begin()

    def _begin(self) -> None:
        """Set what a bridge begins with; ports are seen to by the caller."""
        self.priority = DEFAULT_PRIORITY
        self.transmit_hold_count = DEFAULT_TRANSMIT_HOLD_COUNT
        self.times = self.root_times = _DEFAULT_TIMES
        self.root_priority = Vector()
        self.root_port_id = 0
        self.old_root_port: RstpPort | None = None
        self.new_root_port: RstpPort | None = None
        self.root_has_moved = False
        self._selecting = Running(selection.INIT_BRIDGE, self)
        self._is_stirred = True
        selection.update_roles(self)

    @property
    def id(self) -> int:
        """The bridge's identifier: its priority before its address."""
        return self.priority << 48 | self.address

    @property
    def priority_vector(self) -> Vector:
        """What the bridge has to offer as the root."""
        return Vector(self.id, 0, self.id)

    @property
    def rstp_version(self) -> bool:
        """Whether the rapid protocol is spoken where it is understood."""
        return self.force_version >= RSTP_OPERATION

    @property
    def is_root(self) -> bool:
        """Whether the bridge believes itself to be the root."""
        return self.root_priority.bridge_id == self.id

    @property
    def root_port(self) -> RstpPort | None:
        """The port that the way to the root begins at. None: there is none, or it has gone."""
        return next((port for port in self.ports if port.id == self.root_port_id), None)

    # -- settings of the bridge (17.13, 17.14)

    def set_address(self, address: int) -> None:
        """The lower 48 bits of the identifier."""
        if address != self.address:
            self.address = address
            self._id_changed()

    def set_priority(self, priority: int) -> None:
        """0 to 61440; rounded down to a multiple of 4096."""
        priority -= priority % _PRIORITY_STEP
        if priority != self.priority and 0 <= priority <= _MAX_PRIORITY:
            self.priority = priority
            self._id_changed()

    def _id_changed(self) -> None:
        for port in self.ports:
            port.have_roles_chosen()
        self._times_changed()

    def set_force_version(self, version: int) -> None:
        """0 for the old protocol only, or 2. A change has all begin anew, with the defaults."""
        if version == self.force_version or version not in (STP_COMPATIBILITY, RSTP_OPERATION):
            return
        self.ports = ()
        self._begin()
        self.ports = tuple(self._in_order())
        self.force_version = version
        for port in self.ports:
            port.reset()
            port.machines = _machines(port)
        self._move()

    def set_max_age(self, max_age_s: int) -> None:
        """6 to 40 seconds, no more than the forward delay allows."""
        if max_age_s == self.times.max_age or not 6 <= max_age_s <= 40:
            return
        if 2 * self.times.hello_time <= max_age_s <= 2 * (self.times.forward_delay - 1):
            self.times = self.times._replace(max_age=max_age_s)
            self._times_changed()

    def set_forward_delay(self, forward_delay_s: int) -> None:
        """4 to 30 seconds, no less than the maximum age needs."""
        if forward_delay_s == self.times.forward_delay or not 4 <= forward_delay_s <= 30:
            return
        if 2 * (forward_delay_s - 1) >= self.times.max_age:
            self.times = self.times._replace(forward_delay=forward_delay_s)
            self._times_changed()

    def _times_changed(self) -> None:
        self._is_stirred = True
        selection.update_roles(self)

    def set_transmit_hold_count(self, count: int) -> None:
        """1 to 10 BPDUs a second and port."""
        if count != self.transmit_hold_count and 1 <= count <= 10:
            self.transmit_hold_count = count
            for port in self.ports:
                port.tx_count = 0

    # -- ports

    def port(self, number: int) -> RstpPort | None:
        """The port with a number."""
        return next((port for port in self._ports if port.number == number), None)

    def add_port(self) -> RstpPort:
        """A port with the lowest free number; its link is down at first."""
        port = RstpPort(self, self._free_number(None))
        port.machines = _machines(port)
        port.has_changed = True
        self._ports.append(port)
        self.ports = tuple(self._in_order())
        self._stir()
        return port

    def set_port_number(self, port: RstpPort, number: int) -> None:
        """Give a port a number, or the lowest that is free where that is taken, or is 0."""
        if number == port.number:
            return
        holder = self.port(number)
        is_usable = 1 <= number <= _MAX_PORTS and holder is None
        wanted = number if is_usable else self._free_number(port)
        if wanted != port.number:
            port.set_number(wanted)
            self._ports.remove(port)
            self._ports.append(port)
            self.ports = tuple(self._in_order())

    def _free_number(self, asking: RstpPort | None) -> int:
        taken = {port.number for port in self._ports if port is not asking}
        return next((n for n in range(1, _MAX_PORTS + 1) if n not in taken), 0)

    def disable_port(self, port: RstpPort) -> None:
        """A port takes part no more, and its machines stand still. What was known by it is not
        forgotten: roles are chosen anew when something else asks for that.
        """
        port.state = RstpState.DISABLED
        self.set_operational(port, False)

    def remove_port(self, port: RstpPort) -> None:
        """A port leaves, and its number is free."""
        self.disable_port(port)
        self._ports.remove(port)
        self.ports = tuple(self._in_order())

    def set_operational(self, port: RstpPort, operational: bool) -> None:
        """A link can be used, or no longer (MAC_Operational, 6.4.2)."""
        if operational != port.mac_operational:
            port.mac_operational = operational
            port.update_enabled()
            self._stir()

    def set_admin_enabled(self, port: RstpPort, enabled: bool) -> None:
        """An administrator lets a port take part, or not."""
        if enabled != port.is_admin_enabled:
            port.is_admin_enabled = enabled
            port.update_enabled()
            self._stir()

    def _in_order(self) -> list[RstpPort]:
        order = self._order([port.number for port in self._ports])
        return [self._ports[position] for position in order]

    # -- what happens

    def receive(self, port: RstpPort, bpdu: Bpdu | None) -> None:
        """A BPDU came in by a port; None, one that could not be read."""
        if port.state is RstpState.DISABLED or not port.port_enabled:
            return
        if bpdu is not None and bpdu.type is BpduType.RAPID and bpdu.role is BpduRole.UNKNOWN:
            bpdu = bpdu._replace(type=BpduType.CONFIG)
        if bpdu is None or not self._is_valid(port, bpdu):
            port.n_errors += 1
            return
        port.rcvd_bpdu = True
        port.n_received += 1
        port.bpdu = bpdu
        self._stir()

    def _is_valid(self, port: RstpPort, bpdu: Bpdu) -> bool:
        """A configuration BPDU must not be too old, nor the port's own (9.3.4)."""
        if bpdu.type is not BpduType.CONFIG:
            return True
        times = information.times_of(bpdu)
        is_own = bpdu.bridge_id == self.id and bpdu.port_id == port.id
        return times.message_age < times.max_age and not is_own

    def tick(self) -> None:
        """A second has passed."""
        for port in self.ports:
            port.count_down()
        self._stir()

    def poke(self) -> None:
        """Have the machines look whether there is anything to do (``rstp/tcn``)."""
        self._stir()

    def take(self) -> RstpEffects:
        """What came of all calls since the last time somebody asked."""
        sent, self._sent = self._sent, []
        changed = [port for port in self.ports if port.has_changed]
        flushed = [port for port in self.ports if port.fdb_flush]
        for port in changed:
            port.has_changed = False
        for port in flushed:
            port.fdb_flush = False
        moved = None
        if self.root_has_moved and self.old_root_port and self.new_root_port:
            moved = self.old_root_port, self.new_root_port
            self.root_has_moved = False
        return RstpEffects(sent, changed, flushed, moved)

    def send(self, port: RstpPort, bpdu: Bpdu) -> None:
        """A machine has a BPDU to send."""
        self._sent.append((port, bpdu))

    def _stir(self) -> None:
        self._is_stirred = True
        self._move()

    def _move(self) -> None:
        """Take the machines in turn, a step each, until none of them moves."""
        for _ in range(_MAX_STEPS):
            if not self._is_stirred:
                return
            self._is_stirred = self._selecting.step()
            for port in self.ports:
                if port.state is RstpState.DISABLED:
                    continue
                for machine in port.machines:
                    self._is_stirred |= machine.step()


def _machines(port: RstpPort) -> tuple[Running[RstpPort], ...]:
    """The machines of a port, in the order in which they are taken in turn."""
    return (
        Running(reception.DISCARD, port),
        Running(reception.first_detection(port), port),
        Running(information.DISABLED, port),
        Running(role_transition.INIT_PORT, port),
        Running(state_transition.DISCARDING, port),
        Running(topology_change.INACTIVE, port),
        Running(transmit.TRANSMIT_INIT, port),
        Running(reception.CHECKING_RSTP, port, starts_at_once=True),
    )


def _by_number(numbers: Sequence[int]) -> Sequence[int]:
    return sorted(range(len(numbers)), key=numbers.__getitem__)
