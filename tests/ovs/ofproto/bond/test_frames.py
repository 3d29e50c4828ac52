"""Frames and bonds: by which link they leave, which are let in, and what datapath flows match."""

from __future__ import annotations

import pytest

from benchmarks.dummy_switch import BRIDGE
from tests.ovs.command_switch import Switch
from tests.ovs.ofproto.bond.bonded import actions, active, bond_of, bonded, pass_ms, sent, set_link
from tests.ovs.whole_switch import frame_of
from vnet.base.units import NS_PER_MS
from vnet.ovs.ofproto.dump.flows import dump_all_flows

SLB = "bond_mode=balance-slb"
MOVED = "arp,arp_op=2,dl_src=02:00:00:00:00:01,dl_dst=ff:ff:ff:ff:ff:ff"
TCP = ("bond_mode=balance-tcp", "lacp=active", "other_config:lacp-time=fast")


def outputs(switch: Switch, port: str, flow: str) -> list[str]:
    switch.inject(port, frame_of(flow))
    return sorted(name for name, _ in switch.take_sent() if name.startswith("p"))


def flow_to(last: int, source: int = 1) -> str:
    return f"udp,dl_src=02:00:00:00:00:{source:02x},dl_dst=02:00:00:00:00:{last:02x}"


def test_slb_gives_each_station_a_link_and_keeps_it_there() -> None:
    switch = bonded(SLB)
    links = {n: outputs(switch, "p7", flow_to(99, n)) for n in range(1, 31)}
    assert {tuple(found) for found in links.values()} == {("p1",), ("p2",)}
    assert all(outputs(switch, "p7", flow_to(98, n)) == found for n, found in links.items())


def test_slb_moves_stations_of_a_link_that_fails_and_not_back() -> None:
    switch = bonded(SLB)
    for n in range(1, 31):
        outputs(switch, "p7", flow_to(99, n))
    set_link(switch, "p1", False)
    switch.take_sent()
    assert all(outputs(switch, "p7", flow_to(99, n)) == ["p2"] for n in range(1, 31))
    set_link(switch, "p1", True)
    assert all(outputs(switch, "p7", flow_to(99, n)) == ["p2"] for n in range(1, 31))


def test_slb_tells_vlans_apart_and_masks_no_more_than_the_source() -> None:
    switch = bonded(SLB)
    vlans = [1, *range(2, 40)]
    flows = [f"{flow_to(99)},dl_vlan={vlan}" for vlan in vlans]
    assert len({tuple(outputs(switch, "p7", flow)) for flow in flows}) == 2
    text = switch.appctl(["ofproto/trace", BRIDGE, "in_port=7,tcp,dl_src=02:00:00:00:00:01"])
    assert "nw_src" not in text.split("Megaflow: ")[1]


def test_migrating_a_bucket_moves_its_stations() -> None:
    switch = bonded(SLB)
    bucket = switch.appctl(["bond/hash", "02:00:00:00:00:01"])
    for link in ("p2", "p1"):
        assert switch.appctl(["bond/migrate", "bond0", bucket, link]) == "migrated"
        assert outputs(switch, "p7", flow_to(99)) == [link]


def test_a_group_frame_counts_on_the_active_link_only_unless_all_are_to_count() -> None:
    switch = bonded(SLB)
    flood = "udp,dl_src=02:00:00:00:00:05,dl_dst=ff:ff:ff:ff:ff:ff"
    assert outputs(switch, "p1", flood) == ["p7"]
    assert outputs(switch, "p2", flood) == []
    switch.vsctl("set", "port", "bond0", "other_config:all-members-active=true")
    assert outputs(switch, "p2", flood) == ["p7"]


def test_slb_drops_what_came_back_and_believes_who_says_that_it_has_moved() -> None:
    switch = bonded(SLB)
    outputs(switch, "p7", flow_to(99))
    assert outputs(switch, "p1", flow_to(98)) == []
    assert outputs(switch, "p1", MOVED) == ["p7"]
    pass_ms(switch, 10)
    assert outputs(switch, "p1", flow_to(98)) == ["p7"], "it lives there now"


def test_an_announcement_that_comes_back_is_not_believed_for_five_seconds() -> None:
    switch = bonded(SLB)
    outputs(switch, "p7", MOVED)
    pass_ms(switch, 4_999)
    assert outputs(switch, "p1", MOVED) == []
    pass_ms(switch, 2)
    switch.appctl(["revalidator/purge"])  # the drop is cached as long as the frames come
    assert outputs(switch, "p1", MOVED) == ["p7"]


def test_active_backup_lets_nothing_in_by_the_others() -> None:
    switch = bonded()
    assert outputs(switch, "p1", flow_to(99, 5)) == ["p7"]
    assert outputs(switch, "p2", flow_to(99, 6)) == []
    trace = switch.appctl(["ofproto/trace", BRIDGE, "in_port=2"])
    assert "bonding refused admissibility, dropping" in trace


def test_cached_flows_leave_another_way_when_the_active_link_changes() -> None:
    switch = bonded()
    assert outputs(switch, "p7", flow_to(99)) == ["p1"]
    assert outputs(switch, "p7", flow_to(99)) == ["p1"]
    switch.appctl(["bond/set-active-member", "bond0", "p2"])
    switch.take_sent()
    assert outputs(switch, "p7", flow_to(99)) == ["p2"]


