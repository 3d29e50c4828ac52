"""VLAN filtering, one fact a test: who gets a frame, and with what tag."""

from __future__ import annotations

import pytest

from tests.linux.bridge.kit import Table
from tests.linux.kit import BROADCAST, host_mac, probe_mac
from vnet.base.errors import UsageError
from vnet.linux.bridge.state import PortState
from vnet.wire.ether import TYPE_QINQ


@pytest.fixture
def table() -> Table:
    """Ports 1 and 2 are access ports of VLAN 10, 3 of VLAN 20, and 4 is a trunk of both."""
    made = Table()
    made.access(1, 10)
    made.access(2, 10)
    made.access(3, 20)
    made.trunk(4, 10, 20)
    return made


def test_by_default_all_ports_and_the_bridge_are_in_vlan_1_untagged() -> None:
    table = Table()
    assert table.send(1) == {2: (), 3: (), 4: (), "up": ()}
    assert [table.port(n).vlans.pvid for n in range(5)] == [1, 1, 1, 1, 1]


def test_an_access_port_reaches_its_own_vlan_and_the_trunk_with_a_tag(table: Table) -> None:
    assert table.send(1) == {2: (), 4: ("8100:0:10",)}
    assert table.send(3) == {4: ("8100:0:20",)}


def test_a_trunk_reaches_the_access_ports_of_the_tags_vlan_without_it(table: Table) -> None:
    assert table.send(4, BROADCAST, "8100:0:10") == {1: (), 2: ()}
    assert table.send(4, BROADCAST, "8100:5:20") == {3: ()}


def test_a_vlan_that_the_port_is_not_in_is_dropped(table: Table) -> None:
    assert table.send(4, BROADCAST, "8100:0:30") == {}
    assert table.send(1, BROADCAST, "8100:0:20") == {}
    assert table.lost(4) == table.lost(1) == {"bridge-vlan-not-allowed": 1}


@pytest.mark.parametrize("tags", [(), ("8100:3:0",)])
def test_a_frame_without_a_vlan_is_dropped_where_there_is_no_pvid(
    table: Table, tags: tuple[str, ...]
) -> None:
    assert table.send(4, BROADCAST, *tags) == {}
    assert table.lost(4) == {"bridge-vlan-no-pvid": 1}


def test_an_access_port_accepts_its_own_vlan_tagged_with_its_priority(table: Table) -> None:
    assert table.send(1, BROADCAST, "8100:2:10") == {2: (), 4: ("8100:2:10",)}


def test_vlan_0_becomes_the_pvid_and_keeps_its_priority(table: Table) -> None:
    assert table.send(1, BROADCAST, "8100:3:0") == {2: (), 4: ("8100:3:10",)}


def test_a_tag_of_802_1ad_counts_as_untagged(table: Table) -> None:
    assert table.send(1, BROADCAST, "88a8:0:10") == {
        2: ("88a8:0:10",),
        4: ("8100:0:10", "88a8:0:10"),
    }


def test_an_802_1ad_bridge_takes_service_tags_and_carries_customer_tags(table: Table) -> None:
    table.vlans.set_protocol(TYPE_QINQ)
    assert table.send(1, BROADCAST, "8100:4:77") == {
        2: ("8100:4:77",),
        4: ("88a8:0:10", "8100:4:77"),
    }
    assert table.send(4, BROADCAST, "88a8:1:20", "8100:4:77") == {3: ("8100:4:77",)}


def test_an_802_1ad_bridge_lets_its_customers_reserved_addresses_through(table: Table) -> None:
    lldp, stp, lacp, gvrp = (f"01:80:c2:00:00:{last:02x}" for last in (0x0E, 0, 2, 0x0D))
    assert table.send(1, gvrp) == table.send(1, lldp) == {}
    table.vlans.set_protocol(TYPE_QINQ)
    assert 2 in table.send(1, stp)
    assert 2 in table.send(1, gvrp)
    assert table.send(1, lldp) == table.send(1, lacp) == {}


def test_only_the_outermost_tag_is_taken_off(table: Table) -> None:
    assert table.send(4, BROADCAST, "8100:0:10", "8100:7:99") == {
        1: ("8100:7:99",),
        2: ("8100:7:99",),
    }


def test_a_native_vlan_leaves_a_trunk_untagged_and_comes_in_untagged(table: Table) -> None:
    table.vlans.add(table.port(4), 10, pvid=True, untagged=True)
    assert table.send(1) == {2: (), 4: ()}
    assert table.send(4) == {1: (), 2: ()}
    assert table.send(3) == {4: ("8100:0:20",)}


