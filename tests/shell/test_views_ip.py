"""``ip`` as the real one prints it.

The expected texts are what iproute2 6.1 printed of the same configuration on a Linux kernel:
a bridge br0 with port p1, whose veth peer e1 has the addresses. Only the MACs differ.
"""

from __future__ import annotations

import pytest

from vnet.base.chance import Chance
from vnet.base.ids import Mac, ip_from_text, mac_from_text, prefix_from_text
from vnet.linux.netns.namespace import Namespace
from vnet.netdev.nic import Nic
from vnet.netdev.pair import PairDevice, pair_up
from vnet.shell.views.address import addresses_text, brief_addresses_text
from vnet.shell.views.link import brief_links_text, interfaces_of, links_text
from vnet.shell.views.neighbor import neighbors_text
from vnet.shell.views.route import RouteFilter, routes_text
from vnet.sim.scheduler import Scheduler
from vnet.tables.fib import Route

P1, E1 = mac_from_text("a6:0d:a5:e5:05:df"), mac_from_text("5e:72:fe:09:1f:77")

LO = """\
1: lo: <LOOPBACK,UP,LOWER_UP> mtu 65536 qdisc noqueue state UNKNOWN group default qlen 1000
    link/loopback 00:00:00:00:00:00 brd 00:00:00:00:00:00
    inet 127.0.0.1/8 scope host lo
       valid_lft forever preferred_lft forever
    inet6 ::1/128 scope host~
       valid_lft forever preferred_lft forever
"""


def marked(text: str) -> str:
    """``text`` with the last of a line's trailing spaces made visible."""
    return "\n".join(line[:-1] + "~" if line.endswith(" ") else line for line in text.split("\n"))


def give(netns: Namespace, device: str, *addresses: str) -> None:
    for address in addresses:
        netns.add_address(device, *prefix_from_text(address))


def route(netns: Namespace, prefix: str, gateway: str, metric: int | None = None) -> None:
    network, length = prefix_from_text(prefix)
    netns.add_route(network, length, gateway=ip_from_text(gateway), metric=metric)


@pytest.fixture
def netns() -> Namespace:
    """lo, br0 with port p1, and p1's peer e1; all up."""
    scheduler = Scheduler()
    netns = Namespace(scheduler, "h1", Chance(1))
    netns.add_bridge("br0")
    p1, e1 = PairDevice(scheduler, "p1", P1), PairDevice(scheduler, "e1", E1)
    pair_up(p1, e1)
    netns.add_device(p1)
    netns.add_device(e1, ipv6=True)
    netns.enslave("p1", "br0")
    for name in ("br0", "p1", "e1"):
        netns.set_up(name)
    return netns


def test_addresses_stand_in_the_kernels_order(netns: Namespace) -> None:
    give(netns, "e1", "10.0.1.2/24", "10.0.0.2/24", "10.0.1.3/24")
    give(netns, "e1", "2001:db8:1::1/64", "2001:db8:2::1/64", "2001:db8::1/64")
    netns.scheduler.run(100_000_000)
    assert (
        marked(addresses_text(interfaces_of(netns, device="e1")))
        == """\
4: e1@p1: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1500 qdisc noqueue state UP group default qlen 1000
    link/ether 5e:72:fe:09:1f:77 brd ff:ff:ff:ff:ff:ff
    inet 10.0.1.2/24 scope global e1
       valid_lft forever preferred_lft forever
    inet 10.0.0.2/24 scope global e1
       valid_lft forever preferred_lft forever
    inet 10.0.1.3/24 scope global secondary e1
       valid_lft forever preferred_lft forever
    inet6 2001:db8::1/64 scope global tentative~
       valid_lft forever preferred_lft forever
    inet6 2001:db8:2::1/64 scope global tentative~
       valid_lft forever preferred_lft forever
    inet6 2001:db8:1::1/64 scope global tentative~
       valid_lft forever preferred_lft forever
    inet6 fe80::5c72:feff:fe09:1f77/64 scope link tentative~
       valid_lft forever preferred_lft forever"""
    )


def test_all_devices_with_a_bridge_and_its_port(netns: Namespace) -> None:
    give(netns, "br0", "10.0.0.1/24")
    assert (
        marked(addresses_text(interfaces_of(netns)[:3]))
        == LO
        + """\
2: br0: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1500 qdisc noqueue state UP group default qlen 1000
    link/ether a6:0d:a5:e5:05:df brd ff:ff:ff:ff:ff:ff
    inet 10.0.0.1/24 scope global br0
       valid_lft forever preferred_lft forever
3: p1@e1: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1500 qdisc noqueue master br0 state UP \
group default qlen 1000
    link/ether a6:0d:a5:e5:05:df brd ff:ff:ff:ff:ff:ff"""
    )


