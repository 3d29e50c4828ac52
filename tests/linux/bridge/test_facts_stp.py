"""What an emulator is likely to get wrong about STP and snooping, as the kernel does it."""

from __future__ import annotations

from tests.linux.bridge.bridges import S, Site, Wire, send
from tests.linux.bridge.recorded import groups_script as frames
from vnet.linux.bridge.tree_port import path_cost
from vnet.linux.timer_wheel import JIFFY_NS
from vnet.netdev.loopback import Loopback
from vnet.netdev.pair import PairDevice
from vnet.sim.scheduler import Scheduler
from vnet.wire import bpdu as wire

STRANGER = bytes((2, 0, 0, 0, 0, 9))


def two_links() -> Site:
    """Two bridges, joined twice by way of a namespace of their own for each second cable."""
    site = Site("b1", "b2")
    for name in ("x1", "x2"):
        devices = [PairDevice(site.scheduler, name, site.mac()) for _ in range(2)]
        devices[0].peer, devices[1].peer = devices[1], devices[0]
        for node, device in zip(site.nodes.values(), devices, strict=True):
            node.add_device(device)
            node.enslave(name, "br0")
            node.set_up(name)
    return site


def until(site: Site, port: str, state: str) -> float:
    """How many seconds it takes a port to come to a state."""
    began_ns = site.scheduler.now_ns
    while site.states()[port] != state:
        assert site.scheduler.now_ns - began_ns < 60 * S
        site.run(0.1)
    return (site.scheduler.now_ns - began_ns) / S


def test_hello_2_max_age_20_forward_delay_15_seconds() -> None:
    times = Site("b1").bridges["b1"].tree.own_times
    seconds = [time * JIFFY_NS / S for time in (times.hello_time, times.max_age)]
    assert [*seconds, times.forward_delay * JIFFY_NS / S] == [2, 20, 15]


def test_a_veth_costs_2_and_a_device_that_tells_no_speed_100() -> None:
    scheduler = Scheduler()
    assert path_cost(PairDevice(scheduler, "veth", Site("b1").mac())) == 2
    assert path_cost(Loopback(scheduler, "b1")) == 100, "as a VXLAN device, which tells none either"


def test_ports_forward_30_to_31_seconds_after_the_start() -> None:
    site = two_links()
    site.up(stp=True)
    assert 30.0 <= until(site, "b2:x1", "forwarding") <= 31.0


def test_of_two_links_to_the_same_root_the_higher_port_id_blocks() -> None:
    site = two_links()
    site.up(stp=True)
    site.run(35)
    assert site.states() == {
        "b1:x1": "forwarding",
        "b1:x2": "forwarding",
        "b2:x1": "forwarding",
        "b2:x2": "blocking",
    }


def test_a_tcn_is_answered_by_tc_and_tca() -> None:
    site = Site("b1")
    _, far = site.port("b1", "p1")
    seen = Wire(site.scheduler, far, outbound=False)
    site.up(stp=True)
    site.run(35.5)
    seen.take()
    send(far, wire.frame(STRANGER, wire.emit(wire.TOPOLOGY_CHANGE_NOTICE)))
    site.run(1.2)
    flags = [read.flags for data in seen.take() if (read := wire.parse(data[17:])) is not None]
    assert flags[0] == 0x81


def test_the_blocked_port_listens_at_once_when_the_root_port_is_lost() -> None:
    site = two_links()
    site.up(stp=True)
    site.run(40)
    site.nodes["b1"].set_down("x1")
    assert site.states()["b2:x2"] == "listening"
    assert 30.0 <= until(site, "b2:x2", "forwarding") <= 31.0


def test_after_silence_of_about_20_seconds_there_is_a_new_root() -> None:
    site = two_links()
    site.up(stp=True)
    site.run(40)
    site.bridges["b1"].tree.stop()
    began_ns = site.scheduler.now_ns
    while not site.bridges["b2"].tree.is_root:
        site.run(0.1)
    assert 18 <= (site.scheduler.now_ns - began_ns) / S <= 23


def test_snooping_floods_until_the_querier_is_known_and_unknown_groups_then_go_nowhere() -> None:
    site = Site("b1")
    ends = [site.port("b1", name)[1] for name in ("p1", "p2", "p3")]
    seen = Wire(site.scheduler, ends[2], outbound=False)
    site.up(stp=False)
    site.bridges["b1"].multicast.set_querier(True)
    site.run(1)

    def reaches_the_third() -> bool:
        data = bytes.fromhex(frames.data(1, "239.2.2.2").split()[1])
        send(ends[0], data)
        site.run(0.01)
        return data in seen.take()

    passed = [reaches_the_third()]
    site.run(8)
    passed.append(reaches_the_third())
    site.run(1.1)
    passed.append(reaches_the_third())
    assert passed == [True, True, False], "at 1, 9 and 10.2 seconds"
