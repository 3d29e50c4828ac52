"""LACP between bonds of two bridges, joined by patch ports: negotiation, a lost link, settings."""

from __future__ import annotations

import pytest

from benchmarks.dummy_switch import BRIDGE
from tests.ovs.command_switch import Switch
from tests.ovs.ofproto.bond.bonded import bond_of, bonded, pass_ms, set_link
from vnet.base.ids import mac_text
from vnet.l2.lacp.aggregation import Negotiation
from vnet.l2.lacp.member import Status
from vnet.ovs.ofproto.bond.settings import BondMode
from vnet.ovs.openflow.messages import PortState

FAST = "bond_mode=balance-tcp lacp=active other-config:lacp-time=fast"


@pytest.fixture
def switch() -> Switch:
    """bond0 of br0 has p0 and p1, patched to p2 and p3 of bond1 of br1."""
    switch = Switch()
    words = ""
    for bridge, bond, ports in ((BRIDGE, "bond0", ("p0", "p1")), ("br1", "bond1", ("p2", "p3"))):
        words += f" -- add-br {bridge} -- set bridge {bridge} datapath_type=dummy"
        words += f" other-config:hwaddr=aa:55:aa:55:00:0{bridge[-1]} fail-mode=secure"
        words += f" -- add-bond {bridge} {bond} {' '.join(ports)} {FAST}"
        for port in ports:
            peer = f"p{(int(port[1]) + 2) % 4}"
            words += f" -- set interface {port} type=patch options:peer={peer}"
            words += f" ofport_request={int(port[1]) + 1}"
    switch.vsctl(*words.split()[1:])
    switch.settle()
    return switch


def statuses(switch: Switch, bridge: str = BRIDGE, bond: str = "bond0") -> list[Status]:
    lacp = switch.bridge(bridge).switching.bundles[bond].lacp
    assert lacp is not None
    return [member.status for member in lacp.members()]


def live(switch: Switch) -> list[str]:
    ports = switch.bridge().ports.values()
    return [port.name for port in ports if port.name != BRIDGE and PortState.LIVE in port.state]


def test_bonds_joined_by_patch_ports_negotiate(switch: Switch) -> None:
    for bridge, bond in ((BRIDGE, "bond0"), ("br1", "bond1")):
        assert statuses(switch, bridge, bond) == [Status.CURRENT] * 2
        assert bond_of(switch, bridge, bond).negotiation is Negotiation.NEGOTIATED
    assert live(switch) == ["p0", "p1"]
    assert not switch.datapath.drops


def test_a_patch_that_leads_elsewhere_is_noticed_and_mended(switch: Switch) -> None:
    told: list[str] = []
    switch.bridge().port_changed.append(lambda port: told.append(port.name))
    astray = "add-port br0 null0 -- set interface null0 type=patch options:peer=p2"
    astray += " -- set interface p2 options:peer=null0"
    switch.vsctl(*astray.split())
    pass_ms(switch, 4_100)
    assert statuses(switch) == [Status.EXPIRED, Status.CURRENT]
    assert live(switch) == ["p1", "null0"]
    assert "p0" in told, "OpenFlow is told of it"
    pass_ms(switch, 3_000)
    assert statuses(switch) == [Status.DEFAULTED, Status.CURRENT]
    switch.vsctl(*["del-port", "null0", "--", "set", "interface", "p2", "options:peer=p0"])
    pass_ms(switch, 30_100)
    assert statuses(switch) == [Status.CURRENT] * 2
    assert live(switch) == ["p0", "p1"]


def test_a_running_negotiation_survives_other_changes(switch: Switch) -> None:
    before = switch.appctl(["lacp/show-stats"])
    switch.vsctl("set", "bridge", BRIDGE, "other_config:mac-aging-time=60")
    switch.settle()
    assert switch.appctl(["lacp/show-stats"]) == before
    switch.vsctl("set", "port", "bond1", "lacp=off")
    pass_ms(switch, 7_000)
    assert bond_of(switch).negotiation is Negotiation.CONFIGURED
    assert bond_of(switch, "br1", "bond1").negotiation is Negotiation.OFF
    assert "bond1" not in switch.appctl(["lacp/show"])


def test_a_single_port_may_speak_lacp_too() -> None:
    switch = bonded()
    switch.vsctl("set", "port", "p7", "lacp=active")
    switch.settle()
    (frame,) = switch.devices["p7"].take_sent()
    assert frame[12:14] == b"\x88\x09"
    assert "  aggregation key: 7" in switch.appctl(["lacp/show", "p7"])
    assert "sys_priority: 65535" in switch.appctl(["lacp/show", "p7"])


@pytest.mark.parametrize(
    ("setting", "shown"),
    [
        ("lacp-system-id=00:00:00:00:00:07", "  sys_id: 00:00:00:00:00:07"),
        ("lacp-system-priority=7", "  sys_priority: 7"),
        ("lacp-system-priority=0", "  sys_priority: 65534"),
        ("lacp-system-priority=65536", "  sys_priority: 65534"),
        ("lacp-time=FAST", "  lacp_time: fast"),
        ("lacp-time=quick", "  lacp_time: slow"),
    ],
)
def test_unusable_settings_are_the_defaults(setting: str, shown: str) -> None:
    switch = bonded("lacp=passive", f"other_config:{setting}")
    assert shown in switch.appctl(["lacp/show", "bond0"]).split("\n")


@pytest.mark.parametrize("address", ["nonsense", "00:00:00:00:00:00", "1:2:3:4:5"])
def test_a_system_without_an_address_speaks_no_lacp(address: str) -> None:
    switch = bonded("lacp=active", f"other_config:lacp-system-id={address}")
    assert switch.appctl(["lacp/show"]) == ""
    assert bond_of(switch).negotiation is Negotiation.OFF


def test_a_system_is_its_bridge_unless_it_says_otherwise() -> None:
    switch = bonded("lacp=active")
    lacp = switch.bridge().switching.bundles["bond0"].lacp
    assert lacp is not None
    assert mac_text(lacp.settings.system) == "aa:55:aa:55:00:00"


@pytest.mark.parametrize(
    ("setting", "attribute", "value"),
    [
        ("bond_updelay=-5", "updelay_ns", 0),
        ("other_config:bond-rebalance-interval=5", "rebalance_interval_ns", 1_000_000_000),
        ("other_config:bond-rebalance-interval=-5", "rebalance_interval_ns", 1_000_000_000),
        ("other_config:bond-rebalance-interval=0", "rebalance_interval_ns", 0),
        ("other_config:bond-rebalance-interval=often", "rebalance_interval_ns", 10_000_000_000),
        ("other_config:bond-hash-basis=-1", "hash_basis", 0xFFFFFFFF),
        ("other_config:bond-hash-basis=4294967295", "hash_basis", 0),
        ("other_config:all-members-active=yes", "all_members_active", False),
        ("bond_mode=balance-slb", "mode", BondMode.BALANCE_SLB),
        ("lacp=off", "mode", BondMode.ACTIVE_BACKUP),
    ],
)
def test_settings_of_a_bond_are_corrected_without_a_word(
    setting: str, attribute: str, value: object
) -> None:
    assert getattr(bond_of(bonded(setting)).settings, attribute) == value


def test_a_dummy_s_link_that_fails_costs_the_bond_a_link_but_not_its_partner() -> None:
    switch = bonded("lacp=active")
    before = statuses(switch)
    set_link(switch, "p1", False)
    assert statuses(switch) == before, "nobody counts when dummy devices go up and down"
