"""Meters in text: bands, flags, refusals, and the way back."""

from __future__ import annotations

import pytest

from vnet.ovs.flow.errors import OvsTextError
from vnet.ovs.openflow.messages import (
    METER_ALL,
    METER_SLOWPATH,
    MeterBand,
    MeterBandType,
    MeterFlags,
    MeterMod,
    MeterModCommand,
)
from vnet.ovs.openflow.text.meter import meter_text, parse_meter, parse_meter_id

ADD = MeterModCommand.ADD
DROP = MeterBandType.DROP


def test_a_meter_with_two_bands_is_read() -> None:
    mod = parse_meter(
        "meter=1 kbps burst stats bands=type=drop rate=1000 burst_size=5,"
        "type=dscp_remark rate=0x10 burst_size=6 prec_level=2",
        ADD,
    )
    assert mod == MeterMod(
        ADD,
        1,
        MeterFlags.KBPS | MeterFlags.BURST | MeterFlags.STATS,
        (
            MeterBand(DROP, 1000, 5),
            MeterBand(MeterBandType.DSCP_REMARK, 16, 6, prec_level=2),
        ),
    )


def test_a_meter_that_was_printed_can_be_read_again() -> None:
    text = "meter=slowpath pktps burst bands=\ntype=drop rate=7 burst_size=9"
    mod = parse_meter(text, ADD)
    assert mod.meter_id == METER_SLOWPATH
    assert meter_text(mod.meter_id, mod.flags, mod.bands) == text


def test_a_deletion_names_one_meter_or_all() -> None:
    assert parse_meter("meter=5", MeterModCommand.DELETE).meter_id == 5
    assert parse_meter("", MeterModCommand.DELETE).meter_id == METER_ALL
    assert parse_meter_id("meter=all") == METER_ALL


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("meter=1 kbps", "must specify bands"),
        ("meter=1 kbps band", "must specify bands"),
        ("meter=1 kbps bands=", "meter must have bands"),
        ("kbps bands=type=drop rate=1", "must specify 'meter'"),
        ("meter=0 kbps bands=type=drop rate=1", "invalid value for meter"),
        ("meter=1 bands=type=drop rate=1", "meter must specify either 'kbps' or 'pktps'"),
        ("meter=1 foo=2 kbps bands=type=drop rate=1", "unknown keyword foo"),
        ("meter=1 kbps foo bands=type=drop rate=1", "field foo missing value"),
        ("meter=1 kbps bands=rate=1", "band must start with the 'type' keyword"),
        ("meter=1 kbps bands=type=odd", "field type unknown value odd"),
        ("meter=1 kbps bands=type=drop", "band must have 'rate'"),
        ("meter=1 kbps bands=type=drop rate=x", "invalid numeric format x"),
        ("meter=1 kbps bands=type=drop rate=1 odd=1", "unknown keyword odd"),
        (
            "meter=1 kbps bands=type=drop rate=1 prec_level=1",
            "Only 'dscp_remark' band may have 'prec_level'",
        ),
        (
            "meter=1 kbps bands=type=dscp_remark rate=1",
            "'dscp_remark' band must have 'prec_level'",
        ),
        (
            "meter=1 kbps burst bands=type=drop rate=1",
            "band must have 'burst_size' when 'burst' flag is set",
        ),
        (
            "meter=1 kbps bands=type=drop rate=1 burst_size=1",
            "band may have 'burst_size' only when 'burst' flag is set",
        ),
    ],
)
def test_refusals_are_open_vswitchs_sentences(text: str, sentence: str) -> None:
    with pytest.raises(OvsTextError) as refusal:
        parse_meter(text, ADD)
    assert refusal.value.what == sentence
