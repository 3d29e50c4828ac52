"""``bridge``, ``brctl`` and ``sysctl`` as the real ones print it.

The bridge is that of the recorded kernel scenario a1_bridge (three ports with the MACs
06:...:01 to 03), its fdb and link lines among them word for word.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from vnet.base.chance import Chance
from vnet.base.ids import MAC_BROADCAST, Mac, mac_from_text
from vnet.linux.bridge.bridge import Bridge
from vnet.linux.netns.namespace import Namespace
from vnet.linux.netns.sysctl.sysctls import Sysctls
from vnet.netdev.pair import PairDevice, pair_up
from vnet.shell.views.brctl import bridges_text, macs_text
from vnet.shell.views.bridge import fdb_text, ports_text
from vnet.sim.frame import Frame
from vnet.sim.scheduler import Scheduler
from vnet.tables.fdb import FdbKind

FLAGS = (
    "    hairpin off guard off root_block off fastleave off learning on flood on mcast_flood on "
    "bcast_flood on mcast_router 1 mcast_to_unicast off neigh_suppress off vlan_tunnel off "
    "isolated off locked off "
)


def host_mac(number: int) -> Mac:
    return Mac(bytes((2, 0, 0, 0, 0, number)))


@pytest.fixture
def netns() -> Namespace:
    """br0 with ports p1 to p3; behind each a host's eth0."""
    scheduler = Scheduler()
    netns = Namespace(scheduler, "br", Chance(1))
    for number in (1, 2, 3):
        port = PairDevice(scheduler, f"p{number}", Mac(bytes((6, 0, 0, 0, 0, number))))
        host = PairDevice(scheduler, "eth0", host_mac(number), owner=f"h{number}")
        pair_up(port, host)
        netns.add_device(port)
        host.set_admin(True)
        host.ifindex = 2
    netns.add_bridge("br0")
    netns.set_up("br0")
    for number in (1, 2, 3):
        netns.enslave(f"p{number}", "br0")
        netns.set_up(f"p{number}")
    return netns


@pytest.fixture
def bridge(netns: Namespace) -> Bridge:
    return netns.bridges["br0"]


def speak(bridge: Bridge, number: int) -> None:
    """The host behind a port broadcasts something."""
    frame = MAC_BROADCAST + host_mac(number) + b"\x88\xb5" + bytes(46)
    bridge.ports[number - 1].device.receive(Frame(frame))


def test_fdb_before_and_after_hosts_spoke(bridge: Bridge) -> None:
    assert fdb_text([bridge]).splitlines() == [
        "06:00:00:00:00:01 dev p1 master br0 permanent",
        "06:00:00:00:00:02 dev p2 master br0 permanent",
        "06:00:00:00:00:03 dev p3 master br0 permanent",
    ]
    speak(bridge, 1)
    speak(bridge, 2)
    assert fdb_text([bridge]).splitlines() == [
        "02:00:00:00:00:01 dev p1 master br0 ",
        "06:00:00:00:00:01 dev p1 master br0 permanent",
        "02:00:00:00:00:02 dev p2 master br0 ",
        "06:00:00:00:00:02 dev p2 master br0 permanent",
        "06:00:00:00:00:03 dev p3 master br0 permanent",
    ]


def test_fdb_statistics(bridge: Bridge) -> None:
    bridge.scheduler.run(2_000_000_000)
    speak(bridge, 1)
    speak(bridge, 2)
    assert fdb_text([bridge], statistics=True).splitlines() == [
        "02:00:00:00:00:01 dev p1 used 0/0 master br0 ",
        "06:00:00:00:00:01 dev p1 used 2/2 master br0 permanent",
        "02:00:00:00:00:02 dev p2 used 0/0 master br0 ",
        "06:00:00:00:00:02 dev p2 used 2/2 master br0 permanent",
        "06:00:00:00:00:03 dev p3 used 2/2 master br0 permanent",
    ]


def test_fdb_of_one_device_newest_first(bridge: Bridge) -> None:
    speak(bridge, 1)
    bridge.fdb.add(mac_from_text("02:00:00:00:00:99"), bridge.ports[0], FdbKind.STATIC, 0)
    assert fdb_text([bridge], device="p1").splitlines() == [
        "02:00:00:00:00:99 master br0 static",
        "02:00:00:00:00:01 master br0 ",
        "06:00:00:00:00:01 master br0 permanent",
    ]


def test_fdb_has_the_bridges_own_mac_where_no_port_has_it(netns: Namespace, bridge: Bridge) -> None:
    netns.set_mac("br0", mac_from_text("02:00:00:00:aa:aa"))
    assert fdb_text([bridge], device="br0") == "02:00:00:00:aa:aa master br0 permanent"
    assert fdb_text([bridge]).splitlines()[-1] == ("02:00:00:00:aa:aa dev br0 master br0 permanent")