@pytest.fixture
def pair() -> Switch:
    """bond0 of br0 and bond1 of br1, joined, which have negotiated; p7 and p8 are behind them."""
    switch = bonded(*TCP)
    words = "add-br br1 -- set bridge br1 datapath_type=dummy fail-mode=secure"
    words += " other-config:hwaddr=aa:66:aa:66:00:00 -- add-port br1 p8 -- set interface p8"
    words += f" type=dummy ofport_request=8 -- add-bond br1 bond1 p3 p4 {' '.join(TCP)}"
    for number in (3, 4):
        words += f" -- set interface p{number} type=dummy ofport_request={number}"
    switch.vsctl(*words.split())
    switch.ofctl(["add-flow", "br1", "actions=normal"])
    for link, other in (("p1", "p3"), ("p2", "p4")):
        switch.devices[link].join(switch.devices[other])
    pass_ms(switch, 2_000)
    switch.take_sent()
    return switch


def connection(number: int) -> str:
    return f"{flow_to(99)},nw_src=10.0.0.1,nw_dst=10.0.0.2,udp_dst={number}"


def test_tcp_spreads_connections_by_the_datapath_s_hash(pair: Switch) -> None:
    assert actions(pair, "in_port=7,udp,dl_dst=02:00:00:00:00:99") == (
        f"100,hash(l4(0)),recirc({bond_of(pair).recirc_id:#x})"
    )
    links = [outputs(pair, "p7", connection(number)) for number in range(1, 41)]
    assert {tuple(name for name in found if name < "p3") for found in links} == {("p1",), ("p2",)}
    assert all("p8" in found for found in links)


def test_one_datapath_flow_serves_all_connections_of_two_stations(pair: Switch) -> None:
    for number in range(1, 41):
        outputs(pair, "p7", connection(number))
    lines = pair.appctl(["dpctl/dump-flows"]).split("\n")
    first = [line for line in lines if line.startswith("recirc_id(0),in_port(7)")]
    second = [line for line in lines if "dp_hash(" in line.split(" actions:")[0]]
    assert len(first) == 1
    assert "udp(" not in first[0]
    assert 1 < len(second) <= 40


def test_a_frame_that_is_looked_up_again_meets_no_flow_but_the_bond_s(pair: Switch) -> None:
    outputs(pair, "p7", connection(1))
    flows = [line for line in dump_all_flows(pair.bridge()) if "dp_hash=" in line]
    assert len(flows) == 256
    counted = [line for line in flows if "n_packets=1," in line]
    assert len(counted) == 1
    assert counted[0].startswith("table_id=254, ")
    assert "priority=20,recirc_id=" in counted[0]
    pair.vsctl("set", "port", "bond0", "bond_mode=active-backup")
    assert not any("dp_hash=" in line for line in dump_all_flows(pair.bridge()))


def test_tcp_without_a_partner_carries_nothing_and_with_fallback_uses_one_link() -> None:
    switch = bonded(*TCP)
    assert outputs(switch, "p7", connection(1)) == []
    assert outputs(switch, "p1", flow_to(99, 5)) == []
    switch.vsctl("set", "port", "bond0", "other_config:lacp-fallback-ab=true")
    pass_ms(switch, 5_000)
    switch.take_sent()
    assert active(switch) == "p1"
    assert outputs(switch, "p7", connection(1)) == ["p1"]
    assert outputs(switch, "p1", flow_to(99, 5)) == ["p7"]
    assert outputs(switch, "p2", flow_to(99, 6)) == []


def test_a_partner_that_falls_silent_costs_its_link_after_three_seconds(pair: Switch) -> None:
    pair.devices["p1"].join(pair.devices["p1"])  # what leaves by p1 comes back by it
    pass_ms(pair, 3_500)
    assert active(pair) == "p2"
    assert sent(pair)
    links = {tuple(outputs(pair, "p7", connection(number))) for number in range(1, 21)}
    assert links == {("p2", "p8")}
    port = pair.bridge().port_by_name("p1")
    assert port is not None
    assert not port.is_live


def test_load_moves_from_the_busy_link_to_the_idle_one() -> None:
    switch = bonded(SLB, "other_config:bond-rebalance-interval=1000")
    for n in range(1, 31):
        bucket = switch.appctl(["bond/hash", f"02:00:00:00:00:{n:02x}"])
        switch.appctl(["bond/migrate", "bond0", bucket, "p1"])
    for n in range(1, 31):
        for _ in range(10):
            switch.inject("p7", frame_of(flow_to(99, n)).ljust(1_000, b"\0"))
    assert {port for port, _ in sent(switch)} == {"p1"}
    pass_ms(switch, 1_000)
    loads = switch.appctl(["bond/show"]).split("member p2: ")[1]
    assert loads.count("kB load") >= 10
    links = [outputs(switch, "p7", flow_to(99, n))[0] for n in range(1, 31)]
    assert links.count("p2") >= 10
    pass_ms(switch, 60_000)
    next_ns = switch.scheduler.next_event_ns
    assert next_ns is None or next_ns >= 300_000 * NS_PER_MS, "load that has faded wakes nobody"
