"""Tunnels: headers that go in front of packets, and come off again."""

from __future__ import annotations

from random import Random

import pytest

from tests.ovs.datapath.kit import EXACT, SAME_TYPE, Table, output
from tests.ovs.flow.frames import FRAMES, TCP, UDP, ethernet, ipv4
from vnet.ovs.datapath.tunnels.pop import POPS, pop_geneve, pop_gre, pop_vxlan
from vnet.ovs.dpif.actions import Clone, OdpActions, TnlPop, Trunc
from vnet.ovs.dpif.dpif import UdpPortRange
from vnet.ovs.dpif.text.flows import key_text
from vnet.ovs.dpif.text.parse_actions import parse_actions
from vnet.ovs.flow.extract import extract
from vnet.ovs.flow.flow import Flow
from vnet.ovs.flow.ports import OdpPort
from vnet.wire import gre, udp, vxlan
from vnet.wire import ipv4 as ipv4_header

INNER = ethernet(0x0800, ipv4(17, UDP))
VXLAN, GRE, GENEVE = OdpPort(4789), OdpPort(5), OdpPort(6081)

_NETWORK = "ipv4(src=1.1.2.88,dst=1.1.2.92,proto={},tos=0,ttl=64,frag=0x4000)"
_ETHERNET = "eth(dst=f8:bc:12:44:34:b6,src=aa:55:aa:55:00:00,dl_type=0x0800)"


def push(port: OdpPort, size: int, number: int, protocol: int, tunnel: str) -> OdpActions:
    """A ``tnl_push`` towards 1.1.2.92."""
    header = f"size={size},type={number},{_ETHERNET},{_NETWORK.format(protocol)},{tunnel}"
    return parse_actions(f"tnl_push(tnl_port({port}),header({header}),out_port(1))")


PUSH_VXLAN = push(
    VXLAN, 50, 4, 17, "udp(src=0,dst=4789,csum=0x0),vxlan(flags=0x8000000,vni=0x1389)"
)
PUSH_VXLAN_CSUM = push(
    VXLAN, 50, 4, 17, "udp(src=0,dst=4789,csum=0xffff),vxlan(flags=0x8000000,vni=0x7)"
)
PUSH_GENEVE = push(GENEVE, 50, 5, 17, "udp(src=0,dst=6081,csum=0x0),geneve(vni=0x1389)")
PUSH_NVGRE = push(GRE, 42, 3, 47, "gre((flags=0x2000,proto=0x6558),key=0x13892a)")
PUSH_GRE_CSUM = push(GRE, 46, 3, 47, "gre((flags=0xa000,proto=0x6558),csum=0x0,key=0x4e)")
PUSH_GRE_SEQ = push(GRE, 42, 3, 47, "gre((flags=0x1000,proto=0x6558),seq=0x0)")


def table() -> Table:
    """A table with a port for each kind of tunnel."""
    made = Table()
    for name, kind, number in (
        ("vxlan_sys_4789", "vxlan", VXLAN),
        ("gre_sys", "gre", GRE),
        ("genev_sys_6081", "geneve", GENEVE),
    ):
        made.dpif.tunnel_add(name, kind, number)
    return made


def test_a_vxlan_header_is_fifty_bytes_and_an_nvgre_one_forty_two() -> None:
    assert len(table().result(INNER, PUSH_VXLAN)) == len(INNER) + 50
    assert len(table().result(INNER, PUSH_NVGRE)) == len(INNER) + 42


def test_lengths_and_checksums_are_those_of_the_whole() -> None:
    outer = ipv4_header.parse(table().result(INNER, PUSH_VXLAN_CSUM)[14:])
    assert outer is not None
    assert outer.ident == 0
    assert outer.dont_fragment
    datagram = udp.parse(outer.payload)
    assert datagram is not None
    assert datagram.checksum
    assert udp.checksum_holds(outer.source, outer.target, outer.payload)
    assert datagram.payload == vxlan.emit(7) + INNER


def test_a_gre_checksum_covers_header_and_packet() -> None:
    outer = ipv4_header.parse(table().result(INNER, PUSH_GRE_CSUM)[14:])
    assert outer is not None
    header = gre.parse(outer.payload)
    assert header is not None
    assert header.key == 0x4E
    assert isinstance(POPS["gre"](table().result(INNER, PUSH_GRE_CSUM)), tuple)


def test_gre_counts_packets_where_it_should() -> None:
    made = table()
    numbers = [int.from_bytes(made.result(INNER, PUSH_GRE_SEQ)[38:42], "big") for _ in range(3)]
    assert numbers == [0, 1, 2]


