"""IGMP and MLD hosts: joins, leaves, queries, and queriers of older versions."""

from __future__ import annotations

from typing import Any

from scapy.layers.inet import IP, UDP
from scapy.layers.inet6 import (
    ICMPv6MLDone,
    ICMPv6MLQuery,
    ICMPv6MLQuery2,
    ICMPv6MLReport,
    ICMPv6MLReport2,
    IPv6,
    IPv6ExtHdrHopByHop,
    RouterAlert,
)
from scapy.layers.l2 import Ether
from scapy.utils import checksum

from tests.linux.kit import MS, Lab, Probe, S, address, host, ip, ip6, mld_records
from vnet.base.ids import ip_from_text
from vnet.linux.netns.membership import GroupMembership
from vnet.linux.netns.namespace import Namespace

GROUP = "239.1.1.1"
GROUP6 = "ff05::1:3"
TO_INCLUDE, TO_EXCLUDE, IS_EXCLUDE = 3, 4, 2


def igmp_of(machine: Namespace) -> GroupMembership:
    return machine.interface("eth0").igmp


def igmp_packets(probe: Probe, kind: int) -> list[Any]:
    """The packets that carry an IGMP message of this type. Scapy moved its IGMP layers about."""
    return [p for p in probe.of(IP) if p[IP].proto == 2 and message_of(p)[0] == kind]


def message_of(packet: Any) -> bytes:
    message = bytes(packet[IP].payload)
    assert checksum(message) == 0
    return message


def dotted(group: bytes) -> str:
    return ".".join(map(str, group))


def v3_records(probe: Probe) -> list[tuple[str, list[tuple[int, str]]]]:
    """(target, [(type, group) of each record]) of each IGMPv3 report; none names sources."""
    found = []
    for packet in igmp_packets(probe, 0x22):
        message = message_of(packet)
        count = int.from_bytes(message[6:8], "big")
        assert len(message) == 8 + 8 * count
        records = [message[at : at + 8] for at in range(8, len(message), 8)]
        found.append((packet[IP].dst, [(r[0], dotted(r[4:8])) for r in records]))
    return found


def v3_times_ms(probe: Probe) -> list[float]:
    reports = igmp_packets(probe, 0x22)
    return [ms for ms, p in zip(probe.times_ms(IP), probe.of(IP), strict=True) if p in reports]


def send_igmp(probe: Probe, target: str, mac: str, message: bytes) -> None:
    check = checksum(message).to_bytes(2, "big")
    packet = ip("10.0.0.9", target, ttl=1, proto=2) / (message[:2] + check + message[4:])
    probe.send(Ether(src=probe.mac, dst=mac) / packet)


def query(probe: Probe, group: str = "0.0.0.0", mrcode: int = 10) -> None:
    to_all = group == "0.0.0.0"
    target, mac = ("224.0.0.1", "01:00:5e:00:00:01") if to_all else (group, "01:00:5e:01:01:01")
    message = bytes((0x11, mrcode, 0, 0)) + ip_from_text(group) + bytes((2, 125, 0, 0))
    send_igmp(probe, target, mac, message)


def old_query(probe: Probe, mrcode: int) -> None:
    send_igmp(probe, "224.0.0.1", "01:00:5e:00:00:01", bytes((0x11, mrcode)) + bytes(6))


def test_a_join_is_reported_twice_with_ttl_1_tos_c0_and_router_alert() -> None:
    lab = Lab()
    machine, probe = host(lab)
    igmp_of(machine).join(ip_from_text(GROUP))
    lab.run(3 * S)
    assert v3_records(probe) == [("224.0.0.22", [(TO_EXCLUDE, GROUP)])] * 2
    first_ms, second_ms = v3_times_ms(probe)
    assert first_ms == 12
    assert 0 < second_ms - first_ms <= 1_040
    for report in igmp_packets(probe, 0x22):
        assert (report[IP].ttl, report[IP].tos, int(report[IP].flags), report[IP].id) == (
            1,
            0xC0,
            2,
            0,
        )
        assert bytes(report[IP].options[0]) == b"\x94\x04\x00\x00"
        assert report.dst == "01:00:5e:00:00:16"


def test_a_leave_is_reported_twice() -> None:
    lab = Lab()
    machine, probe = host(lab)
    igmp_of(machine).join(ip_from_text(GROUP))
    lab.run(3 * S)
    probe.forget()
    igmp_of(machine).leave(ip_from_text(GROUP))
    assert not igmp_of(machine).is_member(ip_from_text(GROUP))
    lab.run(3 * S)
    assert v3_records(probe) == [("224.0.0.22", [(TO_INCLUDE, GROUP)])] * 2


