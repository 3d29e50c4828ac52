"""When carrier events are served, and when the kernel's timers really fire."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.linux.kit import MS, Lab, S
from vnet.base.ids import mac_from_text
from vnet.linux.bridge.port import PortState
from vnet.linux.linkwatch import Linkwatch
from vnet.linux.netns.namespace import Namespace
from vnet.linux.timer_wheel import JIFFY_NS, KernelTimer, expiry_ns
from vnet.netdev.pair import PairDevice, pair_up
from vnet.sim.scheduler import Scheduler


class Kernel:
    """A bridge br0 and hosts that plug into it, all in one kernel."""

    def __init__(self) -> None:
        self.lab = Lab()
        self.linkwatch = Linkwatch(self.lab.scheduler)
        self.switch = self.machine("br")
        self.bridge = self.switch.add_bridge("br0")
        self.switch.set_up("br0")

    def machine(self, name: str) -> Namespace:
        return self.lab.machine(name, linkwatch=self.linkwatch)

    def plug(self, number: int) -> PairDevice:
        """Host h<number>, its cable, and port p<number>, which is still down."""
        machine = self.machine(f"h{number}")
        near = PairDevice(self.lab.scheduler, "eth0", mac_from_text(f"02:00:00:00:00:{number:02}"))
        far = PairDevice(
            self.lab.scheduler, f"p{number}", mac_from_text(f"06:00:00:00:00:0{number}")
        )
        pair_up(near, far)
        machine.add_device(near)
        machine.set_up("eth0")
        # Indices count in each machine: h1's eth0 is 2; p1 is 3, since br0 came first.
        self.switch.add_device(far)
        self.switch.enslave(f"p{number}", "br0")
        return far

    def state(self, number: int) -> PortState:
        return self.bridge.ports[number - 1].state


def test_a_port_whose_other_end_has_another_index_forwards_at_once() -> None:
    kernel = Kernel()
    port = kernel.plug(1)
    assert port.ifindex != port.iflink
    kernel.linkwatch.next_ns = 1 * S
    kernel.switch.set_up("p1")
    assert kernel.state(1) is PortState.DISABLED
    kernel.lab.run(1 * MS)
    assert kernel.state(1) is PortState.FORWARDING


def test_a_port_that_is_not_urgent_waits_for_the_rest_of_the_second() -> None:
    kernel = Kernel()
    port = kernel.plug(1)
    port.peer.ifindex = port.ifindex
    kernel.linkwatch.next_ns = 600 * MS
    kernel.switch.set_up("p1")
    kernel.lab.run(600 * MS)
    assert kernel.state(1) is PortState.DISABLED
    kernel.lab.run(40 * MS)
    assert kernel.state(1) is PortState.FORWARDING


def test_after_a_quiet_second_everything_is_served_at_once() -> None:
    kernel = Kernel()
    port = kernel.plug(1)
    port.peer.ifindex = port.ifindex
    kernel.lab.run(5 * S)
    kernel.switch.set_up("p1")
    kernel.lab.run(1 * MS)
    assert kernel.state(1) is PortState.FORWARDING
    assert kernel.linkwatch.next_ns > 5_900 * MS


def test_setting_a_port_down_is_felt_at_once() -> None:
    kernel = Kernel()
    kernel.plug(1)
    kernel.switch.set_up("p1")
    kernel.lab.run(1 * S)
    kernel.switch.set_down("p1")
    assert kernel.state(1) is PortState.DISABLED


def test_a_lost_carrier_is_noticed_within_a_second() -> None:
    kernel = Kernel()
    port = kernel.plug(1)
    port.peer.ifindex = port.ifindex
    kernel.switch.set_up("p1")
    kernel.lab.run(500 * MS)
    port.peer.set_admin(False)
    assert not port.running
    kernel.lab.run(400 * MS)
    assert kernel.state(1) is PortState.FORWARDING
    kernel.lab.run(700 * MS)
    assert kernel.state(1) is PortState.DISABLED


def test_without_a_linkwatch_everything_is_told_at_once() -> None:
    lab = Lab()
    machine = lab.machine("br")
    bridge = machine.add_bridge("br0")
    machine.set_up("br0")
    probe = lab.probe(machine, "p1")
    machine.enslave("p1", "br0")
    states = [bridge.ports[0].state]
    probe.device.set_admin(False)
    states.append(bridge.ports[0].state)
    assert states == [PortState.FORWARDING, PortState.DISABLED]


# -- the timer wheel


@pytest.mark.parametrize(
    ("delay_ms", "fires_ms"),
    [
        (0, 4),
        (8, 12),
        (250, 256),
        (1_000, 1_024),  # ARP's second request
        (5_000, 5_120),  # DELAY to PROBE
        (30_000, 30_720),
    ],
)
def test_a_timer_armed_at_zero_fires_late_by_its_wheel_level(delay_ms: int, fires_ms: int) -> None:
    scheduler = Scheduler()
    fired: list[int] = []
    KernelTimer(scheduler, lambda: fired.append(scheduler.now_ns)).arm(delay_ms * MS)
    scheduler.run()
    assert fired == [fires_ms * MS]


@given(st.integers(0, 10**12), st.integers(0, 10**13))
def test_a_timer_is_never_early_and_late_by_at_most_an_eighth(now_ns: int, delay_ns: int) -> None:
    fires_ns = expiry_ns(now_ns, delay_ns)
    assert fires_ns % JIFFY_NS == 0
    assert fires_ns > now_ns
    assert fires_ns >= now_ns + delay_ns - JIFFY_NS
    assert fires_ns <= now_ns + delay_ns * 9 // 8 + 3 * JIFFY_NS