def test_the_source_port_is_the_inner_flows_own() -> None:
    made = table()
    ports = {made.result(INNER, PUSH_VXLAN)[34:36] for _ in range(3)}
    assert len(ports) == 1
    others = {
        made.result(ethernet(0x0800, ipv4(17, number.to_bytes(2, "big") + UDP[2:])), PUSH_VXLAN)[
            34:36
        ]
        for number in range(20)
    }
    assert len(others) > 10
    assert all(32768 <= int.from_bytes(port, "big") < 61000 for port in others | ports)


def test_source_ports_are_of_the_range_that_was_set() -> None:
    made = table()
    made.dpif.set_udp_ports(UdpPortRange(1000, 1001))
    assert made.result(INNER, PUSH_VXLAN)[34:36] == (1000).to_bytes(2, "big")


def test_installed_and_executed_headers_are_the_same() -> None:
    made = table()
    expected = made.result(INNER, PUSH_VXLAN)
    made.put(INNER, (*PUSH_VXLAN, *output(2)))
    made.send(INNER, INNER)
    assert made.sent() == {2: [expected, expected]}
    made.put(INNER, (Clone((*PUSH_VXLAN, *output(2))), *output(3)))
    made.send(INNER)
    assert made.sent() == {2: [expected], 3: [INNER]}


def test_a_cut_is_made_before_the_header() -> None:
    frame = ethernet(0x0800, ipv4(17, UDP + bytes(100)))
    result = table().result(frame, (Trunc(60), *PUSH_NVGRE))
    assert result[42:] == frame[:60]


def test_what_has_headers_and_no_output_is_dropped_by_name() -> None:
    made = table()
    made.execute(INNER, PUSH_VXLAN)
    assert made.drops() == {"ovs-flow-drops": 1}


@pytest.mark.parametrize(
    ("pushed", "port", "tunnel"),
    [
        (PUSH_VXLAN, VXLAN, "tun_id=0x1389"),
        (PUSH_VXLAN_CSUM, VXLAN, "tun_id=0x7"),
        (PUSH_GENEVE, GENEVE, "tun_id=0x1389"),
        (PUSH_NVGRE, GRE, "tun_id=0x13892a"),
        (PUSH_GRE_CSUM, GRE, "tun_id=0x4e"),
        (PUSH_GRE_SEQ, GRE, ""),
    ],
)
def test_what_comes_off_is_looked_up_with_where_it_came_from(
    pushed: OdpActions, port: OdpPort, tunnel: str
) -> None:
    made = table()
    outer = made.result(INNER, pushed)
    made.put(outer, (TnlPop(port),))
    made.send(outer)
    (upcall,) = made.upcalls
    assert upcall.frame.data == INNER
    assert Flow.in_port.of(upcall.key) == port
    text = key_text(upcall.key)
    assert f"tunnel({tunnel}" in text
    assert "src=1.1.2.88,dst=1.1.2.92,ttl=64" in text
    made.dpif.flow_put(upcall.key, EXACT, output(3))
    made.send(outer)
    assert made.sent() == {3: [INNER]}


def test_the_inside_takes_its_flows_road_and_its_program_alike() -> None:
    made = table()
    outer = made.result(INNER, PUSH_VXLAN)
    made.put(outer, (TnlPop(VXLAN),))
    key = extract(INNER, VXLAN)
    for actions in (output(3), (Clone(output(3)),), (*PUSH_NVGRE, *output(3))):
        made.dpif.flow_put(key, SAME_TYPE, actions)
        made.send(outer)
        (sent,) = made.sent()[3]
        assert sent.endswith(INNER)


def test_equal_frames_of_two_tenants_are_told_apart_each_time() -> None:
    made = table()
    tenants = [made.result(INNER, pushed) for pushed in (PUSH_VXLAN, PUSH_VXLAN_CSUM)]
    made.dpif.flow_put(extract(tenants[0], 1), SAME_TYPE, (TnlPop(VXLAN),))
    inner = extract(INNER, VXLAN)
    by_tenant = SAME_TYPE | Flow.tun_id.mask
    for ports in ((2, 3), (3, 2)):
        for vni, port in zip((0x1389, 7), ports, strict=True):
            made.dpif.flow_put(inner | vni << Flow.tun_id.shift, by_tenant, output(port))
        for _ in range(3):
            for tenant in tenants:
                made.send(tenant)
            assert made.sent() == {2: [INNER], 3: [INNER]}
        made.send(tenants[0])
        assert made.sent() == {ports[0]: [INNER]}


