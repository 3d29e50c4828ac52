"""``virsh`` on hosts: tables, pairs and XML as libvirt 9.0 was seen to print them."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from vnet.base.errors import UsageError
from vnet.base.ids import ip_from_text, mac_from_text
from vnet.lab.lab import Lab
from vnet.linux.services.dhcp_server.leases import Lease
from vnet.shell.context import ShellContext
from vnet.shell.dispatch import run_line
from vnet.shell.views.virsh import leases_table, table

LAB = """
version: 1
hosts:
  h1:
    mode: nat
    nics: {eth0: {ip: 203.0.113.1/24}}
    switches:
      virbr0:
      inside:
        mode: isolated
        ip: 10.1.0.1/24
        dhcp:
          range: 10.1.0.10-10.1.0.20
          domain: lab.test
          reservations: [{mac: '52:54:00:00:00:05', ip: 10.1.0.5, name: guest5}]
      br0: {mode: bridge}
  h2: {hypervisor: vmware, switches: {vSwitch0: }}
vms:
  vm1:
    host: h1
    vnics:
      - {switch: virbr0, mac: '52:54:00:00:00:01', ip: 192.168.122.9/24}
      - {switch: br0, mac: '52:54:00:00:00:02'}
  vm2: {host: h1, vnics: [{switch: inside, mac: '52:54:00:00:00:05'}]}
