"""``bridge fdb|vlan|link`` as commands that change something, with the answers of the real tool."""

from __future__ import annotations

import pytest

from tests.linux.kit import Lab as Machines
from tests.shell.conftest import Shell
from vnet.base.ids import mac_from_text
from vnet.base.units import NS_PER_S
from vnet.lab.lab import Lab
from vnet.shell.views.bridge import fdb_text

STATION = "02:00:00:00:00:55"


@pytest.fixture
def lab() -> Lab:
    return Lab.load("@two-hosts")


def lines(shell: Shell, lab: Lab, *commands: str) -> list[str]:
    """What the last of ``commands`` printed, line by line."""
    ran = shell(lab, *(f"h1 bridge {command}" for command in commands))
    assert ran.code == 0, ran.err
    return ran.out.splitlines()


def about(station: str, shown: list[str]) -> list[str]:
    return [line.rstrip() for line in shown if station in line]


@pytest.mark.parametrize(
    ("words", "shown"),
    [
        ("master", "permanent"),
        ("master static", "static"),
        ("master dynamic", ""),
        ("master static sticky", "static"),
    ],
)
def test_a_station_can_be_added(shell: Shell, lab: Lab, words: str, shown: str) -> None:
    seen = lines(shell, lab, f"fdb add {STATION} dev peth0 {words}", "fdb show")
    sticky = "sticky " if "sticky" in words else ""
    assert about(STATION, seen) == [f"{STATION} dev peth0 {sticky}master xenbr0 {shown}".rstrip()]


def test_replace_moves_a_station_and_del_wants_its_port(shell: Shell, lab: Lab) -> None:
    shell(lab, f"h1 bridge fdb add {STATION} dev peth0 master static")
    again = shell(lab, f"h1 bridge fdb add {STATION} dev vif1.0 master static")
    assert again.err.startswith("RTNETLINK answers: File exists")
    shown = lines(
        shell, lab, f"fdb replace {STATION} dev vif1.0 master", f"fdb get {STATION} br xenbr0"
    )
    assert shown == [f"{STATION} dev vif1.0 master xenbr0 permanent"]
    wrong = shell(lab, f"h1 bridge fdb del {STATION} dev peth0 master")
    assert wrong.err.startswith("RTNETLINK answers: No such file or directory")
    assert about(STATION, lines(shell, lab, f"fdb del {STATION} dev vif1.0 master", "fdb")) == []


def test_a_device_s_own_filter_is_set_and_shown(shell: Shell, lab: Lab) -> None:
    shown = lines(
        shell,
        lab,
        f"fdb add {STATION} dev peth0",
        f"fdb replace {STATION} dev peth0",
        "fdb add 01:00:5e:01:01:01 dev peth0 self",
        "fdb show dev peth0",
    )
    assert shown == [
        f"{STATION} self permanent",
        "01:00:5e:00:00:01 self permanent",
        "01:00:5e:01:01:01 self permanent",
    ]
    both = lines(shell, lab, f"fdb add {STATION} dev vif1.0 self master", "fdb show br xenbr0")
    assert about(STATION, both) == [
        f"{STATION} dev peth0 self permanent",
        f"{STATION} dev vif1.0 master xenbr0 permanent",
        f"{STATION} dev vif1.0 self permanent",
    ]
    gone = lines(shell, lab, f"fdb del {STATION} dev vif1.0 self master", "fdb show dev vif1.0")
    assert about(STATION, gone) == []


def test_groups_that_the_stack_listens_to_are_in_the_filter() -> None:
    lab = Machines()
    machine = lab.machine("a")
    bridge = machine.add_bridge("br0", mac=mac_from_text("02:00:00:00:00:09"), ipv6=True)
    lab.probe(machine, "p1", 1)
    machine.enslave("p1", "br0")

    def shown() -> list[str]:
        interfaces = machine.interfaces.values()
        *own, last = fdb_text([bridge], interfaces=interfaces, device="br0").splitlines()
        assert last == "02:00:00:00:00:09 master br0 permanent"
        return own

    assert shown() == ["33:33:00:00:00:01 self permanent"], "before it is set up"
    machine.set_up("br0")
    lab.run(3 * NS_PER_S)
    assert shown() == [
        "33:33:00:00:00:01 self permanent",
        "01:00:5e:00:00:6a self permanent",
        "33:33:00:00:00:6a self permanent",
        "01:00:5e:00:00:01 self permanent",
        "33:33:ff:00:00:09 self permanent",
    ]
    machine.set_down("br0")
    assert shown() == []