def test_tunnels_in_tunnels_come_off_only_so_often() -> None:
    made = table()
    frame = INNER
    for _ in range(9):
        frame = made.result(frame, PUSH_VXLAN)
    made.dpif.flow_put(extract(frame, 1), SAME_TYPE, (TnlPop(VXLAN),))
    made.dpif.flow_put(extract(frame, VXLAN), SAME_TYPE, (TnlPop(VXLAN),))
    made.send(frame)
    tunnel_drops = sum(vport.drops.get(reason, 0) for vport, reason in _drops_at(made, VXLAN))
    assert tunnel_drops == 1


def _drops_at(made: Table, port: OdpPort) -> list:  # type: ignore[type-arg]
    device = made.datapath._pipeline.vport(port).device
    assert device is not None
    return [(device, reason) for reason in device.drops]


@pytest.mark.parametrize(
    ("pushed", "port", "at", "value", "word"),
    [
        (PUSH_VXLAN, VXLAN, 24, 0xFF, "ovs-tunnel-bad-outer-ip"),
        (PUSH_VXLAN_CSUM, VXLAN, 60, 0xFF, "ovs-tunnel-bad-checksum"),
        (PUSH_VXLAN, VXLAN, 42, 0x00, "ovs-tunnel-bad-header"),
        (PUSH_VXLAN, VXLAN, 49, 0x01, "ovs-tunnel-bad-header"),
        (PUSH_GENEVE, GENEVE, 42, 0x40, "ovs-tunnel-bad-header"),
        (PUSH_GENEVE, GENEVE, 44, 0x08, "ovs-tunnel-bad-header"),
        (PUSH_NVGRE, GRE, 34, 0x60, "ovs-tunnel-bad-header"),
        (PUSH_GRE_CSUM, GRE, 70, 0xFF, "ovs-tunnel-bad-checksum"),
    ],
)
def test_damaged_outer_headers_are_dropped_by_name(
    pushed: OdpActions, port: OdpPort, at: int, value: int, word: str
) -> None:
    made = table()
    outer = bytearray(made.result(INNER, pushed))
    outer[at] = value
    made.dpif.flow_put(extract(bytes(outer), 1), SAME_TYPE, (TnlPop(port),))
    made.send(bytes(outer))
    assert not made.upcalls
    assert [(reason.word, device.drops[reason]) for device, reason in _drops_at(made, port)] == [
        (word, 1)
    ]


def test_ports_that_are_gone_lose_what_goes_through_them_by_name() -> None:
    made = table()
    outer = made.result(INNER, PUSH_VXLAN)
    made.put(INNER, (*PUSH_VXLAN, *output(2)))
    made.put(outer, (TnlPop(VXLAN),))
    made.dpif.port_del(VXLAN)
    made.send(INNER, outer)
    made.execute(INNER, (*PUSH_VXLAN, *output(2)))
    assert made.sent() == {}
    assert made.drops() == {"ovs-no-such-tunnel": 3}


def test_a_tunnels_port_sends_nothing_by_itself() -> None:
    made = table()
    made.execute(INNER, output(VXLAN))
    assert [reason.word for _, reason in _drops_at(made, VXLAN)] == ["ovs-tunnel-not-encapsulated"]
    assert made.dpif.n_drops("datapath_drop_invalid_port") == 1


def test_no_bytes_make_decapsulation_raise() -> None:
    random, made = Random(1), table()
    inners = [INNER, ethernet(0x0800, ipv4(6, TCP)), *FRAMES]
    outers = [
        made.result(random.choice(inners), pushed)
        for pushed in (PUSH_VXLAN, PUSH_VXLAN_CSUM, PUSH_GENEVE, PUSH_NVGRE, PUSH_GRE_CSUM)
        for _ in range(10)
    ]
    n_popped = 0
    plain = {"vxlan": pop_vxlan, "geneve": pop_geneve, "gre": pop_gre, "ip6gre": pop_gre}
    for _ in range(2_000):
        frame = bytearray(random.choice(outers))
        for _ in range(random.randint(0, 4)):
            frame[random.randrange(len(frame))] = random.randrange(256)
        mutated = bytes(frame[: random.choice((len(frame), random.randint(0, len(frame))))])
        for kind, pop in POPS.items():
            assert pop(mutated) == plain[kind](mutated), "what is remembered is what is"
            n_popped += isinstance(pop(mutated), tuple)
    assert n_popped > 300
