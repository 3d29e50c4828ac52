"""Headers put around a packet by one bridge and taken off again, on the wire."""

from __future__ import annotations

import pytest

from benchmarks.dummy_switch import BRIDGE
from tests.ovs.whole_switch import frame_of, switch_with

PACKET = "udp,dl_src=00:00:00:00:00:01,dl_dst=00:00:00:00:00:02,nw_src=10.0.0.1,udp_dst=53"

WRAPPED = {
    "mpls": (
        "encap(mpls),set_field:7->mpls_label,encap(ethernet),set_field:00:00:00:00:00:09->eth_dst",
        "mpls,mpls_label=7",
        "decap(),decap(packet_type(ns=0,type=0))",
        "000000000009000000000000884700007140",
    ),
    "nsh with fixed context": (
        "encap(nsh(md_type=1)),set_field:0x1234->nsh_spi,set_field:0x11223344->nsh_c1,"
        "encap(ethernet),set_field:00:00:00:00:00:09->eth_dst",
        "dl_type=0x894f,nsh_spi=0x1234",
        "decap(),decap()",
        "000000000009000000000000894f0fc60103001234ff11223344" + 12 * "00",
    ),
    "nsh with a TLV": (
        "encap(nsh(md_type=2,tlv(0x1000,10,0x12345678))),encap(ethernet)",
        "dl_type=0x894f,nsh_mdtype=2",
        "decap(),decap()",
        "000000000000000000000000894f0fc40203000000ff10000a0412345678",
    ),
}


@pytest.mark.parametrize("kind", WRAPPED)
def test_what_was_put_around_a_frame_comes_off_again(kind: str) -> None:
    wrap, match, unwrap, header = WRAPPED[kind]
    switch = switch_with(n_ports=3)
    for flow in (
        f"in_port=1,actions={wrap},output:2",
        f"in_port=2,{match},actions={unwrap},output:3",
    ):
        switch.ofctl(["-OOpenFlow15", "add-flow", BRIDGE, flow])
    frame = frame_of(PACKET)
    switch.inject("p1", frame)
    ((port, wrapped),) = switch.take_sent()
    assert port == "p2"
    assert wrapped.hex() == header + frame.hex()
    switch.inject("p2", wrapped)
    assert switch.take_sent() == [("p3", frame)]