def test_a_vlan_has_the_device_below_let_its_groups_in(shell: Shell, lab: Lab) -> None:
    made = shell(
        lab,
        "h1 ip link add link peth0 name peth0.5 address 02:00:00:00:00:05 type vlan id 5",
        "h1 ip link set peth0.5 up",
    )
    assert made.code == 0, made.err
    assert lines(shell, lab, "fdb show dev peth0") == [
        "02:00:00:00:00:05 self permanent",
        "01:00:5e:00:00:01 self permanent",
    ]


def test_the_bridges_own_addresses_are_self_and_permanent(shell: Shell, lab: Lab) -> None:
    shown = lines(shell, lab, f"fdb add {STATION} dev xenbr0 self", "fdb show")
    assert about(STATION, shown) == [f"{STATION} dev xenbr0 master xenbr0 permanent"]


def test_flush_takes_what_it_is_told_to(shell: Shell, lab: Lab) -> None:
    add = f"fdb add {STATION} dev peth0 master static"
    kept = lines(shell, lab, add, "fdb flush dev xenbr0 nopermanent nostatic", "fdb")
    assert len(about(STATION, kept)) == 1
    gone = lines(shell, lab, "fdb flush dev xenbr0 nopermanent", "fdb")
    assert about(STATION, gone) == []
    assert about("permanent", gone)


def test_vlans_are_added_shown_in_runs_and_deleted(shell: Shell, lab: Lab) -> None:
    shown = lines(
        shell,
        lab,
        "vlan add dev peth0 vid 10-12",
        "vlan add dev peth0 vid 20 pvid untagged",
        "vlan add dev xenbr0 vid 10 self",
        "vlan show",
    )
    assert shown == [
        "port              vlan-id  ",
        "peth0             1 Egress Untagged",
        "                  10",
        "                  11",
        "                  12",
        "                  20 PVID Egress Untagged",
        "xenbr0            1 PVID Egress Untagged",
        "                  10",
        "vif0.0            1 PVID Egress Untagged",
        "vif1.0            1 PVID Egress Untagged",
    ]
    assert lines(shell, lab, "-c vlan show dev peth0")[1:] == [
        "peth0             1 Egress Untagged",
        "                  10-12",
        "                  20 PVID Egress Untagged",
    ]
    assert lines(shell, lab, "vlan del dev peth0 vid 10-20", "vlan show dev peth0")[1:] == [
        "peth0             1 Egress Untagged",
    ]


def test_details_and_statistics_of_vlans(shell: Shell, lab: Lab) -> None:
    assert lines(shell, lab, "vlan set dev peth0 vid 1 state blocking", "-d vlan show dev peth0")[
        1:
    ] == [
        "peth0             1 PVID Egress Untagged",
        "                    state blocking mcast_router 1",
    ]
    assert lines(shell, lab, "-s vlan show dev peth0")[1:] == [
        "peth0             1 PVID Egress Untagged",
        "                    RX: 0 bytes 0 packets",
        "                    TX: 0 bytes 0 packets",
    ]


def test_flags_of_a_port_are_set(shell: Shell, lab: Lab) -> None:
    shown = lines(
        shell,
        lab,
        "link set dev peth0 hairpin on learning off flood off mcast_flood off bcast_flood off "
        "isolated on neigh_suppress on locked on cost 7 priority 9",
        "-d link show dev peth0",
    )
    assert shown[0].endswith("state forwarding priority 9 cost 7 ")
    assert shown[1] == (
        "    hairpin on guard off root_block off fastleave off learning off flood off "
        "mcast_flood off bcast_flood off mcast_router 1 mcast_to_unicast off neigh_suppress on "
        "vlan_tunnel off isolated on locked on "
    )


