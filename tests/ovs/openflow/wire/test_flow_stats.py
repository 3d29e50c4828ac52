"""Statistics of flows, flows that are gone and flows that are watched, on the wire."""

from __future__ import annotations

import shutil
import subprocess
from contextlib import suppress
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.ovs.flow.match_sending import match_as_sent
from tests.ovs.openflow.wire.flow_kit import PROTOCOLS, matches, open_message
from vnet.ovs.flow.match import CATCHALL, Match
from vnet.ovs.flow.match_parse import parse_match
from vnet.ovs.flow.ports import OfpPort
from vnet.ovs.flow.protocols import P_OF10_ANY, P_OF10_NXM, P_OF10_STD_ANY, P_OF15_OXM
from vnet.ovs.openflow.errors import OpenFlowError
from vnet.ovs.openflow.messages import (
    UNKNOWN_COUNT,
    AggregateStats,
    FlowFlags,
    FlowMonitorCommand,
    FlowMonitorFlags,
    FlowMonitorRequest,
    FlowRemoved,
    FlowStats,
    FlowStatsRequest,
    FlowUpdate,
    FlowUpdateEvent,
    RemovedReason,
    removed_reason_text,
)
from vnet.ovs.openflow.ofpacts import TABLE_ALL, GotoTable, Meter, Output
from vnet.ovs.openflow.version import OpenFlowVersion, version_of
from vnet.ovs.openflow.wire import flow, kinds
from vnet.ovs.openflow.wire.kind import Kind
from vnet.ovs.openflow.wire.packing import pack_multipart

_OF10, _OF11, _OF12, _OF13, _OF14, _OF15 = OpenFlowVersion
_MATCH = parse_match("tcp,tp_dst=80,in_port=1")
_REPLIES = (
    (kinds.NXST_FLOW_REPLY, _OF10),
    *((kinds.OFPST_FLOW_REPLY, version) for version in OpenFlowVersion),
)
_STATS = FlowStats(
    table_id=3,
    priority=100,
    match=_MATCH,
    cookie=0x1234,
    duration_ns=5_000_000_007,
    idle_timeout_s=10,
    hard_timeout_s=20,
    n_packets=7,
    n_bytes=420,
    actions=(Output(OfpPort(2)),),
    flags=FlowFlags.SEND_FLOW_REM,
    importance=9,
    idle_age_s=3,
    hard_age_s=4,
)


@pytest.mark.parametrize(("kind", "version"), _REPLIES)
def test_statistics_say_what_the_version_can_say(kind: Kind, version: OpenFlowVersion) -> None:
    data = flow.encode_flow_stats(_STATS, kind, version)
    assert int.from_bytes(data[:2], "big") == len(data)
    is_nx = kind is kinds.NXST_FLOW_REPLY
    expected = _STATS._replace(
        flags=_STATS.flags if version >= _OF13 else FlowFlags.NONE,
        importance=_STATS.importance if version >= _OF14 else 0,
        idle_age_s=3 if is_nx or version is _OF15 else None,
        hard_age_s=4 if is_nx else None,
    )
    assert list(flow.decode_flow_stats(data * 2, kind, version)) == [expected, expected]


@pytest.mark.parametrize(("kind", "version"), _REPLIES)
@given(data=st.binary(max_size=160))
def test_any_bytes_are_statistics_or_an_error(
    kind: Kind, version: OpenFlowVersion, data: bytes
) -> None:
    framed = len(data).to_bytes(2, "big") + data[2:]
    for body in (data, framed):
        with suppress(OpenFlowError):
            list(flow.decode_flow_stats(body, kind, version))


def test_openflow_has_no_word_for_counts_that_are_unknown() -> None:
    unknown = _STATS._replace(n_packets=UNKNOWN_COUNT, n_bytes=UNKNOWN_COUNT)
    for kind, version in _REPLIES:
        (read,) = flow.decode_flow_stats(
            flow.encode_flow_stats(unknown, kind, version), kind, version
        )
        may_be_unknown = kind is kinds.NXST_FLOW_REPLY or version is _OF15
        assert read.n_packets == (UNKNOWN_COUNT if may_be_unknown else 0)


def test_no_part_has_room_for_the_longest_flows() -> None:
    actions = (Output(OfpPort(2)),) * 8188
    for kind, version in _REPLIES:
        assert flow.encode_flow_stats(_STATS._replace(actions=actions), kind, version) == b""
    update = FlowUpdate(FlowUpdateEvent.ADDED, match=_MATCH, actions=actions)
    for version in OpenFlowVersion:
        assert flow.encode_flow_update(update, version) == b""