def test_only_the_last_user_of_a_group_leaves_it() -> None:
    lab = Lab()
    machine, probe = host(lab)
    for _ in range(2):
        igmp_of(machine).join(ip_from_text(GROUP))
    lab.run(3 * S)
    probe.forget()
    igmp_of(machine).leave(ip_from_text(GROUP))
    lab.run(3 * S)
    assert probe.heard == []
    assert igmp_of(machine).is_member(ip_from_text(GROUP))


def test_leaving_what_was_never_joined_does_nothing() -> None:
    lab = Lab()
    machine, probe = host(lab)
    igmp_of(machine).leave(ip_from_text(GROUP))
    lab.run(3 * S)
    assert probe.heard == []


def test_the_robustness_variable_says_how_often() -> None:
    lab = Lab()
    machine, probe = host(lab)
    machine.sysctls["net.ipv4.igmp_qrv"] = 4
    igmp_of(machine).join(ip_from_text(GROUP))
    lab.run(6 * S)
    assert len(v3_records(probe)) == 4


def test_without_an_address_igmp_speaks_from_0_0_0_0() -> None:
    lab = Lab()
    machine = lab.machine("host")
    probe = lab.probe(machine, "eth0")
    igmp_of(machine).join(ip_from_text(GROUP))
    lab.run(3 * S)
    assert [data[26:30] for _, data in probe.heard] == [bytes(4)] * 2


def joined(lab: Lab, *groups: str) -> tuple[Namespace, Probe]:
    machine, probe = host(lab)
    for group in groups:
        igmp_of(machine).join(ip_from_text(group))
    lab.run(3 * S)
    probe.forget()
    return machine, probe


def test_a_general_query_is_answered_with_every_group_within_its_time() -> None:
    lab = Lab()
    _machine, probe = joined(lab, GROUP, "239.2.2.2")
    asked_ms = lab.now_ms
    query(probe, mrcode=20)
    lab.run(5 * S)
    (report,) = v3_records(probe)
    assert report == ("224.0.0.22", [(IS_EXCLUDE, "239.2.2.2"), (IS_EXCLUDE, GROUP)])
    assert v3_times_ms(probe)[0] - asked_ms <= 2_000 * 1.13


def test_a_query_for_a_group_is_answered_by_its_members_only() -> None:
    lab = Lab()
    _machine, probe = joined(lab, GROUP)
    query(probe, GROUP)
    lab.run(3 * S)
    assert v3_records(probe) == [("224.0.0.22", [(IS_EXCLUDE, GROUP)])]
    probe.forget()
    query(probe, "239.9.9.9")
    lab.run(3 * S)
    assert probe.heard == []


def test_a_second_query_does_not_make_a_second_answer() -> None:
    lab = Lab()
    _machine, probe = joined(lab, GROUP)
    query(probe, mrcode=100)
    query(probe, mrcode=100)
    lab.run(20 * S)
    assert len(v3_records(probe)) == 1


def test_a_version_2_querier_gets_version_2_reports_and_a_leave() -> None:
    lab = Lab()
    machine, probe = joined(lab, GROUP)
    old_query(probe, mrcode=10)
    lab.run(3 * S)
    (report,) = igmp_packets(probe, 0x16)
    assert (dotted(message_of(report)[4:]), report[IP].dst) == (GROUP, GROUP)
    assert v3_records(probe) == []
    probe.forget()
    igmp_of(machine).leave(ip_from_text(GROUP))
    lab.run(3 * S)
    leave = igmp_packets(probe, 0x17)[0]
    assert (dotted(message_of(leave)[4:]), leave[IP].dst) == (GROUP, "224.0.0.2")


def test_a_version_1_querier_gets_version_1_reports_and_no_leave() -> None:
    lab = Lab()
    machine, probe = joined(lab, GROUP)
    old_query(probe, mrcode=0)
    lab.run(15 * S)
    (report,) = igmp_packets(probe, 0x12)
    assert dotted(message_of(report)[4:]) == GROUP
    probe.forget()
    igmp_of(machine).leave(ip_from_text(GROUP))
    lab.run(3 * S)
    assert probe.heard == []


