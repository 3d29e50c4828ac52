"""What is read from a lab that was just built, and what the kernel is told; no root needed."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from tests.live.files import leasing, pair
from vnet.base.errors import UsageError
from vnet.base.ids import ip_from_text, mac_from_text, mac_text
from vnet.cli.main import _run
from vnet.lab.shipped import resolve
from vnet.live.kernel import capabilities, dnsmasq, radvd
from vnet.live.kernel.capabilities import Capability, needs
from vnet.live.kernel.lab import planned
from vnet.live.kernel.plan import Kind, Plan
from vnet.topology.load import load_topology, parse_topology


def plan(text: str) -> Plan:
    return planned(parse_topology(text))[1]


def shipped(name: str) -> Plan:
    return planned(load_topology(resolve(name)))[1]


def test_the_plan_is_what_xens_script_has_left() -> None:
    found = shipped("@two-hosts")
    h1 = found.node("h1")
    assert [device.name for device in h1.devices] == [
        *("lo", "peth0", "xenbr0", "eth0", "vif0.0", "vif1.0"),
    ]
    assert mac_text(h1.device("peth0").mac) == "fe:ff:ff:ff:ff:ff"
    assert (h1.device("peth0").arp, h1.device("eth0").arp) == (False, True)
    assert [port.device for port in h1.ports] == ["vif0.0", "peth0", "vif1.0"]
    assert h1.bridges[0].options == {"forward_delay": 0}
    assert [str(end) for pair in found.pairs for end in pair.ends] == [
        *("h1:eth0", "h1:vif0.0", "h1:vif1.0", "vm1:eth0"),
        *("h2:eth0", "h2:vif0.0", "h2:vif1.0", "vm2:eth0"),
    ]
    assert [cable.name for cable in found.cables] == ["h1:peth0--h2:peth0"]


def test_a_tunnel_port_becomes_a_vxlan_device() -> None:
    found = shipped("@two-host-vxlan").node("h1")
    (vxlan,) = found.vxlans
    assert (vxlan.name, vxlan.bridge, vxlan.vni, vxlan.udp_port) == ("vx0", "br-int", 100, 4789)
    assert (vxlan.remotes, vxlan.ttl) == ((ip_from_text("198.51.100.2"),), 64)
    assert vxlan.dont_fragment
    assert found.device("br-int").kind is Kind.BRIDGE
    assert ("br-int", "vx0") in [(port.bridge, port.device) for port in found.ports]


@pytest.mark.parametrize(
    ("name", "what"),
    [
        ("@ovs-flows", "flows"),
        ("@ovs-mirror", "mirrors"),
        ("@bond-lacp", "the bond"),
        ("@rstp-ring", "the spanning tree of Open vSwitch"),
        ("@controlled-switches", "the controller"),
    ],
)
def test_what_no_linux_bridge_does_is_named(name: str, what: str) -> None:
    with pytest.raises(UsageError, match=f"{what}.*: the Linux bridge in its place has nothing"):
        shipped(name)


def test_only_what_a_file_needs_is_asked_of_the_kernel() -> None:
    assert needs(plan(pair("two"))) == {Capability.VETH, Capability.BRIDGE}
    assert Capability.VLAN_FILTERING in needs(shipped("@vlan-filtering"))
    assert needs(shipped("@two-host-vxlan")) >= {Capability.VXLAN, Capability.NETEM}
    assert needs(shipped("@xen-nat")) >= {Capability.IPTABLES}
    assert needs(plan(leasing("lease"))) >= {Capability.DNSMASQ, Capability.DHCLIENT}


def test_dnsmasq_is_told_of_ranges_reservations_and_names() -> None:
    text = leasing("lease").replace(
        "{range: 10.0.0.50-10.0.0.59}",
        "{range: 10.0.0.50-10.0.0.59, lease: 2h, reservations: "
        "[{mac: '52:54:00:00:00:07', ip: 10.0.0.7, name: seven}]}",
    )
    found = plan(text)
    ((served, relays),) = dnsmasq.daemons(found.node("h1"))
    said = dnsmasq.words(served, relays, Path("/leases"), Path("/pid"))
    assert "--interface=br0" in said
    assert "--dhcp-range=set:br0,10.0.0.50,10.0.0.59,255.255.255.0,7200" in said
    assert f"--dhcp-host={mac_text(mac_from_text('52:54:00:00:00:07'))},10.0.0.7,seven" in said
    assert "--no-hosts" in said, "the names of the machine are none of the lab"
    assert found.node("vm1").asking == ("eth0",)


def test_dnsmasq_is_told_of_records() -> None:
    records = (
        "a.test A 10.0.0.8, b.test 60 CNAME a.test, test MX 10 a.test, "
        "'_sip._tcp.test SRV 1 2 5060 a.test', 'a.test TXT \"x, y\"', "
        "9.0.0.10.in-addr.arpa PTR nine.test"
    )
    served_too = f"ip: 10.0.0.1/24, dns: {{records: [{records}]}}"
    text = leasing("lease").replace("ip: 10.0.0.1/24", served_too)
    ((served, relays),) = dnsmasq.daemons(plan(text).node("h1"))
    said = dnsmasq.words(served, relays, Path("/leases"), Path("/pid"))
    assert [word for word in said if ".test" in word or word.startswith("--mx")] == [
        "--host-record=a.test,10.0.0.8",
        "--cname=b.test,a.test,60",
        "--mx-host=test,a.test,10",
        "--srv-host=_sip._tcp.test,a.test,5060,1,2",
        "--dns-rr=a.test,16,04782c2079",
        "--ptr-record=9.0.0.10.in-addr.arpa,nine.test",
    ]


def test_radvd_is_told_of_networks_and_lifetimes() -> None:
    text = radvd.config(shipped("@ipv6-ra").node("r1"))
    for line in (
        "interface eth0 {",
        "  MaxRtrAdvInterval 10;",
        "  MinRtrAdvInterval 7;",
        "  AdvDefaultLifetime 300;",
        "  AdvLinkMTU 1500;",
        "  prefix 2001:db8:1::/64 {",
        "    AdvValidLifetime 3600;",
        "    AdvPreferredLifetime 1800;",
    ):
        assert f"{line}\n" in text
    assert "eth1" not in text


# -- who may not


def test_without_root_one_message_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert _run(["up", "--kernel", str(tmp_path / "any.yaml")]) == 3
    assert _run(["down", "--kernel"]) == 3
    message = "--kernel needs root, for network namespaces (run it with sudo, or use `vnet run`)\n"
    assert capsys.readouterr().err == message * 2


def test_other_systems_are_told_that_it_is_linux_only(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    assert _run(["up", "--kernel", "any.yaml"]) == 3
    assert "on Linux only" in capsys.readouterr().err


@pytest.mark.parametrize("words", [["--rundir", "here"], ["--detach"]])
def test_what_is_for_labs_without_a_kernel_is_refused(
    words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert _run(["up", "--kernel", "any.yaml", *words]) == 2
    told = "--rundir, --detach and --log-file are for labs without --kernel (leave them out)\n"
    assert capsys.readouterr().err == told


@pytest.mark.kernel
def test_a_kernel_that_lacks_something_is_told_so_by_name(
    lab_name: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    has = capabilities._Probe.has
    monkeypatch.setattr(
        capabilities._Probe,
        "has",
        lambda probe, what: what is not Capability.BRIDGE and has(probe, what),
    )
    (tmp_path / "lab.yaml").write_text(pair(lab_name))
    assert _run(["up", "--kernel", str(tmp_path / "lab.yaml")]) == 3
    assert capsys.readouterr().err == (
        f"for {lab_name} this kernel lacks bridges "
        "(load the modules or install the programs, or use `vnet run`)\n"
    )