@pytest.mark.ovs
@pytest.mark.skipif(shutil.which("ovs-ofctl") is None, reason="ovs-ofctl is not installed")
def test_open_vswitch_reads_the_statistics() -> None:
    for kind, version in _REPLIES:
        body = flow.encode_flow_stats(_STATS, kind, version)
        (message,) = pack_multipart(kind, version, 1, [body])
        said = subprocess.run(
            ["ovs-ofctl", "ofp-print", message.hex()], capture_output=True, text=True, check=True
        ).stdout.splitlines()
        for word in ("cookie=0x1234", "duration=5.000000007s", "tcp,in_port=1,tp_dst=80"):
            assert word in said[1], said


@pytest.mark.parametrize("version", list(OpenFlowVersion))
def test_counters_of_many_flows_are_read_as_written(version: OpenFlowVersion) -> None:
    stats = AggregateStats(5, 600, 7)
    body = flow.encode_aggregate(stats, kinds.OFPST_AGGREGATE_REPLY, version)
    assert flow.decode_aggregate(body, version) == stats


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("is_aggregate", [False, True])
def test_a_request_names_flows_as_far_as_its_version_can(protocol: int, is_aggregate: bool) -> None:
    asked = FlowStatsRequest(_MATCH, 5, 0x10, 0xF0, OfpPort(0xFFFD), 7)
    raw = flow.encode_flow_stats_request(asked, protocol, 1, is_aggregate=is_aggregate)
    kind, body, version = open_message(raw)
    expected = asked
    if protocol & P_OF10_ANY:
        expected = replace(expected, out_group=0xFFFFFFFF)
    if protocol & P_OF10_STD_ANY:
        expected = replace(expected, cookie=0, cookie_mask=0)
    assert flow.decode_flow_stats_request(body, kind, version) == expected
    assert ("AGGREGATE" in kind.name) is is_aggregate


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_removed_flow_is_told_with_its_reason_as_far_as_a_version_has_it(protocol: int) -> None:
    version = version_of(protocol)
    gone = FlowRemoved(
        _MATCH, 9, RemovedReason.METER_DELETE, 5, 3, 1_000_000_005, 10, 20, 300, 4000
    )
    kind, body, _ = open_message(flow.encode_flow_removed(gone, protocol))
    expected = gone if version >= _OF14 else replace(gone, reason=RemovedReason.DELETE)
    if protocol & P_OF10_ANY:
        expected = replace(expected, hard_timeout_s=0)
    if protocol & P_OF10_STD_ANY:
        expected = replace(expected, table_id=TABLE_ALL)
    assert flow.decode_flow_removed(body, kind, version) == expected


def test_reasons_of_removals_have_words_and_unknown_ones_their_number() -> None:
    words = [removed_reason_text(reason) for reason in range(7)]
    assert words == ["idle", "hard", "delete", "group_delete", "meter_delete", "eviction", "6"]


_WATCHED = FlowMonitorFlags.INITIAL | FlowMonitorFlags.ADD | FlowMonitorFlags.ONLY_OWN


@pytest.mark.parametrize("version", list(OpenFlowVersion))
@given(match=matches())
def test_what_is_to_be_watched_arrives_but_for_what_a_match_cannot_say(
    version: OpenFlowVersion, match: Match
) -> None:
    asked = FlowMonitorRequest(7, FlowMonitorCommand.ADD, _WATCHED, match, 5, OfpPort(3))
    kind, body, _ = open_message(flow.encode_flow_monitor_request(asked, version, 1))
    try:
        (read,) = flow.decode_flow_monitor_requests(body, kind, version)
    except OpenFlowError:
        with pytest.raises(OpenFlowError):
            match_as_sent(match, P_OF10_NXM if version < _OF13 else P_OF15_OXM)
        return
    assert replace(read, match=match) == asked
    (again,) = flow.decode_flow_monitor_requests(
        open_message(flow.encode_flow_monitor_request(read, version, 1))[1], kind, version
    )
    assert again == read


@pytest.mark.parametrize("version", list(OpenFlowVersion))
def test_a_monitor_is_cancelled_in_every_version_but_as_open_vswitch_reads_it(
    version: OpenFlowVersion,
) -> None:
    kind, body, _ = open_message(flow.encode_flow_monitor_cancel(7, version, 1))
    if version <= _OF13:
        assert flow.decode_flow_monitor_cancel(body) == 7
        return
    with pytest.raises(OpenFlowError, match="OFPBMC_BAD_LEN"):  # as with Open vSwitch
        list(flow.decode_flow_monitor_requests(body, kind, version))
    (request,) = flow.decode_flow_monitor_requests(body + b"\0\1\0\4\0\0\0\0", kind, version)
    assert request == FlowMonitorRequest(7, FlowMonitorCommand.DELETE)