def test_one_family_leaves_out_macs_and_devices_without_it(netns: Namespace) -> None:
    give(netns, "p1", "10.0.2.3/24")
    assert (
        marked(addresses_text(interfaces_of(netns), family=4))
        == """\
1: lo: <LOOPBACK,UP,LOWER_UP> mtu 65536 qdisc noqueue state UNKNOWN group default qlen 1000
    inet 127.0.0.1/8 scope host lo
       valid_lft forever preferred_lft forever
3: p1@e1: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1500 qdisc noqueue master br0 state UP \
group default qlen 1000
    inet 10.0.2.3/24 scope global p1
       valid_lft forever preferred_lft forever"""
    )


def test_ipv6_alone_has_a_shorter_first_line_but_for_one_device(netns: Namespace) -> None:
    netns.scheduler.run(3_000_000_000)
    assert (
        marked(addresses_text(interfaces_of(netns), family=6))
        == """\
1: lo: <LOOPBACK,UP,LOWER_UP> mtu 65536 state UNKNOWN qlen 1000
    inet6 ::1/128 scope host~
       valid_lft forever preferred_lft forever
4: e1@p1: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1500 state UP qlen 1000
    inet6 fe80::5c72:feff:fe09:1f77/64 scope link~
       valid_lft forever preferred_lft forever"""
    )
    alone = addresses_text(interfaces_of(netns, device="e1"), family=6, one_device=True)
    assert alone.splitlines()[0].endswith("qdisc noqueue state UP group default qlen 1000")


def test_a_failed_duplicate_check_is_told(netns: Namespace) -> None:
    give(netns, "e1", "2001:db8::1/64")
    address = netns.interface("e1").find(ip_from_text("2001:db8::1"))
    assert address is not None
    address.tentative, address.duplicate = False, True
    shown = addresses_text(interfaces_of(netns, device="e1"), family=6)
    assert "    inet6 2001:db8::1/64 scope global dadfailed tentative \n" in shown


def test_links_up_and_down(netns: Namespace) -> None:
    netns.set_flags("e1", arp=False, multicast=False)
    netns.set_down("p1")
    assert (
        marked(links_text(interfaces_of(netns, only_up=True)))
        == """\
1: lo: <LOOPBACK,UP,LOWER_UP> mtu 65536 qdisc noqueue state UNKNOWN mode DEFAULT \
group default qlen 1000
    link/loopback 00:00:00:00:00:00 brd 00:00:00:00:00:00
2: br0: <NO-CARRIER,BROADCAST,MULTICAST,UP> mtu 1500 qdisc noqueue state DOWN mode DEFAULT \
group default qlen 1000
    link/ether a6:0d:a5:e5:05:df brd ff:ff:ff:ff:ff:ff
4: e1@p1: <NO-CARRIER,BROADCAST,NOARP,UP,M-DOWN> mtu 1500 qdisc noqueue state LOWERLAYERDOWN \
mode DEFAULT group default qlen 1000
    link/ether 5e:72:fe:09:1f:77 brd ff:ff:ff:ff:ff:ff"""
    )
    assert (
        marked(brief_links_text(interfaces_of(netns)))
        == """\
lo               UNKNOWN        00:00:00:00:00:00 <LOOPBACK,UP,LOWER_UP>~
br0              DOWN           a6:0d:a5:e5:05:df <NO-CARRIER,BROADCAST,MULTICAST,UP>~
p1@e1            DOWN           a6:0d:a5:e5:05:df <BROADCAST,MULTICAST>~
e1@p1            LOWERLAYERDOWN 5e:72:fe:09:1f:77 <NO-CARRIER,BROADCAST,NOARP,UP,M-DOWN>~"""
    )


def test_ports_of_one_bridge(netns: Namespace) -> None:
    assert links_text(interfaces_of(netns, master="br0")).splitlines()[0] == (
        "3: p1@e1: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1500 qdisc noqueue master br0 "
        "state UP mode DEFAULT group default qlen 1000"
    )


