"""What a bridge with ``openflow-full`` does with packets and Open vSwitch cannot, and that other
bridges do not do it.

Each frame comes three times: what a megaflow does must be what the decision was.
"""

from __future__ import annotations

import shutil
import subprocess
from io import BytesIO
from pathlib import Path
from random import Random

import pytest

from benchmarks.dummy_switch import BRIDGE
from tests.ovs.command_switch import Switch
from tests.ovs.flow.frames import FRAMES, ethernet, ipv4, ipv6, label, mutated, tag
from tests.ovs.whole_switch import frame_of, switch_with
from vnet.ovs.dpif.text.flows import dump_line
from vnet.ovs.dpif.text.parse_actions import parse_actions
from vnet.ovs.flow.errors import OvsTextError
from vnet.ovs.ofproto.group_facts import group_features
from vnet.ovs.ofproto.table_facts import table_features
from vnet.ovs.openflow.errors import OpenFlowError
from vnet.ovs.openflow.version import OpenFlowVersion
from vnet.ovs.openflow.wire.group.stats import encode_group_features
from vnet.ovs.openflow.wire.table.features import encode_table_features
from vnet.wire.checksum import checksum, pseudo_header_sum
from vnet.wire.pcap import PcapWriter

FULL = "other-config:openflow-full=true"
UDP = frame_of("udp,dl_src=2:0:0:0:0:1,dl_dst=2:0:0:0:0:2,nw_src=10.0.0.1,nw_dst=10.0.0.2,nw_ttl=9")
TCP6 = frame_of("tcp6,dl_src=2:0:0:0:0:1,dl_dst=2:0:0:0:0:2,nw_ttl=9")
TAG_100 = tag(100, 3)
ITAG = b"\x88\xe7\x00\x00\x00\x64"
PBB = UDP[:12] + ITAG + UDP


def sent(switch: Switch, frame: bytes) -> bytes:
    """What leaves by ``p2``, the same each time."""
    leaving = []
    for _ in range(3):
        switch.inject("p1", frame)
        ((name, data),) = switch.take_sent()
        assert name == "p2"
        leaving.append(data)
    assert len(set(leaving)) == 1
    return leaving[0]


def full(*flows: str) -> Switch:
    switch = switch_with(options=[FULL])
    switch.ofctl(["-OOpenFlow15", "add-flows", BRIDGE, "-"], flows)
    return switch


def labels(*entries: int) -> bytes:
    return b"".join(entry.to_bytes(4, "big") for entry in entries)


def mpls(stack: bytes, payload: bytes) -> bytes:
    return ethernet(0x8847, stack + payload)


# -- backbone headers


def test_a_backbone_header_goes_around_the_whole_frame() -> None:
    switch = full("actions=push_pbb:0x88e7,set_field:0x123456->pbb_isid,output:2")
    assert sent(switch, UDP) == UDP[:12] + b"\x88\xe7\x00\x12\x34\x56" + UDP
    tagged = UDP[:12] + TAG_100 + UDP[12:]
    assert sent(switch, tagged) == UDP[:12] + b"\x88\xe7\x60\x12\x34\x56" + tagged


def test_what_a_packet_has_already_is_copied_into_headers_that_are_pushed() -> None:
    switch = full("actions=push_pbb:0x88e7,output:2")
    assert sent(switch, PBB) == UDP[:12] + ITAG + PBB
    switch = full("actions=push_vlan:0x88a8,output:2")
    tagged = UDP[:12] + TAG_100 + UDP[12:]
    assert sent(switch, tagged) == UDP[:12] + tag(100, 3, 0x88A8) + tagged[12:]
    assert sent(switch, UDP) == UDP[:12] + tag(0, 0, 0x88A8) + UDP[12:]
    switch = full("actions=push_mpls:0x8847,output:2")
    arp = ethernet(0x0806, bytes(46))
    assert sent(switch, TCP6) == TCP6[:12] + b"\x88\x47\x00\x00\x01\x09" + TCP6[14:]
    assert sent(switch, arp) == arp[:12] + b"\x88\x47\x00\x00\x01\x00" + arp[14:]