def test_an_older_querier_is_forgotten_after_its_time() -> None:
    lab = Lab()
    machine, probe = joined(lab, GROUP)
    old_query(probe, mrcode=10)
    lab.run(261 * S)
    probe.forget()
    igmp_of(machine).join(ip_from_text("239.2.2.2"))
    lab.run(3 * S)
    assert len(v3_records(probe)) == 2


def test_setting_the_link_up_reports_what_is_joined() -> None:
    lab = Lab()
    machine, probe = joined(lab, GROUP)
    machine.set_down("eth0")
    machine.set_up("eth0")
    lab.run(3 * S)
    assert v3_records(probe) == [("224.0.0.22", [(TO_EXCLUDE, GROUP)])] * 2


# -- MLD


def host6(lab: Lab, *groups: str) -> tuple[Namespace, Probe]:
    machine, probe = host(lab, ipv6=True)
    lab.run(4 * S)
    for group in groups:
        machine.interface("eth0").mld.join(ip_from_text(group))
    lab.run(3 * S)
    return machine, probe


def query6(probe: Probe, body: object) -> None:
    header = ip6("fe80::9", "ff02::1", hlim=1) / IPv6ExtHdrHopByHop(options=[RouterAlert()])
    probe.send(Ether(src=probe.mac, dst="33:33:00:00:00:01") / header / body)


def about_the_group(probe: Probe) -> list[list[tuple[int, str]]]:
    reports = [mld_records(p) for p in probe.of(ICMPv6MLReport2)]
    return [records for records in reports if GROUP6 in {group for _, group in records}]


def test_an_mld_join_and_leave_are_reported_twice_each() -> None:
    lab = Lab()
    machine, probe = host6(lab, GROUP6)
    assert about_the_group(probe) == [[(TO_EXCLUDE, GROUP6)]] * 2
    probe.forget()
    machine.interface("eth0").mld.leave(ip_from_text(GROUP6))
    lab.run(3 * S)
    assert about_the_group(probe) == [[(TO_INCLUDE, GROUP6)]] * 2


def test_an_mld_query_is_answered_with_every_group() -> None:
    lab = Lab()
    _machine, probe = host6(lab, GROUP6)
    probe.forget()
    query6(probe, ICMPv6MLQuery2(mrd=1000))
    lab.run(3 * S)
    (report,) = probe.of(ICMPv6MLReport2)
    assert mld_records(report) == [(IS_EXCLUDE, GROUP6), (IS_EXCLUDE, "ff02::1:ff00:1")]
    assert report[IPv6].src == "fe80::ff:fe00:1"


def test_interface_local_groups_and_all_nodes_are_told_to_nobody() -> None:
    lab = Lab()
    _machine, probe = host6(lab, "ff01::5")
    probe.forget()
    query6(probe, ICMPv6MLQuery2(mrd=1000))
    lab.run(3 * S)
    (report,) = probe.of(ICMPv6MLReport2)
    assert mld_records(report) == [(IS_EXCLUDE, "ff02::1:ff00:1")]


def test_a_version_1_querier_gets_version_1_reports_and_a_done() -> None:
    lab = Lab()
    machine, probe = host6(lab, GROUP6)
    probe.forget()
    query6(probe, ICMPv6MLQuery(mrd=1000))
    lab.run(3 * S)
    reports = {(p[IPv6].dst, p[ICMPv6MLReport].mladdr) for p in probe.of(ICMPv6MLReport)}
    assert reports == {(GROUP6, GROUP6), ("ff02::1:ff00:1", "ff02::1:ff00:1")}
    machine.interface("eth0").mld.leave(ip_from_text(GROUP6))
    lab.run(3 * S)
    done = probe.of(ICMPv6MLDone)[0]
    assert (done[IPv6].dst, done[ICMPv6MLDone].mladdr) == ("ff02::2", GROUP6)


def test_a_datagram_to_a_group_reaches_members_only() -> None:
    lab = Lab()
    machine, probe = host(lab)
    got: list[bytes] = []
    machine.sockets.open_udp(lambda _socket, datagram: got.append(datagram.data), 5000)
    address(machine, "eth0", "192.0.2.1/24")

    def send() -> None:
        payload = ip("10.0.0.2", GROUP, ttl=1) / UDP(sport=1, dport=5000) / b"to the group"
        probe.send(Ether(src=probe.mac, dst="01:00:5e:01:01:01") / payload)

    send()
    assert got == []
    igmp_of(machine).join(ip_from_text(GROUP))
    lab.run(20 * MS)
    send()
    assert got == [b"to the group"]