def test_a_pair_across_namespaces_names_the_other() -> None:
    scheduler = Scheduler()
    here, there = (Namespace(scheduler, name, Chance(1)) for name in ("h1", "br"))
    one, other = PairDevice(scheduler, "eth0", E1), PairDevice(scheduler, "p1", P1)
    pair_up(one, other)
    there.add_device(other)
    here.add_device(one)
    here.set_up("eth0")
    there.set_up("p1")
    assert links_text(interfaces_of(here, device="eth0")) == (
        "2: eth0@if2: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1500 qdisc noqueue state UP "
        "mode DEFAULT group default qlen 1000\n"
        "    link/ether 5e:72:fe:09:1f:77 brd ff:ff:ff:ff:ff:ff link-netns br"
    )


def test_a_card_has_a_queue_and_before_it_was_up_none() -> None:
    netns = Namespace(Scheduler(), "h1", Chance(1))
    netns.add_device(Nic(netns.scheduler, "eth0", Mac(E1)))
    line = links_text(interfaces_of(netns, device="eth0")).splitlines()[0]
    assert line == (
        "2: eth0: <BROADCAST,MULTICAST> mtu 1500 qdisc noop state DOWN "
        "mode DEFAULT group default qlen 1000"
    )
    netns.set_up("eth0")
    line = links_text(interfaces_of(netns, device="eth0")).splitlines()[0]
    assert "<NO-CARRIER,BROADCAST,MULTICAST,UP> mtu 1500 qdisc pfifo_fast state DOWN" in line
    netns.set_down("eth0")
    line = links_text(interfaces_of(netns, device="eth0")).splitlines()[0]
    assert "<BROADCAST,MULTICAST> mtu 1500 qdisc pfifo_fast state DOWN" in line


def test_brief_addresses(netns: Namespace) -> None:
    give(netns, "e1", "10.0.1.2/24", "10.0.0.2/24", "2001:db8::1/64")
    assert (
        marked(brief_addresses_text(interfaces_of(netns)))
        == """\
lo               UNKNOWN        127.0.0.1/8 ::1/128~
br0              UP            ~
p1@e1            UP            ~
e1@p1            UP             10.0.1.2/24 10.0.0.2/24 2001:db8::1/64 \
fe80::5c72:feff:fe09:1f77/64~"""
    )
    assert brief_addresses_text(interfaces_of(netns), family=4).splitlines() == [
        "lo               UNKNOWN        127.0.0.1/8 ",
        "e1@p1            UP             10.0.1.2/24 10.0.0.2/24 ",
    ]


def test_routes_by_address_and_the_longest_prefix_first(netns: Namespace) -> None:
    give(netns, "e1", "10.0.1.2/24", "10.0.0.2/24")
    give(netns, "br0", "10.0.0.1/24")
    route(netns, "0.0.0.0/0", "10.0.0.254")
    route(netns, "10.9.0.0/16", "10.0.0.253", metric=5)
    route(netns, "10.8.8.8/32", "10.0.0.253")
    route(netns, "10.0.0.0/8", "10.0.0.253")
    assert routes_text(netns, 4).splitlines() == [
        "default via 10.0.0.254 dev e1 proto static ",
        "10.0.0.0/24 dev e1 proto kernel scope link src 10.0.0.2 ",
        "10.0.0.0/24 dev br0 proto kernel scope link src 10.0.0.1 ",
        "10.0.0.0/8 via 10.0.0.253 dev e1 proto static ",
        "10.0.1.0/24 dev e1 proto kernel scope link src 10.0.1.2 ",
        "10.8.8.8 via 10.0.0.253 dev e1 proto static ",
        "10.9.0.0/16 via 10.0.0.253 dev e1 proto static metric 5 ",
    ]
    assert routes_text(netns, 4, RouteFilter(device="br0")) == (
        "10.0.0.0/24 proto kernel scope link src 10.0.0.1 "
    )
    assert (
        routes_text(netns, 4, RouteFilter(network=prefix_from_text("0.0.0.0/0")))
        == "default via 10.0.0.254 dev e1 proto static "
    )


def test_routes_without_a_carrier_say_linkdown(netns: Namespace) -> None:
    give(netns, "e1", "10.0.0.2/24", "2001:db8:1::1/64")
    netns.scheduler.run(3_000_000_000)
    netns.set_down("p1")
    assert routes_text(netns, 4) == (
        "10.0.0.0/24 dev e1 proto kernel scope link src 10.0.0.2 linkdown "
    )
    assert routes_text(netns, 6).splitlines()[0] == (
        "2001:db8:1::/64 dev e1 proto kernel metric 256 linkdown pref medium"
    )


