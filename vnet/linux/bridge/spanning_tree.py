"""The spanning tree of a Linux bridge: 802.1D-1998, as net/bridge/br_stp*.c does it.

What differs from the standard's own machine (:mod:`vnet.l2.stp.bridge`): times are whole jiffies,
rounded up where BPDUs bring them; hellos and the hold time end with whole seconds; a timer that
runs is not changed with the time it was made of; stations age fast after a change instead of being
forgotten; and there are ports that may never lead to the root.

Without STP the machine sends nothing and lets every port forward at once, but it keeps the same
books, which brctl(8) shows all the same.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from vnet.l2.stp.bridge import Stp
from vnet.l2.stp.clock import HOLD_NS
from vnet.l2.stp.offer import Offer, StpTimes
from vnet.l2.stp.port import StpPort, StpState, StpTimer
from vnet.linux.bridge.port import PortState
from vnet.linux.bridge.tree_port import DEFAULT_PORT_PRIORITY, TreePort, port_id
from vnet.linux.bridge.tree_timer import HoldTimer, TreeTimer
from vnet.linux.timer_wheel import JIFFY_NS
from vnet.sim.frame import Frame
from vnet.wire import bpdu as wire
from vnet.wire.bpdu import TIME_UNIT_NS, Bpdu, BpduType

if TYPE_CHECKING:
    from vnet.linux.bridge.bridge import Bridge
    from vnet.linux.bridge.port import BridgePort

DEFAULT_PRIORITY = 0x8000
_ADDRESS_BITS = 48
_ADDRESS_MASK = (1 << _ADDRESS_BITS) - 1

DEFAULT_TIMES = StpTimes(
    max_age=20_000_000_000 // JIFFY_NS,
    hello_time=2_000_000_000 // JIFFY_NS,
    forward_delay=15_000_000_000 // JIFFY_NS,
)
"""In jiffies, as all times of this machine."""

LEAST_FORWARD_DELAY = 2_000_000_000 // JIFFY_NS
MOST_FORWARD_DELAY = 30_000_000_000 // JIFFY_NS


class SpanningTree(Stp):
    """One bridge's machine. It acts at once: states are set and BPDUs leave as they come up."""

    UNIT_NS = JIFFY_NS

    ports: dict[int, StpPort]

    def __init__(self, bridge: Bridge) -> None:
        self.bridge = bridge
        self._scheduler = bridge.scheduler
        self.is_on = False
        """Whether the bridge speaks STP (``stp_state``)."""
        self._has_spoken = False
        """Whether it has ever: until then every port is designated, and no other need be looked
        at when one changes, however many there are."""
        super().__init__(DEFAULT_PRIORITY << _ADDRESS_BITS, DEFAULT_TIMES, bridge.scheduler.now_ns)

    def _begin(self) -> None:
        """Hello is said once the bridge is up, and speaks STP."""

    def _timer(self, lasts_ns: Callable[[], int], expire: Callable[[], None]) -> StpTimer:
        return TreeTimer(self._scheduler, lasts_ns, expire)

    # -- the bridge

    @property
    def priority(self) -> int:
        """The upper 16 bits of the bridge's identifier."""
        return self.bridge_id >> _ADDRESS_BITS

    def start(self) -> None:
        """Speak STP from now on. Ports that forward go on doing so."""
        if self.is_on:
            return
        delay = self.own_times.forward_delay
        self.set_forward_delay(min(max(delay, LEAST_FORWARD_DELAY), MOST_FORWARD_DELAY))
        self.is_on = self._has_spoken = True
        if self.bridge.device.admin_up:
            self._hello.start()
        self._select_states()

    def stop(self) -> None:
        """Speak it no more. What was blocked stays so until something changes."""
        self.is_on = False

    def open(self) -> None:
        """The bridge was set up; its ports are enabled next."""
        if self.is_on:
            self._hello.start()
        self._send_configs()

    def close(self) -> None:
        """The bridge was set down, its ports before."""
        self._set_topology_change(False)
        self.has_detected_change = False
        for timer in (self._hello, self._notice, self._topology_change):
            timer.stop()

    def set_address(self, mac: bytes) -> None:
        """The bridge has another MAC; ports that believed in the old one believe in this."""
        address = int.from_bytes(mac, "big")
        old = self.bridge_id & _ADDRESS_MASK
        if address == old:
            return

        def renamed(identifier: int) -> int:
            has_old = identifier & _ADDRESS_MASK == old
            return identifier >> _ADDRESS_BITS << _ADDRESS_BITS | address if has_old else identifier

        was_root = self.is_root
        self.bridge_id = renamed(self.bridge_id)
        for port in self.ports.values():
            root_id, cost, bridge_id, designated = port.best
            port.best = Offer(renamed(root_id), cost, renamed(bridge_id), designated)
        self._reconsider(was_root)

    def set_priority(self, priority: int) -> None:
        """Change the upper 16 bits of the identifier."""
        was_root, old = self.is_root, self.bridge_id
        self.bridge_id = priority << _ADDRESS_BITS | old & _ADDRESS_MASK
        for port in self.ports.values():
            if port.best.bridge_id == old:
                port.best = port.best._replace(bridge_id=self.bridge_id)
        self._reconsider(was_root)

    def _reconsider(self, was_root: bool) -> None:
        self._update_configuration()
        if self.is_root and not was_root:
            self._become_root()

    def timers(self) -> tuple[StpTimer, StpTimer, StpTimer]:
        """When it says hello, tells the root of a change, and has told of one for long enough."""
        return self._hello, self._notice, self._topology_change

    def set_forward_delay(self, delay: int) -> None:
        """What the bridge prescribes, in jiffies; timers that run stay as they are."""
        self.set_times(replace(self.own_times, forward_delay=delay))

    # -- ports

    def join(self, port: BridgePort, path_cost: int) -> TreePort:
        """A port of the bridge, disabled at first."""
        identifier = port_id(DEFAULT_PORT_PRIORITY, port.number)
        tree_port = TreePort(port, identifier, path_cost, self._own_offer(identifier))
        self._give_timers(tree_port)
        # In the order of joining, and not sorted: ports are looked at newest first.
        self.ports[port.number] = tree_port
        return tree_port

    def announce(self, port: TreePort) -> None:
        """Write down that there is a port, as the kernel does when it has set one up."""
        self._log_port(port, "entered blocking state")
        self._log_port(port, "entered disabled state")

    def _give_timers(self, port: StpPort) -> None:
        super()._give_timers(port)
        port.hold = HoldTimer(self._scheduler, lambda: HOLD_NS, partial(self._end_hold, port))

    def leave(self, port: TreePort) -> None:
        """A port, disabled before, leaves the bridge."""
        del self.ports[port.number]

    def enable(self, port: StpPort) -> None:
        if self._has_spoken:
            return super().enable(port)
        port.best = self._own_offer(port.id)
        self._set_state(port, StpState.BLOCKING)
        return self._select_state(port)

    def disable(self, port: StpPort) -> None:
        port.hold.stop()
        if self._has_spoken:
            return super().disable(port)
        port.stop_timers()
        return self._set_state(port, StpState.DISABLED)

    def set_port_priority(self, port: TreePort, priority: int) -> None:
        """The upper six bits of a port's identifier."""
        self.set_port_id(port, port_id(priority, port.number))

    def set_path_cost(self, port: StpPort, path_cost: int) -> None:
        """Set by hand: it no longer follows the speed of the device."""
        assert isinstance(port, TreePort)
        port.has_own_cost = True
        super().set_path_cost(port, path_cost)

    def set_port_state(self, port: TreePort, state: StpState) -> None:
        """A state that the user gives a port (``bridge link set dev X state N``) without STP."""
        self._has_spoken = True
        assert isinstance(port.forward_delay, TreeTimer)
        port.forward_delay.resume()
        self._set_state(port, state)
        self._select_states()

    def _enabled(self) -> list[StpPort]:
        return [p for p in reversed(self.ports.values()) if p.state is not StpState.DISABLED]

    def _select_state(self, port: StpPort) -> None:
        super()._select_state(port)
        if port.state is not StpState.BLOCKING:
            assert isinstance(port, TreePort)
            self.bridge.multicast.enable_port(port.port)

    def _set_state(self, port: StpPort, state: StpState) -> None:
        assert isinstance(port, TreePort)
        port.state = state
        port.count_transition(state, spoken=self.is_on)
        port.port.set_state(_PORT_STATES[state])
        self._log_port(port, f"entered {state.value} state")

    def _make_forwarding(self, port: StpPort) -> None:
        if port.state is not StpState.BLOCKING:
            return None
        delay_ns = self._delay_ns()
        if self.is_on and delay_ns:
            self._set_state(port, StpState.LISTENING)
            return port.forward_delay.start()
        self._set_state(port, StpState.FORWARDING)
        self.detect_topology_change()
        port.forward_delay.stop()
        if delay_ns:
            # It runs for show: a port that forwards has nothing to wait for.
            assert isinstance(port.forward_delay, TreeTimer)
            port.forward_delay.pretend(delay_ns)
        return None

    def _choose_root_port(self) -> StpPort | None:
        chosen: StpPort | None = None
        for port in self._enabled():
            if not self._leads_to_root(port):
                continue
            if chosen is not None and chosen.way_to_root <= port.way_to_root:
                continue
            assert isinstance(port, TreePort)
            if port.port.root_block:
                self._guard_root(port)
            else:
                chosen = port
        return chosen

    def _guard_root(self, port: TreePort) -> None:
        self._log_port(port, "tried to become root port (blocked)")
        self._set_state(port, StpState.LISTENING)
        if self._delay_ns():
            port.forward_delay.start()

    # -- BPDUs

    def receive(self, port: StpPort, bpdu: Bpdu) -> None:
        """A BPDU, with its times in jiffies, that is not too old."""
        assert isinstance(port, TreePort)
        if bpdu.type is BpduType.TOPOLOGY_CHANGE_NOTICE:
            port.n_notices_received += 1
            if self.is_designated(port):
                self._log_port(port, "received tcn bpdu")
                self.detect_topology_change()
                port.must_acknowledge = True
                self._send_config(port)
        else:
            port.n_received += 1
            self._receive_config(port, bpdu)

    def _begin_age(self, port: StpPort, bpdu: Bpdu) -> None:
        assert isinstance(port, TreePort)
        assert isinstance(port.message_age, TreeTimer)
        port.made_ns = self._scheduler.now_ns - bpdu.message_age * JIFFY_NS
        port.message_age.arm((bpdu.max_age - bpdu.message_age) * JIFFY_NS)

    def _age(self, port: StpPort) -> int:
        assert isinstance(port, TreePort)
        return self._scheduler.now_ns // JIFFY_NS - port.made_ns // JIFFY_NS

    def _send_config(self, port: StpPort) -> None:
        super()._send_config(port)
        if not self.is_on:
            port.hold.stop()

    def _send(self, port: StpPort, bpdu: Bpdu) -> None:
        assert isinstance(port, TreePort)
        if not self.is_on:
            return
        if bpdu.type is BpduType.CONFIG:
            port.n_sent += 1
        else:
            port.n_notices_sent += 1
        device = port.port.device
        data = wire.frame(device.mac, wire.emit(_in_wire_units(bpdu)))
        device.transmit(Frame(data, device.follow("made", data)))

    # -- topology changes and time

    def detect_topology_change(self) -> None:
        if not self.is_on:
            return
        then = "propagating" if self.is_root else "sending tcn bpdu"
        self.bridge.say(f"topology change detected, {then}")
        super().detect_topology_change()

    def _set_topology_change(self, has_changed: bool) -> None:
        super()._set_topology_change(has_changed)
        self.bridge.ageing.follow(self)

    @property
    def station_ageing_ns(self) -> int | None:
        """How long stations are believed in after a change; None: as long as ever."""
        return self._delay_ns() if self.topology_change else None

    def _become_root(self) -> None:
        self.times = self.own_times
        self.detect_topology_change()
        self._notice.stop()
        if self.bridge.device.admin_up:
            self._send_configs()
            self._hello.start()

    def _forget_offer(self, port: StpPort) -> None:
        assert isinstance(port, TreePort)
        lost = port.best.bridge_id
        address = (lost & _ADDRESS_MASK).to_bytes(6, "big").hex(":")
        self._log_port(port, f"neighbor {lost >> _ADDRESS_BITS:04x}.{address} lost")
        super()._forget_offer(port)

    def _say_hello(self) -> None:
        if self.is_on:
            assert isinstance(self._hello, TreeTimer)
            # Before the hold timers: where both end in one tick, the kernel says hello first, and
            # what has to wait for the hold timer is sent in that tick, too.
            self._hello.arm_rounded(self._hello_ns())
        self._send_configs()

    def _change_ns(self) -> int:
        return (self.own_times.max_age + self.own_times.forward_delay) * JIFFY_NS

    def _log_port(self, port: TreePort, text: str) -> None:
        self.bridge.say(f"port {port.number}({port.port.device.name}) {text}")


_PORT_STATES = {state: PortState[state.name] for state in StpState}


def in_jiffies(bpdu: Bpdu) -> Bpdu:
    """A BPDU off the wire with its times in jiffies, rounded up."""
    return bpdu._replace(
        **{name: -(-getattr(bpdu, name) * TIME_UNIT_NS // JIFFY_NS) for name in _TIMES}
    )


def _in_wire_units(bpdu: Bpdu) -> Bpdu:
    return bpdu._replace(
        **{name: getattr(bpdu, name) * JIFFY_NS // TIME_UNIT_NS for name in _TIMES}
    )


_TIMES = ("message_age", "max_age", "hello_time", "forward_delay")