def test_the_backbone_addresses_are_written_and_not_those_inside() -> None:
    switch = full(
        "actions=set_field:2:0:0:0:0:7->eth_dst,push_pbb:0x88e7,set_field:2:0:0:0:0:8->eth_dst,"
        "push_vlan:0x88a8,set_field:4101->vlan_vid,output:2"
    )
    inside = bytes.fromhex("020000000007") + UDP[6:]
    outer = bytes.fromhex("020000000008") + UDP[6:12] + tag(5, tpid=0x88A8)
    assert sent(switch, UDP) == outer + b"\x88\xe7\0\0\0\0" + inside


@pytest.mark.parametrize("outer", [b"", tag(10, tpid=0x88A8)])
def test_the_frame_inside_comes_to_light(outer: bytes) -> None:
    switch = full(
        "dl_type=0x88e7,pbb_isid=100,actions=pop_pbb,goto_table:1",
        "table=1,dl_vlan=100,udp,actions=set_field:10.0.0.9->ip_dst,output:2",
    )
    inside = UDP[:12] + TAG_100 + UDP[12:]
    leaving = sent(switch, UDP[:12] + outer + ITAG + inside)
    assert leaving[:34] == inside[:34][:28] + leaving[28:30] + inside[30:34]
    assert leaving[34:38] == bytes((10, 0, 0, 9))
    switch.inject("p1", UDP[:12] + b"\x88\xe7\x00\x00\x00\x65" + inside)
    assert not switch.take_sent()


def test_too_short_a_frame_inside_is_lost() -> None:
    switch = full("dl_type=0x88e7,actions=pop_pbb,output:2")
    switch.inject("p1", UDP[:12] + ITAG + b"\x02")
    assert switch.take_sent() == [("p2", b"\x02" + bytes(59))]


def test_megaflows_tell_what_was_matched_and_done() -> None:
    switch = full("dl_type=0x88e7,pbb_isid=0x60/0xf0,actions=set_field:5->pbb_isid,output:2")
    sent(switch, PBB)
    (flow,) = switch.datapath.flows()
    line = dump_line(flow, 0)
    assert "eth_type(0x88e7),pbb(isid=" in line
    assert "actions:set(pbb(isid=5" in line
    assert parse_actions(line.split("actions:")[1]) == flow.actions


# -- TTLs


def ttl_of(frame: bytes, at: int) -> int:
    return frame[at]


def ipv4_with(ttl: int, protocol: int = 17, payload: bytes = b"") -> bytes:
    packet = bytearray(ipv4(protocol, payload))
    packet[8] = ttl
    packet[10:12] = b"\0\0"
    packet[10:12] = checksum(bytes(packet[:20])).to_bytes(2, "big")
    return bytes(packet)


def test_ttls_are_copied_between_a_label_and_ip() -> None:
    packet = ipv4_with(32)
    frame = mpls(labels(100 << 12 | 0x100 | 64), packet)
    outwards = sent(full("mpls,actions=copy_ttl_out,output:2"), frame)
    assert outwards == mpls(labels(100 << 12 | 0x100 | 32), packet)
    inwards = sent(full("mpls,actions=copy_ttl_in,output:2"), frame)
    assert inwards == mpls(labels(100 << 12 | 0x100 | 64), ipv4_with(64))
    six = ipv6(59, bytes(20))
    inwards = sent(full("mpls,actions=copy_ttl_in,output:2"), mpls(labels(0x1FF), six))
    assert inwards == mpls(labels(0x1FF), six[:7] + b"\xff" + six[8:])


def test_a_copied_ttl_is_each_packets_own() -> None:
    """A megaflow knows nothing of the TTL behind the label."""
    switch = full("mpls,actions=copy_ttl_out,dec_mpls_ttl,output:2")
    for ttl in (32, 7, 200):
        frame = mpls(labels(100 << 12 | 0x100 | 64), ipv4_with(ttl))
        assert sent(switch, frame)[17] == ttl - 1


def test_ttls_are_copied_between_labels() -> None:
    frame = mpls(labels(1 << 12 | 64, 2 << 12 | 0x100 | 32), ipv4_with(9))
    outwards = sent(full("mpls,actions=copy_ttl_out,output:2"), frame)
    assert outwards == mpls(labels(1 << 12 | 32, 2 << 12 | 0x100 | 32), ipv4_with(9))
    inwards = sent(full("mpls,actions=copy_ttl_in,output:2"), frame)
    assert inwards == mpls(labels(1 << 12 | 64, 2 << 12 | 0x100 | 64), ipv4_with(9))
    popped = sent(full("mpls,actions=copy_ttl_in,pop_mpls:0x8847,dec_mpls_ttl,output:2"), frame)
    assert popped[:18] == mpls(labels(2 << 12 | 0x100 | 63), b"")