def test_the_same_mac_may_live_in_two_vlans(table: Table) -> None:
    table.send(1, source=probe_mac(9))
    table.send(3, source=probe_mac(9))
    assert table.send(2, probe_mac(9)) == {1: ()}
    assert table.send(4, probe_mac(9), "8100:0:20") == {3: ()}
    learned = {row for row in table.fdb() if row[0] == probe_mac(9)}
    assert learned == {
        (probe_mac(9), 10, "p1", "dynamic"),
        (probe_mac(9), 20, "p3", "dynamic"),
    }


def test_an_unknown_station_is_flooded_in_its_vlan_only(table: Table) -> None:
    assert table.send(1, probe_mac(99)) == {2: (), 4: ("8100:0:10",)}


def test_a_learned_station_gets_its_frames_alone_and_with_the_right_tag(table: Table) -> None:
    table.send(4, BROADCAST, "8100:0:10")
    table.send(1)
    assert table.send(1, probe_mac(4)) == {4: ("8100:0:10",)}
    assert table.send(4, probe_mac(1), "8100:6:10") == {1: ()}


def test_a_station_learned_in_one_vlan_is_unknown_in_another(table: Table) -> None:
    table.send(4, BROADCAST, "8100:0:10")
    assert table.send(4, probe_mac(1), "8100:0:20") == {3: ()}


# -- the bridge itself


def test_the_host_hears_nothing_of_a_vlan_that_the_bridge_is_not_in(table: Table) -> None:
    assert "up" not in table.send(1)
    assert table.lost(0) == {"bridge-vlan-not-at-host": 1}


def test_the_host_hears_a_vlan_that_the_bridge_is_in(table: Table) -> None:
    table.vlans.add(table.port(0), 10)
    assert table.send(1)["up"] == ("8100:0:10",)
    table.vlans.add(table.port(0), 10, untagged=True)
    assert table.send(1)["up"] == ()


def test_what_the_host_sends_untagged_is_in_the_bridges_pvid(table: Table) -> None:
    assert table.send_own(BROADCAST) == {}
    table.vlans.add(table.port(0), 20, pvid=True, untagged=True)
    assert table.send_own(BROADCAST) == {3: (), 4: ("8100:0:20",)}
    table.vlans.add(table.port(0), 10)
    assert table.send_own(BROADCAST, "8100:1:10") == {1: (), 2: (), 4: ("8100:1:10",)}


def test_a_frame_for_a_ports_mac_is_the_bridges_only_in_that_ports_vlans(table: Table) -> None:
    table.vlans.add(table.port(0), 10)
    assert table.send(1, host_mac(2)) == {"up": ("8100:0:10",)}
    assert table.send(1, host_mac(3)) == {2: (), 4: ("8100:0:10",)}


# -- settings


def test_a_port_has_its_address_in_each_of_its_vlans(table: Table) -> None:
    own = {row[1:3] for row in table.fdb() if row[0] == host_mac(4)}
    assert own == {(0, "p4"), (10, "p4"), (20, "p4")}
    table.vlans.delete(table.port(4), 20)
    own = {row[1:3] for row in table.fdb() if row[0] == host_mac(4)}
    assert own == {(0, "p4"), (10, "p4")}


def test_the_bridge_keeps_the_address_that_it_took_from_a_port(table: Table) -> None:
    assert (host_mac(1), 1, "br0", "local") in table.fdb()


def test_a_port_that_leaves_a_vlan_forgets_its_stations_there(table: Table) -> None:
    table.send(4, BROADCAST, "8100:0:10")
    table.send(4, BROADCAST, "8100:0:20")
    table.vlans.delete(table.port(4), 10)
    assert {row[1] for row in table.fdb() if row[0] == probe_mac(4)} == {20}


def test_a_static_entry_at_a_port_that_left_the_vlan_is_a_named_loss(table: Table) -> None:
    table.send(1)
    entry = table.bridge.fdb.get(table.probes[0].device.mac, 10)
    assert entry is not None
    table.port(1).vlans.members.pop(10)
    assert table.send(2, probe_mac(1)) == {}
    assert table.lost(2) == {"bridge-vlan-not-at-target": 1}


