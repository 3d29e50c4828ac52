"""Settings per device: what ``all``, ``default`` and a device's own make, as the kernel has it.

What is expected was asked of Linux 6.18.
"""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path

import pytest

import vnet
from tests.linux.kit import Lab, address
from vnet.base.errors import UsageError
from vnet.linux.netns.namespace import Namespace
from vnet.linux.netns.sysctl.knob import knobs_of
from vnet.linux.netns.sysctl.names import ONCE, PER_DEVICE
from vnet.linux.netns.sysctl.sysctls import Sysctls

IDLE = (Path(__file__).parent / "idle_sysctls.txt").read_text().split()
"""What the kernel has and nothing here looks at."""


def machine_with(*devices: str) -> Namespace:
    lab = Lab()
    machine = lab.machine("m")
    for number, device in enumerate(devices):
        lab.probe(machine, device, number)
    return machine


def values(machine: Namespace, group: str, knob: str) -> list[int | str | tuple[int, ...]]:
    """Those of ``all``, ``default``, d0 and d1."""
    sysctls = machine.sysctls
    return [sysctls[f"net.{group}.{of}.{knob}"] for of in ("all", "default", "d0", "d1")]


# -- what is passed on


def test_ip_forward_is_all_forwarding_and_reaches_every_device() -> None:
    machine = machine_with("d0", "d1")
    sysctls = machine.sysctls
    sysctls["net.ipv4.ip_forward"] = 1
    assert values(machine, "ipv4.conf", "forwarding") == [1, 1, 1, 1]
    assert values(machine, "ipv4.conf", "accept_redirects") == [0, 1, 1, 1]
    sysctls["net.ipv4.conf.d0.forwarding"] = 0
    sysctls["net.ipv4.ip_forward"] = 1
    assert values(machine, "ipv4.conf", "forwarding") == [1, 1, 0, 1]
    sysctls["net.ipv4.conf.default.forwarding"] = 0
    assert values(machine, "ipv4.conf", "forwarding") == [1, 0, 0, 1]
    sysctls["net.ipv4.conf.all.forwarding"] = 0
    assert values(machine, "ipv4.conf", "forwarding") == [0, 0, 0, 0]
    assert values(machine, "ipv4.conf", "accept_redirects") == [1, 1, 1, 1]
    assert sysctls["net.ipv4.ip_forward"] == 0


@pytest.mark.parametrize(
    ("knob", "reached"),
    [
        ("forwarding", [1, 1, 1, 1]),
        ("disable_ipv6", [1, 1, 1, 1]),
        ("addr_gen_mode", [1, 1, 1, 1]),
        ("ignore_routes_with_linkdown", [1, 1, 1, 1]),
        ("force_forwarding", [1, 0, 1, 1]),
        ("proxy_ndp", [1, 0, 0, 0]),
        ("hop_limit", [1, 64, 64, 64]),
    ],
)
def test_what_all_passes_on_in_ipv6(knob: str, reached: list[int]) -> None:
    machine = machine_with("d0", "d1")
    machine.sysctls[f"net.ipv6.conf.all.{knob}"] = 1
    assert values(machine, "ipv6.conf", knob) == reached


def test_a_new_default_reaches_devices_until_they_have_an_address_or_a_value_of_their_own() -> None:
    machine = machine_with("d0", "d1")
    address(machine, "d0", "10.0.0.1/24")
    machine.sysctls["net.ipv4.conf.default.rp_filter"] = 2
    assert values(machine, "ipv4.conf", "rp_filter") == [0, 2, 0, 2]
    machine.sysctls["net.ipv4.conf.d1.arp_ignore"] = 1
    machine.sysctls["net.ipv4.conf.default.arp_ignore"] = 3
    assert values(machine, "ipv4.conf", "arp_ignore") == [0, 3, 0, 1]


