"""The spanning tree protocol of IEEE 802.1D-1998, clause 8: one bridge, and its ports.

Bridges elect the one with the least identifier as root. Each keeps forwarding by its root port,
the best way to the root, and by ports that are designated, the best way to the root of whoever is
behind them; every other port blocks. A port that may forward listens for a forward delay first,
and learns for another.

A machine is told of BPDUs (:meth:`Stp.receive`) and of time (:meth:`Stp.run`, no later than
:attr:`Stp.next_due_ns`), and is then asked what came of it (:meth:`Stp.take`). Ports that take no
part are in state DISABLED; what becomes of frames there is for the owner to say.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import Enum
from typing import NamedTuple

from vnet.base.units import NS_PER_S
from vnet.wire.bpdu import TIME_UNIT_NS, TOPOLOGY_CHANGE_NOTICE, Bpdu, BpduFlags, BpduType

HOLD_NS = NS_PER_S
"""How long after one configuration BPDU a port sends the next (Bridge Hold Time)."""

MESSAGE_AGE_INCREMENT = 1
"""What a bridge adds to the age of what it passes on, in units of 1/256 second."""


class StpState(Enum):
    """What a port does (802.1D-1998, 8.4); the value is its word."""

    DISABLED = "disabled"
    BLOCKING = "blocking"
    LISTENING = "listening"
    LEARNING = "learning"
    FORWARDING = "forwarding"

    @property
    def forwards(self) -> bool:
        """Whether frames are relayed."""
        return self is StpState.FORWARDING

    @property
    def learns(self) -> bool:
        """Whether stations are learned."""
        return self in (StpState.LEARNING, StpState.FORWARDING)


class StpRole(Enum):
    """What a port is for; the value is its word."""

    ROOT = "root"
    DESIGNATED = "designated"
    ALTERNATE = "alternate"
    DISABLED = "disabled"


class Offer(NamedTuple):
    """A way to the root, as a BPDU announces it; less is better, and the first member counts most.

    ``bridge_id`` and ``port_id`` are of whoever announces it.
    """

    root_id: int
    cost: int
    bridge_id: int
    port_id: int


@dataclass(frozen=True, slots=True)
class StpTimes:
    """What the root prescribes to all bridges, in units of 1/256 second."""

    max_age: int = 20 * 256
    hello_time: int = 2 * 256
    forward_delay: int = 15 * 256


class StpPort:
    """A port. ``number`` orders ports, ``id`` is what BPDUs say.

    ``best`` is the best way to the root that is known on the LAN behind it; its own, where the
    port is designated.
    """

    __slots__ = (
        "best",
        "config_is_pending",
        "detects_changes",
        "forward_delay_since_ns",
        "has_changed",
        "hold_since_ns",
        "id",
        "message_age_since_ns",
        "must_acknowledge",
        "n_errors",
        "n_received",
        "n_sent",
        "number",
        "path_cost",
        "state",
    )

    def __init__(self, number: int, port_id: int, path_cost: int, best: Offer) -> None:
        self.number = number
        self.id = port_id
        self.path_cost = path_cost
        self.best = best
        self.state = StpState.DISABLED
        self.has_changed = False
        self.detects_changes = True
        """Whether it tells others when it begins or ceases to forward (8.5.5.10)."""
        self.must_acknowledge = False
        self.config_is_pending = False
        self.message_age_since_ns: int | None = None
        self.forward_delay_since_ns: int | None = None
        self.hold_since_ns: int | None = None
        self.n_sent = self.n_received = 0
        self.n_errors = 0
        """What could not be read, for whoever reads BPDUs to count."""

    def stop_timers(self) -> None:
        """Forget the age of what is known, and how long the port has been in its state."""
        self.message_age_since_ns = self.forward_delay_since_ns = None


class StpEffects(NamedTuple):
    """What has to be done: BPDUs to send, ports with a new state, stations to forget."""

    sent: list[tuple[StpPort, Bpdu]]
    changed: list[StpPort]
    must_flush: bool


class Stp:
    """One bridge, which says its first hello, as the root that it thinks it is, at
    ``first_hello_ns``.

    ``times`` are in force now, ``own_times`` those that the bridge prescribes where it is root.
    """

    def __init__(self, bridge_id: int, own_times: StpTimes, first_hello_ns: int) -> None:
        self.bridge_id = bridge_id
        self.root_id = bridge_id
        self.root_path_cost = 0
        self.root_port: StpPort | None = None
        self.own_times = self.times = own_times
        self.has_detected_change = False
        self.topology_change = False
        """Whether the root says, or says as the root, that the topology has changed."""
        self.ports: dict[int, StpPort] = {}
        self._hello_since_ns: int | None = first_hello_ns - own_times.hello_time * TIME_UNIT_NS
        self._notice_since_ns: int | None = None
        self._topology_change_since_ns: int | None = None
        self._sent: list[tuple[StpPort, Bpdu]] = []
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

    def remove_port(self, number: int, now_ns: int) -> None:
        """A port leaves the bridge."""
        self.disable(self.ports[number], now_ns)
        del self.ports[number]

    def enable(self, port: StpPort, now_ns: int) -> None:
        """Let a port take part."""
        if port.state is not StpState.DISABLED:
            return
        port.best = self._own_offer(port.id)
        self._set_state(port, StpState.BLOCKING)
        port.must_acknowledge = port.config_is_pending = False
        port.stop_timers()
        port.hold_since_ns = None
        port.n_sent = port.n_received = port.n_errors = 0
        self._select_states(now_ns)

    def disable(self, port: StpPort, now_ns: int) -> None:
        """Let a port take part no more, be it that its link is down."""
        if port.state is StpState.DISABLED:
            return
        was_root = self.is_root
        port.best = self._own_offer(port.id)
        self._set_state(port, StpState.DISABLED)
        port.must_acknowledge = port.config_is_pending = False
        port.stop_timers()
        self._update_configuration(now_ns)
        if self.is_root and not was_root:
            self._become_root(now_ns)

    def set_bridge_id(self, bridge_id: int, now_ns: int) -> None:
        """Change priority or address."""
        if bridge_id == self.bridge_id:
            return
        was_root = self.is_root
        designated = [port for port in self._enabled() if self.is_designated(port)]
        for port in designated:
            port.best = port.best._replace(bridge_id=bridge_id)
        self.bridge_id = bridge_id
        self._update_configuration(now_ns)
        if self.is_root and not was_root:
            self._become_root(now_ns)

    def set_times(self, own_times: StpTimes) -> None:
        """What the bridge prescribes where it is root."""
        self.own_times = own_times
        if self.is_root:
            self.times = own_times

    def set_port_id(self, port: StpPort, port_id: int, now_ns: int) -> None:
        """Change a port's priority."""
        if port_id == port.id:
            return
        if self.is_designated(port):
            port.best = port.best._replace(port_id=port_id)
        port.id = port_id
        if port.best.bridge_id == self.bridge_id and port_id < port.best.port_id:
            port.best = self._own_offer(port_id)
            self._select_states(now_ns)

    def set_path_cost(self, port: StpPort, path_cost: int, now_ns: int) -> None:
        """Change what a hop over a port costs."""
        if path_cost != port.path_cost:
            port.path_cost = path_cost
            self._update_configuration(now_ns)

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

    def receive(self, port: StpPort, bpdu: Bpdu, now_ns: int) -> None:
        """A BPDU came in by a port; one that takes no part hears nothing."""
        if port.state is StpState.DISABLED:
            return
        port.n_received += 1
        if bpdu.type is BpduType.TOPOLOGY_CHANGE_NOTICE:
            if self.is_designated(port):
                self.detect_topology_change(now_ns)
                port.must_acknowledge = True
                self._send_config(port, now_ns)
        elif bpdu.message_age < bpdu.max_age:
            self._receive_config(port, bpdu, now_ns)

    def _receive_config(self, port: StpPort, bpdu: Bpdu, now_ns: int) -> None:
        offer = Offer(bpdu.root_id, bpdu.root_path_cost, bpdu.bridge_id, bpdu.port_id)
        if not self._supersedes(offer, port.best):
            if self.is_designated(port):
                self._send_config(port, now_ns)
            return
        was_root = self.is_root
        port.best = offer
        port.message_age_since_ns = now_ns - bpdu.message_age * TIME_UNIT_NS
        self._update_configuration(now_ns)
        if was_root and not self.is_root:
            self._hello_since_ns = None
            if self.has_detected_change:
                self._topology_change_since_ns = None
                self._send_notice(now_ns)
        if port is self.root_port:
            self._follow_root(bpdu, now_ns)

    def _supersedes(self, offer: Offer, known: Offer) -> bool:
        """Whether an offer is better than the known one, or is its renewal (8.6.2)."""
        if offer[:3] != known[:3]:
            return offer[:3] < known[:3]
        return offer.bridge_id != self.bridge_id or offer.port_id <= known.port_id

    def _follow_root(self, bpdu: Bpdu, now_ns: int) -> None:
        self.times = StpTimes(bpdu.max_age, bpdu.hello_time, bpdu.forward_delay)
        self.topology_change = bpdu.has(BpduFlags.TOPOLOGY_CHANGE)
        self._send_configs(now_ns)
        if bpdu.has(BpduFlags.TOPOLOGY_CHANGE_ACK):
            self.has_detected_change = False
            self._notice_since_ns = None
        if self.topology_change:
            self._must_flush = True

    def _send_configs(self, now_ns: int) -> None:
        for port in self._enabled():
            if self.is_designated(port):
                self._send_config(port, now_ns)

    def _send_config(self, port: StpPort, now_ns: int) -> None:
        if port.hold_since_ns is not None:
            port.config_is_pending = True
            return
        age = 0
        if not self.is_root:
            if self.root_port is None:
                return
            age = self._message_age(self.root_port, now_ns) + MESSAGE_AGE_INCREMENT
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
        port.hold_since_ns = now_ns

    def _message_age(self, port: StpPort, now_ns: int) -> int:
        since_ns = port.message_age_since_ns
        return 0 if since_ns is None else (now_ns - since_ns) // TIME_UNIT_NS

    def _send_notice(self, now_ns: int) -> None:
        self._notice_since_ns = now_ns
        if self.root_port is not None:
            self._send(self.root_port, TOPOLOGY_CHANGE_NOTICE)

    def _send(self, port: StpPort, bpdu: Bpdu) -> None:
        self._sent.append((port, bpdu))
        port.n_sent += 1

    # -- configuration (8.6.7 to 8.6.13)

    def _own_offer(self, port_id: int) -> Offer:
        return Offer(self.root_id, self.root_path_cost, self.bridge_id, port_id)

    def _update_configuration(self, now_ns: int) -> None:
        """Choose the root and the ports to it, then what each port does."""
        self.root_port = min(
            (
                port
                for port in self._enabled()
                if not self.is_designated(port) and port.best.root_id < self.bridge_id
            ),
            key=_way_to_root,
            default=None,
        )
        if self.root_port is None:
            self.root_id, self.root_path_cost = self.bridge_id, 0
        else:
            self.root_id, self.root_path_cost = _way_to_root(self.root_port)[:2]
        for port in self._enabled():
            own = self._own_offer(port.id)
            if self.is_designated(port) or port.best.root_id != self.root_id or own <= port.best:
                port.best = own
        self._select_states(now_ns)

    def _select_states(self, now_ns: int) -> None:
        for port in self._enabled():
            if port is not self.root_port and self.is_designated(port):
                port.message_age_since_ns = None
            else:
                port.config_is_pending = port.must_acknowledge = False
            if port is self.root_port or self.is_designated(port):
                self._make_forwarding(port, now_ns)
            else:
                self._make_blocking(port, now_ns)

    def _make_forwarding(self, port: StpPort, now_ns: int) -> None:
        if port.state is StpState.BLOCKING:
            self._set_state(port, StpState.LISTENING)
            port.forward_delay_since_ns = now_ns

    def _make_blocking(self, port: StpPort, now_ns: int) -> None:
        if port.state is StpState.BLOCKING:
            return
        if port.state.learns and port.detects_changes:
            self.detect_topology_change(now_ns)
        self._set_state(port, StpState.BLOCKING)
        port.forward_delay_since_ns = None

    def _set_state(self, port: StpPort, state: StpState) -> None:
        port.has_changed |= port.state is not state
        port.state = state

    # -- topology changes (8.6.14, 8.6.15)

    def detect_topology_change(self, now_ns: int) -> None:
        """The topology has changed: tell the root, or as the root everybody."""
        if self.is_root:
            self.topology_change = True
            self._topology_change_since_ns = now_ns
        elif not self.has_detected_change:
            self._send_notice(now_ns)
        self._must_flush = True
        self.has_detected_change = True

    def _become_root(self, now_ns: int) -> None:
        self.times = self.own_times
        self.detect_topology_change(now_ns)
        self._notice_since_ns = None
        self._send_configs(now_ns)
        self._hello_since_ns = now_ns

    # -- time (8.7.3 to 8.7.8)

    @property
    def next_due_ns(self) -> int | None:
        """When :meth:`run` has something to do, if nothing happens before; None: never."""
        return min((due_ns for due_ns, _ in self._timers()), default=None)

    def run(self, now_ns: int) -> None:
        """Do what is due, in the standard's order: the bridge's timers, ages, then the rest."""
        # An expiry may stop timers that were due with it: each is looked at when its turn comes.
        for due_ns, expire in self._timers():
            if due_ns <= now_ns:
                expire(now_ns)

    def _timers(self) -> Iterator[tuple[int, Callable[[int], None]]]:
        """When each running timer ends, and what happens then."""
        if self._hello_since_ns is not None:
            yield self._hello_since_ns + self.times.hello_time * TIME_UNIT_NS, self._say_hello
        if self._notice_since_ns is not None:
            due_ns = self._notice_since_ns + self.own_times.hello_time * TIME_UNIT_NS
            yield due_ns, self._send_notice
        if self._topology_change_since_ns is not None:
            lasts = self.times.max_age + self.times.forward_delay
            yield self._topology_change_since_ns + lasts * TIME_UNIT_NS, self._settle_down
        for port in self._enabled():
            if port.message_age_since_ns is not None:
                due_ns = port.message_age_since_ns + self.times.max_age * TIME_UNIT_NS
                yield due_ns, _of(port, self._forget_offer)
        for port in self._enabled():
            if port.forward_delay_since_ns is not None:
                due_ns = port.forward_delay_since_ns + self.times.forward_delay * TIME_UNIT_NS
                yield due_ns, _of(port, self._advance)
            if port.hold_since_ns is not None:
                yield port.hold_since_ns + HOLD_NS, _of(port, self._end_hold)

    def _say_hello(self, now_ns: int) -> None:
        self._send_configs(now_ns)
        self._hello_since_ns = now_ns

    def _settle_down(self, _now_ns: int) -> None:
        self._topology_change_since_ns = None
        self.has_detected_change = self.topology_change = False

    def _forget_offer(self, port: StpPort, now_ns: int) -> None:
        """What was known of the LAN behind a port has not been renewed in time."""
        port.message_age_since_ns = None
        was_root = self.is_root
        port.best = self._own_offer(port.id)
        self._update_configuration(now_ns)
        if self.is_root and not was_root:
            self._become_root(now_ns)

    def _advance(self, port: StpPort, now_ns: int) -> None:
        """A port has been in its state for a forward delay."""
        if port.state is StpState.LISTENING:
            self._set_state(port, StpState.LEARNING)
            port.forward_delay_since_ns = now_ns
            return
        port.forward_delay_since_ns = None
        if port.state is StpState.LEARNING:
            self._set_state(port, StpState.FORWARDING)
            is_way_for_others = any(p.best.bridge_id == self.bridge_id for p in self._enabled())
            if port.detects_changes and is_way_for_others:
                self.detect_topology_change(now_ns)

    def _end_hold(self, port: StpPort, now_ns: int) -> None:
        port.hold_since_ns = None
        if port.config_is_pending:
            self._send_config(port, now_ns)

    # -- ports

    def _enabled(self) -> list[StpPort]:
        return [port for port in self.ports.values() if port.state is not StpState.DISABLED]


def _way_to_root(port: StpPort) -> tuple[int, int, int, int, int]:
    """What the way to the root by a port costs, and what settles a tie."""
    best = port.best
    return best.root_id, best.cost + port.path_cost, best.bridge_id, best.port_id, port.id


def _of(port: StpPort, expire: Callable[[StpPort, int], None]) -> Callable[[int], None]:
    return lambda now_ns: expire(port, now_ns)