def test_adding_a_vlan_again_sets_its_flags_anew(table: Table) -> None:
    table.vlans.add(table.port(1), 10)
    assert table.port(1).vlans.pvid == 0
    assert table.send(2) == {1: ("8100:0:10",), 4: ("8100:0:10",)}


def test_another_pvid_leaves_the_old_vlan_where_it_was(table: Table) -> None:
    table.vlans.add(table.port(1), 20, pvid=True, untagged=True)
    assert sorted(table.port(1).vlans.members) == [10, 20]
    assert table.send(1) == {3: (), 4: ("8100:0:20",)}
    assert table.send(2) == {1: (), 4: ("8100:0:10",)}


def test_ports_that_join_get_the_default_pvid_and_those_at_it_follow_it(table: Table) -> None:
    table.vlans.set_filtering(False)
    other = Table(2, filtering=False)
    other.vlans.set_default_pvid(5)
    assert [other.port(n).vlans.pvid for n in range(3)] == [5, 5, 5]
    table.vlans.set_default_pvid(7)
    assert [table.port(n).vlans.pvid for n in range(5)] == [7, 10, 10, 20, 0]
    other.vlans.set_default_pvid(0)
    assert [other.port(n).vlans.pvid for n in range(3)] == [0, 0, 0]
    assert [list(other.port(n).vlans.members) for n in range(3)] == [[], [], []]


def test_the_default_pvid_can_change_while_the_bridge_filters(table: Table) -> None:
    """What forbids that is the file in /sys alone, not netlink."""
    table.vlans.set_default_pvid(5)
    assert (table.port(4).vlans.pvid, table.vlans.default_pvid) == (0, 5)
    with pytest.raises(UsageError, match="Invalid argument"):
        table.vlans.set_default_pvid(4095)


@pytest.mark.parametrize("vid", [0, 4095, 4096, -1])
def test_there_is_no_vlan_0_and_none_above_4094(table: Table, vid: int) -> None:
    with pytest.raises(UsageError, match="Vlan id is invalid"):
        table.vlans.add(table.port(1), vid)


def test_what_is_not_there_cannot_be_deleted(table: Table) -> None:
    with pytest.raises(UsageError, match="No such file or directory"):
        table.vlans.delete(table.port(1), 99)


def test_filtering_can_be_turned_off_and_on_while_frames_flow(table: Table) -> None:
    table.vlans.set_filtering(False)
    assert table.send(1, BROADCAST, "8100:0:99") == dict.fromkeys((2, 3, 4, "up"), ("8100:0:99",))
    table.vlans.set_filtering(True)
    assert table.send(1, BROADCAST, "8100:0:99") == {}


def test_a_vlan_may_be_blocked_on_a_port(table: Table) -> None:
    table.vlans.set_state(table.port(2), 10, PortState.BLOCKING)
    assert table.send(1) == {4: ("8100:0:10",)}
    assert table.send(2) == {}
    assert table.lost(2) == {"bridge-vlan-not-forwarding": 1}
    table.vlans.set_state(table.port(2), 10, PortState.LEARNING)
    assert table.send(2) == {}
    assert (probe_mac(2), 10, "p2", "dynamic") in table.fdb()


# -- counters, and what is malformed


def test_counters_are_off_until_asked_for_and_then_the_vlans_of_the_whole_bridge(
    table: Table,
) -> None:
    table.send(1)
    counters = table.port(1).vlans.members[10].counters
    assert counters.rx_packets == 0
    table.vlans.counts = True
    table.send(1, size=100)
    table.send(4, probe_mac(1), "8100:0:10", size=50)
    assert (counters.rx_packets, counters.rx_bytes) == (2, 150)
    assert (counters.tx_packets, counters.tx_bytes) == (3, 250)
    assert table.port(4).vlans.members[10].counters is counters


@pytest.mark.parametrize("length", range(14, 20))
@pytest.mark.parametrize("tpid", ["8100", "88a8"])
def test_a_frame_that_ends_in_its_tag_is_dropped(table: Table, tpid: str, length: int) -> None:
    data = bytes.fromhex("ffffffffffff" + "0a0000000001" + tpid + "000a88b5aabbccdd")[:length]
    table.probes[0].send(data)
    assert table.reached() == {}
    assert table.lost(1) == {"vlan-tag-truncated": 1}


def test_a_vlan_leaves_room_for_its_tag_outside_the_mtu(table: Table) -> None:
    assert table.send(1, size=1504) == {2: (), 4: ("8100:0:10",)}
    assert table.send(1, size=1505) == {}