def test_routes_that_ignore_linkdown_says_are_dead(netns: Namespace) -> None:
    give(netns, "e1", "10.0.0.2/24", "2001:db8:1::1/64")
    give(netns, "br0", "10.1.0.2/24")
    hops = [netns.routes.nexthop(None, ip_from_text(t)) for t in ("10.0.0.9", "10.1.0.9")]
    netns.routes.add(netns.routes.complete(Route(ip_from_text("10.9.0.0"), 16, tuple(hops)), None))
    netns.scheduler.run(3_000_000_000)
    netns.set_down("p1")
    netns.sysctls["net.ipv4.conf.all.ignore_routes_with_linkdown"] = 1
    netns.sysctls["net.ipv6.conf.e1.ignore_routes_with_linkdown"] = 1
    netns.sysctls["net.ipv6.conf.e1.forwarding"] = 1
    assert routes_text(netns, 4, RouteFilter(device="e1")).splitlines() == [
        "10.0.0.0/24 proto kernel scope link src 10.0.0.2 dead linkdown ",
        "10.9.0.0/16 ",
        "\tnexthop via 10.0.0.9 dev e1 weight 1 dead linkdown ",
        "\tnexthop via 10.1.0.9 dev br0 weight 1 dead linkdown ",
    ]
    assert routes_text(netns, 6).splitlines()[0] == (
        "2001:db8:1::/64 dev e1 proto kernel metric 256 dead linkdown pref medium"
    )
    # What is ours is neither.
    (ours, *_) = routes_text(netns, 4, RouteFilter(table=255)).splitlines()
    assert ours == "local 10.0.0.2 dev e1 proto kernel scope host src 10.0.0.2 "
    assert routes_text(netns, 6, RouteFilter(table=255)).splitlines() == [
        "local ::1 dev lo proto kernel metric 0 pref medium",
        "anycast 2001:db8:1:: dev e1 proto kernel metric 0 pref medium",
        "local 2001:db8:1::1 dev e1 proto kernel metric 0 pref medium",
        "anycast fe80:: dev e1 proto kernel metric 0 pref medium",
        "local fe80::5c72:feff:fe09:1f77 dev e1 proto kernel metric 0 pref medium",
        "multicast ff00::/8 dev e1 proto kernel metric 256 dead linkdown pref medium",
    ]


def test_ipv6_routes_come_after_what_they_contain(netns: Namespace) -> None:
    give(netns, "e1", "2001:db8:1::1/64", "2001:db8::1/64")
    for prefix in ("::/0", "2001:db8:9::/48", "2001:db8:9:1::/64", "2001:db8:7::/48"):
        route(netns, prefix, "2001:db8:1::9")
    shown = [line for line in routes_text(netns, 6).splitlines() if not line.startswith("fe80")]
    via = "via 2001:db8:1::9 dev e1 proto static metric 1024 pref medium"
    assert shown == [
        "2001:db8::/64 dev e1 proto kernel metric 256 pref medium",
        "2001:db8:1::/64 dev e1 proto kernel metric 256 pref medium",
        f"2001:db8:7::/48 {via}",
        f"2001:db8:9:1::/64 {via}",
        f"2001:db8:9::/48 {via}",
        f"default {via}",
    ]


def test_neighbours_in_every_state(netns: Namespace) -> None:
    now_ns = netns.scheduler.now_ns
    four, six = netns.interface("br0").arp_cache.table, netns.interface("e1").nd_cache.table
    mac = mac_from_text("02:00:00:00:00:51")
    four.update(b"\x0a\0\0\x34", mac, now_ns, solicited=True)
    four.update(b"\x0a\0\0\x33", mac, now_ns, solicited=False)
    four.set_permanent(b"\x0a\0\0\x32", mac, now_ns)
    four.use(b"\x0a\0\0\x09", now_ns)
    four.ensure(b"\x0a\0\0\x08", now_ns)
    router = ip_from_text("2001:db8::52")
    six.update(router, mac, now_ns, solicited=False)
    six.ensure(router, now_ns).is_router = True
    assert neighbors_text(netns).splitlines() == [
        "10.0.0.52 dev br0 lladdr 02:00:00:00:00:51 REACHABLE ",
        "10.0.0.51 dev br0 lladdr 02:00:00:00:00:51 STALE ",
        "10.0.0.50 dev br0 lladdr 02:00:00:00:00:51 PERMANENT ",
        "10.0.0.9 dev br0 INCOMPLETE ",
        "2001:db8::52 dev e1 lladdr 02:00:00:00:00:51 router STALE ",
    ]
    assert neighbors_text(netns, device="e1") == (
        "2001:db8::52 lladdr 02:00:00:00:00:51 router STALE "
    )
    assert neighbors_text(netns, family=6).count("\n") == 0
