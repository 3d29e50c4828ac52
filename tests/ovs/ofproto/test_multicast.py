"""Multicast snooping of a bridge: where reports and traffic go, and what is learned of them."""

from __future__ import annotations

import pytest

from tests.ovs.command_switch import Switch
from tests.ovs.whole_switch import frame_of, switch_with
from vnet.base.units import NS_PER_S
from vnet.ovs.flow.errors import OvsTextError
from vnet.wire import igmp, ipv4
from vnet.wire.checksum import checksum
from vnet.wire.ether import TYPE_IPV4, frame

ON = ("mcast_snooping_enable=true",)
ONLY_MEMBERS = (*ON, "other_config:mcast-snooping-disable-flood-unregistered=true")
GROUP = b"\xe1\1\1\1"
TRAFFIC = frame_of("udp,dl_src=02:00:00:00:00:09,dl_dst=01:00:5e:01:01:01,nw_dst=225.1.1.1")
ALL = ["br0", "p1", "p2", "p3", "p4"]


def igmp_frame(message: bytes, source: bytes = b"\n\0\0\1") -> bytes:
    packet = ipv4.emit(source, b"\xe0\0\0\1", ipv4.IGMP, message, ttl=1)
    return frame(b"\x01\0\x5e\0\0\1", b"\2\0\0\0\0\1", TYPE_IPV4, packet)


JOIN = igmp_frame(igmp.message_v2(igmp.REPORT_V2, GROUP))
LEAVE = igmp_frame(igmp.message_v2(igmp.LEAVE, GROUP))
_QUERY = bytes((igmp.QUERY, 100, 0, 0)) + bytes(4)
QUERY = igmp_frame(_QUERY[:2] + checksum(_QUERY).to_bytes(2, "big") + _QUERY[4:])


def switch_on(options: tuple[str, ...]) -> Switch:
    switch = switch_with(["actions=normal"], options=options)
    switch.take_sent()
    return switch


def outputs(switch: Switch, port: str, data: bytes) -> list[str]:
    switch.take_sent()
    switch.inject(port, data)
    return sorted(name for name, _ in switch.take_sent())


def run_s(switch: Switch, seconds: int) -> None:
    switch.scheduler.run(switch.scheduler.now_ns + seconds * NS_PER_S)


def test_without_snooping_all_is_flooded() -> None:
    switch = switch_on(())
    for data in (JOIN, QUERY, TRAFFIC):
        assert outputs(switch, "p1", data) == [name for name in ALL if name != "p1"]


def test_traffic_goes_to_members_and_routers() -> None:
    switch = switch_on(ON)
    switch.inject("p1", JOIN)
    switch.inject("p2", QUERY)
    assert outputs(switch, "p3", TRAFFIC) == ["p1", "p2"]
    assert outputs(switch, "p1", TRAFFIC) == ["p2"]


def test_reports_go_to_routers_only_and_queries_everywhere() -> None:
    switch = switch_on(ON)
    assert outputs(switch, "p1", JOIN) == []
    assert outputs(switch, "p2", QUERY) == ["br0", "p1", "p3", "p4"]
    assert outputs(switch, "p1", JOIN) == ["p2"]


def test_groups_that_nobody_has_joined_are_flooded_or_not() -> None:
    assert outputs(switch_on(ON), "p1", TRAFFIC) == ["br0", "p2", "p3", "p4"]
    switch = switch_on(ONLY_MEMBERS)
    assert outputs(switch, "p1", TRAFFIC) == []
    switch.inject("p2", QUERY)
    run_s(switch, 1)
    assert outputs(switch, "p1", TRAFFIC) == ["p2"]


def test_groups_of_one_link_are_flooded_whoever_has_joined() -> None:
    switch = switch_on(ONLY_MEMBERS)
    local = frame_of("udp,dl_dst=01:00:5e:00:00:fb,nw_dst=224.0.0.251")
    assert outputs(switch, "p1", local) == ["br0", "p2", "p3", "p4"]
    all_hosts = frame_of("udp6,dl_dst=33:33:00:00:00:01,ipv6_dst=ff02::1")
    assert outputs(switch, "p1", all_hosts) == ["br0", "p2", "p3", "p4"]


def test_a_flow_that_is_there_follows_who_joins_and_leaves() -> None:
    switch = switch_on(ONLY_MEMBERS)
    for _ in range(2):
        assert outputs(switch, "p3", TRAFFIC) == []
    switch.inject("p1", JOIN)
    run_s(switch, 1)
    assert outputs(switch, "p3", TRAFFIC) == ["p1"]
    switch.inject("p1", LEAVE)
    run_s(switch, 1)
    assert outputs(switch, "p3", TRAFFIC) == []