@pytest.mark.parametrize(
    ("bits", "zeros", "error"),
    [
        (1, 0, "OFPMOFC_BAD_FLAGS"),
        (0x82, 0, "OFPMOFC_BAD_FLAGS"),
        (2, 1, "NXBRC_MUST_BE_ZERO"),
    ],
)
def test_requests_to_watch_that_make_no_sense_are_refused(
    bits: int, zeros: int, error: str
) -> None:
    body = bytes(4) + bits.to_bytes(2, "big") + b"\xff\xff\0\0\xff" + bytes([zeros, 0, 0, 0, 0])
    with pytest.raises(OpenFlowError, match=error):
        list(flow.decode_flow_monitor_requests(body, kinds.NXST_FLOW_MONITOR_REQUEST, _OF10))


def test_openflow14_knows_no_request_for_whole_updates() -> None:
    asked = FlowMonitorRequest(1, flags=FlowMonitorFlags.ADD | FlowMonitorFlags.NO_ABBREV)
    kind, body, _ = open_message(flow.encode_flow_monitor_request(asked, _OF14, 1))
    with pytest.raises(OpenFlowError, match="OFPMOFC_BAD_FLAGS"):
        list(flow.decode_flow_monitor_requests(body, kind, _OF14))


@pytest.mark.parametrize("version", list(OpenFlowVersion))
def test_updates_of_watched_flows_are_read_as_written(version: OpenFlowVersion) -> None:
    kind = flow.update_kind(version)
    full = FlowUpdate(
        FlowUpdateEvent.ADDED, 0, 0, 3, 9, 10, 20, 0x55, _MATCH, (Output(OfpPort(2)),)
    )
    gone = replace(full, event=FlowUpdateEvent.REMOVED, reason=RemovedReason.HARD_TIMEOUT)
    own = FlowUpdate(FlowUpdateEvent.ABBREV, xid=0x1234)
    body = b"".join(flow.encode_flow_update(update, version) for update in (full, gone, own))
    assert list(flow.decode_flow_updates(body, kind, version)) == [full, gone, own]
    initial = replace(full, event=FlowUpdateEvent.INITIAL)
    (read,) = flow.decode_flow_updates(flow.encode_flow_update(initial, version), kind, version)
    assert read == (initial if version >= _OF14 else full)


@pytest.mark.parametrize(
    ("version", "listed"),
    [
        (_OF10, "ffff001000002320000efff808000000"),
        (_OF11, "0001000808000000"),
        (_OF12, "0001000808000000"),
        (_OF13, "0001000808000000"),
    ],
)
def test_instructions_stand_among_the_actions_of_updates(
    version: OpenFlowVersion, listed: str
) -> None:
    update = FlowUpdate(FlowUpdateEvent.ADDED, actions=(Meter(1), GotoTable(8)))
    if version is _OF13:
        listed = "0006000800000001" + listed
    entry = flow.encode_flow_update(update, version)
    assert entry.hex().endswith(listed)
    assert len(entry) == 24 + (8 if version is _OF13 else 0) + len(listed) // 2


@pytest.mark.parametrize("version", list(OpenFlowVersion))
def test_pause_and_resumption_are_updates_from_14_and_messages_before(
    version: OpenFlowVersion,
) -> None:
    for event in (FlowUpdateEvent.PAUSED, FlowUpdateEvent.RESUMED):
        kind, body, _ = open_message(flow.encode_flow_monitor_pause(event, version))
        if version >= _OF14:
            assert list(flow.decode_flow_updates(body, kind, version)) == [FlowUpdate(event)]
        else:
            assert kind.name.endswith(event.name)


@pytest.mark.parametrize("version", list(OpenFlowVersion))
@given(data=st.binary(max_size=120), event=st.integers(0, 8))
def test_any_bytes_are_updates_or_an_error(
    version: OpenFlowVersion, data: bytes, event: int
) -> None:
    kind = flow.update_kind(version)
    n_bytes = (len(data) + 4) // 8 * 8
    framed = n_bytes.to_bytes(2, "big") + event.to_bytes(2, "big") + data
    for body in (data, framed[:n_bytes]):
        with suppress(OpenFlowError):
            list(flow.decode_flow_updates(body, kind, version))


def test_an_unknown_event_is_told() -> None:
    with pytest.raises(OpenFlowError, match="NXBRC_FM_BAD_EVENT"):
        list(
            flow.decode_flow_updates(
                b"\0\x08\0\x09" + bytes(4), kinds.NXST_FLOW_MONITOR_REPLY, _OF10
            )
        )


@pytest.mark.parametrize("protocol", PROTOCOLS)
@given(data=st.binary(max_size=100))
def test_any_bytes_ask_for_flows_or_are_an_error(protocol: int, data: bytes) -> None:
    raw = flow.encode_flow_stats_request(FlowStatsRequest(CATCHALL), protocol, 1)
    kind, body, version = open_message(raw)
    with suppress(OpenFlowError):
        flow.decode_flow_stats_request(data.ljust(len(body), b"\0"), kind, version)