"""

Virsh = Callable[[str], str]


@pytest.fixture
def virsh() -> Iterator[Virsh]:
    with Lab.from_text(LAB) as lab:
        context = ShellContext(lab)
        yield lambda line: str(run_line(context, f"h1 virsh {line}")).removesuffix("\n")


def test_networks_and_machines_in_tables(virsh: Virsh) -> None:
    assert virsh("net-list").splitlines() == [
        " Name      State    Autostart   Persistent",
        "--------------------------------------------",
        " default   active   yes         yes",
        " inside    active   yes         yes",
    ]
    assert virsh("net-list --inactive").splitlines() == [
        " Name   State   Autostart   Persistent",
        "----------------------------------------",
    ]
    assert virsh("net-list --name").split() == ["default", "inside"]
    assert virsh("list --all").splitlines() == [
        " Id   Name   State",
        "----------------------",
        " 1    vm1    running",
        " 2    vm2    running",
    ]
    assert virsh("domiflist vm1").splitlines() == [
        " Interface   Type      Source    Model    MAC",
        "-------------------------------------------------------------",
        " vnet0       network   default   virtio   52:54:00:00:00:01",
        " vnet1       bridge    br0       virtio   52:54:00:00:00:02",
    ]
    assert virsh("domiflist 2").splitlines()[2].split()[:3] == ["vnet2", "network", "inside"]


def test_a_network_in_pairs(virsh: Virsh) -> None:
    uuid = virsh("net-uuid inside").strip()
    assert virsh(f"net-name {uuid}").strip() == "inside"
    assert virsh("net-info --network inside").splitlines() == [
        "Name:           inside",
        f"UUID:           {uuid}",
        "Active:         yes",
        "Persistent:     yes",
        "Autostart:      yes",
        "Bridge:         inside",
    ]


def test_networks_in_xml(virsh: Virsh) -> None:
    text = virsh("net-dumpxml default")
    mac = text.partition("<mac address='")[2][:17]
    assert text.splitlines() == [
        "<network connections='1'>",
        "  <name>default</name>",
        f"  <uuid>{virsh('net-uuid default').strip()}</uuid>",
        "  <forward mode='nat'>",
        "    <nat>",
        "      <port start='1024' end='65535'/>",
        "    </nat>",
        "  </forward>",
        "  <bridge name='virbr0' stp='on' delay='0'/>",
        f"  <mac address='{mac}'/>",
        "  <ip address='192.168.122.1' netmask='255.255.255.0'>",
        "    <dhcp>",
        "      <range start='192.168.122.2' end='192.168.122.254'/>",
        "    </dhcp>",
        "  </ip>",
        "</network>",
    ]
    assert virsh("net-dumpxml inside --inactive").splitlines()[3:] == [
        "  <bridge name='inside' stp='on' delay='0'/>",
        *virsh("net-dumpxml inside").splitlines()[4:5],
        "  <domain name='lab.test'/>",
        "  <ip address='10.1.0.1' netmask='255.255.255.0'>",
        "    <dhcp>",
        "      <range start='10.1.0.10' end='10.1.0.20'/>",
        "      <host mac='52:54:00:00:00:05' name='guest5' ip='10.1.0.5'/>",
        "    </dhcp>",
        "  </ip>",
        "</network>",
    ]


def test_who_has_leases() -> None:
    with Lab.from_text(LAB) as lab:
        lab.advance("30s")
        context = ShellContext(lab)
        shown = str(run_line(context, "h1 virsh net-dhcp-leases inside")).splitlines()
        assert len(shown) == 4
        assert shown[2].split()[2:6] == ["52:54:00:00:00:05", "ipv4", "10.1.0.5/24", "guest5"]
        line = "h1 virsh net-dhcp-leases inside 52:54:00:00:00:06"
        assert str(run_line(context, line)).splitlines() == [
            " Expiry Time   MAC address   Protocol   IP address   Hostname   Client ID or DUID",
            "-----------------------------------------------------------------------------------",
            "",
        ]


def test_a_lease_as_virsh_wrote_it() -> None:
    lease = Lease(ip_from_text("10.3.0.2"))
    lease.hwaddr = mac_from_text("52:54:00:aa:bb:cc")
    lease.client_id = b"\x01" + lease.hwaddr
    lease.hostname = "guest1"
    lease.expires_s = 1_795_983_341
    assert leases_table([lease], 24).splitlines() == [
        " Expiry Time           MAC address         Protocol   IP address    Hostname   "
        "Client ID or DUID",
        "-" * 101,
        " 2026-11-29 20:15:41   52:54:00:aa:bb:cc   ipv4       10.3.0.2/24   guest1     "
        "01:52:54:00:aa:bb:cc",
    ]


def test_only_what_is_not_last_is_padded() -> None:
    assert table(("Id", "Name", "State", "Title"), [("1", "test", "running", "")]).splitlines() == [
        " Id   Name   State     Title",
        "------------------------------",
        " 1    test   running   ",
    ]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("net-foo", "error: unknown command: 'net-foo'"),
        ("net-list --foo", "error: command 'net-list' doesn't support option --foo"),
        ("net-list extra", "error: unexpected data 'extra'"),
        ("net-info", "error: command 'net-info' requires <network> option"),
        ("net-info default x", "error: unexpected data 'x'"),
        ("net-info --network", "error: expected syntax: --network <string>"),
        (
            "net-dumpxml nosuch",
            "error: failed to get network 'nosuch' "
            "(Network not found: no network with matching name 'nosuch')",
        ),
        ("domiflist x", "error: failed to get domain 'x'"),
        (
            "net-dhcp-leases default --mac zz",
            "error: Failed to get leases info for default (invalid MAC address: zz)",
        ),
        (
            "net-list --name --uuid",
            "error: Only one argument from --table, --name and --uuid may be specified.",
        ),
    ],
)
def test_what_virsh_does_not_take(virsh: Virsh, line: str, message: str) -> None:
    with pytest.raises(UsageError) as caught:
        virsh(line)
    assert str(caught.value).startswith(message)


def test_only_hypervisors_of_libvirt_have_it() -> None:
    with Lab.from_text(LAB) as lab:
        context = ShellContext(lab)
        for node in ("h2", "vm1"):
            with pytest.raises(UsageError, match="has no libvirt"):
                run_line(context, f"{node} virsh list")


def test_a_machine_that_moves_is_listed_where_it_runs() -> None:
    text = LAB.replace("  h2: {hyper", "  h3: {switches: {br0: }}\n  h2: {hyper")
    scenario = "scenario: [{move: {vm: vm2, to: h3}}]"
    with Lab.from_text(text + scenario) as lab:
        lab.run()
        context = ShellContext(lab)
        assert "vm2" not in str(run_line(context, "h1 virsh list"))
        assert str(run_line(context, "h3 virsh list")).splitlines()[2] == " 1    vm2    running"


def test_a_machine_in_pairs_and_xml(virsh: Virsh) -> None:
    uuid = virsh("domuuid vm1").strip()
    assert virsh("dominfo vm1").splitlines() == [
        "Id:             1",
        "Name:           vm1",
        f"UUID:           {uuid}",
        "OS Type:        hvm",
        "State:          running",
        "Persistent:     yes",
        "Autostart:      enable",
        "Managed save:   no",
    ]
    assert [virsh(f"{each} 2").strip() for each in ("domid", "domname", "domstate")] == [
        *("2", "vm2", "running")
    ]
    assert virsh("domname vm2").strip() != virsh(f"domname {uuid}").strip() == "vm1"
    assert virsh("dumpxml vm1").splitlines() == [
        "<domain type='kvm' id='1'>",
        "  <name>vm1</name>",
        f"  <uuid>{uuid}</uuid>",
        "  <os>",
        "    <type>hvm</type>",
        "  </os>",
        "  <devices>",
        "    <interface type='network'>",
        "      <mac address='52:54:00:00:00:01'/>",
        "      <source network='default' bridge='virbr0'/>",
        "      <target dev='vnet0'/>",
        "      <model type='virtio'/>",
        "    </interface>",
        "    <interface type='bridge'>",
        "      <mac address='52:54:00:00:00:02'/>",
        "      <source bridge='br0'/>",
        "      <target dev='vnet1'/>",
        "      <model type='virtio'/>",
        "    </interface>",
        "  </devices>",
        "</domain>",
    ]
    assert " id=" not in virsh("dumpxml vm1 --inactive")


def test_the_addresses_of_a_machine_are_those_that_it_leased() -> None:
    with Lab.from_text(LAB) as lab:
        lab.advance("30s")
        context = ShellContext(lab)
        assert str(run_line(context, "h1 virsh domifaddr vm2")).splitlines() == [
            " Name       MAC address          Protocol     Address",
            "-" * 79,
            " vnet2      52:54:00:00:00:05    ipv4         10.1.0.5/24",
            "",
        ]
        for line in ("vm1", "vm2 --interface vnet0"):
            assert len(str(run_line(context, f"h1 virsh domifaddr {line}")).splitlines()) == 3


def test_help_lists_explains_and_says_how(virsh: Virsh) -> None:
    everything = virsh("help")
    assert everything == virsh("--help") == virsh("-c qemu:///system")
    assert " Networking (help keyword 'network'):\n" in everything
    assert f"    {'net-info':<30} network information\n" in everything
    assert "net-info" not in virsh("help domain")
    assert virsh("help net-dhcp-leases").splitlines() == [
        "  NAME",
        "    net-dhcp-leases - print lease info for a given network",
        "",
        "  SYNOPSIS",
        "    net-dhcp-leases <network> [--mac <string>]",
    ]


def test_the_host_may_be_named(virsh: Virsh) -> None:
    assert virsh("uri").strip() == "qemu:///system"
    for option in ("-c qemu:///system", "--connect=qemu:///system -q", "-r"):
        assert virsh(f"{option} net-list") == virsh("net-list")


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("-c xen:///system list", "error: failed to connect to the hypervisor at 'xen:///system'"),
        ("-c", "error: option '-c' requires an argument"),
        ("-x list", "error: unsupported option '-x'. See --help."),
        ("help nosuch", "error: command or command group 'nosuch' doesn't exist"),
        (
            "net-start default",
            "error: Failed to start network default "
            "(Requested operation is not valid: network is already active)",
        ),
        ("net-start nosuch", "error: failed to get network 'nosuch'"),
        (
            "net-destroy default",
            "error: Failed to destroy network default (networks are up as long as the lab; "
            "'h1 ip link set virbr0 down' cuts its guests off)",
        ),
        ("start vm1", "error: Domain is already active"),
        ("shutdown vm1", "error: shutdown is not done here (machines and networks are those of"),
        ("net-strat default", "error: unknown command: 'net-strat' (did you mean 'net-start'?)"),
        ("domifaddr vm1 --source agent", "error: Failed to query for interfaces addresses"),
        ("domifaddr vm1 --source x", "error: Unknown data source 'x'"),
    ],
)
def test_what_virsh_says_that_it_cannot_do(virsh: Virsh, line: str, message: str) -> None:
    with pytest.raises(UsageError) as caught:
        virsh(line)
    assert str(caught.value).startswith(message)
