"""A frame made from a flow is read as that flow, and is whole."""

from __future__ import annotations

import re
import shutil
import subprocess
from random import Random

import pytest

from tests.ovs.flow import frames
from tests.ovs.flow.frames import FRAMES, ethernet, ipv4, ipv6, mutated, tag
from vnet.ovs.flow.compose import DEFAULT_L7, compose, compose_sized
from vnet.ovs.flow.extract import extract, layers
from vnet.ovs.flow.flow import DL_TYPE_NONE, FRAG_LATER, Flow
from vnet.ovs.flow.match_text import flow_text
from vnet.ovs.flow.ports import OFPP_NONE
from vnet.wire.checksum import checksum, pseudo_header_sum

ICMPV6 = 58
N_COMPARED = 60


def flow_of(frame: bytes) -> Flow:
    return Flow(extract(frame, vlan_limit=2))


def is_composable(flow: Flow) -> bool:
    """Whether all that the flow says has a place in a composed frame."""
    if flow.dl_type in (DL_TYPE_NONE, 0x894F, 0x8100, 0x88A8):
        return False
    if flow.dl_type == 0x86DD and flow.nw_frag:
        return False
    # The first option of Neighbor Discovery is the source's address, if there is one.
    has_other_option = flow.tcp_flags != (1 if flow.arp_sha else 2 if flow.arp_tha else 0)
    return not (flow.nw_proto == ICMPV6 and has_other_option)


def test_a_composed_frame_is_read_as_its_flow() -> None:
    flows = [flow for flow in map(flow_of, FRAMES) if is_composable(flow)]
    assert len(flows) > len(FRAMES) / 2
    for flow in flows:
        flow.ipv6_exthdr = 0  # extension headers are never composed
        composed = compose(flow)
        assert flow_of(composed) == flow
        assert layers(composed, vlan_limit=2).end == len(composed)


@pytest.mark.parametrize("protocol", [6, 17, 1, 2, ICMPV6])
@pytest.mark.parametrize("payload", [b"", b"\x01", DEFAULT_L7])
def test_checksums_hold(protocol: int, payload: bytes) -> None:
    segment = {6: frames.TCP, 17: frames.UDP, 1: frames.ICMP, 2: frames.IGMP}.get(protocol)
    segment = frames.neighbor(135) if segment is None else segment
    packet = compose(flow_of(ethernet(0x0800, ipv4(protocol, segment))), payload)[14:]
    assert checksum(packet[:20]) == 0
    start = pseudo_header_sum(packet[12:16], packet[16:20], protocol, len(packet) - 20)
    assert checksum(packet[20:], 0 if protocol in (1, 2) else start) == 0


def test_payload_is_what_was_asked_for() -> None:
    flow = flow_of(ethernet(0x0800, ipv4(17, frames.UDP)))
    assert compose(flow).endswith(DEFAULT_L7)
    assert compose(flow, b"abc")[14 + 28 :] == b"abc"
    assert len(compose(flow, b"")) == 14 + 28


def test_a_segment_that_opens_a_connection_carries_none() -> None:
    flow = flow_of(ethernet(0x0800, ipv4(6, frames.TCP_WITH_OPTION)))
    assert len(compose(flow)) == 14 + 40


def test_tags_lose_the_bit_that_says_there_is_one() -> None:
    frame = ethernet(0x1234, tags=tag(9, 1, 0x88A8) + tag(7, 2))
    assert compose(flow_of(frame)) == frame


def test_a_frame_without_a_type_has_its_length_instead() -> None:
    flow = Flow()
    flow.dl_type = DL_TYPE_NONE
    assert compose(flow)[12:] == b"\x00\x0e"
    assert compose_sized(flow, 60)[12:] == b"\x00\x3c" + bytes(46)


def test_a_frame_of_a_wanted_size() -> None:
    flow = flow_of(ethernet(0x86DD, ipv6(6, frames.TCP)))
    frame = compose_sized(flow, 100)
    assert (len(frame), layers(frame).end) == (100, 100)
    assert flow_of(frame) == flow


def test_a_size_that_is_too_small_is_refused() -> None:
    flow = flow_of(ethernet(0x0800, ipv4(17, frames.UDP)))
    assert len(compose_sized(flow, 42)) == 42
    with pytest.raises(ValueError, match="takes 42 bytes, not 41"):
        compose_sized(flow, 41)


def test_later_fragments_have_no_ports() -> None:
    frame = compose(flow_of(ethernet(0x0800, ipv4(17, frames.UDP, fragment=7))))
    assert len(frame) == 34
    assert flow_of(frame).nw_frag & FRAG_LATER


@pytest.mark.ovs
@pytest.mark.skipif(shutil.which("ovs-ofctl") is None, reason="ovs-ofctl is not installed")
def test_open_vswitch_composes_the_same_frames() -> None:
    random = Random(2)
    n_compared = 0
    while n_compared < N_COMPARED:
        flow = Flow(extract(mutated(random), OFPP_NONE, vlan_limit=2))
        if flow.vlan_tpid == 0x88A8 or flow.nw_proto in (2, ICMPV6):
            continue  # their texts do not tell all
        text = re.sub(r"in_port=ANY,|vlan_tci1?=0x0000,", "", flow_text(flow))
        command = ("ovs-ofctl", "compose-packet", text)
        dump = subprocess.run(command, capture_output=True, text=True, check=False).stdout
        if dump:
            octets = "".join(line[10:57] for line in dump.replace("-", " ").splitlines())
            theirs = bytes.fromhex(octets)
            assert compose(flow) == theirs, text
            n_compared += 1
