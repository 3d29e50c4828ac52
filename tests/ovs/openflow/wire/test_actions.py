"""Actions as bytes: what each version of OpenFlow makes of them, and what is refused."""

from __future__ import annotations

from contextlib import suppress
from itertools import groupby
from pathlib import Path
from typing import NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.examples import examples
from tests.ovs.action_strategies import instructions
from vnet.ovs.flow.ports import OfpPort
from vnet.ovs.openflow.errors import OpenFlowError
from vnet.ovs.openflow.ofpacts import (
    Clone,
    Controller,
    Ofpacts,
    Output,
    PacketInReason,
    Resubmit,
    Sample,
)
from vnet.ovs.openflow.text.actions import actions_text, parse_instructions
from vnet.ovs.openflow.version import OpenFlowVersion
from vnet.ovs.openflow.wire.actions import (
    as_sent,
    decode_actions,
    decode_instructions,
    encode_actions,
    encode_instructions,
)

OF10, OF13 = OpenFlowVersion.OF10, OpenFlowVersion.OF13


class Written(NamedTuple):
    """Actions, and their bytes in one version."""

    text: str
    version: OpenFlowVersion
    data: bytes


class Refused(NamedTuple):
    """Bytes that one version does not understand, and the error."""

    version: OpenFlowVersion
    what: str
    data: bytes
    error: str


def _lines(name: str) -> list[str]:
    lines = Path(__file__).with_name(name).read_text().splitlines()
    return [line for line in lines if line and not line.startswith("#")]


def _version(text: str) -> OpenFlowVersion:
    return OpenFlowVersion(int(text.removeprefix("1.")) + 1)


def written() -> list[Written]:
    """The table of ``actions_on_wire.txt``, a row for each version."""
    table, text = [], ""
    for line in _lines("actions_on_wire.txt"):
        if not line.startswith(" "):
            text = line
            continue
        versions, data = line.strip().split(": ")
        first, _, last = versions.partition("-")
        for number in range(_version(first), _version(last or first) + 1):
            table.append(Written(text, OpenFlowVersion(number), bytes.fromhex(data)))
    return table


def refused() -> list[Refused]:
    """The table of ``refused_on_wire.txt``."""
    rows = [line.split() for line in _lines("refused_on_wire.txt")]
    return [
        Refused(_version(version), what, bytes.fromhex(data), error)
        for version, what, data, error in rows
    ]


BY_TEXT = [list(rows) for _, rows in groupby(written(), lambda row: row.text)]


@pytest.mark.parametrize("rows", BY_TEXT, ids=lambda rows: rows[0].text)
def test_each_version_writes_an_action_in_its_way(rows: list[Written]) -> None:
    wanted = {version.name: data.hex() for _, version, data in rows}
    actions = parse_instructions(rows[0].text).actions
    sent = {version.name: encode_instructions(actions, version).hex() for _, version, _ in rows}
    assert sent == wanted
    received = {version: decode_instructions(data, version) for _, version, data in rows}
    again = {version.name: encode_instructions(received[version], version) for version in received}
    assert {name: data.hex() for name, data in again.items()} == wanted


@pytest.mark.parametrize("row", refused(), ids=lambda row: f"{row.version.name} {row.data.hex()}")
def test_what_makes_no_sense_is_refused_with_open_vswitchs_error(row: Refused) -> None:
    decode = decode_actions if row.what == "actions" else decode_instructions
    with pytest.raises(OpenFlowError) as caught:
        decode(row.data, row.version)
    assert caught.value.name == row.error


@settings(max_examples=examples(100))
@given(instructions(), st.sampled_from(OpenFlowVersion))
def test_what_arrived_is_said_with_the_same_bytes(
    actions: Ofpacts, version: OpenFlowVersion
) -> None:
    said = encode_instructions(actions, version)
    try:
        arrived = decode_instructions(said, version)
    except OpenFlowError:
        return
    assert encode_instructions(arrived, version) == said


@settings(max_examples=examples(200))
@given(st.binary(max_size=120), st.sampled_from(OpenFlowVersion))
def test_no_bytes_are_more_than_refused(data: bytes, version: OpenFlowVersion) -> None:
    for decode in (decode_actions, decode_instructions):
        with suppress(OpenFlowError):
            decode(data, version)


