"""``brctl`` on nodes: what it sets, and what bridge-utils says to what cannot be."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from vnet.base.chance import Chance
from vnet.base.errors import UsageError
from vnet.base.ids import Mac
from vnet.linux.netns.namespace import Namespace
from vnet.linux.timer_wheel import JIFFY_NS
from vnet.netdev.pair import PairDevice, pair_up
from vnet.shell.commands import brctl
from vnet.shell.commands.ip_link import change_link
from vnet.sim.scheduler import Scheduler

S = 1_000_000_000


@pytest.fixture
def netns() -> Namespace:
    """br0 with port v0; v1 is nobody's."""
    scheduler = Scheduler()
    netns = Namespace(scheduler, "n", Chance(1))
    ends = [PairDevice(scheduler, f"v{i}", Mac(bytes((6, 0, 0, 0, 0, i + 1)))) for i in (0, 1)]
    pair_up(*ends)
    for end in ends:
        netns.add_device(end)
        netns.set_up(end.name)
    netns.add_bridge("br0")
    netns.enslave("v0", "br0")
    netns.set_up("br0")
    return netns


@pytest.fixture
def run(netns: Namespace) -> Callable[[str], str]:
    def typed(line: str) -> str:
        scene = brctl.Scene("n", netns.bridges, list(netns.interfaces), lambda: netns)
        return brctl.run(scene, line.split())

    return typed


def test_what_it_sets(netns: Namespace, run: Callable[[str], str]) -> None:
    for line in (
        "stp br0 on",
        "setbridgeprio br0 70000",
        "setfd br0 3.5",
        "sethello br0 1.5",
        "setmaxage br0 6",
        "setageing br0 20",
        "setpathcost br0 v0 7",
        "setportprio br0 v0 5",
        "hairpin br0 v0 on",
    ):
        assert run(line) == ""
    bridge = netns.bridges["br0"]
    tree, (port,) = bridge.tree, bridge.ports
    assert tree.is_on
    assert tree.priority == 70_000 & 0xFFFF, "the kernel takes the lower 16 bits"
    times = [
        time * JIFFY_NS / S for time in (tree.own_times.forward_delay, tree.own_times.hello_time)
    ]
    assert times == [3.5, 1.5]
    assert bridge.ageing.time_ns == 20 * S
    assert (port.path_cost, port.priority, port.hairpin) == (7, 5, True)


def test_bridges_and_ports_come_and_go(netns: Namespace, run: Callable[[str], str]) -> None:
    run("addbr br1")
    run("addif br1 v1")
    assert "br1\t\t8000.060000000002\tno\t\tv1" in run("show")
    run("delif br1 v1")
    run("delbr br1")
    assert list(netns.bridges) == ["br0"]
    assert "br1" not in netns.interfaces


def test_a_bridge_that_goes_gives_its_ports_back(
    netns: Namespace, run: Callable[[str], str]
) -> None:
    netns.set_down("br0")
    run("delbr br0")
    assert netns.master_of("v0") is None
    run("addbr br2")
    run("addif br2 v0 v1")
    assert [port.device.name for port in netns.bridges["br2"].ports] == ["v0", "v1"]


REFUSED = {
    "stp br0 maybe": "expect on/off for argument",
    "setfd br0 x": "bad forward delay value",
    "sethello br0 20": "set hello timer failed: Numerical result out of range",
    "setmaxage br0 1": "set max age failed: Numerical result out of range",
    "setbridgeprio br0 x": "bad priority",
    "setportprio br0 v0 64": "set port priority failed: Numerical result out of range",
    "setportprio br0 v0 x": "bad path priority value",
    "setpathcost br0 v0 0": "set path cost failed: Numerical result out of range",
    "setpathcost br0 nope 3": "set path cost failed: No such device",
    "addif br0 v0": "device v0 is already a member of a bridge; can't add it to bridge br0.",
    "addif br0 nope": "interface nope does not exist!",
    "addif nope v1": "bridge nope does not exist!",
    "addif br0 br0": "device br0 is a bridge device itself; "
    "can't add a bridge device to a bridge device.",
    "addif br0 lo": "can't add lo to bridge br0: Invalid argument",
    "delif br0 v1": "device v1 is not a port of br0",
    "delif br0 nope": "interface nope does not exist!",
    "addbr a/b": "add bridge failed: Invalid argument",
    "addbr br0": "device br0 already exists; can't create bridge with the same name",
    "delbr br0": "bridge br0 is still up; can't delete it",
    "delbr nope": "bridge nope doesn't exist; can't delete it",
    "delbr v1": "can't delete bridge v1: Operation not permitted",
    "stp nope on": "set stp status failed: No such device",
    "setageing nope 5": "set ageing time failed: No such device",
    "showstp nope": "bridge nope does not exist!",
    "showmacs nope": "read of forward table failed: No such device",
    "show nope": "bridge nope does not exist!",
    "show v1": "device v1 is not a bridge!",
    "stp br0": "Incorrect number of arguments for command",
    "foo": "never heard of command [foo]",
}


@pytest.mark.parametrize("line", REFUSED)
def test_what_is_refused_in_the_tools_words(line: str, run: Callable[[str], str]) -> None:
    with pytest.raises(UsageError) as caught:
        run(line)
    assert caught.value.what == REFUSED[line]


def test_forward_delay_is_bound_only_while_stp_is_on(run: Callable[[str], str]) -> None:
    run("setfd br0 1")
    run("stp br0 on")
    with pytest.raises(UsageError, match="set forward delay failed: Numerical result out of range"):
        run("setfd br0 1")


def test_ip_link_sets_tree_and_multicast(netns: Namespace) -> None:
    bridge = netns.bridges["br0"]
    for name, text in (
        ("priority", "4096"),
        ("forward_delay", "400"),
        ("mcast_igmp_version", "3"),
        ("mcast_last_member_interval", "50"),
        ("mcast_query_interval", "50"),
    ):
        change_link(netns, "set", ["br0", "type", "bridge", name, text])
    settings = bridge.multicast.settings
    assert bridge.tree.priority == 4096
    assert bridge.tree.own_times.forward_delay * JIFFY_NS == 4 * S
    assert (settings.igmp_version, settings.last_member_interval_ns) == (3, S // 2)
    assert settings.query_interval_ns == S, "the kernel allows no less"
    assert [text for _, text in bridge.log][-1] == (
        "br0: trying to set multicast query interval below minimum, setting to 100 (1000ms)"
    )
    for name, text in (("mcast_igmp_version", "4"), ("mcast_router", "3")):
        with pytest.raises(UsageError, match="RTNETLINK answers: Invalid argument"):
            change_link(netns, "set", ["br0", "type", "bridge", name, text])


def test_a_switch_on_the_wire_keeps_its_ports(shell: Callable[..., Any]) -> None:
    for command in ("delif s1 p2", "addif s1 p2", "addbr br5", "delbr s1"):
        assert shell("stp-ring", f"s1 brctl {command}").err == (
            "s1 is one bridge with the ports that its file gives it "
            "(plug cables instead: link s1:PORT down, or up)\n"
        )
    ran = shell("stp-ring", "s1 brctl addif s1 eth0")
    assert ran.err == "interface eth0 does not exist! (it has: s1, p2, p3)\n"
