"""Addresses by DHCP in a lab: from the start, as steps, from Python and in the shell."""

from __future__ import annotations

from io import StringIO

import pytest
from rich.console import Console

from vnet import Lab
from vnet.base.errors import TopologyError
from vnet.base.ids import ip_text
from vnet.cli.render import lease_table
from vnet.linux.services.dhcp_server.leases import LeaseNames
from vnet.shell.app import run_shell

FILE = """
version: 1
name: lab
hosts:
  h1:
    switches:
      virbr0: {uplink: none, ip: 192.168.122.1/24, dhcp: {lease: 1h, domain: test}}
vms:
  vm1: {host: h1, vnics: [{ip: dhcp, mac: '02:00:00:00:00:01'}]}
  vm2: {host: h1, vnics: [{ip: 192.168.122.2/24}]}
"""
STEPS = """
scenario:
  - dhcp: {vm: vm1}
    expect:
      address: 192.168.122.161
      lease_s: 3600
      router: 192.168.122.1
      dns: 192.168.122.1
      domain: test
      server: 192.168.122.1
      offer: 1
      ack: 1
      time_ms: 3000
  - ping: {from: vm2, to: vm1, count: 1}
    expect: {received: 1}
  - dhcp: {vm: vm1, action: renew}
    expect: {discover: 0, request: 1, ack: 1}
  - dhcp: {vm: vm1, device: eth0, action: reboot}
    expect: {discover: 0, request: 1, ack: 1}
  - dhcp: {vm: vm1, action: release}
    expect: {release: 1, address: none, state: stopped}
"""


def test_the_steps_of_a_lease() -> None:
    with Lab.from_text(FILE + STEPS) as lab:
        report = lab.run()
        assert [step.held for step in report.steps] == [True] * 5


def test_a_step_fails_where_nobody_answers() -> None:
    """Whoever asks for an address has failed without one, expected or not."""
    text = FILE.replace(", dhcp: {lease: 1h, domain: test}", "")
    with Lab.from_text(text + "scenario: [{dhcp: {vm: vm1}}]") as lab:
        step = lab.run().steps[0]
        assert not step.held
        assert step.seen["address"] == "none"
        assert step.seen["discover"] > 3


@pytest.mark.parametrize(
    ("step", "what"),
    [
        ("{vm: vm9}", "there is no node 'vm9'"),
        ("{vm: vm1, device: eth7}", "vm1 has no device 'eth7'"),
        ("{vm: vm1, action: moo}", "moo"),
    ],
)
def test_steps_that_cannot_be(step: str, what: str) -> None:
    with pytest.raises(TopologyError) as caught:
        Lab.from_text(f"{FILE}scenario: [{{dhcp: {step}}}]")
    assert what in str(caught.value)


def test_python_has_the_leases_of_both_sides() -> None:
    with Lab.from_text(FILE) as lab:
        vm1, h1 = lab.vm("vm1"), lab.host("h1")
        lease = vm1.dhcp()
        assert lease is not None
        assert (str(lease), lease.length_s) == ("192.168.122.161/24", 3600)
        (held,) = h1.dhcp_leases
        assert (ip_text(held.ip), held.hostname, held.fqdn) == (
            "192.168.122.161",
            "vm1",
            "vm1.test",
        )
        assert vm1.dhcp("release") is None
        lab.advance("1s")
        assert h1.dhcp_leases == []


def test_a_machine_asks_the_server_for_names_from_then_on() -> None:
    with Lab.from_text(FILE) as lab:
        lab.advance("4s")
        conf = lab.vm("vm1").namespace.resolv_conf
        assert ([ip_text(ip) for ip in conf.servers], list(conf.search)) == (
            ["192.168.122.1"],
            ["test"],
        )


def test_the_server_knows_the_names_of_its_clients() -> None:
    with Lab.from_text(FILE) as lab:
        lab.advance("4s")
        (server,) = lab.host("h1").namespace.dhcp_servers.values()
        names = LeaseNames(lambda: (server.leases,))
        ip = bytes((192, 168, 122, 161))
        assert list(names.addresses_of("vm1")) == list(names.addresses_of("vm1.test")) == [ip]
        assert names.name_of(ip) == "vm1.test"
        assert names.has_below("test")
        assert not names.addresses_of("vm2")


def test_the_report_has_the_leases() -> None:
    with Lab.from_text(FILE) as lab:
        lab.advance("4s")
        report = lab.report()
        (row,) = report.as_json()["leases"]
        assert row == {
            "server": "h1:virbr0",
            "address": "192.168.122.161",
            "mac": "02:00:00:00:00:01",
            "name": "vm1",
            "left_s": 3599,
        }
        told = Console(width=100, file=StringIO(), record=True)
        told.print(lease_table(report.leases))
        assert "192.168.122.161  02:00:00:00:00:01  vm1     3599s" in told.export_text()