def test_a_cost_of_0_is_not_told_to_the_kernel(shell: Shell, lab: Lab) -> None:
    shown = lines(shell, lab, "link set dev peth0 cost 7", "link set dev peth0 cost 0", "link")
    assert shown[0].endswith("cost 7 ")


@pytest.mark.parametrize(
    ("command", "message"),
    [
        ("fdb add", "Device and address are required arguments."),
        ("fdb add xx dev peth0 master", "Invalid mac address xx"),
        (f"fdb add {STATION} dev peth0 static", "RTNETLINK answers: Invalid argument (say master"),
        (f"fdb add {STATION} dev peth0 vlan 3", "RTNETLINK answers: Invalid argument (say master"),
        ("fdb add 01:00:5e:00:00:01 dev peth0", "RTNETLINK answers: File exists"),
        (f"fdb del {STATION} dev peth0", "RTNETLINK answers: No such file or directory"),
        (f"fdb add {STATION} dev eth0 master", "RTNETLINK answers: Operation not supported"),
        (f"fdb add {STATION} dev lo", "Error: FDB add only supported for Ethernet devices."),
        (f"fdb add {STATION} dev xenbr0 master", "RTNETLINK answers: Operation not supported"),
        (f"fdb add {STATION} dev xenbr0 self dynamic", "RTNETLINK answers: Invalid argument"),
        (f"fdb add {STATION} dev peth0 master sticky", "RTNETLINK answers: Invalid argument"),
        ("fdb add 00:00:00:00:00:00 dev peth0 master", "RTNETLINK answers: Invalid argument"),
        (f"fdb add {STATION} dev peth0 master vlan 10", "RTNETLINK answers: Invalid argument"),
        (f"fdb add {STATION} dev peth0 master vlan 4095", "Error: invalid vlan id."),
        (f"fdb get {STATION} br xenbr0", "Error: Fdb entry not found."),
        ("fdb nope", 'Command "nope" is unknown, try "bridge fdb help".'),
        ("vlan add", "Device and VLAN ID are required arguments."),
        ("vlan add dev peth0 vid 5000", 'Invalid VLAN ID "5000"'),
        ("vlan add dev peth0 vid 20-10", 'Invalid VLAN range "20-10"'),
        ("vlan add dev peth0 vid 10-20 pvid", "pvid cannot be configured for a vlan range"),
        ("vlan add dev peth0 vid 0", "Error: bridge: Vlan id is invalid."),
        ("vlan add dev xenbr0 vid 3", "RTNETLINK answers: Operation not supported (say self"),
        ("vlan add dev eth0 vid 3", "RTNETLINK answers: Operation not supported"),
        ("vlan del dev peth0 vid 77", "RTNETLINK answers: No such file or directory"),
        ("vlan add dev nope vid 3", "h1 has no device 'nope'"),
        ("link set hairpin on", "Device is a required argument."),
        (
            "link set dev peth0 hairpin maybe",
            'Error: argument of "hairpin" must be one of "off", "on", not "maybe"',
        ),
        ("link set dev eth0 hairpin on", "RTNETLINK answers: Operation not supported"),
        ("link set dev peth0 cost 65536", "RTNETLINK answers: Numerical result out of range"),
        ("link set dev peth0 priority 64", "RTNETLINK answers: Numerical result out of range"),
        ("link set dev peth0 state foo", "Error: invalid STP port state"),
        ("link set dev peth0 cost many", "bridge link set: cost takes a whole number, not 'many'"),
    ],
)
def test_what_is_wrong_is_said_as_the_tool_says_it(
    shell: Shell, lab: Lab, command: str, message: str
) -> None:
    ran = shell(lab, f"h1 bridge {command}")
    assert (ran.code, ran.out) == (2, "")
    assert ran.err.startswith(message)


def test_a_switch_on_the_wire_takes_them_too(shell: Shell) -> None:
    lab = Lab.load("@thousand-vms")
    switch = next(iter(lab.network.switches))
    ran = shell(
        lab,
        f"{switch} bridge vlan add dev p1 vid 30",
        f"{switch} bridge vlan show dev p1",
        f"{switch} bridge link set dev p1 isolated on",
    )
    assert ran.code == 0
    assert "                  30" in ran.out.splitlines()
