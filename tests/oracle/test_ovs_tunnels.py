"""Frames that the real Open vSwitch sent through tunnels, and what it found in them."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

import pytest

from tests.oracle.path import oracle_path
from tests.ovs.command_switch import Switch
from vnet.base.ids import IpAddress
from vnet.wire import checksum, ether, ipv4, udp

FILE = oracle_path("ovs", "tunnel-cases.json")

pytestmark = [
    pytest.mark.oracle,
    pytest.mark.skipif(FILE is None, reason="VNET_ORACLE does not lead to tunnel-cases.json"),
]

Case = dict[str, Any]
RECORDING: dict[str, Any] = json.loads(FILE.read_text(encoding="utf-8")) if FILE else {}

NVGRE_KEY = "0x13892a"
BRIDGES = (
    "add-br br0 -- set bridge br0 datapath_type=dummy fail-mode=secure "
    "other-config:hwaddr=aa:55:aa:55:00:00 -- add-port br0 p0 -- set interface p0 type=dummy "
    "ofport_request=1",
    "add-br int-br -- set bridge int-br datapath_type=dummy fail-mode=secure -- "
    "add-port int-br v1 -- set interface v1 type=dummy ofport_request=1 -- "
    "add-port int-br v2 -- set interface v2 type=dummy ofport_request=2",
)
TUNNELS = {
    "vx": "vxlan options:remote_ip=1.1.2.92 options:key=flow",
    "gr": "gre options:remote_ip=1.1.2.92 options:key=flow",
    "gn": "geneve options:remote_ip=1.1.2.92 options:key=flow",
    "vxc": "vxlan options:remote_ip=1.1.2.93 options:key=77 options:csum=true "
    "options:tos=inherit options:ttl=9 options:df_default=false",
    "grc": "gre options:remote_ip=1.1.2.93 options:key=78 options:csum=true options:tos=0x10 "
    "options:ttl=inherit",
    "grs": "gre options:remote_ip=1.1.2.93 options:key=79 options:seq=true",
    "grn": "gre options:remote_ip=1.1.2.94",
    "nv": f"gre options:remote_ip=1.1.2.95 options:key={NVGRE_KEY}",
}
FIRST_PORT = 10
WITH_KEYS_OF_FLOWS = ("vx", "gr", "gn")


def set_up() -> Switch:
    switch = Switch()
    for line in BRIDGES:
        switch.vsctl(*line.split())
    for number, (name, options) in enumerate(TUNNELS.items(), start=FIRST_PORT):
        line = (
            f"add-port int-br {name} -- set interface {name} ofport_request={number} type={options}"
        )
        switch.vsctl(*line.split())
    switch.appctl(["netdev-dummy/ip4addr", "br0", "1.1.2.88/24"])
    switch.appctl(["ovs/route/add", "1.1.2.0/24", "br0"])
    for ip, mac in RECORDING["underlay"]["neigh"].items():
        switch.appctl(["tnl/neigh/set", "br0", ip, mac])
    switch.ofctl(["add-flow", "br0", "actions=normal"])
    return switch


def sent_by(switch: Switch, port: str) -> list[str]:
    return [frame.hex() for name, frame in switch.take_sent() if name == port]


@cache
def encapsulated() -> dict[tuple[str, str], list[str]]:
    """What we make of all recorded packets, in their order, for one tunnel counts its packets."""
    switch, made = set_up(), {}
    for case in RECORDING["encap"]:
        name = case["tunnel"]
        number = FIRST_PORT + list(TUNNELS).index(name)
        key = "set_field:5001->tun_id," if name in WITH_KEYS_OF_FLOWS else ""
        switch.ofctl(["del-flows", "int-br"])
        switch.ofctl(["add-flow", "int-br", f"in_port=1,actions={key}output:{number}"])
        switch.inject("v1", bytes.fromhex(case["inner"]))
        made[name, case["inner_name"]] = sent_by(switch, "p0")
    return made


def label(case: Case) -> str:
    return f"{case['tunnel']}-{case['inner_name']}"


@pytest.mark.parametrize("case", RECORDING.get("encap", ()), ids=label)
def test_what_leaves_through_a_tunnel_is_what_open_vswitch_sent(case: Case) -> None:
    # The source port, too: Open vSwitch's hash of the inner flow is ours.
    assert encapsulated()[case["tunnel"], case["inner_name"]] == case["outer"]


@cache
def receiver() -> Switch:
    switch = set_up()
    switch.ofctl(["add-flow", "int-br", "actions=output:2"])
    return switch


@pytest.mark.parametrize("case", RECORDING.get("decap", ()), ids=label)
def test_what_arrives_by_a_tunnel_is_what_open_vswitch_found_in_it(case: Case) -> None:
    switch = receiver()
    switch.inject("p0", bytes.fromhex(case["outer"]))
    assert sent_by(switch, "v2") == case["v2_frames"]


def turned_round(outer: bytes) -> bytes:
    """The frame as the other end would send it."""
    packet = ipv4.parse(outer[ether.HEADER_BYTES :])
    assert packet is not None
    source, target = IpAddress(packet.target), IpAddress(packet.source)
    back = ipv4.emit(source, target, packet.protocol, packet.payload, ttl=packet.ttl)
    return ether.frame(outer[6:12], outer[:6], ether.TYPE_IPV4, back)


@pytest.mark.parametrize("case", RECORDING.get("encap", ()), ids=label)
def test_what_goes_in_comes_out_at_the_other_end(case: Case) -> None:
    (outer,) = encapsulated()[case["tunnel"], case["inner_name"]]
    switch = receiver()
    switch.inject("p0", turned_round(bytes.fromhex(outer)))
    assert sent_by(switch, "v2") == [case["inner"]]


def test_udp_checksums_are_there_where_they_were_asked_for() -> None:
    for (name, _), (outer,) in encapsulated().items():
        packet = ipv4.parse(bytes.fromhex(outer)[ether.HEADER_BYTES :])
        assert packet is not None
        if packet.protocol == udp.PROTOCOL:
            has_checksum = packet.payload[6:8] != b"\0\0"
            assert has_checksum == (name == "vxc")
            assert udp.checksum_holds(packet.source, packet.target, packet.payload)
        elif packet.payload[0] & 0x80:
            assert checksum.checksum(packet.payload) == 0


def test_the_ports_that_listen_are_listed_as_open_vswitch_lists_them() -> None:
    shown = receiver().appctl(["tnl/ports/show"])
    assert shown == RECORDING["tnl_ports"].removesuffix("\n")