def test_members_and_routers_age() -> None:
    switch = switch_on(ONLY_MEMBERS)
    switch.inject("p1", JOIN)
    switch.inject("p2", QUERY)
    run_s(switch, 179)
    assert outputs(switch, "p3", TRAFFIC) == ["p1", "p2"]
    run_s(switch, 1)
    assert outputs(switch, "p3", TRAFFIC) == ["p1"]
    run_s(switch, 120)
    assert outputs(switch, "p3", TRAFFIC) == []


def test_a_member_that_reports_again_stays_though_no_frame_is_new() -> None:
    switch = switch_on(ONLY_MEMBERS)
    for _ in range(4):
        switch.inject("p1", JOIN)
        run_s(switch, 200)
    assert outputs(switch, "p3", TRAFFIC) == ["p1"]


def test_nothing_is_learned_of_a_wrong_checksum() -> None:
    switch = switch_on(ONLY_MEMBERS)
    switch.inject("p1", JOIN[:-1] + bytes((JOIN[-1] ^ 1,)))
    assert outputs(switch, "p3", TRAFFIC) == []


def test_a_query_without_a_source_is_no_router_s() -> None:
    switch = switch_on(ONLY_MEMBERS)
    message = QUERY[-8:]
    switch.inject("p1", igmp_frame(message, source=bytes(4)))
    assert outputs(switch, "p3", TRAFFIC) == []


def test_ports_that_are_set_to_get_traffic_or_reports() -> None:
    switch = switch_on(ONLY_MEMBERS)
    switch.vsctl(*["set", "port", "p1", "other_config:mcast-snooping-flood=true"])
    switch.vsctl(*["set", "port", "p2", "other_config:mcast-snooping-flood-reports=true"])
    assert outputs(switch, "p3", TRAFFIC) == ["p1"]
    assert outputs(switch, "p3", JOIN) == ["p2"]


def test_a_port_that_changes_its_vlan_is_no_member_any_more() -> None:
    switch = switch_on(ON)
    switch.inject("p1", JOIN)
    switch.vsctl("set", "port", "p1", "tag=5")
    assert switch.appctl(["mdb/show", "br0"]) == " port  VLAN  GROUP                Age"


def test_a_port_that_goes_is_forgotten() -> None:
    switch = switch_on(ON)
    switch.inject("p1", JOIN)
    switch.inject("p2", QUERY)
    switch.vsctl("del-port", "p2")
    assert switch.appctl(["mdb/show", "br0"]).splitlines()[1:] == [
        "    1     0  225.1.1.1           0"
    ]
    switch.vsctl("del-port", "p1")
    assert len(switch.appctl(["mdb/show", "br0"]).splitlines()) == 1


def test_mdb_show_and_flush() -> None:
    switch = switch_on(ON)
    switch.inject("p1", JOIN)
    run_s(switch, 12)
    switch.inject("p2", QUERY)
    switch.inject("br0", JOIN)
    assert switch.appctl(["mdb/show", "br0"]) == (
        " port  VLAN  GROUP                Age\n"
        "    1     0  225.1.1.1          12\n"
        "LOCAL     0  225.1.1.1           0\n"
        "    2     0  querier               0"
    )
    assert switch.appctl(["mdb/flush", "br0"]) == "table successfully flushed"
    assert len(switch.appctl(["mdb/show", "br0"]).splitlines()) == 1
    assert switch.appctl(["mdb/flush"]) == "table successfully flushed"


@pytest.mark.parametrize("command", ["mdb/show", "mdb/flush"])
def test_where_nobody_listens_in_there_is_nothing_to_show(command: str) -> None:
    switch = switch_on(())
    with pytest.raises(OvsTextError, match="multicast snooping is disabled"):
        switch.appctl([command, "br0"])
    with pytest.raises(OvsTextError, match="no such bridge"):
        switch.appctl([command, "br9"])


def test_switched_off_and_on_all_is_forgotten() -> None:
    switch = switch_on(ON)
    switch.inject("p1", JOIN)
    for state in ("false", "true"):
        switch.vsctl("set", "bridge", "br0", f"mcast_snooping_enable={state}")
    assert len(switch.appctl(["mdb/show", "br0"]).splitlines()) == 1
    run_s(switch, 400)


def test_no_more_is_looked_at_than_what_decides() -> None:
    switch = switch_on(ON)
    flow = "udp,in_port=1,dl_dst=01:00:5e:01:01:01,nw_dst=225.1.1.1"
    trace = switch.appctl(["ofproto/trace", "br0", flow]).splitlines()
    assert any("unregistered multicast, flooding" in line for line in trace)
    (megaflow,) = [line for line in trace if line.startswith("Megaflow")]
    assert megaflow == (
        "Megaflow: recirc_id=0,eth,udp,in_port=1,dl_src=00:00:00:00:00:00,"
        "dl_dst=01:00:5e:01:01:01,nw_dst=225.1.1.1,nw_frag=no"
    )