def test_link_and_its_flags(netns: Namespace, bridge: Bridge) -> None:
    up = "<BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1500 master br0 state forwarding"
    assert ports_text([bridge], interfaces=netns.interfaces).splitlines() == [
        f"2: p1@if2: {up} priority 32 cost 2 ",
        f"3: p2@if2: {up} priority 32 cost 2 ",
        f"4: p3@if2: {up} priority 32 cost 2 ",
    ]
    bridge.ports[0].hairpin = True
    assert ports_text([bridge], device="p1", details=True).splitlines() == [
        f"2: p1@if2: {up} priority 32 cost 2 ",
        FLAGS.replace("hairpin off", "hairpin on"),
    ]


def test_link_of_a_port_that_is_down_or_silent(netns: Namespace, bridge: Bridge) -> None:
    netns.set_down("p1")
    netns.set_flags("p2", arp=False, multicast=False)
    assert ports_text([bridge], interfaces=netns.interfaces).splitlines()[:2] == [
        "2: p1@if2: <BROADCAST,MULTICAST> mtu 1500 master br0 state disabled priority 32 cost 2 ",
        "3: p2@if2: <BROADCAST,NOARP,UP,LOWER_UP> mtu 1500 master br0 state forwarding "
        "priority 32 cost 2 ",
    ]


def test_brctl_show(netns: Namespace, bridge: Bridge) -> None:
    empty = netns.add_bridge("br-int", mac=mac_from_text("02:00:00:00:00:ff"))
    assert bridges_text([bridge, empty]).splitlines() == [
        "bridge name\tbridge id\t\tSTP enabled\tinterfaces",
        "br-int\t\t8000.0200000000ff\tno\t\t",
        "br0\t\t8000.060000000001\tno\t\tp1",
        "\t\t\t\t\t\t\tp2",
        "\t\t\t\t\t\t\tp3",
    ]


def test_brctl_showmacs(bridge: Bridge) -> None:
    speak(bridge, 2)
    bridge.scheduler.run(1_310_000_000)
    assert macs_text(bridge).splitlines() == [
        "port no\tmac addr\t\tis local?\tageing timer",
        "  2\t02:00:00:00:00:02\tno\t\t   1.31",
        "  1\t06:00:00:00:00:01\tyes\t\t   0.00",
        "  2\t06:00:00:00:00:02\tyes\t\t   0.00",
        "  3\t06:00:00:00:00:03\tyes\t\t   0.00",
    ]


# -- the commands around the views


def test_sysctl_shows_and_sets(shell: Callable[..., Any]) -> None:
    ran = shell(
        "two-vms",
        "vm1 sysctl net.ipv4.ip_forward net/ipv6/conf/all/hop_limit",
        "vm1 sysctl -w net.ipv4.ip_default_ttl=9",
        "vm1 sysctl net.ipv4.ip_default_ttl",
        "vm2 sysctl net.ipv4.ip_default_ttl",
    )
    assert ran.out.splitlines() == [
        "net.ipv4.ip_forward = 0",
        "net.ipv6.conf.all.hop_limit = 64",
        "net.ipv4.ip_default_ttl = 9",
        "net.ipv4.ip_default_ttl = 9",
        "net.ipv4.ip_default_ttl = 64",
    ]


def test_sysctl_lists_every_knob(shell: Callable[..., Any]) -> None:
    lines = shell("two-vms", "vm1 sysctl -a").out.splitlines()
    fresh = Sysctls()
    for device in ("lo", "eth0"):
        fresh.device_added(device, 1500)
    fresh.mtu_changed("lo", 65536)
    assert lines == [f"{key} = {text}" for key, text in fresh.items()]


@pytest.mark.parametrize(
    ("short", "long"),
    [
        ("h1 ip a", "h1 ip address show"),
        ("h1 ip -br l", "h1 ip -brief link list"),
        ("h1 ip r", "h1 ip -4 route"),
        ("h1 ip n", "h1 ip neighbor ls"),
        ("h1 ip addr eth0", "h1 ip addr show dev eth0"),
        ("h1 bridge f", "h1 bridge fdb show"),
        ("h1 bridge l", "h1 bridge link"),
        ("h1 bridge fdb show brport peth0", "h1 bridge fdb show dev peth0"),
        ("h1 brctl show", "h1 brctl show xenbr0"),
        ("on h1 ip a", "h1 ip a"),
    ],
)
def test_words_may_be_cut_short(short: str, long: str, shell: Callable[..., Any]) -> None:
    warm = ("run 2s", "nodes")
    assert shell("two-hosts", *warm, short) == shell("two-hosts", *warm, long)


def test_a_switch_on_the_wire_is_a_bridge(shell: Callable[..., Any]) -> None:
    ran = shell("ipv6-only", "run 2s", "sw1 bridge link", "sw1 brctl show", "sw1 bridge fdb")
    ports, bridge = ran.out.partition("bridge name")[::2]
    assert [line[:6] for line in ports.splitlines()[-2:]] == ["1: p1:", "2: p2:"]
    lines = bridge.splitlines()
    assert lines[1].startswith("sw1\t\t8000.")
    assert lines[-1].endswith(" dev p2 master sw1 permanent")


def test_the_classic_xen_host(shell: Callable[..., Any]) -> None:
    ran = shell("two-hosts", "h1 ip -br link")
    names = [line.split()[0] for line in ran.out.splitlines()]
    assert names == ["lo", "peth0", "xenbr0", "eth0@vif0.0", "vif0.0@eth0", "vif1.0"]
