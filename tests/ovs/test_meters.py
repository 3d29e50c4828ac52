"""Meters of a whole switch: bands that remark, which Open vSwitch lacks, and the special meters."""

from __future__ import annotations

import pytest

from benchmarks.dummy_switch import BRIDGE
from tests.ovs.command_switch import Switch
from tests.ovs.whole_switch import flow_lines, frame_of, outputs, switch_with
from vnet.ovs.datapath.remark import remarked
from vnet.ovs.dpif.text.flows import dump_line
from vnet.ovs.flow.extract import extract
from vnet.ovs.flow.flow import Flow
from vnet.ovs.ofproto.dump.meters import dump_meter_features, dump_meter_stats, dump_meters
from vnet.ovs.openflow.errors import OpenFlowError
from vnet.wire.checksum import checksum

FULL = "other-config:openflow-full=true"
REMARK = "meter=1,pktps,burst,stats,bands=type=dscp_remark,rate=1,burst_size=1,prec_level=1"
AF11, AF12, AF13, AF42, AF43, EF = 10, 12, 14, 36, 38, 46


def metered(*flows: str, meter: str = REMARK) -> Switch:
    """A switch of which the meter is a part, with flows that send to it."""
    switch = switch_with(options=[FULL])
    switch.ofctl(["add-meter", BRIDGE, meter])
    switch.ofctl(["-OOpenFlow15", "add-flows", BRIDGE, "-"], flows)
    return switch


def packet(dscp: int, kind: str = "udp") -> bytes:
    return frame_of(f"{kind},nw_tos={dscp << 2},nw_ecn=1")


def dscps(switch: Switch, *frames: bytes) -> list[int]:
    """The DSCPs of what leaves by ``p2``, all with the ECN bits that they came with."""
    for frame in frames:
        switch.inject("p1", frame)
    tos = [Flow.nw_tos.of(extract(frame)) for name, frame in switch.take_sent() if name == "p2"]
    assert {one & 3 for one in tos} <= {1}
    return [one >> 2 for one in tos]


@pytest.mark.parametrize(("dscp", "levels", "expected"), [
    (AF11, 1, AF12), (AF11, 2, AF13), (AF12, 1, AF13), (AF13, 1, AF13), (AF11, 255, AF13),
    (AF42, 1, AF43), (EF, 1, EF), (0, 1, 0), (8, 1, 8), (40, 3, 40), (63, 1, 63),
])  # fmt: skip
def test_drop_precedence_rises_within_its_class(dscp: int, levels: int, expected: int) -> None:
    assert remarked(dscp, levels) == expected


@pytest.mark.parametrize("kind", ["udp", "udp6", "udp,dl_vlan=5", "ip,nw_frag=later"])
def test_what_is_over_the_rate_is_remarked_and_passes(kind: str) -> None:
    switch = metered("actions=meter:1,output:2")
    assert dscps(switch, *[packet(AF11, kind)] * 3) == [AF11, AF12, AF12]


def test_the_checksum_of_a_remarked_packet_is_right() -> None:
    switch = metered("actions=meter:1,output:2")
    for _ in range(2):
        switch.inject("p1", packet(AF42))
    (_, frame) = switch.take_sent()[-1]
    assert checksum(frame[14:34]) == 0


def test_what_is_not_ip_is_counted_and_stays_as_it_is() -> None:
    switch = metered("actions=meter:1,output:2")
    frame = frame_of("arp")
    for _ in range(2):
        assert outputs(switch, "p1", frame) == ["p2"]
    assert list(dump_meter_stats(switch.bridge()))[1] == "0: packet_count:1 byte_count:42"


def test_later_tables_see_the_new_dscp() -> None:
    switch = metered(
        "table=0,actions=meter:1,goto_table:1",
        f"table=1,ip,nw_tos={AF11 << 2},actions=output:2",
        f"table=1,ip,nw_tos={AF12 << 2},actions=output:3",
    )
    assert [outputs(switch, "p1", packet(AF11)) for _ in range(2)] == [["p2"], ["p3"]]


