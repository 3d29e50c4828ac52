"""A bridge that speaks the spanning tree protocol (802.1D-1998, 8.5 to 8.8).

A machine is told of BPDUs (:meth:`Stp.receive`) and of time (:meth:`Stp.run`), and is then asked
what came of it (:meth:`Stp.take`). Its timers go on when it is told of time, and stand still
meanwhile: an owner whose timers are exact tells it before anything else, and when
:attr:`Stp.next_due_ns` has come; one that looks at its clock every now and then tells it then.

Ports that take no part are in state DISABLED; what becomes of frames there is for the owner to say.

Linux does some things its own way: its machine is a subclass, which overrides what differs.
"""

from __future__ import annotations

from vnet.l2.stp.clock import StpClock
from vnet.l2.stp.effects import SentBpdu, StpEffects
from vnet.l2.stp.offer import Offer, StpTimes
from vnet.l2.stp.port import StpPort, StpRole, StpState
from vnet.wire.bpdu import TOPOLOGY_CHANGE_NOTICE, Bpdu, BpduFlags, BpduType

MESSAGE_AGE_INCREMENT = 1
"""What a bridge adds to the age of what it passes on, in units of 1/256 second."""


class Stp(StpClock):
    """One bridge, which thinks that it is the root and says hello when it first hears of time.

    ``times`` are in force now, ``own_times`` those that the bridge prescribes where it is root;
    like those in the BPDUs that it is told of, they count :attr:`UNIT_NS`.
    """

    def __init__(self, bridge_id: int, own_times: StpTimes, now_ns: int) -> None:
        self.bridge_id = bridge_id
        self.root_id = bridge_id
        self.root_path_cost = 0
        self.root_port: StpPort | None = None
        self.has_detected_change = False
        self.topology_change = False
        """Whether the root says, or says as the root, that the topology has changed."""
        super().__init__(own_times, now_ns)
        self._sent: list[SentBpdu] = []
        self._must_flush = False
        self._n_detected = 0

    @property
    def is_root(self) -> bool:
        """Whether the bridge believes itself to be the root."""
        return self.bridge_id == self.root_id

    def take(self) -> StpEffects:
        """What came of all calls since the last time somebody asked."""
        effects = StpEffects(
            self._sent,
            [port for port in self.ports.values() if port.has_changed],
            self._must_flush,
            self._n_detected,
        )
        self._sent, self._must_flush, self._n_detected = [], False, 0
        for port in effects.changed:
            port.has_changed = False
        return effects

    # -- management (8.8)

    def add_port(self, number: int, port_id: int, path_cost: int) -> StpPort:
        """A port, DISABLED at first. ``number`` must be free."""
        port = StpPort(number, port_id, path_cost, self._own_offer(port_id))
        self._give_timers(port)
        self.ports = dict(sorted({**self.ports, number: port}.items()))
        return port

    def remove_port(self, number: int) -> None:
        """A port leaves the bridge."""
        self.disable(self.ports[number])
        del self.ports[number]

    def enable(self, port: StpPort) -> None:
        """Let a port take part."""
        if port.state is not StpState.DISABLED:
            return
        port.best = self._own_offer(port.id)
        self._set_state(port, StpState.BLOCKING)
        port.must_acknowledge = port.config_is_pending = False
        port.stop_timers()
        port.hold.stop()
        port.reset_counters()
        self._select_states()

    def disable(self, port: StpPort) -> None:
        """Let a port take part no more, be it that its link is down."""
        if port.state is StpState.DISABLED:
            return
        was_root = self.is_root
        port.best = self._own_offer(port.id)
        self._set_state(port, StpState.DISABLED)
        port.must_acknowledge = port.config_is_pending = False
        port.stop_timers()
        self._update_configuration()
        if self.is_root and not was_root:
            self._become_root()

    def set_bridge_id(self, bridge_id: int) -> None:
        """Change priority or address."""
        if bridge_id == self.bridge_id:
            return
        was_root = self.is_root
        designated = [port for port in self._enabled() if self.is_designated(port)]
        for port in designated:
            port.best = port.best._replace(bridge_id=bridge_id)
        self.bridge_id = bridge_id
        self._update_configuration()
        if self.is_root and not was_root:
            self._become_root()

    def set_times(self, own_times: StpTimes) -> None:
        """What the bridge prescribes where it is root."""
        self.own_times = own_times
        if self.is_root:
            self.times = own_times

    def set_port_id(self, port: StpPort, port_id: int) -> None:
        """Change a port's priority."""
        if port_id == port.id:
            return
        if self.is_designated(port):
            port.best = port.best._replace(port_id=port_id)
        port.id = port_id
        if port.best.bridge_id == self.bridge_id and port_id < port.best.port_id:
            port.best = self._own_offer(port_id)
            self._select_states()

    def set_path_cost(self, port: StpPort, path_cost: int) -> None:
        """Change what a hop over a port costs."""
        if path_cost != port.path_cost:
            port.path_cost = path_cost
            self._update_configuration()

    # -- reading

    def is_designated(self, port: StpPort) -> bool:
        """Whether the bridge is, by this port, the way to the root for those behind it."""
        return port.best.bridge_id == self.bridge_id and port.best.port_id == port.id

    def role(self, port: StpPort) -> StpRole:
        """What a port is for at present."""
        if port is self.root_port:
            return StpRole.ROOT
        if self.is_designated(port):
            return StpRole.DESIGNATED
        return StpRole.DISABLED if port.state is StpState.DISABLED else StpRole.ALTERNATE

    # -- BPDUs (8.6.1, 8.6.4, 8.7.1, 8.7.2)

    def receive(self, port: StpPort, bpdu: Bpdu) -> None:
        """A BPDU came in by a port; one that takes no part hears nothing."""
        if port.state is StpState.DISABLED:
            return
        port.n_received += 1
        if bpdu.type is BpduType.TOPOLOGY_CHANGE_NOTICE:
            if self.is_designated(port):
                self.detect_topology_change()
                port.must_acknowledge = True
                self._send_config(port)
        elif bpdu.message_age < bpdu.max_age:
            self._receive_config(port, bpdu)

    def _receive_config(self, port: StpPort, bpdu: Bpdu) -> None:
        offer = Offer(bpdu.root_id, bpdu.root_path_cost, bpdu.bridge_id, bpdu.port_id)
        if not self._supersedes(offer, port.best):
            if self.is_designated(port):
                self._send_config(port)
            return
        was_root = self.is_root
        port.best = offer
        self._begin_age(port, bpdu)
        self._update_configuration()
        if was_root and not self.is_root:
            self._hello.stop()
            if self.has_detected_change:
                self._topology_change.stop()
                self._send_notice()
        if port is self.root_port:
            self._follow_root(bpdu)

    def _begin_age(self, port: StpPort, bpdu: Bpdu) -> None:
        port.message_age.start(bpdu.message_age * self.UNIT_NS)

    def _supersedes(self, offer: Offer, known: Offer) -> bool:
        """Whether an offer is better than the known one, or is its renewal (8.6.2)."""
        if offer[:3] != known[:3]:
            return offer[:3] < known[:3]
        return offer.bridge_id != self.bridge_id or offer.port_id <= known.port_id

    def _follow_root(self, bpdu: Bpdu) -> None:
        self.times = StpTimes(bpdu.max_age, bpdu.hello_time, bpdu.forward_delay)
        self._set_topology_change(bpdu.has(BpduFlags.TOPOLOGY_CHANGE))
        self._send_configs()
        if bpdu.has(BpduFlags.TOPOLOGY_CHANGE_ACK):
            self.has_detected_change = False
            self._notice.stop()
        if self.topology_change:
            self._must_flush = True

    def _set_topology_change(self, has_changed: bool) -> None:
        self.topology_change = has_changed

    def _send_configs(self) -> None:
        for port in self._enabled():
            if self.is_designated(port):
                self._send_config(port)

    def _send_config(self, port: StpPort) -> None:
        if port.hold.is_running:
            port.config_is_pending = True
            return
        age = 0
        if not self.is_root:
            if self.root_port is None:
                return
            age = self._age(self.root_port) + MESSAGE_AGE_INCREMENT
        if age >= self.times.max_age:
            return
        flags = BpduFlags.TOPOLOGY_CHANGE_ACK * port.must_acknowledge
        flags |= BpduFlags.TOPOLOGY_CHANGE * self.topology_change
        port.must_acknowledge = port.config_is_pending = False
        bpdu = Bpdu(
            BpduType.CONFIG,
            flags,
            self.root_id,
            self.root_path_cost,
            self.bridge_id,
            port.id,
            age,
            self.times.max_age,
            self.times.hello_time,
            self.times.forward_delay,
        )
        self._send(port, bpdu)
        port.hold.start()

    def _age(self, port: StpPort) -> int:
        """How old it is what is known from a port."""
        return (port.message_age.value_ns or 0) // self.UNIT_NS

    def _send_notice(self) -> None:
        self._notice.start()
        if self.root_port is not None:
            self._send(self.root_port, TOPOLOGY_CHANGE_NOTICE)

    def _send(self, port: StpPort, bpdu: Bpdu) -> None:
        self._sent.append(SentBpdu(port, bpdu, port.state))
        port.n_sent += 1

    # -- configuration (8.6.7 to 8.6.13)

    def _own_offer(self, port_id: int) -> Offer:
        return Offer(self.root_id, self.root_path_cost, self.bridge_id, port_id)

    def _update_configuration(self) -> None:
        """Choose the root and the ports to it, then what each port does."""
        self.root_port = self._choose_root_port()
        if self.root_port is None:
            self.root_id, self.root_path_cost = self.bridge_id, 0
        else:
            self.root_id, self.root_path_cost = self.root_port.way_to_root[:2]
        for port in self._enabled():
            own = self._own_offer(port.id)
            if self.is_designated(port) or port.best.root_id != self.root_id or own <= port.best:
                port.best = own
        self._select_states()

    def _choose_root_port(self) -> StpPort | None:
        ways = [port for port in self._enabled() if self._leads_to_root(port)]
        return min(ways, key=lambda port: port.way_to_root, default=None)

    def _leads_to_root(self, port: StpPort) -> bool:
        return not self.is_designated(port) and port.best.root_id < self.bridge_id

    def _select_states(self) -> None:
        for port in self._enabled():
            self._select_state(port)

    def _select_state(self, port: StpPort) -> None:
        if port is not self.root_port and self.is_designated(port):
            port.message_age.stop()
        else:
            port.config_is_pending = port.must_acknowledge = False
        if port is self.root_port or self.is_designated(port):
            self._make_forwarding(port)
        else:
            self._make_blocking(port)

    def _make_forwarding(self, port: StpPort) -> None:
        if port.state is StpState.BLOCKING:
            self._set_state(port, StpState.LISTENING)
            port.forward_delay.start()

    def _make_blocking(self, port: StpPort) -> None:
        if port.state is StpState.BLOCKING:
            return
        if port.state.learns and port.detects_changes:
            self.detect_topology_change()
        self._set_state(port, StpState.BLOCKING)
        port.forward_delay.stop()

    def _set_state(self, port: StpPort, state: StpState) -> None:
        port.has_changed |= port.state is not state
        port.state = state

    # -- topology changes (8.6.14, 8.6.15)

    def detect_topology_change(self) -> None:
        """The topology has changed: tell the root, or as the root everybody."""
        if self.is_root:
            self._set_topology_change(True)
            self._topology_change.start()
        elif not self.has_detected_change:
            self._send_notice()
        self._must_flush = True
        self._n_detected += 1
        self.has_detected_change = True

    def _become_root(self) -> None:
        self.times = self.own_times
        self.detect_topology_change()
        self._notice.stop()
        self._send_configs()
        self._hello.start()

    # -- what ends a time (8.7.3 to 8.7.8)

    def _say_hello(self) -> None:
        self._send_configs()
        self._hello.start()

    def _settle_down(self) -> None:
        self.has_detected_change = False
        self._set_topology_change(False)

    def _forget_offer(self, port: StpPort) -> None:
        """What was known of the LAN behind a port has not been renewed in time."""
        was_root = self.is_root
        port.best = self._own_offer(port.id)
        self._update_configuration()
        if self.is_root and not was_root:
            self._become_root()

    def _advance(self, port: StpPort) -> None:
        """A port has been in its state for a forward delay."""
        if port.state is StpState.LISTENING:
            self._set_state(port, StpState.LEARNING)
            port.forward_delay.start()
        elif port.state is StpState.LEARNING:
            self._set_state(port, StpState.FORWARDING)
            if port.detects_changes and self._is_way_for_others():
                self.detect_topology_change()

    def _is_way_for_others(self) -> bool:
        return any(port.best.bridge_id == self.bridge_id for port in self._enabled())

    def _end_hold(self, port: StpPort) -> None:
        if port.config_is_pending:
            self._send_config(port)
