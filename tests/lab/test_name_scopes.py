"""Whom the DNS servers of virtual networks know: libvirt runs a daemon for each network."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from vnet.lab.lab import Lab
from vnet.live.kernel import dnsmasq
from vnet.live.kernel.lab import planned
from vnet.topology.load import parse_topology

FILE = """
version: 1
hosts:
  h1:
    dns: 203.0.113.100
    nics: {eth0: {ip: 203.0.113.1/24}}
    switches:
      virbr0: {mode: nat}
      virbr1: {mode: isolated, ip: 10.1.0.1/24}
      br0: {mode: bridge, uplink: none, ip: 10.9.0.1/24, dhcp: true, dns: true}
  h2:
    nics: {eth0: {ip: 203.0.113.2/24}}
    switches: {virbr0: {mode: nat}}
vms:
  leased: {host: h1, vnics: [{switch: virbr0}]}
  both: {host: h1, vnics: [{switch: virbr0, ip: 192.168.122.10/24},
                           {switch: virbr1, ip: 10.1.0.10/24}]}
  inside: {host: h1, vnics: [{switch: virbr1}]}
  fixed: {host: h1, vnics: [{switch: virbr1, ip: 10.1.0.11/24}],
          vlans: {eth0.5: {link: eth0, id: 5, ip: 10.5.0.11/24}}}
  plain: {host: h1, vnics: [{switch: br0, ip: dhcp}]}
  twin: {host: h2, vnics: [{switch: virbr0, ip: 192.168.122.20/24}]}
routers:
  world:
    nics: {eth0: {ip: 203.0.113.100/24, dns: {lab: false, hosts: {www.test: 203.0.113.80}}}}
switches: {sw: {ports: 3}}
links:
  - {ends: ['h1:eth0', 'sw:p1']}
  - {ends: ['h2:eth0', 'sw:p2']}
  - {ends: ['world:eth0', 'sw:p3']}
"""
NAT, ISOLATED, PLAIN = "192.168.122.1", "10.1.0.1", "10.9.0.1"


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    with Lab.from_text(FILE) as lab:
        lab.advance("20s")
        yield lab


def known(lab: Lab, source: str, server: str, names: str) -> dict[str, list[str]]:
    """What a server says of some names, of those that it knows."""
    asked = {name: lab.vm(source).dig(name, server=server) for name in names.split()}
    return {name: result.answers for name, result in asked.items() if result.answers}


NAMES = "leased both inside fixed plain twin world"


def test_an_isolated_network_knows_who_is_on_it_and_nobody_else(lab: Lab) -> None:
    found = known(lab, "fixed", ISOLATED, f"{NAMES} h1 h2 www.test")
    assert sorted(found) == ["both", "fixed", "h1", "inside"]
    assert found["both"] == ["10.1.0.10"]
    assert set(found["fixed"]) == {"10.1.0.11", "10.5.0.11"}
    assert found["h1"] == [ISOLATED]


def test_an_isolated_network_asks_nobody(lab: Lab) -> None:
    # no-resolv: it does not even ask whom its host asks.
    assert lab.vm("fixed").dig("www.test", server=ISOLATED).status == "REFUSED"


def test_a_network_with_a_way_out_knows_the_world_and_no_other_network(lab: Lab) -> None:
    found = known(lab, "both", NAT, f"{NAMES} h1 www.test")
    assert sorted(found) == ["both", "h1", "leased", "world", "www.test"]
    assert found["both"] == ["192.168.122.10"]
    assert sorted(found["h1"]) == ["10.9.0.1", NAT, "203.0.113.1"]
    assert found["www.test"] == ["203.0.113.80"], "its host knows whom to ask"


def test_other_servers_of_a_host_know_all_machines_but_no_lease_of_a_network(lab: Lab) -> None:
    found = known(lab, "plain", PLAIN, NAMES)
    assert sorted(found) == ["both", "fixed", "plain", "twin", "world"]


def test_names_of_addresses_do_not_leak_either(lab: Lab) -> None:
    assert lab.vm("both").dig("10.0.1.10.in-addr.arpa", "PTR", server=NAT).status != "NOERROR"
    found = lab.vm("fixed").dig("10.0.1.10.in-addr.arpa", "PTR", server=ISOLATED)
    assert found.answers == ["both."]


def test_on_the_kernel_each_network_has_its_own_dnsmasq() -> None:
    node = planned(parse_topology(FILE))[1].node("h1")
    said = [dnsmasq.words(*each, Path("/leases"), Path("/pid")) for each in dnsmasq.daemons(node)]
    served = [[word for word in words if word.startswith("--interface=")] for words in said]
    assert served == [["--interface=br0"], ["--interface=virbr0"], ["--interface=virbr1"]]
    assert "--host-record=twin,192.168.122.20" in said[0]
    assert "--host-record=world,203.0.113.100" in said[1]
    assert "--server=203.0.113.100" in said[1]
    records = [word for word in said[2] if word.startswith(("--host-record=", "--server="))]
    assert records == [
        "--host-record=h1,10.1.0.1",
        "--host-record=both,10.1.0.10",
        "--host-record=fixed,10.1.0.11",
        "--host-record=fixed,10.5.0.11",
    ]
