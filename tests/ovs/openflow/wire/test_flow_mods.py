"""Changes of flows on the wire: what a switch receives is what the text says that it receives."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.ovs.openflow.wire.flow_kit import (
    PROTOCOLS,
    open_message,
    read_flows,
    received_flow_mod,
)
from vnet.ovs.flow.match_parse import parse_match
from vnet.ovs.flow.protocols import (
    P_OF10_STD,
    P_OF10_STD_TID,
    P_OF11_STD,
    P_OF12_OXM,
    P_OF13_OXM,
    P_OF14_OXM,
    P_TID,
)
from vnet.ovs.openflow.errors import OpenFlowError
from vnet.ovs.openflow.messages import FlowFlags, FlowMod, FlowModCommand
from vnet.ovs.openflow.ofpacts import TABLE_ALL
from vnet.ovs.openflow.text.flow_print import flow_message_text
from vnet.ovs.openflow.version import OpenFlowVersion
from vnet.ovs.openflow.wire.flow import decode_flow_mod, encode_flow_mod
from vnet.ovs.openflow.wire.kinds import NXT_FLOW_MOD, OFPT_FLOW_MOD

_OF10, _OF11, _, _OF13, _OF14, _OF15 = OpenFlowVersion
_MODIFY, _DELETE = FlowModCommand.MODIFY, FlowModCommand.DELETE


def _sendable() -> Iterator[tuple[FlowMod, int]]:
    for mod, usable in read_flows():
        for protocol in PROTOCOLS:
            if usable & protocol:
                yield mod, protocol


_WHOLE = FlowMod(
    FlowModCommand.ADD,
    priority=5,
    table_id=3,
    new_cookie=7,
    idle_timeout_s=10,
    hard_timeout_s=20,
    importance=9,
    flags=FlowFlags.SEND_FLOW_REM | FlowFlags.RESET_COUNTS | FlowFlags.NO_PKT_COUNTS,
)


def test_a_version_says_what_it_has_words_for() -> None:
    removal, reset, uncounted = (
        FlowFlags.SEND_FLOW_REM,
        FlowFlags.RESET_COUNTS,
        FlowFlags.NO_PKT_COUNTS,
    )
    said = {
        P_OF10_STD: (TABLE_ALL, 0, removal | reset),
        P_OF10_STD_TID: (3, 0, removal | reset),
        P_OF11_STD: (3, 0, removal | reset),
        P_OF12_OXM: (3, 0, removal | reset),
        P_OF13_OXM: (3, 0, removal | reset | uncounted),
        P_OF14_OXM: (3, 9, removal | reset | uncounted),
    }
    for protocol, (table_id, importance, flags) in said.items():
        received = received_flow_mod(encode_flow_mod(_WHOLE, protocol, 1), protocol)
        assert received == replace(_WHOLE, table_id=table_id, importance=importance, flags=flags)


def test_whether_counters_start_anew_is_said_since_openflow12() -> None:
    mod = replace(_WHOLE, flags=FlowFlags.NONE)
    for protocol in (P_OF11_STD, P_OF12_OXM):
        received = received_flow_mod(encode_flow_mod(mod, protocol, 1), protocol)
        resets = FlowFlags.RESET_COUNTS in received.flags
        assert resets is (protocol == P_OF11_STD)


@pytest.mark.parametrize(
    ("mod", "protocol", "cookies"),
    [
        (FlowMod(_MODIFY, new_cookie=7), P_OF10_STD, (0, 0, 7, False)),
        (FlowMod(_MODIFY), P_OF10_STD, (0, 0, None, False)),
        (FlowMod(_MODIFY, new_cookie=7), P_OF11_STD, (0, 0, 7, True)),
        (FlowMod(_MODIFY), P_OF11_STD, (0, 0, None, False)),
        (FlowMod(_MODIFY, new_cookie=7), P_OF13_OXM, (0, 0, None, False)),
        (FlowMod(_DELETE, cookie=7, cookie_mask=3), P_OF13_OXM, (3, 3, None, False)),
        (FlowMod(_DELETE, cookie=7, cookie_mask=3), P_OF10_STD, (0, 0, None, False)),
    ],
)
def test_which_cookie_is_given_or_looked_for(
    mod: FlowMod, protocol: int, cookies: tuple[int, int, int | None, bool]
) -> None:
    got = received_flow_mod(encode_flow_mod(mod, protocol, 1), protocol)
    assert (got.cookie, got.cookie_mask, got.new_cookie, got.keeps_cookies) == cookies


def test_all_tables_can_be_meant_by_deletions_only() -> None:
    for command, protocol, table_id in (
        (_DELETE, P_OF13_OXM, TABLE_ALL),
        (_DELETE, P_OF11_STD, 0),
        (_MODIFY, P_OF13_OXM, 0),
    ):
        message = encode_flow_mod(FlowMod(command), protocol, 1)
        assert received_flow_mod(message, protocol).table_id == table_id


def test_openflow10_gives_a_match_without_wildcards_the_highest_priority() -> None:
    match = parse_match(
        "in_port=1,dl_src=1:2:3:4:5:6,dl_dst=1:2:3:4:5:6,dl_vlan=5,dl_vlan_pcp=1,tcp,"
        "nw_src=1.2.3.4,nw_dst=1.2.3.5,nw_tos=4,tp_src=1,tp_dst=2"
    )
    for protocol, priority in ((P_OF10_STD, 0xFFFF), (P_OF13_OXM, 5)):
        message = encode_flow_mod(replace(_WHOLE, match=match), protocol, 1)
        assert received_flow_mod(message, protocol).priority == priority


def test_what_was_read_is_written_alike() -> None:
    for mod, protocol in _sendable():
        message = encode_flow_mod(
            received_flow_mod(encode_flow_mod(mod, protocol, 1), protocol), protocol, 1
        )
        again = received_flow_mod(message, protocol)
        assert encode_flow_mod(again, protocol, 1) == message


def _damaged(rng: Random) -> Iterator[tuple[bytes, int]]:
    """Messages in which a byte behind the headers is another one, with their protocols."""
    for mod, protocol in _sendable():
        for _ in range(8 if protocol & P_TID else 0):
            message = bytearray(encode_flow_mod(mod, protocol, 0))
            start = 16 if open_message(bytes(message))[0] is NXT_FLOW_MOD else 8
            message[rng.randrange(start, len(message))] ^= 1 << rng.randrange(8)
            yield bytes(message), protocol


def _shown(message: bytes, protocol: int) -> str:
    """A change as ``ovs-ofctl`` prints it, or the error."""
    try:
        mod = received_flow_mod(message, protocol)
    except OpenFlowError as error:
        return f"***decode error: {error.name}***"
    return flow_message_text(mod, protocol)


_PRINTED = re.compile(r"^(?:OFPT|NXT)_FLOW_MOD .*?\(xid=0x(\w+)\): +(.*)$", re.MULTILINE)
_BUFFER = re.compile(r"buf:0x\w+ ")


@pytest.mark.ovs
@pytest.mark.skipif(shutil.which("ovs-ofctl") is None, reason="ovs-ofctl is not installed")
def test_open_vswitch_reads_and_refuses_the_same(tmp_path: Path) -> None:
    whole = [(encode_flow_mod(mod, protocol, 0), protocol) for mod, protocol in _sendable()]
    sent = [*whole, *_damaged(Random(1))]
    file = tmp_path / "messages"
    file.write_bytes(
        b"".join(m[:4] + n.to_bytes(4, "big") + m[8:] for n, (m, _) in enumerate(sent))
    )
    said = subprocess.run(
        ["ovs-ofctl", "ofp-parse", file], capture_output=True, text=True, check=True
    )
    shown = {
        int(number, 16): _BUFFER.sub("", text.strip())
        for number, text in _PRINTED.findall(said.stdout)
    }
    assert shown == {number: _shown(*each) for number, each in enumerate(sent)}


@given(st.binary(max_size=120), st.sampled_from(PROTOCOLS))
def test_any_bytes_are_a_change_or_an_error(data: bytes, protocol: int) -> None:
    for kind, version, least_bytes in (
        (OFPT_FLOW_MOD, _OF10, 64),
        (NXT_FLOW_MOD, _OF10, 32),
        *((OFPT_FLOW_MOD, version, 40) for version in OpenFlowVersion if version > _OF10),
    ):
        body = data.ljust(least_bytes, b"\0")
        with suppress(OpenFlowError):
            decode_flow_mod(body[: len(body) // 8 * 8], kind, version, protocol)


def _body(mod: FlowMod, protocol: int) -> bytearray:
    return bytearray(open_message(encode_flow_mod(mod, protocol, 1))[1])


def _refused(body: bytearray, version: OpenFlowVersion, protocol: int = P_OF13_OXM) -> str:
    with pytest.raises(OpenFlowError) as refused:
        decode_flow_mod(bytes(body), OFPT_FLOW_MOD, version, protocol)
    return refused.value.name


_ADD = FlowMod(FlowModCommand.ADD, table_id=0)


@pytest.mark.parametrize(
    ("offset", "value", "error"),
    [
        (16, b"\xff", "OFPFMFC_BAD_TABLE_ID"),
        (17, b"\x05", "OFPFMFC_BAD_COMMAND"),
        (28, b"\x00\x01\x00\x00", "OFPBAC_BAD_OUT_PORT"),
        (36, b"\x01\x00", "OFPFMFC_BAD_FLAGS"),
        (40, b"\x00\x02", "OFPBMC_BAD_TYPE"),
    ],
)
def test_one_wrong_member_is_refused_with_its_error(offset: int, value: bytes, error: str) -> None:
    body = _body(_ADD, P_OF13_OXM)
    body[offset : offset + len(value)] = value
    assert _refused(body, _OF13) == error


def test_of_several_faults_the_first_is_told() -> None:
    body = _body(_ADD, P_OF13_OXM)
    body[16:18], body[36:38] = b"\xff\x05", b"\x01\x00"
    assert _refused(body, _OF13) == "OFPFMFC_BAD_TABLE_ID"
    body[16] = 0
    assert _refused(body, _OF13) == "OFPFMFC_BAD_COMMAND"
    body[40:42] = b"\x00\x02"
    assert _refused(body, _OF13) == "OFPBMC_BAD_TYPE"


def test_emergency_flows_are_not_kept() -> None:
    body = _body(_ADD, P_OF10_STD)
    body[63] = 4
    assert _refused(body, _OF10, P_OF10_STD) == "OFPFMFC_TABLE_FULL"
    body[51] = 1
    assert _refused(body, _OF10, P_OF10_STD) == "OFPFMFC_BAD_EMERG_TIMEOUT"


def test_only_openflow10_with_its_extension_names_tables() -> None:
    mod = FlowMod(FlowModCommand.DELETE, table_id=7)
    message = encode_flow_mod(mod, P_OF10_STD_TID, 1)
    assert received_flow_mod(message, P_OF10_STD_TID).table_id == 7
    kind, body, version = open_message(message)
    warnings: list[str] = []
    with pytest.raises(OpenFlowError, match="OFPFMFC_BAD_COMMAND"):
        decode_flow_mod(body, kind, version, P_OF10_STD, warn=warnings.append)
    assert warnings == [
        "flow_mod has explicit table_id but flow_mod_table_id extension is not enabled"
    ]


def test_an_addition_looks_for_no_cookie() -> None:
    mod = FlowMod(FlowModCommand.MODIFY, cookie=5, cookie_mask=7)
    kind, body, version = open_message(encode_flow_mod(mod, 1 << 2, 1))
    assert kind is NXT_FLOW_MOD
    with pytest.raises(OpenFlowError, match="NXBRC_NXM_INVALID"):
        decode_flow_mod(body[:9] + b"\0" + body[10:], kind, version, P_TID)
