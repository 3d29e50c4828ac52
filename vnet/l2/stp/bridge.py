"""A bridge that speaks the spanning tree protocol (802.1D-1998, 8.5 to 8.8).

A machine is told of BPDUs (:meth:`Stp.receive`) and of time (:meth:`Stp.run`), and is then asked
what came of it (:meth:`Stp.take`). Its timers go on when it is told of time, and stand still
meanwhile: an owner whose timers are exact tells it before anything else, and when
:attr:`Stp.next_due_ns` has come; one that looks at its clock every now and then tells it then.

Ports that take no part are in state DISABLED; what becomes of frames there is for the owner to say.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

from vnet.base.units import NS_PER_S
from vnet.l2.stp.effects import SentBpdu, StpEffects
from vnet.l2.stp.offer import Offer, StpTimes
from vnet.l2.stp.port import StpPort, StpRole, StpState, StpTimer
from vnet.wire.bpdu import TIME_UNIT_NS, TOPOLOGY_CHANGE_NOTICE, Bpdu, BpduFlags, BpduType

HOLD_NS = NS_PER_S
"""How long after one configuration BPDU a port sends the next (Bridge Hold Time)."""

MESSAGE_AGE_INCREMENT = 1
"""What a bridge adds to the age of what it passes on, in units of 1/256 second."""


class Stp:
    """One bridge, which thinks that it is the root and says hello when it first hears of time.

    ``times`` are in force now, ``own_times`` those that the bridge prescribes where it is root.
    """

    def __init__(self, bridge_id: int, own_times: StpTimes, now_ns: int) -> None:
        self.bridge_id = bridge_id
        self.root_id = bridge_id
        self.root_path_cost = 0
        self.root_port: StpPort | None = None
        self.own_times = self.times = own_times
        self.has_detected_change = False
        self.topology_change = False
        """Whether the root says, or says as the root, that the topology has changed."""
        self.ports: dict[int, StpPort] = {}
        self._ran_ns = now_ns
        self._hello = StpTimer()
        self._hello.start(own_times.hello_time * TIME_UNIT_NS)
        self._notice = StpTimer()
        self._topology_change = StpTimer()
        self._sent: list[SentBpdu] = []
        self._must_flush = False

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
        )
        self._sent, self._must_flush = [], False
        for port in effects.changed:
            port.has_changed = False
        return effects

    # -- management (8.8)

    def add_port(self, number: int, port_id: int, path_cost: int) -> StpPort:
        """A port, DISABLED at first. ``number`` must be free."""
        port = StpPort(number, port_id, path_cost, self._own_offer(port_id))
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
        port.n_sent = port.n_received = port.n_errors = 0
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
        port.message_age.start(bpdu.message_age * TIME_UNIT_NS)
        self._update_configuration()
        if was_root and not self.is_root:
            self._hello.stop()
            if self.has_detected_change:
                self._topology_change.stop()
                self._send_notice()
        if port is self.root_port:
            self._follow_root(bpdu)

    def _supersedes(self, offer: Offer, known: Offer) -> bool:
        """Whether an offer is better than the known one, or is its renewal (8.6.2)."""
        if offer[:3] != known[:3]:
            return offer[:3] < known[:3]
        return offer.bridge_id != self.bridge_id or offer.port_id <= known.port_id

    def _follow_root(self, bpdu: Bpdu) -> None:
        self.times = StpTimes(bpdu.max_age, bpdu.hello_time, bpdu.forward_delay)
        self.topology_change = bpdu.has(BpduFlags.TOPOLOGY_CHANGE)
        self._send_configs()
        if bpdu.has(BpduFlags.TOPOLOGY_CHANGE_ACK):
            self.has_detected_change = False
            self._notice.stop()
        if self.topology_change:
            self._must_flush = True

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
            age = (self.root_port.message_age.value_ns or 0) // TIME_UNIT_NS
            age += MESSAGE_AGE_INCREMENT
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
        self.root_port = min(
            (
                port
                for port in self._enabled()
                if not self.is_designated(port) and port.best.root_id < self.bridge_id
            ),
            key=lambda port: port.way_to_root,
            default=None,
        )
        if self.root_port is None:
            self.root_id, self.root_path_cost = self.bridge_id, 0
        else:
            self.root_id, self.root_path_cost = self.root_port.way_to_root[:2]
        for port in self._enabled():
            own = self._own_offer(port.id)
            if self.is_designated(port) or port.best.root_id != self.root_id or own <= port.best:
                port.best = own
        self._select_states()

    def _select_states(self) -> None:
        for port in self._enabled():
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
            self.topology_change = True
            self._topology_change.start()
        elif not self.has_detected_change:
            self._send_notice()
        self._must_flush = True
        self.has_detected_change = True

    def _become_root(self) -> None:
        self.times = self.own_times
        self.detect_topology_change()
        self._notice.stop()
        self._send_configs()
        self._hello.start()

    # -- time (8.7.3 to 8.7.8)

    @property
    def next_due_ns(self) -> int | None:
        """When :meth:`run` has something to do, if nothing happens before; None: never."""
        left = (timeout_ns - (timer.value_ns or 0) for timer, timeout_ns, _ in self._timers())
        due_ns = min(left, default=None)
        return None if due_ns is None else self._ran_ns + due_ns

    def run(self, now_ns: int, *, counts_ahead: bool = False) -> None:
        """Let time pass until ``now_ns``, and do what is due, in the standard's order: the
        bridge's timers, ages, then the rest.

        ``counts_ahead``: a timer that another's end has started, and whose turn has not come yet,
        is taken to have run since the last time; so in Open vSwitch.
        """
        passed_ns, self._ran_ns = now_ns - self._ran_ns, now_ns
        if not counts_ahead:
            for timer, _, _ in list(self._timers()):
                timer.start((timer.value_ns or 0) + passed_ns)
            passed_ns = 0
        # An expiry may start and stop timers: each is looked at when its turn comes.
        for timer, timeout_ns, expire in self._timers():
            timer.start((timer.value_ns or 0) + passed_ns)
            if (timer.value_ns or 0) >= timeout_ns:
                timer.stop()
                expire()

    def _timers(self) -> Iterator[tuple[StpTimer, int, Callable[[], None]]]:
        """The timers that run, how long each does, and what happens then."""
        if self._hello.is_running:
            yield self._hello, self.times.hello_time * TIME_UNIT_NS, self._say_hello
        if self._notice.is_running:
            yield self._notice, self.own_times.hello_time * TIME_UNIT_NS, self._send_notice
        if self._topology_change.is_running:
            lasts = self.times.max_age + self.times.forward_delay
            yield self._topology_change, lasts * TIME_UNIT_NS, self._settle_down
        for port in self._enabled():
            if port.message_age.is_running:
                max_age_ns = self.times.max_age * TIME_UNIT_NS
                yield port.message_age, max_age_ns, partial(self._forget_offer, port)
        for port in self._enabled():
            if port.forward_delay.is_running:
                delay_ns = self.times.forward_delay * TIME_UNIT_NS
                yield port.forward_delay, delay_ns, partial(self._advance, port)
            if port.hold.is_running:
                yield port.hold, HOLD_NS, partial(self._end_hold, port)

    def _say_hello(self) -> None:
        self._send_configs()
        self._hello.start()

    def _settle_down(self) -> None:
        self.has_detected_change = self.topology_change = False

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
            is_way_for_others = any(p.best.bridge_id == self.bridge_id for p in self._enabled())
            if port.detects_changes and is_way_for_others:
                self.detect_topology_change()

    def _end_hold(self, port: StpPort) -> None:
        if port.config_is_pending:
            self._send_config(port)

    # -- ports

    def _enabled(self) -> list[StpPort]:
        return [port for port in self.ports.values() if port.state is not StpState.DISABLED]
