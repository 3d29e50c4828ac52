"""Settings of spanning trees, as they are read."""

from __future__ import annotations

import pytest

from tests.ovs.vswitchd.row_switch import RowSwitch, dummy
from vnet.base.ids import Mac
from vnet.base.units import NS_PER_S
from vnet.ovs.ofproto.spanning_tree.settings import RstpPortSettings, StpPortSettings
from vnet.ovs.ofproto.spanning_tree.stp_bridge import stp_times
from vnet.ovs.vswitchd.config import BridgePortConfig, InterfaceConfig
from vnet.ovs.vswitchd.spanning_tree import (
    c_unsigned,
    rstp_ports,
    rstp_settings,
    stp_ports,
    stp_settings,
)

OWN = Mac(b"\xaa\x55\xaa\x55\x00\x00")
NONE: frozenset[str] = frozenset()


def port(name: str, *interfaces: InterfaceConfig, **settings: str) -> BridgePortConfig:
    config = {key.replace("_", "-"): value for key, value in settings.items()}
    return BridgePortConfig(
        name, interfaces or (InterfaceConfig(name, type="dummy"),), other_config=config
    )


@pytest.mark.parametrize(
    ("text", "base", "value"),
    [
        ("12", 0, 12),
        ("0x1f", 0, 31),
        ("017", 0, 15),
        ("017", 10, 17),
        ("0x1f", 10, 0),
        (" 7 ports", 0, 7),
        ("many", 0, 0),
        ("", 10, 0),
        ("-1", 0, 2**64 - 1),
    ],
)
def test_numbers_of_ports_are_read_as_far_as_they_go(text: str, base: int, value: int) -> None:
    assert c_unsigned(text, base) == value


def test_defaults_of_bridges() -> None:
    stp, rstp = stp_settings({}, OWN), rstp_settings({}, OWN)
    assert (stp.address, stp.priority) == (0xAA55_AA55_0000, 32768)
    assert (stp.hello_time_ms, stp.max_age_ms, stp.forward_delay_ms) == (2_000, 20_000, 15_000)
    assert (rstp.priority, rstp.force_version, rstp.transmit_hold_count) == (32768, 2, 6)
    assert (rstp.max_age_s, rstp.forward_delay_s) == (20, 15)


def test_a_number_of_a_bridge_that_is_none_means_the_default() -> None:
    assert stp_settings({"stp-priority": "12a"}, OWN).priority == 32768
    assert rstp_settings({"rstp-priority": "12a"}, OWN).priority == 32768


@pytest.mark.parametrize(
    ("hello_ms", "age_ms", "delay_ms", "in_seconds"),
    [
        (2_000, 20_000, 15_000, (2, 20, 15)),
        (1, 1, 1, (1, 6, 4)),
        (60_000, 60_000, 60_000, (10, 40, 30)),
        (9_000, 6_000, 4_000, (9, 20, 11)),
    ],
)
def test_times_fit_each_other(
    hello_ms: int, age_ms: int, delay_ms: int, in_seconds: tuple[int, int, int]
) -> None:
    settings = stp_settings({}, OWN)
    times = stp_times(
        type(settings)(settings.address, settings.priority, hello_ms, age_ms, delay_ms)
    )
    assert (times.hello_time, times.max_age, times.forward_delay) == tuple(
        256 * seconds for seconds in in_seconds
    )


def test_ports_are_numbered_one_after_another() -> None:
    assert stp_ports([port("p1"), port("p2")], NONE) == {
        "p1": StpPortSettings(1),
        "p2": StpPortSettings(2),
    }
    assert rstp_ports([port("p1")], NONE) == {"p1": RstpPortSettings()}


def test_who_takes_no_part() -> None:
    bond = (InterfaceConfig("a", type="dummy"), InterfaceConfig("b", type="dummy"))
    ports = [
        port("bond0", *bond),
        port("int0", InterfaceConfig("int0", type="internal")),
        port("out"),
        port("off", stp_enable="False", rstp_enable="false"),
        port("p1"),
    ]
    outputs = frozenset({"out"})
    expected = {"bond0": None, "int0": None, "out": None, "off": None}
    assert stp_ports(ports, outputs) == {**expected, "p1": StpPortSettings(1)}
    assert rstp_ports(ports, outputs) == {**expected, "p1": RstpPortSettings()}


def test_settings_of_ports() -> None:
    assert stp_ports(
        [port("p1", stp_port_num="9", stp_path_cost="65537", stp_port_priority="0x40")], NONE
    ) == {"p1": StpPortSettings(9, 64, 1)}
    assert rstp_ports(
        [
            port(
                "p1",
                rstp_port_num="9",
                rstp_path_cost="20000",
                rstp_port_priority="16",
                rstp_admin_p2p_mac="2",
                rstp_admin_port_state="false",
                rstp_port_admin_edge="true",
                rstp_port_auto_edge="false",
                rstp_port_mcheck="true",
            )
        ],
        NONE,
    ) == {"p1": RstpPortSettings(9, 16, 20000, 2, False, True, False, True)}


@pytest.mark.parametrize("number", ["0", "256", "none"])
def test_a_number_that_no_port_can_have_keeps_it_out(number: str) -> None:
    assert stp_ports([port("p1", stp_port_num=number)], NONE) == {"p1": None}


def test_a_number_is_given_once_and_not_beside_others_that_are_counted() -> None:
    twice = [port("p1", stp_port_num="3"), port("p2", stp_port_num="3")]
    assert stp_ports(twice, NONE) == {"p1": StpPortSettings(3), "p2": None}
    assert stp_ports([port("p1", stp_port_num="3"), port("p2")], NONE) is None


def test_a_port_that_begins_to_forward_is_a_change_of_the_topology() -> None:
    switch = RowSwitch(in_order=True)
    switch.add_bridge("br0", dummy("p1"), dummy("p2"), stp_enable=True)
    switch.log.lines.clear()
    switch.scheduler.run(40 * NS_PER_S)
    assert switch.log.lines == ["stp|INFO|br0: detected topology change."] * 2
