"""Tunnels of a switch: which are there, which way they go, and whose packets come out of them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.ovs.command_switch import Switch
from tests.ovs.flow.frames import UDP, ethernet, ipv4
from vnet.base.ids import ip_from_text
from vnet.ovs.flow.errors import OvsTextError
from vnet.wire import ether, gre, udp, vxlan
from vnet.wire import ipv4 as ipv4_header

BRIDGES = (
    "add-br br0 -- set bridge br0 datapath_type=dummy fail-mode=secure "
    "other-config:hwaddr=aa:55:aa:55:00:00 -- add-port br0 p0 -- set interface p0 type=dummy "
    "ofport_request=1",
    "add-br int-br -- set bridge int-br datapath_type=dummy fail-mode=secure -- "
    "add-port int-br v1 -- set interface v1 type=dummy ofport_request=1 -- "
    "add-port int-br v2 -- set interface v2 type=dummy ofport_request=2",
)
OUR_MAC = bytes.fromhex("aa55aa550000")
PEER_MAC = bytes.fromhex("f8bc12443492")
INNER = ethernet(0x0800, ipv4(17, UDP))
TOS = 0x17
"""That of INNER: DSCP 5, and ECN that says congestion."""


def switch_with(*tunnels: str, routes: bool = True, neighbor: bool = True) -> Switch:
    """``tunnels`` are types and options; they have the names and numbers t10, t11, ..."""
    switch = Switch()
    for line in BRIDGES:
        switch.vsctl(*line.split())
    for number, tunnel in enumerate(tunnels, start=10):
        add_tunnel(switch, number, tunnel)
    switch.appctl(["netdev-dummy/ip4addr", "br0", "1.1.2.88/24"])
    if routes:
        switch.appctl(["ovs/route/add", "1.1.2.0/24", "br0"])
    if neighbor:
        switch.appctl(["tnl/neigh/set", "br0", "1.1.2.92", PEER_MAC.hex(":")])
    switch.ofctl(["add-flow", "br0", "actions=normal"])
    return switch


def add_tunnel(switch: Switch, number: int, tunnel: str) -> None:
    kind, *options = tunnel.split()
    words = " ".join([f"type={kind}", *(f"options:{option}" for option in options)])
    line = f"add-port int-br t{number} -- set interface t{number} ofport_request={number} {words}"
    switch.vsctl(*line.split())


def flows(switch: Switch, *lines: str) -> None:
    for line in lines:
        switch.ofctl(["add-flow", "int-br", line])


def sent(switch: Switch, port: str) -> list[bytes]:
    return [frame for name, frame in switch.take_sent() if name == port]


def outer(source: str = "1.1.2.92", vni: int = 5, inner: bytes = INNER, tos: int = 0) -> bytes:
    """A VXLAN packet to us."""
    ips = ip_from_text(source), ip_from_text("1.1.2.88")
    datagram = udp.emit(*ips, 50000, vxlan.UDP_PORT, vxlan.emit(vni) + inner)
    packet = ipv4_header.emit(*ips, udp.PROTOCOL, datagram, tos=tos)
    return ether.frame(OUR_MAC, PEER_MAC, ether.TYPE_IPV4, packet)


def trace(switch: Switch, flow: str = "in_port=1,ip") -> str:
    return switch.appctl(["ofproto/trace", "int-br", flow])


# -- the way out


@pytest.mark.parametrize(
    ("options", "tos", "ttl"),
    [
        # Congestion is for the underlay to say: what goes in says that it could be told.
        ("", 0x02, 64),
        ("options:tos=inherit options:ttl=inherit", 0x16, 33),
        ("options:tos=0x20 options:ttl=7", 0x22, 7),
    ],
)
def test_tos_and_ttl_are_those_set_or_inherited(options: str, tos: int, ttl: int) -> None:
    switch = switch_with(f"vxlan remote_ip=1.1.2.92 {options.replace('options:', '')}")
    flows(switch, "in_port=1,actions=output:10")
    switch.inject("v1", INNER)
    (frame,) = sent(switch, "p0")
    packet = ipv4_header.parse(frame[14:])
    assert packet is not None
    assert (packet.tos, packet.ttl) == (tos, ttl)


def test_a_missing_route_is_told_and_named() -> None:
    switch = switch_with("vxlan remote_ip=1.1.2.92", routes=False)
    flows(switch, "in_port=1,actions=output:10")
    assert "native tunnel routing failed" in trace(switch)
    switch.inject("v1", INNER)
    assert {r.word: n for r, n in switch.devices["v1"].drops.items()} == {"ovs-tunnel-no-route": 1}


def test_a_missing_neighbour_is_asked_for_and_then_known() -> None:
    switch = switch_with("vxlan remote_ip=1.1.2.92", neighbor=False)
    flows(switch, "in_port=1,actions=output:10")
    text = "neighbor cache miss for 1.1.2.92 on bridge br0, sending ARP request"
    assert text in trace(switch)
    assert not sent(switch, "p0"), "a trace without a packet changes nothing"
    switch.inject("v1", INNER)
    (question,) = sent(switch, "p0")
    assert question == bytes.fromhex(
        "ffffffffffffaa55aa550000080600010800060400 01aa55aa550000 01010258 000000000000 0101025c"
    )
    words = {r.word: n for r, n in switch.devices["v1"].drops.items()}
    assert words == {"ovs-tunnel-no-neighbor": 1}
    switch.inject("p0", question[6:12] + PEER_MAC + question[12:20] + b"\0\2" + answer_tail())
    switch.appctl(["time/warp", "100"])  # flows are looked over
    switch.inject("v1", INNER)
    assert [len(frame) for frame in sent(switch, "p0")] == [len(INNER) + 50]


def answer_tail() -> bytes:
    return PEER_MAC + bytes((1, 1, 2, 92)) + OUR_MAC + bytes((1, 1, 2, 88))


def test_a_neighbour_of_ipv6_is_asked_for_by_its_group() -> None:
    switch = switch_with("vxlan remote_ip=2001:cafe::92", neighbor=False)
    switch.appctl(["netdev-dummy/ip6addr", "br0", "2001:cafe::88/64"])
    switch.appctl(["ovs/route/add", "2001:cafe::/64", "br0"])
    flows(switch, "in_port=1,actions=output:10")
    switch.inject("v1", INNER)
    (question,) = sent(switch, "p0")
    # As Open vSwitch 3.1.0 asks.
    assert question[:14].hex() == "3333ff000092aa55aa55000086dd"
    assert question[54:].hex().startswith("8700")
    assert question[-8:].hex() == "0101aa55aa550000"


def test_nobody_tunnels_to_himself() -> None:
    switch = switch_with("vxlan remote_ip=flow")
    flows(switch, "in_port=10,actions=set_field:1.1.2.88->tun_dst,IN_PORT")
    text = switch.appctl(
        [
            "ofproto/trace",
            "ovs-dummy",
            "tunnel(tun_id=0x0,src=1.1.2.92,dst=1.1.2.88,ttl=64,flags()),in_port(4789),"
            "eth(src=50:54:00:00:00:05,dst=50:54:00:00:00:07),eth_type(0x0800),ipv4()",
        ]
    )
    assert "Not tunneling to our own address" in text


def test_a_neighbour_that_nobody_uses_is_forgotten() -> None:
    switch = switch_with("vxlan remote_ip=1.1.2.92")
    switch.appctl(["tnl/neigh/aging", "5"])
    flows(switch, "in_port=1,actions=output:10")
    for _ in range(3):
        switch.appctl(["time/warp", "4000"])
        switch.inject("v1", INNER)
    assert len(sent(switch, "p0")) == 3
    switch.appctl(["time/warp", "17000"])
    assert len(switch.appctl(["tnl/neigh/show"]).splitlines()) == 2


def test_sent_packets_count_as_often_as_in_open_vswitch() -> None:
    # Once as they come, and once with their headers, when they enter the underlay's bridge.
    switch = switch_with("vxlan remote_ip=1.1.2.92")
    flows(switch, "in_port=1,actions=output:10")
    for _ in range(3):
        switch.inject("v1", INNER)
    bridge = switch.bridge("int-br")
    bridge.before_reading_stats()
    port = bridge.port_by_name("t10")
    assert port is not None
    stats = port.counters()
    assert (stats.tx_packets, stats.tx_bytes) == (6, 3 * len(INNER) + 3 * (len(INNER) + 50))


def test_flows_of_the_underlay_see_outer_headers_and_count_them() -> None:
    switch = switch_with("vxlan remote_ip=1.1.2.92")
    flows(switch, "in_port=1,actions=output:10")
    rule = "priority=40000,in_port=LOCAL,udp,nw_dst=1.1.2.92,tp_dst=4789,actions=1"
    switch.ofctl(["add-flow", "br0", rule])
    switch.inject("v1", INNER)
    (found,) = (r for r in switch.bridge("br0").flows() if r.priority == 40000)
    assert (found.n_packets, found.n_bytes) == (1, len(INNER) + 50)


def test_a_cut_packet_is_looked_up_anew_in_the_underlay() -> None:
    switch = switch_with("gre remote_ip=1.1.2.92")
    flows(switch, "in_port=1,actions=output(port=10,max_len=40)")
    assert trace(switch).endswith("out_port(100)),recirc(0)")
    switch.inject("v1", INNER)
    assert [frame[38:] for frame in sent(switch, "p0")] == [INNER[:40]]


def test_a_collector_may_be_told_what_a_tunnel_will_say() -> None:
    switch = switch_with("vxlan remote_ip=1.1.2.92")
    line = (
        '--id=@i create IPFIX targets="127.0.0.1:4739" -- --id=@b get bridge int-br '
        "-- create Flow_Sample_Collector_Set id=1 bridge=@b ipfix=@i"
    )
    switch.vsctl(*line.split())
    sample = "sample(probability=65535,collector_set_id=1,sampling_port=10)"
    flows(switch, f"in_port=1,actions={sample},output:10")
    assert "output_port=4789),tunnel_out_port=4789),tnl_push(" in trace(switch)
    switch.inject("v1", INNER)
    assert len(sent(switch, "p0")) == 1


# -- the way in


def test_the_most_definite_tunnel_gets_a_packet() -> None:
    kinds = (
        "vxlan remote_ip=flow key=flow",
        "vxlan remote_ip=1.1.2.92 key=flow",
        "vxlan remote_ip=flow key=5",
        "vxlan remote_ip=1.1.2.92 key=5",
    )
    switch = switch_with(*kinds)
    flows(switch, *(f"in_port={number},actions=2" for number in range(10, 14)))
    bridge = switch.bridge("int-br")

    def taker(frame: bytes) -> str:
        before = {p.name: p.counters().rx_packets for p in bridge.ports.values()}
        switch.inject("p0", frame)
        bridge.before_reading_stats()
        after = {p.name: p.counters().rx_packets for p in bridge.ports.values()}
        return next(name for name in after if name[0] == "t" and after[name] > before[name])

    assert taker(outer("1.1.2.92", 5)) == "t13"
    assert taker(outer("1.1.2.93", 5)) == "t12"
    assert taker(outer("1.1.2.92", 6)) == "t11"
    assert taker(outer("1.1.2.93", 6)) == "t10"


def test_a_key_that_no_tunnel_has_is_dropped_by_name() -> None:
    switch = switch_with("vxlan remote_ip=1.1.2.92 key=5")
    flows(switch, "actions=2")
    switch.inject("p0", outer(vni=6))
    assert not sent(switch, "v2")
    (device,) = switch.datapath.tunnel_devices()
    assert {r.word: n for r, n in device.drops.items()} == {"ovs-unknown-tunnel": 1}


@pytest.mark.parametrize(
    ("inner_ecn", "found"), [(0, None), (1, TOS & 0xFC | 3), (2, TOS & 0xFC | 3), (3, TOS)]
)
def test_congestion_on_the_way_is_told_inside_or_the_packet_is_lost(
    inner_ecn: int, found: int | None
) -> None:
    switch = switch_with("vxlan remote_ip=1.1.2.92 key=5")
    flows(switch, "actions=2")
    inner = INNER[:15] + bytes((TOS & 0xFC | inner_ecn,)) + INNER[16:]
    switch.inject("p0", outer(inner=inner, tos=3))
    frames = sent(switch, "v2")
    assert [frame[15] for frame in frames] == ([] if found is None else [found])


def test_packets_that_arrive_show_where_their_sender_is() -> None:
    switch = switch_with("vxlan remote_ip=flow key=5", neighbor=False)
    flows(switch, "actions=2")
    switch.inject("p0", outer("1.1.2.93"))
    assert switch.appctl(["tnl/neigh/show"]).splitlines()[2].split() == [
        "1.1.2.93",
        PEER_MAC.hex(":"),
        "br0",
    ]


def test_gre_without_an_ethernet_header_inside_enters_with_one() -> None:
    switch = switch_with("gre remote_ip=1.1.2.92 packet_type=legacy_l3")
    flows(
        switch, "in_port=10,actions=set_field:02:00:00:00:00:09->eth_dst,2", "in_port=1,actions=10"
    )
    ips = ip_from_text("1.1.2.92"), ip_from_text("1.1.2.88")
    packet = ipv4_header.emit(*ips, gre.PROTOCOL, gre.emit(0x0800) + INNER[14:])
    switch.inject("p0", ether.frame(OUR_MAC, PEER_MAC, ether.TYPE_IPV4, packet))
    assert sent(switch, "v2") == [bytes.fromhex("020000000009000000000000") + INNER[12:]]
    switch.inject("v1", INNER)
    assert [frame[34:] for frame in sent(switch, "p0")] == [gre.emit(0x0800) + INNER[14:]]


def test_packets_without_an_ethernet_header_pass_patch_ports_to_where_they_may_leave() -> None:
    switch = switch_with("gre remote_ip=1.1.2.92 packet_type=ptap")
    for line in (
        "add-br up -- set bridge up datapath_type=dummy fail-mode=secure",
        "add-port up u0 -- set interface u0 type=dummy ofport_request=1",
        "add-port up up9 -- set interface up9 type=patch options:peer=down9 ofport_request=9",
        "add-port int-br down9 -- set interface down9 type=patch options:peer=up9 ofport_request=9",
    ):
        switch.vsctl(*line.split())
    switch.ofctl(["-OOpenFlow13", "add-flow", "up", "in_port=1,ip,actions=decap(),output:9"])
    flows(switch, "in_port=9,actions=10")
    switch.inject("u0", INNER)
    assert [frame[34:] for frame in sent(switch, "p0")] == [gre.emit(0x0800) + INNER[14:]]


# -- setting up


def test_a_tunnel_like_another_is_refused_and_gets_its_chance_later() -> None:
    switch = switch_with("vxlan remote_ip=1.1.2.92 key=5", "vxlan remote_ip=1.1.2.92 key=5")
    assert switch.vswitchd.errors == {
        "t11": "could not add network device t11 to ofproto (File exists)"
    }
    assert switch.bridge("int-br").port_by_name("t11") is None
    switch.vsctl("del-port", "t10")
    assert not switch.vswitchd.errors
    assert switch.bridge("int-br").port_by_name("t11") is not None


def test_settings_of_a_running_tunnel_change() -> None:
    switch = switch_with("vxlan remote_ip=1.1.2.92 key=5")
    flows(switch, "in_port=1,actions=output:10")
    switch.vsctl("set", "interface", "t10", "options:key=6", "options:dst_port=8472")
    assert "dst=8472" in trace(switch)
    assert "vni=0x6" in trace(switch)
    shown = switch.appctl(["tnl/ports/show"])
    assert shown == "Listening ports:\nvxlan_sys_8472 (8472) ref_cnt=1"


def test_sequence_numbers_go_on_when_settings_change() -> None:
    switch = switch_with("gre remote_ip=1.1.2.92 seq=true key=5")
    flows(switch, "in_port=1,actions=output:10")
    for key in (5, 6, 7):
        switch.vsctl("set", "interface", "t10", f"options:key={key}")
        switch.inject("v1", INNER)
    found = [gre.parse(frame, 34) for frame in sent(switch, "p0")]
    assert [(header.key, header.sequence) for header in found if header] == [(5, 0), (6, 1), (7, 2)]


def test_a_port_of_the_datapath_goes_with_its_last_tunnel() -> None:
    switch = switch_with("gre remote_ip=1.1.2.92", "gre remote_ip=1.1.2.93")
    switch.vsctl("del-port", "t10")
    assert "gre_sys" in [port.name for port in switch.datapath.ports()]
    switch.vsctl("del-port", "t11")
    assert "gre_sys" not in [port.name for port in switch.datapath.ports()]
    assert switch.appctl(["tnl/ports/show"]) == "Listening ports:"


@pytest.mark.parametrize(
    ("tunnel", "what"),
    [
        ("vxlan", "t10: vxlan type requires valid 'remote_ip' argument"),
        (
            "vxlan remote_ip=nowhere",
            "t10: bad vxlan 'remote_ip'\nt10: vxlan type requires valid 'remote_ip' argument",
        ),
        ("gre remote_ip=224.1.1.1", "t10: multicast remote_ip=224.1.1.1 not allowed"),
        (
            "gre remote_ip=1.1.1.1 local_ip=flow",
            "t10: gre type requires 'remote_ip=flow' with 'local_ip=flow'",
        ),
        (
            "gre remote_ip=1.1.1.1 local_ip=fd00::1",
            "t10: 'remote_ip' and 'local_ip' has to be of the same address family",
        ),
        (
            "geneve remote_ip=1.1.1.1 packet_type=legacy_l3",
            "t10: legacy_l3 configured on geneve tunnel that cannot carry L3 traffic",
        ),
        ("gre remote_ip=1.1.1.1 packet_type=x", "t10: unknown packet_type 'x'"),
    ],
)
def test_bad_options_are_refused_in_open_vswitchs_words(tunnel: str, what: str) -> None:
    switch = Switch()
    for line in BRIDGES:
        switch.vsctl(*line.split())
    add_tunnel(switch, 10, tunnel)
    assert switch.vswitchd.errors["t10"] == what


# -- what is shown


def told(switch: Switch, *lines: str) -> Iterator[str]:
    for line in lines:
        try:
            yield switch.appctl(line.split())
        except OvsTextError as error:
            yield f"error: {error.what}"


def test_routes_as_they_are_shown_and_refused() -> None:
    switch = switch_with("vxlan remote_ip=1.1.2.92")
    assert list(
        told(
            switch,
            "ovs/route/add 9.0.0.0/8 br0 1.1.2.9",
            "ovs/route/add 9.0.0.0/8 br0 1.1.2.8 pkt_mark=7",
            "ovs/route/show",
            "ovs/route/lookup 9.1.1.1",
            "ovs/route/lookup 9.1.1.1 pkt_mark=7",
            "ovs/route/lookup 8.8.8.8",
            "ovs/route/add 8.0.0.0/8 br0",
            "ovs/route/add nonsense br0",
            "ovs/route/add 9.0.0.0/8 br0 nonsense",
            "ovs/route/del 9.0.0.0/8",
            "ovs/route/del 9.0.0.0/8",
        )
    ) == [
        "OK",
        "OK",
        "Route Table:\nUser: 1.1.2.0/24 dev br0 SRC 1.1.2.88\n"
        "User: 9.0.0.0/8 dev br0 GW 1.1.2.9 SRC 1.1.2.88\n"
        "User: 9.0.0.0/8 MARK 7 dev br0 GW 1.1.2.8 SRC 1.1.2.88",
        "src 1.1.2.88\ngateway 1.1.2.9\ndev br0",
        "src 1.1.2.88\ngateway 1.1.2.8\ndev br0",
        "error: Not found",
        "error: Error while inserting route.",
        "error: Invalid parameters",
        "error: Invalid pkt_mark or gateway",
        "OK",
        "error: Not found",
    ]


def test_neighbours_behind_a_port_go_with_it() -> None:
    switch = switch_with("gre remote_ip=1.1.2.92", neighbor=False)
    for port in ("br0", "t10", "v1"):
        switch.appctl(["tnl/neigh/set", port, "1.1.2.92", PEER_MAC.hex(":")])
    for gone, left in (("t10", ["br0", "v1"]), ("v1", ["br0"])):
        switch.vsctl("del-port", gone)
        shown = switch.appctl(["tnl/neigh/show"]).splitlines()[2:]
        assert sorted(line.split()[-1] for line in shown) == left


def test_ports_neighbours_and_tunnels_as_they_are_shown() -> None:
    switch = switch_with(
        "vxlan remote_ip=1.1.2.92 key=5 tos=inherit csum=true", "gre remote_ip=flow out_key=7 ttl=9"
    )
    assert list(
        told(
            switch,
            "tnl/ports/show -v",
            "tnl/neigh/show",
            "tnl/arp/set br0 nonsense 00:00:00:00:00:01",
            "tnl/neigh/set br0 1.1.2.9 nonsense",
            "tnl/egress_port_range",
            "tnl/egress_port_range 900 800",
            "tnl/egress_port_range 0 800",
            "tnl/egress_port_range",
            "ofproto/list-tunnels",
        )
    ) == [
        "Listening ports:\n"
        "vxlan_sys_4789 (4789) : eth(dst=aa:55:aa:55:00:00),eth_type(0x0800),"
        "ipv4(dst=1.1.2.88,proto=17,frag=no),udp(dst=4789)\n"
        "gre_sys (5) : eth(dst=aa:55:aa:55:00:00),eth_type(0x0800),"
        "ipv4(dst=1.1.2.88,proto=47,frag=no)",
        f"{'IP':<46}{'MAC':<20}Bridge\n{'=' * 74}\n{'1.1.2.92':<46}f8:bc:12:44:34:92   br0",
        "error: bad IP address",
        "error: bad MAC address",
        "Tunnel UDP source port range: 32768-61000",
        "OK",
        "Invalid min.",
        "Tunnel UDP source port range: 800-900",
        "port 4789: t10 (vxlan: ::->1.1.2.92, key=0x5, legacy_l2, dp port=4789, ttl=64, "
        "tos=inherit, csum=true)\n"
        "port 5: t11 (gre: ::->flow, key=0, legacy_l2, dp port=5, out_key=0x7, ttl=9)",
    ]
