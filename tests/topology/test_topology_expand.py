"""Templates, default addresses, domids and device names."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable

import pytest

from vnet.base.errors import TopologyError
from vnet.base.ids import ip_text, mac_text
from vnet.topology.devices import (
    backend_names,
    host_devices,
    network_bridge_names,
    node_devices,
)
from vnet.topology.load import parse_topology
from vnet.topology.macs import MacChooser
from vnet.topology.model import Topology

TEMPLATE = """\
version: 1
seed: {seed}
hosts:
  h1: {{hypervisor: {hypervisor}, nics: {{eth0: }}, switches: {{br0: }}}}
vms:
  first: {{host: h1, vnics: [{{}}]}}
  vm: {{host: h1, count: {count}, vnics: [{{ip: [10.0.0.254/16, '2001:db8::ff/64'{more}]}}]}}
"""


def template(count: int = 3, hypervisor: str = "kvm", seed: int = 1, more: str = "") -> Topology:
    text = TEMPLATE.format(count=count, hypervisor=hypervisor, seed=seed, more=more)
    return parse_topology(text)


def test_a_template_counts_names_and_addresses_up() -> None:
    vms = template().vms
    assert list(vms) == ["first", "vm1", "vm2", "vm3"]
    assert [ip_text(a.ip) for vm in vms.values() for a in vm.vnics[0].addresses] == [
        "10.0.0.254",
        "2001:db8::ff",
        "10.0.0.255",
        "2001:db8::100",
        "10.0.1.0",
        "2001:db8::101",
    ]


def test_a_template_counts_macs_up() -> None:
    text = """\
version: 1
hosts: {h: {switches: {br0: }}}
vms: {vm: {host: h, count: 3, vnics: [{mac: '52:54:00:00:00:fe'}]}}
"""
    macs = [mac_text(vm.vnics[0].mac) for vm in parse_topology(text).vms.values()]
    assert macs == ["52:54:00:00:00:fe", "52:54:00:00:00:ff", "52:54:00:00:01:00"]


def test_a_count_of_one_still_makes_a_numbered_machine() -> None:
    assert list(template(count=1).vms) == ["first", "vm1"]


def test_domids_count_from_one_on_each_host() -> None:
    text = """\
version: 1
hosts: {h1: {}, h2: {}}
vms: {a: {host: h1}, b: {host: h2}, c: {host: h1, count: 2}, d: {host: h1}}
"""
    domids = {vm.name: vm.domid for vm in parse_topology(text).vms.values()}
    assert domids == {"a": 1, "b": 1, "c1": 2, "c2": 3, "d": 4}


@pytest.mark.parametrize(
    ("hypervisor", "oui"),
    [("xen", "00:16:3e"), ("kvm", "52:54:00"), ("vmware", "00:0c:29"), ("hyperv", "00:15:5d")],
)
def test_a_guests_mac_tells_its_hypervisor(hypervisor: str, oui: str) -> None:
    topology = template(hypervisor=hypervisor)
    assert {mac_text(vm.vnics[0].mac)[:8] for vm in topology.vms.values()} == {oui}
    assert mac_text(topology.hosts["h1"].nics["eth0"].mac)[:2] == "02"


def test_default_macs_depend_on_seed_and_name_alone() -> None:
    one, again, other = template(), template(count=50), template(seed=2)
    assert one.vms["vm3"].vnics[0].mac == again.vms["vm3"].vnics[0].mac
    assert one.vms["vm3"].vnics[0].mac != other.vms["vm3"].vnics[0].mac
    assert mac_text(one.vms["vm3"].vnics[0].mac) == "52:54:00:20:9a:cc"


@pytest.mark.slow
def test_default_macs_never_collide() -> None:
    macs = [vm.vnics[0].mac for vm in template(count=20_000).vms.values()]
    assert len(set(macs)) == len(macs)
    taken = MacChooser(1, []).choose(b"\x02", "n", "nic")
    assert MacChooser(1, [taken]).choose(b"\x02", "n", "nic") != taken


@pytest.mark.slow
def test_another_process_with_another_hash_seed_reads_the_same() -> None:
    code = (
        "from vnet.topology.load import load_topology;"
        "print(load_topology('topologies/three-tenants.yaml'))"
    )
    outputs = {
        subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, "PYTHONHASHSEED": seed},
            check=True,
            capture_output=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert len(outputs) == 1


def test_effort_grows_with_the_number_of_machines(
    assert_linear: Callable[[Callable[[int], object]], None],
) -> None:
    assert_linear(template)


@pytest.mark.slow
def test_all_templates_together_are_limited() -> None:
    text = (
        "version: 1\nhosts: {h: {}}\nvms: {a: {host: h, count: 60000}, b: {host: h, count: 60000}}"
    )
    with pytest.raises(TopologyError, match=r":3:35: more than 100000 virtual machines"):
        parse_topology(text)
    nics = ", ".join(["{switch: s}"] * 60)
    vms = f"{{a: {{host: h, count: 60000, vnics: [{nics}]}}}}"
    text = f"version: 1\nhosts: {{h: {{switches: {{s: }}}}}}\nvms: {vms}"
    with pytest.raises(TopologyError, match="more than 1000000 devices and addresses"):
        parse_topology(text)


# --- devices ---


@pytest.mark.parametrize(
    ("hypervisor", "names"),
    [
        ("xen", ["vif1.0", "vif2.0", "vif2.1"]),
        ("kvm", ["vnet0", "vnet1", "vnet2"]),
        ("vmware", ["a.eth0", "b.eth0", "b.eth1"]),
        ("hyperv", ["a-eth0", "b-eth0", "b-eth1"]),
    ],
)
def test_back_ends_are_named_as_the_hypervisor_names_them(
    hypervisor: str, names: list[str]
) -> None:
    text = f"""\
version: 1
hosts:
  h: {{hypervisor: {hypervisor}, nics: {{eth3: }}, switches: {{s: }}}}
  other: {{switches: {{s: }}}}
vms:
  a: {{host: h, vnics: [{{}}]}}
  x: {{host: other, vnics: [{{}}]}}
  b: {{host: h, vnics: [{{}}, {{}}]}}
"""
    topology = parse_topology(text)
    host = topology.hosts["h"]
    backends = backend_names(host, topology.vms.values())
    assert list(backends.items()) == list(zip([("a", 0), ("b", 0), ("b", 1)], names, strict=True))
    bridge = ["peth3", "vif0.3"] if hypervisor == "xen" else []
    assert host_devices(host, topology.vms.values()) == ["eth3", *bridge, "s", *names]
    assert node_devices(topology.vms["b"]) == ["eth0", "eth1"]


def test_network_bridge_numbers_a_card_without_a_number_by_its_place() -> None:
    host = parse_topology("version: 1\nhosts: {h: {hypervisor: xen, nics: {a: , b: }}}").hosts["h"]
    assert network_bridge_names(host, "b") == ("b", "pb", "vif0.1", "veth1")
