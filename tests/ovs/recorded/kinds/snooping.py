"""Multicast snooping: who joins, leaves and asks, by IGMP and MLD, and where group traffic goes."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address

from tests.ovs.recorded.script import BRIDGE, Script
from vnet.wire import igmp, ipv4, ipv6, mld
from vnet.wire.checksum import checksum, transport_checksum
from vnet.wire.ether import TYPE_IPV4, TYPE_IPV6, frame
from vnet.wire.igmp import Record
from vnet.wire.vlan import Tag, push

N_PORTS = 5
VLANS = (10, 20)
_MODES = (
    "",
    "",
    "",
    "tag=10",
    "tag=10",
    "tag=20",
    "trunks=10,20",
    "vlan_mode=native-untagged tag=10",
)
_GROUPS4 = ("225.1.1.1", "225.1.1.2", "239.94.1.1", "224.0.0.251")
_GROUPS6 = ("ff05::1:3", "ff1e::42", "ff02::fb")
_ROUTER4, _ROUTER6 = "10.0.0.254", "fe80::254"
_FLOWS = (
    "in_port=1,udp,actions=mod_nw_dst:225.1.1.2,normal",
    "in_port=2,ip,actions=mod_vlan_vid:20,normal",
    "udp,nw_dst=239.94.1.1,actions=normal,local",
)
_WARPS_S = (1, 5, 10, 100, 179, 180, 299, 300)


def draw(script: Script) -> None:
    script.bridge()
    for number in range(1, N_PORTS + 1):
        script.port(f"p{number}", number, script.choose(*_MODES))
    script.ofctl(f"add-flow {BRIDGE} priority=0,actions=normal")
    if script.happens(0.2):
        script.ofctl(f"add-flow {BRIDGE} priority=1,{script.choose(*_FLOWS)}")
    script.vsctl(f"set bridge {BRIDGE} mcast_snooping_enable=true")
    if script.happens(0.4):
        _set(script, "mcast-snooping-disable-flood-unregistered=true")
    if script.happens(0.25):
        _set(script, f"mcast-snooping-table-size={script.choose(1, 10, 11)}")
    if script.happens(0.25):
        _set(script, f"mcast-snooping-aging-time={script.choose(1, 20, 60, 4000)}")
    for number in range(1, N_PORTS + 1):
        if script.happens(0.12):
            _set_port(script, number)
    for _ in range(script.number(3, 6)):
        for _ in range(script.number(2, 6)):
            _frame_comes(script)
        if script.happens(0.3):
            script.warp(script.choose(*_WARPS_S) * 1_000)
        if script.happens(0.25):
            _change(script)
        script.show(f"ovs-appctl mdb/show {BRIDGE}")
    script.show(f"ovs-appctl fdb/show {BRIDGE}")


def _set(script: Script, setting: str) -> None:
    script.vsctl(f"set bridge {BRIDGE} other_config:{setting}")


def _set_port(script: Script, number: int) -> None:
    name = script.choose("mcast-snooping-flood", "mcast-snooping-flood-reports")
    script.vsctl(f"set port p{number} other_config:{name}={script.choose('true', 'true', 'false')}")


def _change(script: Script) -> None:
    """Something is configured while hosts talk."""
    number = script.number(1, N_PORTS)
    match script.number(1, 9):
        case 1:
            script.appctl(f"mdb/flush {BRIDGE}")
        case 2:
            script.vsctl(f"set port p{number} tag={script.choose(*VLANS)}")
        case 3:
            script.vsctl(f"--if-exists del-port p{number}")
            script.port(f"p{number}", number)
        case 4:
            _set(script, f"mcast-snooping-aging-time={script.choose(15, 30, 400)}")
        case 5:
            _set(script, f"mcast-snooping-table-size={script.choose(10, 2048)}")
        case 6:
            flood = script.choose("true", "false")
            _set(script, f"mcast-snooping-disable-flood-unregistered={flood}")
        case 7 | 8:
            _set_port(script, number)
        case 9:
            script.vsctl(f"set bridge {BRIDGE} mcast_snooping_enable=false")
            script.vsctl(f"set bridge {BRIDGE} mcast_snooping_enable=true")


# -- frames


def _frame_comes(script: Script) -> None:
    port = script.choose(*(f"p{number}" for number in range(1, N_PORTS + 1)), BRIDGE)
    match script.number(1, 20):
        case 1 | 2 | 3 | 4 | 5:
            data = _igmp_report(script)
        case 6 | 7:
            data = _igmp_query(script)
        case 8 | 9 | 10:
            data = _mld_report(script)
        case 11:
            data = _mld_query(script)
        case 12:
            for number in range(12):
                message = igmp.message_v2(igmp.REPORT_V2, bytes((225, 9, 0, number)))
                script.receive(port, _with_tag(script, _igmp_frame(message, f"225.9.0.{number}")))
            return
        case _:
            script.receive(port, _traffic(script))
            return
    if script.happens(0.05):
        data = data[:-1] + bytes((data[-1] ^ 1,))
    script.receive(port, _with_tag(script, data))


def _with_tag(script: Script, data: bytes) -> bytes:
    return push(data, Tag(0x8100, 0, False, script.choose(*VLANS))) if script.happens(0.3) else data


def _traffic(script: Script) -> str:
    tag = f",dl_vlan={script.choose(*VLANS)}" if script.happens(0.3) else ""
    source = f"dl_src=02:00:00:00:00:0{script.number(1, 4)}"
    if script.happens(0.3):
        group6 = IPv6Address(script.choose(*_GROUPS6, "ff02::1"))
        mac = "33:33:" + group6.packed[-4:].hex(":")
        return f"udp6,{source},dl_dst={mac},ipv6_src=fe80::1,ipv6_dst={group6}{tag}"
    if script.happens(0.1):
        return f"arp,{source},dl_dst=ff:ff:ff:ff:ff:ff{tag}"
    group = script.choose(*_GROUPS4, "225.9.0.3")
    return f"udp,{source},dl_dst={_mac4(group).hex(':')},nw_src=10.0.0.1,nw_dst={group}{tag}"


def _mac4(group: str) -> bytes:
    packed = IPv4Address(group).packed
    return b"\x01\x00\x5e" + bytes((packed[1] & 0x7F,)) + packed[2:]


def _igmp_frame(message: bytes, target: str, source: str = "10.0.0.1") -> bytes:
    packet = ipv4.emit(
        IPv4Address(source).packed,
        IPv4Address(target).packed,
        ipv4.IGMP,
        message,
        ttl=1,
        options=ipv4.ROUTER_ALERT,
    )
    return frame(_mac4(target), b"\x02\0\0\0\0\x01", TYPE_IPV4, packet)


def _igmp_report(script: Script) -> bytes:
    group = script.choose(*_GROUPS4)
    kind = script.choose(
        *(igmp.REPORT_V1, igmp.REPORT_V2, igmp.REPORT_V2, igmp.REPORT_V3, igmp.REPORT_V3),
        *(igmp.LEAVE, igmp.LEAVE),
    )
    if kind != igmp.REPORT_V3:
        return _igmp_frame(igmp.message_v2(kind, IPv4Address(group).packed), group)
    records = tuple(
        Record(
            script.choose(1, 2, 3, 4, 5, 6, 9),
            IPv4Address(script.choose(*_GROUPS4)).packed,
            (b"\x0a\0\0\x07",) * script.choose(0, 0, 1),
        )
        for _ in range(script.number(1, 3))
    )
    return _igmp_frame(igmp.report_v3(records), "224.0.0.22")


def _igmp_query(script: Script) -> bytes:
    body = bytes((igmp.QUERY, 100, 0, 0)) + bytes(4)
    if script.happens(0.4):
        body += b"\x02\x7d\0\0"
    message = body[:2] + checksum(body).to_bytes(2, "big") + body[4:]
    return _igmp_frame(message, "224.0.0.1", script.choose(_ROUTER4, _ROUTER4, "0.0.0.0"))


def _mld_frame(message: bytes, target: str, source: str = "fe80::1") -> bytes:
    addresses = IPv6Address(source).packed, IPv6Address(target).packed
    total = transport_checksum(*addresses, 58, message)
    summed = message[:2] + total.to_bytes(2, "big") + message[4:]
    options = ipv6.hop_by_hop(58, ipv6.ROUTER_ALERT_MLD)
    packet = ipv6.emit(*addresses, ipv6.HOP_BY_HOP, options + summed, hop_limit=1)
    mac = b"\x33\x33" + addresses[1][-4:]
    return frame(mac, b"\x02\0\0\0\0\x02", TYPE_IPV6, packet)


def _mld_report(script: Script) -> bytes:
    group = script.choose(*_GROUPS6)
    kind = script.choose(131, 131, 132, 143, 143)
    if kind != 143:
        body = mld.message_v1(IPv6Address(group).packed)
        return _mld_frame(bytes((kind, 0, 0, 0)) + body, group)
    records = tuple(
        Record(
            script.choose(1, 2, 3, 4, 5, 6, 9),
            IPv6Address(script.choose(*_GROUPS6)).packed,
            (bytes(15) + b"\x07",) * script.choose(0, 0, 1),
        )
        for _ in range(script.number(1, 3))
    )
    return _mld_frame(bytes((143, 0, 0, 0)) + mld.report_v2(records), "ff02::16")


def _mld_query(script: Script) -> bytes:
    body = bytes((130, 0, 0, 0)) + b"\x27\x10\0\0" + bytes(16)
    if script.happens(0.4):
        body += b"\x02\x7d\0\0"
    return _mld_frame(body, "ff02::1", script.choose(_ROUTER6, _ROUTER6, "::"))