def test_ttls_are_copied_between_ip_and_the_ip_within() -> None:
    frame = ethernet(0x0800, ipv4_with(64, 4, ipv4_with(32)))
    outwards = sent(full("ip,actions=copy_ttl_out,output:2"), frame)
    assert outwards == ethernet(0x0800, ipv4_with(32, 4, ipv4_with(32)))
    inwards = sent(full("ip,actions=copy_ttl_in,output:2"), frame)
    assert inwards == ethernet(0x0800, ipv4_with(64, 4, ipv4_with(64)))
    assert sent(full("ip,actions=copy_ttl_in,output:2"), UDP) == UDP


# -- fields that say what follows


def test_another_type_makes_another_packet_of_it() -> None:
    switch = full(
        "ip,actions=set_field:0x8847->eth_type,goto_table:1",
        "table=1,mpls,actions=set_mpls_label:7,output:2",
    )
    leaving = sent(switch, UDP)
    assert leaving[12:14] == b"\x88\x47"
    assert int.from_bytes(leaving[14:17], "big") >> 4 == 7
    assert leaving[18:] == UDP[18:]


@pytest.mark.parametrize("frame", [UDP, TCP6])
def test_another_protocol_goes_into_the_checksums(frame: bytes) -> None:
    is_ipv4 = frame[12:14] == b"\x08\x00"
    before = 17 if is_ipv4 else 6
    kind = "ip" if is_ipv4 else "ipv6"
    leaving = sent(full(f"{kind},actions=set_field:132->nw_proto,output:2"), frame)
    at = 23 if is_ipv4 else 20
    assert (frame[at], leaving[at]) == (before, 132)
    if is_ipv4:
        assert checksum(leaving[14:34]) == 0
        addresses, payload = leaving[26:34], leaving[34:]
    else:
        addresses, payload = leaving[22:54], leaving[54:]
    half = len(addresses) // 2
    start = pseudo_header_sum(addresses[:half], addresses[half:], 132, len(payload))
    assert checksum(payload, start) == 0


def test_the_last_of_ipv6s_next_headers_is_written() -> None:
    packet = ipv6(0, bytes((60, 0, 0, 0, 0, 0, 0, 0)) + bytes((59, 0, 0, 0, 0, 0, 0, 0)))
    frame = ethernet(0x86DD, packet)
    leaving = sent(full("ipv6,ipv6_exthdr=0x49,actions=set_field:17->nw_proto,output:2"), frame)
    assert leaving == frame[:62] + b"\x11" + frame[63:]


def test_a_label_may_cease_to_be_the_last() -> None:
    switch = full(
        "mpls,mpls_bos=1,actions=set_field:0->mpls_bos,goto_table:1",
        "table=1,mpls,mpls_bos=0,actions=output:2",
    )
    frame = mpls(label(100, 1), ipv4_with(9))
    assert sent(switch, frame) == frame[:16] + bytes((frame[16] & 0xFE,)) + frame[17:]


# -- the rest

FLOWS = (
    "table=0,priority=9,dl_type=0x88e7,pbb_isid=0x40/0x40,actions=pop_pbb,goto_table:1",
    "table=0,priority=8,dl_type=0x88e7,actions=push_pbb:0x88e7,set_field:7->pbb_isid,output:2",
    "table=0,priority=7,mpls,mpls_bos=0,actions=copy_ttl_in,copy_ttl_out,pop_mpls:0x8847,goto_table:1",
    "table=0,priority=6,mpls,actions=copy_ttl_out,goto_table:1",
    "table=0,priority=5,ipv6,ipv6_exthdr=0x40/0x40,actions=set_field:59->nw_proto,output:2",
    "table=0,priority=4,ipv6,ipv6_exthdr=0x10/0x10,actions=push_pbb:0x88e7,output:2",
    "table=0,priority=3,udp,actions=set_field:6->nw_proto,goto_table:1",
    "table=0,priority=2,arp,actions=set_field:0x8847->eth_type,output:2",
    "table=0,priority=1,actions=goto_table:1",
    "table=1,priority=3,tcp,actions=dec_ttl,push_vlan:0x8100,output:2",
    "table=1,priority=2,mpls,actions=set_field:0->mpls_bos,output:3",
    "table=1,priority=1,actions=push_pbb:0x88e7,push_vlan:0x88a8,output:4",
)