@settings(max_examples=examples(200))
@given(st.sampled_from(written()), st.integers(0, 400), st.binary(min_size=1, max_size=4))
def test_no_damage_is_more_than_refused(row: Written, at: int, damage: bytes) -> None:
    at %= len(row.data)
    data = row.data[:at] + damage + row.data[at + len(damage) :]
    with suppress(OpenFlowError):
        actions = decode_instructions(data, row.version)
        assert actions_text(actions)
        encode_instructions(actions, row.version)


def test_actions_that_stand_too_deep_are_refused() -> None:
    actions: Ofpacts = (Output(OfpPort(1)),)
    for _ in range(200):
        actions = (Clone(actions),)
    with pytest.raises(OpenFlowError, match="OFPBAC_TOO_MANY"):
        as_sent(actions, OF13)


@pytest.mark.parametrize(
    ("data", "action"),
    [
        ("ffff 0010 00002320 0001 0005 00000000", Resubmit(OfpPort(5), form=1)),
        (
            "ffff 0020 00002320 0026 0001 00000000 00000000 00000000 ffff 00 0000000000",
            Sample(1, form=2),
        ),
        ("ffff 0010 00002320 0025 000000000000", Controller(form=2)),
        ("ffff 0010 00002320 0014 ffff 0000 63 00", Controller(reason=PacketInReason(99))),
    ],
)
def test_what_came_in_another_form_goes_on_in_it(data: str, action: object) -> None:
    received = decode_actions(bytes.fromhex(data), OF13)
    assert received == (action,)
    assert encode_actions(received, OF13) == bytes.fromhex(data)


def test_tunnel_options_must_be_mapped_where_a_switch_says_which_are() -> None:
    said = encode_instructions(parse_instructions("set_field:5->tun_metadata3").actions, OF13)
    assert decode_instructions(said, OF13, {3: 4}) == decode_instructions(said, OF13)
    with pytest.raises(OpenFlowError, match="NXFMFC_INVALID_TLV_FIELD"):
        decode_instructions(said, OF13, {1: 4})


def test_a_tunnel_option_goes_on_with_as_many_bytes_as_a_switch_has_mapped() -> None:
    text = "move:tun_metadata0[0..31]->reg0[],delete_field:tun_metadata0"
    said = encode_instructions(parse_instructions(text).actions, OF10)
    mapped = decode_instructions(said, OF10, {0: 4})
    assert encode_instructions(mapped, OF10) == bytes.fromhex(
        "ffff0018 00002320 00060020 00000000 00015004 00010004"
        "ffff0018 00002320 00320001 50040000 00000000 00000000"
    )
    assert actions_text(mapped).startswith("move:NXM_NX_TUN_METADATA0[]->")


def test_actions_for_tests_are_known_where_they_are_allowed() -> None:
    said = encode_actions(parse_instructions("debug_recirc").actions, OF10)
    assert actions_text(decode_actions(said, OF10)) == "debug_recirc"
    with pytest.raises(OpenFlowError, match="OFPBAC_BAD_VENDOR_TYPE"):
        decode_actions(said, OF10, allows_debug=False)


def test_the_log_says_which_action_of_a_list_is_bad() -> None:
    with pytest.raises(OpenFlowError) as caught:
        decode_actions(bytes.fromhex("0000 0008 0001 0000 0000 0008 ffff 0000"), OF10)
    shown = "00000000  00 00 00 08 00 01 00 00-00 00 00 08 ff ff 00 00"
    assert caught.value.warnings == [
        ("ofp_actions", f"bad action at offset 8 (OFPBAC_BAD_OUT_PORT):\n{shown}")
    ]


def test_lists_within_lists_do_not_fill_the_log() -> None:
    said = b""
    for _ in range(1000):
        n_bytes = (16 + len(said)).to_bytes(2, "big")
        said = b"\xff\xff" + n_bytes + bytes.fromhex("00002320002a000000000000") + said
    with pytest.raises(OpenFlowError, match="OFPBAC_TOO_MANY") as caught:
        decode_actions(said, OF10)
    assert len(caught.value.warnings) == 5


def test_long_lists_are_not_kept() -> None:
    said = bytes.fromhex("0000000800010000") * 8000
    received = decode_actions(said, OF10)
    assert decode_actions(said, OF10) is not received
    assert encode_actions(received, OF10) is not encode_actions(received, OF10)
    assert decode_actions(said[:8], OF10) is decode_actions(said[:8], OF10)