def test_the_shell_shows_leases(capsys: pytest.CaptureFixture[str]) -> None:
    def said(lab: Lab, *lines: str) -> str:
        run_shell(lab, lines)
        out, err = capsys.readouterr()
        return out + err

    with Lab.from_text(FILE) as lab:
        lab.advance("4s")
        leases = said(lab, "dhcp leases")
        assert "h1:virbr0  192.168.122.161  02:00:00:00:00:01  vm1" in leases
        assert said(lab, "dhcp file h1").split()[1:] == [
            "02:00:00:00:00:01",
            "192.168.122.161",
            "vm1",
            "*",
        ]
        assert "DHCPACK(virbr0) 192.168.122.161 02:00:00:00:00:01 vm1" in said(lab, "dhcp log h1")
        assert said(lab, "dhcp renew vm1").startswith("DHCPREQUEST for 192.168.122.161 on eth0")
        assert "DHCPRELEASE of 192.168.122.161" in said(lab, "vm1 dhclient -v -r")
        assert said(lab, "vm1 dhclient") == ""
        assert "there is no 'moo'" in said(lab, "dhcp moo")


def test_routers_hosts_and_vlans_ask_too() -> None:
    """A card that is a bridge's port has lent the bridge its addresses, and so it is that asks."""
    text = """
version: 1
hosts:
  h1:
    hypervisor: kvm
    nics: {eth0: {ip: dhcp}}
    switches: {br0: }
  h2:
    hypervisor: xen
    nics: {eth0: {ip: dhcp}}
    switches: {xenbr0: }
vms: {vm1: {host: h1, vnics: [{}], vlans: {eth0.10: {ip: dhcp}}}}
switches: {sw: {ports: 4}}
routers:
  r1: {nics: {eth0: {ip: dhcp}}}
  r2:
    nics:
      eth0: {ip: 10.0.0.1/24, dhcp: {ping: false}}
    vlans: {eth0.10: {ip: 10.10.0.1/24, dhcp: true}}
links:
  - {ends: ['h1:eth0', 'sw:p1']}
  - {ends: ['r1:eth0', 'sw:p2']}
  - {ends: ['r2:eth0', 'sw:p3']}
  - {ends: ['h2:eth0', 'sw:p4']}
"""
    with Lab.from_text(text) as lab:
        lab.advance("10s")
        names = {lease.hostname for lease in lab.router("r2").dhcp_leases}
        assert names == {"h1", "h2", "r1", "vm1"}
        for node, device in (("h1", "br0"), ("h2", "eth0"), ("r1", "eth0")):
            machine = lab.network.machine(node)
            assert machine is not None
            (client,) = machine.dhcp_clients.values()
            assert client.interface.device.name == device
            assert client.is_bound
            assert machine.namespace.route_to(bytes((10, 9, 9, 9))) is not None
        vm1 = lab.network.vms["vm1"]
        (client,) = vm1.dhcp_clients.values()
        assert client.interface.device.name == "eth0.10"
        assert client.lease is not None
        assert client.lease.ip[:2] == b"\x0a\x0a", "that of the VLAN's own server"


def test_a_guest_may_serve_others() -> None:
    text = """
version: 1
hosts: {h1: {switches: {br0: }}}
vms:
  vm1: {host: h1, vnics: [{ip: 10.0.0.1/24, dhcp: {range: 10.0.0.7}}]}
  vm2: {host: h1, vnics: [{ip: dhcp}]}
"""
    with Lab.from_text(text) as lab:
        lab.advance("4s")
        assert lab.network.vms["vm2"].addresses == [bytes((10, 0, 0, 7))]


def test_a_client_that_sleeps_is_woken_by_start() -> None:
    steps = """
scenario:
  - {link: {end: 'h1:eth0', state: down}}
  - {dhcp: {vm: far}, expect: {errors: 1, address: none}}
  - {link: {end: 'h1:eth0', state: up}}
  - {wait: 1s}
  - {dhcp: {vm: far}, expect: {ack: 1, errors: 0}}
"""
    text = """
version: 1
hosts:
  h1: {nics: {eth0: {}}, switches: {br0: {ip: 10.0.0.1/24, dhcp: true}}}
  h2: {nics: {eth0: {}}, switches: {br0: }}
vms: {far: {host: h2, vnics: [{ip: dhcp}]}}
links: [{ends: ['h1:eth0', 'h2:eth0']}]
"""
    with Lab.from_text(text + steps) as lab:
        assert [step.failures for step in lab.run().steps if step.failures] == []