def test_a_new_default_of_ipv6_is_for_devices_to_come() -> None:
    lab = Lab()
    machine = lab.machine("m")
    lab.probe(machine, "d0", 1)
    machine.sysctls["net.ipv6.conf.default.hop_limit"] = 34
    lab.probe(machine, "d1", 2)
    assert values(machine, "ipv6.conf", "hop_limit") == [64, 34, 64, 34]


# -- what holds on a device


@pytest.mark.parametrize(
    ("knob", "at_all", "own", "in_force"),
    [
        ("rp_filter", 2, 1, 2),
        ("rp_filter", 0, 1, 1),
        ("proxy_arp", 1, 0, 1),
        ("accept_source_route", 0, 1, 0),
        ("accept_source_route", 1, 1, 1),
        ("arp_evict_nocarrier", 1, 0, 0),
        ("send_redirects", 0, 1, 1),
        ("send_redirects", 0, 0, 0),
        ("accept_redirects", 0, 1, 1),
        ("forwarding", 0, 1, 1),
    ],
)
def test_all_and_a_devices_own_make_one(knob: str, at_all: int, own: int, in_force: int) -> None:
    machine = machine_with("d0")
    machine.sysctls[f"net.ipv4.conf.all.{knob}"] = at_all
    machine.sysctls[f"net.ipv4.conf.d0.{knob}"] = own
    assert getattr(machine.interface("d0").conf4, knob) == in_force


def test_a_router_believes_redirects_only_if_both_say_so() -> None:
    machine = machine_with("d0")
    machine.sysctls["net.ipv4.ip_forward"] = 1
    assert not machine.interface("d0").conf4.accept_redirects
    machine.sysctls["net.ipv4.conf.all.accept_redirects"] = 1
    assert machine.interface("d0").conf4.accept_redirects


# -- neighbours


def test_older_names_of_neighbour_settings_are_the_same_settings() -> None:
    machine = machine_with("d0", "d1")
    sysctls = machine.sysctls
    assert sysctls["net.ipv4.neigh.d0.unres_qlen"] == 101
    sysctls["net.ipv4.neigh.d0.unres_qlen"] = 50
    assert sysctls["net.ipv4.neigh.d0.unres_qlen_bytes"] == 104500
    sysctls["net.ipv4.neigh.d0.base_reachable_time"] = 5
    assert sysctls["net.ipv4.neigh.d0.base_reachable_time_ms"] == 5000
    sysctls["net.ipv4.neigh.d0.retrans_time"] = 50
    assert sysctls["net.ipv4.neigh.d0.retrans_time_ms"] == 500
    table = machine.interface("d0").arp_cache.table
    assert table.parameters.queue_packets == 50
    assert 2_500_000_000 <= table.reachable_ns < 7_500_000_000
    assert machine.interface("d1").arp_cache.table.parameters.queue_packets == 101


def test_limits_of_the_neighbour_tables_are_in_default_alone() -> None:
    machine = machine_with("d0")
    machine.sysctls["net.ipv4.neigh.default.gc_thresh3"] = 2048
    assert machine.neighbors4.thresholds.third == 2048
    with pytest.raises(UsageError, match="unknown sysctl"):
        machine.sysctls["net.ipv4.neigh.d0.gc_thresh3"] = 1


def test_a_neighbour_is_asked_as_often_as_the_device_says() -> None:
    lab = Lab()
    machine = lab.machine("m")
    probe = lab.probe(machine, "d0")
    address(machine, "d0", "10.0.0.1/24")
    machine.sysctls["net.ipv4.neigh.d0.mcast_solicit"] = 5
    machine.sysctls["net.ipv4.neigh.d0.retrans_time_ms"] = 100
    machine.sockets.open_udp(lambda *_: None).send_to(bytes((10, 0, 0, 9)), 9, b"")
    lab.run(2_000_000_000)
    assert len(probe.heard) == 5
    assert probe.heard[-1][0] < 600_000_000


# -- names and values


