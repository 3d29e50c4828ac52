"""Links of a bond: which are used, after what delay, and which one is the active one."""

from __future__ import annotations

import pytest

from tests.ovs.ofproto.bond.bonded import (
    actions,
    active,
    bond_of,
    bonded,
    enabled,
    pass_ms,
    sent,
    set_link,
)
from tests.ovs.whole_switch import frame_of
from vnet.base.units import NS_PER_MS
from vnet.ovs.flow.errors import OvsTextError
from vnet.ovs.openflow.messages import PortState

BROADCAST = "dl_dst=ff:ff:ff:ff:ff:ff"


def test_a_link_is_used_while_it_is_up() -> None:
    switch = bonded()
    assert (enabled(switch), active(switch)) == (["p1", "p2"], "p1")
    assert actions(switch, f"in_port=7,{BROADCAST}") == "100,1"
    set_link(switch, "p1", False)
    assert (enabled(switch), active(switch)) == (["p2"], "p2")
    assert actions(switch, f"in_port=7,{BROADCAST}") == "100,2"


def test_with_no_link_left_nothing_is_sent_and_the_first_to_come_back_is_used() -> None:
    switch = bonded("bond_updelay=1000")
    for link in ("p1", "p2"):
        set_link(switch, link, False)
    assert (enabled(switch), active(switch)) == ([], None)
    assert actions(switch, f"in_port=7,{BROADCAST}") == "100"
    set_link(switch, "p2", True)
    assert active(switch) == "p2", "nobody waits where there is no other link"
    set_link(switch, "p1", True)
    assert enabled(switch) == ["p2"]


def test_delays_are_waited_for_and_a_link_that_changes_its_mind_is_not() -> None:
    switch = bonded("bond_updelay=300", "bond_downdelay=200")
    set_link(switch, "p2", False)
    pass_ms(switch, 199)
    assert enabled(switch) == ["p1", "p2"]
    assert "  downdelay expires in 1 ms" in switch.appctl(["bond/show"])
    pass_ms(switch, 1)
    assert enabled(switch) == ["p1"]
    set_link(switch, "p2", True)
    pass_ms(switch, 100)
    set_link(switch, "p2", False)
    pass_ms(switch, 100)
    set_link(switch, "p2", True)
    pass_ms(switch, 299)
    assert enabled(switch) == ["p1"]
    pass_ms(switch, 1)
    assert enabled(switch) == ["p1", "p2"]


def test_the_primary_link_is_active_whenever_it_works() -> None:
    switch = bonded("other_config:bond-primary=p2")
    assert active(switch) == "p2"
    set_link(switch, "p2", False)
    assert active(switch) == "p1"
    set_link(switch, "p2", True)
    assert active(switch) == "p2"
    switch.vsctl("set", "port", "bond0", "other_config:bond-primary=p1")
    assert active(switch) == "p1"
    switch.vsctl("set", "port", "bond0", "other_config:bond-primary=p9")
    assert active(switch) == "p1"
    assert "active-backup primary: p9 (no such member)" in switch.appctl(["bond/show"])


def test_links_come_to_a_running_bond_and_go() -> None:
    switch = bonded(links=("p1", "p2", "p3"))
    bond = bond_of(switch)
    switch.vsctl("del-bond-iface", "bond0", "p1")
    assert bond_of(switch) is bond, "it goes on"
    assert (enabled(switch), active(switch)) == (["p2", "p3"], "p2")
    switch.vsctl(*["add-bond-iface", "bond0", "p4", "--", "set", "interface", "p4", "type=dummy"])
    switch.settle()
    assert (enabled(switch), active(switch)) == (["p2", "p3", "p4"], "p2")
    for link in ("p2", "p3"):
        switch.vsctl("del-bond-iface", link)
    assert switch.bridge().switching.bundles["bond0"].bond is None, "one link is no bond"
    assert actions(switch, f"in_port=7,{BROADCAST}") == "100,4"


def test_stations_are_announced_by_the_link_that_takes_over() -> None:
    switch = bonded()
    switch.inject("p7", frame_of("udp,dl_src=02:00:00:00:00:01,dl_dst=02:00:00:00:00:02"))
    switch.inject("p7", frame_of("udp,dl_src=02:00:00:00:00:03,dl_dst=02:00:00:00:00:02,dl_vlan=5"))
    switch.inject("p1", frame_of("udp,dl_src=02:00:00:00:00:09,dl_dst=02:00:00:00:00:01"))
    switch.take_sent()
    set_link(switch, "p1", False)
    rarp = "0001080006040003"
    one, other = "020000000001", "020000000003"
    assert [(port, frame.hex()) for port, frame in sent(switch)] == [
        ("p2", f"ffffffffffff{one}8035{rarp}{one}00000000{one}00000000"),
        ("p2", f"ffffffffffff{other}810000058035{rarp}{other}00000000{other}00000000"),
    ]


def test_commands_choose_the_active_link_and_correct_its_state() -> None:
    switch = bonded("bond_updelay=100")
    appctl = switch.appctl
    assert appctl(["bond/set-active-member", "bond0", "p2"]) == "done"
    assert appctl(["bond/set-active-slave", "bond0", "p2"]) == "no change"
    assert active(switch) == "p2"
    assert appctl(["bond/disable-member", "bond0", "p2"]) == "disabled"
    assert (enabled(switch), active(switch)) == (["p1"], "p1")
    pass_ms(switch, 100)
    assert enabled(switch) == ["p1", "p2"], "its link is up"
    set_link(switch, "p2", False)
    with pytest.raises(OvsTextError, match="cannot make disabled member active"):
        appctl(["bond/set-active-member", "bond0", "p2"])


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("bond/set-active-member bond1 p1", "no such bond"),
        ("bond/set-active-member bond0 p7", "no such member"),
        ("bond/enable-member bond0 p7", "no such member"),
        ("bond/migrate bond0 1 p1", "not an SLB bond"),
        ("bond/show nowhere", "no such bond"),
        ("lacp/show bond0", "no such lacp object"),
        ("bond/hash nothing", "invalid mac"),
        ("bond/hash 02:00:00:00:00:01 x", "invalid vlan"),
        ("bond/hash 02:00:00:00:00:01 1 x", "invalid basis"),
    ],
)
def test_refusals_are_those_of_ovs_appctl(line: str, sentence: str) -> None:
    switch = bonded()
    with pytest.raises(OvsTextError) as caught:
        switch.appctl(line.split())
    assert caught.value.what == sentence


def test_a_bond_without_anything_to_wait_for_wakes_nobody() -> None:
    switch = bonded("bond_mode=balance-slb")
    pass_ms(switch, 10)
    assert switch.scheduler.next_event_ns is None
    set_link(switch, "p1", False)
    pass_ms(switch, 60_000)
    assert switch.scheduler.next_event_ns is None


def test_the_time_of_the_next_delay_is_the_time_of_the_next_event() -> None:
    switch = bonded("bond_downdelay=500")
    pass_ms(switch, 10)
    set_link(switch, "p1", False)
    pass_ms(switch, 1)
    assert switch.scheduler.next_event_ns == 510 * NS_PER_MS


def test_links_of_a_bond_are_live_as_other_ports_are() -> None:
    switch = bonded()
    port = switch.bridge().port_by_name("p1")
    assert port is not None
    assert PortState.LIVE in port.state
    set_link(switch, "p1", False)
    assert PortState.LIVE not in port.state