@pytest.mark.parametrize("seed", range(2))
def test_megaflows_do_what_decisions_were(seed: int) -> None:
    """Frames that come among others leave as those do that find a switch without megaflows."""
    random = Random(seed)
    frames = [*FRAMES, *(mutated(random) for _ in range(200))]
    frames += [frame[:12] + b"\x88\xe7" + random.randbytes(4) + frame for frame in frames]
    frames += [mpls(label(7, 1), frame[14:]) for frame in FRAMES]
    random.shuffle(frames)
    with_megaflows, without = full(*FLOWS), full(*FLOWS)
    for frame in frames[:200]:
        without.appctl(["revalidator/purge"])
        for switch in (with_megaflows, without):
            switch.inject("p1", frame)
        assert with_megaflows.take_sent() == without.take_sent(), frame.hex()
    assert len(list(with_megaflows.datapath.flows())) > len(FLOWS)


@pytest.mark.tshark
def test_tshark_reads_the_backbone_header(tmp_path: Path) -> None:
    program = shutil.which("tshark")
    if program is None:
        pytest.skip("tshark is not installed")
    flow = "actions=push_pbb:0x88e7,set_field:74565->pbb_isid,set_field:1->pbb_uca,output:2"
    stream = BytesIO()
    PcapWriter(stream).write(0, sent(full(flow), UDP[:12] + TAG_100 + UDP[12:]))
    path = tmp_path / "frames.pcap"
    path.write_bytes(stream.getvalue())
    names = ("ieee8021ah.isid", "ieee8021ah.priority", "ieee8021ah.nca", "ieee8021ah.csrc")
    shown = [part for name in (*names, "vlan.id", "ip.dst") for part in ("-e", name)]
    words = [program, "-n", "-r", str(path), "-T", "fields", *shown]
    read = subprocess.run(words, capture_output=True, text=True, check=True)
    assert read.stdout.split() == ["74565", "3", "1", "02:00:00:00:00:01", "100", "10.0.0.2"]


def test_the_action_set_copies_ttls_at_its_turn() -> None:
    switch = full("mpls,actions=write_actions(output:2,pop_mpls:0x0800,copy_ttl_in)")
    frame = mpls(labels(100 << 12 | 0x100 | 64), ipv4_with(32, 17, bytes(40)))
    assert sent(switch, frame) == ethernet(0x0800, ipv4_with(64, 17, bytes(40)))


def test_what_is_too_short_without_a_header_is_filled_up() -> None:
    frame = mpls(labels(100 << 12 | 0x100 | 64), ipv4_with(32))
    leaving = sent(full("mpls,actions=pop_mpls:0x0800,output:2"), frame)
    assert leaving == ethernet(0x0800, ipv4_with(32)) + bytes(26)


@pytest.mark.parametrize("text", ["udp,dl_src={mac}", "arp,arp_op=1,arp_spa=10.0.0.{n}"])
def test_groups_choose_by_all_addresses(text: str) -> None:
    group = "group_id=1,type=select,bucket=weight=1,output:2,bucket=weight=2,output:3"
    frames = [frame_of(text.format(mac=f"2:0:0:0:0:{n:x}", n=n)) for n in range(1, 200)]
    for options, spreads in (((), False), ((FULL,), True)):
        switch = switch_with(["actions=group:1"], groups=[group], options=options)
        for frame in frames:
            switch.inject("p1", frame)
        ports = [name for name, _ in switch.take_sent()]
        assert len(ports) == len(frames)
        assert (40 < ports.count("p2") < 95) == spreads
        # The same again goes the same way.
        for frame in frames:
            switch.inject("p1", frame)
        assert [name for name, _ in switch.take_sent()] == ports
        # Megaflows are of hashes and not of addresses.
        assert len(list(switch.datapath.flows())) < 40