def test_a_setting_has_its_name_with_dots_or_with_slashes() -> None:
    machine = machine_with("vif1.0")
    machine.sysctls["net/ipv4/conf/vif1.0/rp_filter"] = 1
    assert machine.sysctls["net.ipv4.conf.vif1/0.rp_filter"] == 1
    assert dict(machine.sysctls.items())["net.ipv4.conf.vif1/0.rp_filter"] == "1"


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("net.ipv4.ip_forwarding", 1, "did you mean net.ipv4.ip_forward?"),
        ("net.ipv4.conf.d0.rp_filtre", 1, "did you mean net.ipv4.conf.d0.rp_filter?"),
        ("net.ipv4.conf.d9.rp_filter", 1, "the devices here are lo, d0"),
        ("net.ipv4.ip_default_ttl", 256, "takes 1 to 255, not '256'"),
        ("net.ipv4.ip_forward", "yes", "takes a whole number, not 'yes'"),
        ("net.ipv4.ip_local_port_range", "1024", "takes 2 whole numbers, not '1024'"),
        ("net.ipv4.neigh.all.mcast_solicit", 1, "unknown sysctl"),
    ],
)
def test_what_is_refused(key: str, value: int | str, message: str) -> None:
    with pytest.raises(UsageError) as refused:
        machine_with("d0").sysctls[key] = value
    assert message in str(refused.value)


def test_numbers_are_read_as_the_kernel_reads_them() -> None:
    sysctls = Sysctls()
    sysctls["net.ipv4.icmp_ratemask"] = "0x1818"
    assert sysctls["net.ipv4.icmp_ratemask"] == 6168
    sysctls["net.ipv4.ip_local_port_range"] = " 1024\t2048 "
    assert sysctls.text("net.ipv4.ip_local_port_range") == "1024\t2048"


# -- devices come and go


def test_a_setting_waits_for_its_device() -> None:
    lab = Lab()
    machine = lab.machine("m")
    machine.sysctls.set_when_there("net.ipv4.conf.d0.rp_filter", 1)
    lab.probe(machine, "d0")
    assert machine.interface("d0").conf4.rp_filter == 1


def test_settings_go_with_the_device_and_follow_its_name() -> None:
    machine = machine_with("d0")
    machine.sysctls["net.ipv4.conf.d0.rp_filter"] = 1
    machine.set_down("d0")
    machine.rename("d0", "d1")
    assert machine.sysctls["net.ipv4.conf.d1.rp_filter"] == 1
    machine.remove_device("d1")
    with pytest.raises(UsageError, match="unknown sysctl"):
        machine.sysctls["net.ipv4.conf.d1.rp_filter"] = 1


def test_ipv6_has_the_mtu_of_its_device() -> None:
    machine = machine_with("d0")
    assert machine.sysctls["net.ipv6.conf.d0.mtu"] == 1500
    machine.set_mtu("d0", 1400)
    assert machine.sysctls["net.ipv6.conf.d0.mtu"] == 1400


# -- the list


@cache
def sources() -> list[str]:
    """Every file of the package, but for those of the settings' own room."""
    package = Path(vnet.__file__).parent
    return [path.read_text() for path in package.rglob("*.py") if path.parent.name != "sysctl"]


@cache
def attributes_read(source: str) -> frozenset[str]:
    """Every ``.name`` in it that is read."""
    return frozenset(
        node.attr
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Load)
    )


@pytest.mark.parametrize("group", [*ONCE, *PER_DEVICE])
def test_every_setting_is_read_somewhere_or_known_to_be_idle(group: str) -> None:
    knobs = knobs_of({**ONCE, **PER_DEVICE}[group][1])
    unread = set(knobs)
    for source in sources():
        if any(knob in source for knob in unread):
            unread -= attributes_read(source)
    idle = {key.rpartition(".")[2] for key in IDLE if key.rpartition(".")[0] == group}
    assert unread == idle
