"""``bridge fdb|vlan|link`` as commands that change something, with the answers of the real tool."""

from __future__ import annotations

import pytest

from tests.shell.conftest import Shell
from vnet.lab.lab import Lab

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
        (f"fdb add {STATION} dev peth0", "RTNETLINK answers: Operation not supported (say master"),
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