def test_tables_name_the_fields_that_they_match() -> None:
    for options, is_there in (((), False), ((FULL,), True)):
        bridge = switch_with(options=options).bridge(BRIDGE)
        told = encode_table_features(table_features(bridge)[0], OpenFlowVersion.OF13)
        pbb_isid, ipv6_exthdr, eth_type = map(bytes.fromhex, ("80004b06", "80004f04", "80000a02"))
        assert (pbb_isid in told, ipv6_exthdr in told) == (is_there, is_there)
        # Once to match, and to be set by actions and in action sets, hits and misses.
        assert told.count(eth_type) == (6 if is_there else 2)


def test_tables_and_groups_name_the_actions_that_they_have() -> None:
    """Types 11, 12, 26 and 27, of four bytes each: copied TTLs since 1.1, PBB since 1.3."""
    added = [bytes.fromhex(f"00{number:02x}0004") for number in (11, 12, 26, 27)]
    for options, is_there in (((), False), ((FULL,), True)):
        bridge = switch_with(options=options).bridge(BRIDGE)
        told = encode_table_features(table_features(bridge)[0], OpenFlowVersion.OF13)
        assert [told.count(action) for action in added] == [4 * is_there] * 4
        for version, bits in ((OpenFlowVersion.OF12, 0x1800), (OpenFlowVersion.OF13, 0xC001800)):
            told = encode_group_features(group_features(bridge), version)
            actions = int.from_bytes(told[-4:], "big")
            assert actions & 0xC001800 == bits * is_there


def test_meters_forget_no_burst_size() -> None:
    """Open vSwitch shows what it takes in place of none, a second's worth."""
    for options, burst in (((), 100), ((FULL,), 0)):
        switch = switch_with(options=options)
        switch.ofctl(["-OOpenFlow13", "add-meter", BRIDGE, "meter=1,kbps,band=type=drop,rate=100"])
        assert switch.bridge(BRIDGE).meters[1].bands[0].burst_size == burst


@pytest.mark.parametrize(
    "flow",
    [
        "dl_type=0x88e7,pbb_isid=0x64,actions=push_pbb:0x88e7,pop_pbb,output:2",
        "ipv6,ipv6_exthdr=0x44/0x1f0,actions=copy_ttl_out,copy_ttl_in,output:2",
        "tcp,actions=set_field:17->nw_proto,set_field:34887->eth_type,output:2",
    ],
)
def test_flows_are_shown_as_they_were_written(flow: str) -> None:
    if "0x44/0x1f0" in flow:
        flow = flow.replace("0x44/0x1f0", "0x40/0x1f0")
    dump = full(flow).ofctl(["-OOpenFlow13", "--no-stats", "dump-flows", BRIDGE])
    wanted = flow.replace("0x64", "100").replace(",actions", " actions").replace("34887", "0x8847")
    assert wanted in dump


@pytest.mark.parametrize(
    ("flow", "error"),
    [
        ("dl_type=0x88e7,pbb_isid=100,actions=2", "unknown keyword pbb_isid"),
        ("ipv6,ipv6_exthdr=1,actions=2", "unknown keyword ipv6_exthdr"),
        ("actions=push_pbb:0x88e7", "unknown action push_pbb"),
        ("mpls,actions=copy_ttl_out", "unknown action copy_ttl_out"),
        ("actions=set_field:1->pbb_isid", "pbb_isid is not a valid OXM field name"),
        ("actions=set_field:0x800->eth_type", "eth_type is read-only"),
        ("mpls,actions=set_field:1->mpls_bos", "mpls_bos is read-only"),
    ],
)
def test_other_bridges_refuse_it_as_open_vswitch_does(flow: str, error: str) -> None:
    with pytest.raises(OvsTextError, match=error):
        switch_with([flow])


@pytest.mark.parametrize("version", ["OpenFlow10", "OpenFlow13", "OpenFlow15"])
def test_load_writes_what_set_field_does(version: str) -> None:
    """It is how ``set_field`` arrives in older versions, and under a mask."""
    flow = "actions=load:0x800->eth_type[],output:2"
    full().ofctl([f"-O{version}", "add-flow", BRIDGE, flow])
    with pytest.raises(OpenFlowError, match="OFPBAC_BAD_SET_ARGUMENT"):
        switch_with().ofctl([f"-O{version}", "add-flow", BRIDGE, flow])
