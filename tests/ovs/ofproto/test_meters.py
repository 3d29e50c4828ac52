"""Meters of a bridge: numbers, bands, and the flows that go with them."""

from __future__ import annotations

import pytest

from vnet.ovs.ofproto.dump.meters import dump_meter_stats, dump_meters
from vnet.ovs.ofproto.meter import MeterPool
from vnet.ovs.ofproto.ofproto import Ofproto
from vnet.ovs.openflow.errors import OpenFlowError
from vnet.ovs.openflow.messages import (
    METER_ALL,
    METER_SLOWPATH,
    FlowModCommand,
    MeterBand,
    MeterBandType,
    MeterFlags,
    MeterMod,
    MeterModCommand,
)
from vnet.ovs.openflow.text.flow_mod import parse_flow
from vnet.sim.scheduler import Scheduler

ADD, MODIFY, DELETE = MeterModCommand
BAND = MeterBand(MeterBandType.DROP, 100, 10)


@pytest.fixture
def bridge() -> Ofproto:
    return Ofproto("br0", Scheduler())


OTHER_BAND = MeterBand(MeterBandType.DROP, 200, 20)


def meter(command: MeterModCommand, meter_id: int = 5, *bands: MeterBand) -> MeterMod:
    flags = MeterFlags.KBPS | MeterFlags.BURST
    return MeterMod(command, meter_id, flags, bands or (BAND,))


@pytest.mark.parametrize(
    ("error", "mod"),
    [
        ("OFPMMFC_INVALID_METER", meter(ADD, 0)),
        ("OFPMMFC_INVALID_METER", meter(ADD, METER_ALL)),
        ("OFPMMFC_INVALID_METER", meter(ADD, 0xFFFF0001)),
        ("OFPMMFC_OUT_OF_BANDS", meter(ADD, 1, *[BAND] * 9)),
        ("OFPMMFC_BAD_BAND", meter(ADD, 1, MeterBand(MeterBandType.DSCP_REMARK, 9))),
        ("OFPMMFC_BAD_RATE", meter(ADD, 1, MeterBand(MeterBandType.DROP, 0))),
        ("OFPMMFC_UNKNOWN_METER", meter(MODIFY, 1)),
    ],
)
def test_refuses(bridge: Ofproto, error: str, mod: MeterMod) -> None:
    with pytest.raises(OpenFlowError) as raised:
        bridge.meter_mod(mod)
    assert raised.value.name == error
    assert not bridge.meters


def test_a_meter_is_added_once_and_changed_often(bridge: Ofproto) -> None:
    bridge.meter_mod(meter(ADD, 5, BAND))
    with pytest.raises(OpenFlowError, match="OFPMMFC_METER_EXISTS"):
        bridge.meter_mod(meter(ADD, 5))
    bridge.meter_mod(meter(MODIFY, 5, OTHER_BAND))
    assert bridge.meters[5].bands == (OTHER_BAND,)


def test_bridges_of_one_datapath_share_its_numbers() -> None:
    pool = MeterPool()
    scheduler = Scheduler()
    first, second = (Ofproto(name, scheduler, pool) for name in ("br0", "br1"))
    first.meter_mod(meter(ADD, 5))
    second.meter_mod(meter(ADD, 5))
    first.meter_mod(meter(ADD, METER_SLOWPATH))
    assert [first.meters[5].datapath_id, second.meters[5].datapath_id] == [0, 1]
    first.meter_mod(meter(DELETE, METER_ALL))
    second.meter_mod(meter(ADD, 6))
    assert second.meters[6].datapath_id == 0
    assert not first.meters


def test_flows_that_begin_with_a_meter_go_with_it(bridge: Ofproto) -> None:
    bridge.meter_mod(meter(ADD, 5))
    for text in ("in_port=1,actions=meter:5,output:1", "in_port=2,actions=output:1"):
        bridge.flow_mod(parse_flow(text, FlowModCommand.ADD))
    bridge.meter_mod(meter(DELETE, 5))
    assert len(list(bridge.flows())) == 1


def test_to_delete_a_meter_that_is_not_there_is_no_error(bridge: Ofproto) -> None:
    bridge.meter_mod(meter(DELETE, 77))


def test_lists_as_ovs_ofctl_does(bridge: Ofproto) -> None:
    bridge.meter_mod(meter(ADD, 5, BAND))
    bridge.scheduler.run(2_012_000_000)
    assert list(dump_meters(bridge)) == [
        "meter=5 kbps burst bands=\ntype=drop rate=100 burst_size=10"
    ]
    assert list(dump_meter_stats(bridge)) == [
        "meter:5 flow_count:0 packet_in_count:0 byte_in_count:0 duration:2.012s bands:",
        "0: packet_count:0 byte_count:0",
    ]


def listed(bridge: Ofproto) -> list[str]:
    return [line.split()[0] for line in dump_meters(bridge) if line]


def test_meters_stand_in_the_order_of_a_hash_table(bridge: Ofproto) -> None:
    for number in range(1, 9):
        bridge.meter_mod(meter(ADD, number))
    assert listed(bridge) == [f"meter={number}" for number in (8, 5, 1, 4, 6, 7, 2, 3)]


def test_a_deleted_meter_leaves_the_order_of_the_others(bridge: Ofproto) -> None:
    for number in (1, 2, 7):
        bridge.meter_mod(meter(ADD, number))
    bridge.meter_mod(meter(DELETE, 2))
    assert listed(bridge) == ["meter=7", "meter=1"]


def test_an_empty_line_stands_between_meters(bridge: Ofproto) -> None:
    for number in (1, 2):
        bridge.meter_mod(meter(ADD, number, BAND))
    assert list(dump_meters(bridge))[1] == ""
    assert list(dump_meter_stats(bridge))[2] == ""