def test_a_field_that_was_set_before_is_what_gets_remarked() -> None:
    switch = metered(
        f"table=0,ip,actions=mod_nw_tos:{AF42 << 2},goto_table:1",
        "table=1,ip,actions=meter:1,mod_nw_ttl:9,output:2",
    )
    assert dscps(switch, *[packet(0)] * 2) == [AF42, AF43]


def test_a_meter_that_comes_last_ends_the_packet() -> None:
    switch = metered("table=0,priority=1,actions=output:2", "priority=9,udp,actions=meter:1")
    assert outputs(switch, "p1", packet(AF11)) == []


def test_a_clone_keeps_what_is_remarked_in_it_to_itself() -> None:
    switch = metered(
        "table=0,actions=clone(resubmit(,1)),output:2", "table=1,actions=meter:1,output:3"
    )
    for _ in range(2):
        switch.inject("p1", packet(AF11))
    sent = [(name, Flow.nw_tos.of(extract(frame)) >> 2) for name, frame in switch.take_sent()]
    assert sorted(sent) == [("p2", AF11), ("p2", AF11), ("p3", AF11), ("p3", AF12)]


def test_the_fastest_exceeded_band_decides_between_remarking_and_dropping() -> None:
    bands = "type=dscp_remark,rate=1,burst_size=1,prec_level=2,type=drop,rate=3,burst_size=3"
    switch = metered("actions=meter:1,output:2", meter=f"meter=1,pktps,burst,bands={bands}")
    assert dscps(switch, *[packet(AF11)] * 6) == [AF11, AF13, AF13]


def test_a_meter_is_read_back_as_it_was_written() -> None:
    switch = metered()
    assert list(dump_meters(switch.bridge())) == [
        "meter=1 pktps burst stats bands=\ntype=dscp_remark rate=1 burst_size=1 prec_level=1"
    ]
    assert list(dump_meter_features(switch.bridge()))[1] == "band_types: drop dscp_remark"


def test_without_the_setting_only_drop_bands_are_taken() -> None:
    switch = switch_with()
    with pytest.raises(OpenFlowError, match="OFPMMFC_BAD_BAND"):
        switch.ofctl(["add-meter", BRIDGE, REMARK])
    assert list(dump_meter_features(switch.bridge()))[1] == "band_types: drop"


def test_a_mended_meter_lets_what_was_remarked_pass_untouched() -> None:
    switch = metered("actions=meter:1,output:2")
    assert dscps(switch, *[packet(AF11)] * 2) == [AF11, AF12]
    switch.ofctl(["mod-meter", BRIDGE, "meter=1,pktps,bands=type=drop,rate=100"])
    assert dscps(switch, *[packet(AF11)] * 2) == [AF11, AF11]


# -- the meters of the switch itself


def test_what_comes_up_on_the_slow_path_goes_through_its_meter() -> None:
    switch = metered(
        "icmp,actions=set_field:8->icmp_type,output:2",
        meter="meter=slowpath,pktps,bands=type=drop,rate=1",
    )
    sent = [outputs(switch, "p1", frame_of("icmp")) for _ in range(3)]
    assert sent == [["p2"], ["p2"], []], "the first one came up for want of a flow"
    (flow,) = switch.datapath.flows()
    assert "sample(sample=100.0%,actions(meter(0),userspace(pid=0,slow_path(action))))" in (
        dump_line(flow, switch.scheduler.now_ns)
    )


def test_flows_that_wait_for_a_meter_go_with_it() -> None:
    switch = metered("ip,actions=meter:1,output:2", "arp,actions=output:3")
    switch.ofctl(["del-meter", BRIDGE, "meter=1"])
    assert [line.split()[-1] for line in flow_lines(switch)] == ["actions=output:3"]
