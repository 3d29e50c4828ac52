"""IPv6 addresses: duplicate detection won and lost, and neighbour discovery around it."""

from __future__ import annotations

import itertools

from scapy.layers.inet6 import (
    ICMPv6EchoReply,
    ICMPv6EchoRequest,
    ICMPv6MLReport2,
    ICMPv6ND_NA,
    ICMPv6ND_NS,
    ICMPv6ND_RA,
    ICMPv6ND_RS,
    ICMPv6NDOptDstLLAddr,
    ICMPv6NDOptSrcLLAddr,
    IPv6,
)
from scapy.layers.l2 import Ether

from tests.linux.kit import (
    MS,
    Lab,
    Probe,
    S,
    address,
    dropped,
    ip6,
    mld_records,
    nud_of,
    to_host,
)
from vnet.base.ids import ip_from_text, ip_text
from vnet.linux.netns import drops
from vnet.linux.netns.address import InterfaceAddress
from vnet.linux.netns.changes import AddressChange, Change
from vnet.linux.netns.namespace import Namespace
from vnet.tables.neigh import Nud

OURS = "fd00::1"
PEER = "fd00::2"
ALL_NODES = "33:33:00:00:00:01"


def machine_with(text: str = "fd00::1/64", name: str = "host") -> tuple[Lab, Namespace, Probe]:
    lab = Lab()
    machine = lab.machine(name)
    probe = lab.probe(machine, "eth0", ipv6=True)
    address(machine, "eth0", text)
    return lab, machine, probe


def found(machine: Namespace, text: str = OURS) -> InterfaceAddress:
    entry = machine.interface("eth0").find(ip_from_text(text))
    assert entry is not None
    return entry


def rival_asks(probe: Probe, target: str = OURS) -> None:
    ask = ip6("::", "ff02::1:ff00:1", hlim=255) / ICMPv6ND_NS(tgt=target)
    probe.send(Ether(src=probe.mac, dst="33:33:ff:00:00:01") / ask)


def rival_claims(probe: Probe, target: str = OURS) -> None:
    claim = ICMPv6ND_NA(tgt=target, S=0, O=1) / ICMPv6NDOptDstLLAddr(lladdr=probe.mac)
    probe.send(Ether(src=probe.mac, dst=ALL_NODES) / ip6(target, "ff02::1", hlim=255) / claim)


def test_a_new_address_is_tentative_and_then_ours() -> None:
    lab, machine, _probe = machine_with()
    changes: list[Change] = []
    machine.listeners.append(changes.append)
    assert found(machine).tentative
    lab.run(3 * S)
    assert found(machine).usable
    told = [c.address.ip for c in changes if isinstance(c, AddressChange)]
    assert ip_from_text(OURS) in told


def test_a_tentative_address_answers_nothing() -> None:
    lab, machine, probe = machine_with()
    probe.send(to_host(probe, ip6(PEER, OURS) / ICMPv6EchoRequest()))
    ask = ICMPv6ND_NS(tgt=OURS) / ICMPv6NDOptSrcLLAddr(lladdr=probe.mac)
    probe.send(to_host(probe, ip6(PEER, "ff02::1:ff00:1", hlim=255) / ask))
    lab.run(5 * MS)
    assert probe.heard == []
    assert dropped(machine, drops.TENTATIVE) == 2


def test_a_claim_during_the_check_loses_us_the_address() -> None:
    lab, machine, probe = machine_with()
    lab.run(20 * MS)
    rival_claims(probe)
    assert found(machine).duplicate
    assert not found(machine).usable
    lab.run(5 * S)
    assert not found(machine).usable
    assert OURS not in {p[ICMPv6ND_NS].tgt for p in probe.of(ICMPv6ND_NS)}
    (said,) = [text for _time_ns, text in machine.log]
    rival = f"used by {probe.mac} detected!"
    assert said == f"IPv6: eth0: IPv6 duplicate address {OURS} {rival}"


def test_a_rival_that_checks_at_the_same_time_loses_both_the_address() -> None:
    lab, machine, probe = machine_with()
    lab.run(20 * MS)
    rival_asks(probe)
    assert found(machine).duplicate
    assert dropped(machine, drops.DUPLICATE_ADDRESS) == 1


def test_our_own_probe_come_back_is_not_a_rival() -> None:
    lab, machine, probe = machine_with()
    while not any(p[ICMPv6ND_NS].tgt == OURS for p in probe.of(ICMPv6ND_NS)):
        lab.run(10 * MS)
    probe.send(next(p for p in probe.of(ICMPv6ND_NS) if p[ICMPv6ND_NS].tgt == OURS))
    lab.run(3 * S)
    assert found(machine).usable


def test_the_owner_answers_a_check_to_all_nodes() -> None:
    lab, _machine, probe = machine_with()
    lab.run(3 * S)
    rival_asks(probe)
    (claim,) = probe.of(ICMPv6ND_NA)
    assert (claim.dst, claim[IPv6].src, claim[IPv6].dst) == (ALL_NODES, OURS, "ff02::1")
    flags = claim[ICMPv6ND_NA]
    assert (flags.tgt, flags.S, flags.O, flags.R) == (OURS, 0, 1, 0)
    assert claim[ICMPv6NDOptDstLLAddr].lladdr == "02:00:00:00:00:01"


def test_two_machines_with_one_address_the_second_gives_way() -> None:
    lab = Lab()
    one, two = lab.machine("one"), lab.machine("two")
    lab.join(one, "eth0", two, "eth0", ipv6=True)
    address(one, "eth0", "fd00::1/64")
    lab.run(3 * S)
    address(two, "eth0", "fd00::1/64")
    lab.run(3 * S)
    assert found(one).usable
    assert found(two).duplicate


def conf(machine: Namespace, **settings: int) -> None:
    for name, value in settings.items():
        for device in ("all", "default"):
            machine.sysctls[f"net.ipv6.conf.{device}.{name}"] = value


def test_removing_the_check_makes_addresses_usable_at_once() -> None:
    lab = Lab()
    machine = lab.machine("host")
    conf(machine, accept_dad=0)
    probe = lab.probe(machine, "eth0", ipv6=True)
    address(machine, "eth0", "fd00::1/64")
    assert found(machine).usable
    lab.run(3 * S)
    assert probe.of(ICMPv6ND_NS) == []


def test_a_check_without_probes_is_only_a_wait() -> None:
    lab = Lab()
    machine = lab.machine("host")
    conf(machine, dad_transmits=0)
    probe = lab.probe(machine, "eth0", ipv6=True)
    address(machine, "eth0", "fd00::1/64")
    assert found(machine).tentative
    lab.run(1_040 * MS)
    assert found(machine).usable
    assert probe.of(ICMPv6ND_NS) == []


def test_probes_of_one_check_share_a_nonce_and_come_a_second_apart() -> None:
    lab = Lab()
    machine = lab.machine("host")
    conf(machine, dad_transmits=3)
    probe = lab.probe(machine, "eth0", ipv6=True)
    lab.run(6 * S)
    probes = probe.of(ICMPv6ND_NS)
    assert len(probes) == 3
    assert len({bytes(p)[-6:] for p in probes}) == 1
    times = probe.times_ms(ICMPv6ND_NS)
    assert all(1_000 <= b - a <= 1_040 for a, b in itertools.pairwise(times))


def test_without_enhanced_detection_probes_carry_no_nonce() -> None:
    lab = Lab()
    machine = lab.machine("host")
    conf(machine, enhanced_dad=0)
    probe = lab.probe(machine, "eth0", ipv6=True)
    lab.run(3 * S)
    (ask,) = probe.of(ICMPv6ND_NS)
    assert len(bytes(ask)) == 78


def test_a_lost_link_local_address_ends_ipv6_where_that_is_wanted() -> None:
    """accept_dad 2: the kernel disables IPv6 on the interface."""
    for accept_dad, disabled in ((1, 0), (2, 1)):
        lab = Lab()
        machine = lab.machine("host")
        conf(machine, accept_dad=accept_dad)
        probe = lab.probe(machine, "eth0", ipv6=True)
        address(machine, "eth0", "fd00::5/64")
        rival_claims(probe, "fe80::ff:fe00:1")
        interface = machine.interface("eth0")
        assert interface.conf6.disable_ipv6 == disabled
        assert [len(a.ip) for a in interface.addresses] == [16, 16] * (not disabled)
        lab.run(60 * S)
        assert probe.of(ICMPv6ND_RS) == []


def test_ndisc_notify_announces_an_address_that_was_won() -> None:
    lab = Lab()
    machine = lab.machine("host")
    conf(machine, ndisc_notify=1)
    probe = lab.probe(machine, "eth0", ipv6=True)
    lab.run(3 * S)
    (told,) = probe.of(ICMPv6ND_NA)
    assert (told[IPv6].src, told[IPv6].dst) == ("fe80::ff:fe00:1", "ff02::1")
    assert (told[ICMPv6ND_NA].S, told[ICMPv6ND_NA].O) == (0, 1)


def test_without_generated_addresses_there_is_no_link_local_one() -> None:
    lab = Lab()
    machine = lab.machine("host")
    conf(machine, addr_gen_mode=1)
    probe = lab.probe(machine, "eth0", ipv6=True)
    lab.run(10 * S)
    assert machine.interface("eth0").addresses == []
    assert probe.heard == []


# -- routers, and settings that change while the machine runs


def test_whoever_begins_to_forward_joins_the_routers_groups() -> None:
    lab, machine, probe = machine_with("fd00::77/64")
    lab.run(4 * S)
    probe.forget()
    machine.sysctls["net.ipv6.conf.all.forwarding"] = 1
    lab.run(20 * MS)
    (report,) = probe.of(ICMPv6MLReport2)
    joined = ["ff02::1:ff00:0", "ff05::2", "ff02::2"]
    assert mld_records(report) == [(4, group) for group in joined]
    machine.sysctls["net.ipv6.conf.all.forwarding"] = 0
    lab.run(2 * S)
    told = [record for report in probe.of(ICMPv6MLReport2) for record in mld_records(report)]
    assert {group for kind, group in told if kind == 3} == set(joined)


def test_a_device_that_is_set_down_keeps_the_groups_of_a_router() -> None:
    lab, machine, _probe = machine_with()
    lab.run(3 * S)
    machine.sysctls["net.ipv6.conf.all.forwarding"] = 1
    machine.set_down("eth0")
    joined = [ip_text(group.ip) for group in machine.interface("eth0").mld.groups]
    assert joined == ["ff05::2", "ff01::2", "ff02::2"]


def test_ipv6_goes_and_comes_with_its_switch() -> None:
    lab, machine, _probe = machine_with()
    lab.run(3 * S)
    machine.sysctls["net.ipv6.conf.eth0.disable_ipv6"] = 1
    assert machine.interface("eth0").addresses == []
    assert list(machine.routing6.main) == []
    machine.sysctls["net.ipv6.conf.eth0.disable_ipv6"] = 0
    lab.run(3 * S)
    assert found(machine, "fe80::ff:fe00:1").usable


def test_every_added_address_has_all_groups_reported_anew() -> None:
    """The kernel sets up a device's groups again when somebody adds an address."""
    lab, machine, probe = machine_with("fd00::77/64")
    lab.run(4 * S)
    probe.forget()
    address(machine, "eth0", "fd00::88/64")
    lab.run(20 * MS)
    (report,) = probe.of(ICMPv6MLReport2)
    groups = [group for _kind, group in mld_records(report)]
    assert groups == ["ff02::1:ff00:88", "ff02::1:ff00:77", "ff02::1:ff00:1"]


def test_an_address_added_without_a_carrier_is_checked_when_the_link_returns() -> None:
    lab, machine, probe = machine_with()
    lab.run(3 * S)
    probe.device.set_admin(False)
    address(machine, "eth0", "fd00::7/64")
    lab.run(3 * S)
    assert found(machine, "fd00::7").tentative
    probe.forget()
    probe.device.set_admin(True)
    lab.run(3 * S)
    assert found(machine, "fd00::7").usable
    assert [p[ICMPv6ND_NS].tgt for p in probe.of(ICMPv6ND_NS)] == ["fd00::7"]


def test_a_check_that_runs_goes_on_when_the_carrier_blinks() -> None:
    lab, machine, probe = machine_with()
    lab.run(20 * MS)
    probe.device.set_admin(False)
    probe.device.set_admin(True)
    lab.run(3 * S)
    assert found(machine).usable
    asked = [p[ICMPv6ND_NS].tgt for p in probe.of(ICMPv6ND_NS)]
    assert asked.count(OURS) == 1


# -- neighbour discovery


def known_peer() -> tuple[Lab, Namespace, Probe]:
    lab, machine, probe = machine_with()
    lab.run(3 * S)
    probe.forget()
    return lab, machine, probe


def peer_answers(probe: Probe, **flags: int) -> None:
    answer = ICMPv6ND_NA(tgt=PEER, **{"S": 1, "O": 1, "R": 0, **flags})
    told = answer / ICMPv6NDOptDstLLAddr(lladdr=probe.mac)
    probe.send(to_host(probe, ip6(PEER, OURS, hlim=255) / told))


def test_a_ping_asks_the_solicited_node_group_and_waits() -> None:
    lab, machine, probe = known_peer()
    machine.sockets.open_udp(lambda *_: None, 7).send_to(ip_from_text(PEER), 7, b"hello")
    lab.run(0)
    (ask,) = probe.of(ICMPv6ND_NS)
    assert (ask.dst, ask[IPv6].dst, ask[IPv6].src) == ("33:33:ff:00:00:02", "ff02::1:ff00:2", OURS)
    assert ask[ICMPv6NDOptSrcLLAddr].lladdr == "02:00:00:00:00:01"
    peer_answers(probe)
    assert nud_of(machine.interface("eth0"), PEER) is Nud.REACHABLE
    assert [p.dst for p in probe.packets] == ["33:33:ff:00:00:02", probe.mac]


def test_whoever_solicits_us_is_answered_and_known_with_a_doubt() -> None:
    _lab, machine, probe = known_peer()
    ask = ICMPv6ND_NS(tgt=OURS) / ICMPv6NDOptSrcLLAddr(lladdr=probe.mac)
    group = ip6(PEER, "ff02::1:ff00:1", hlim=255)
    probe.send(Ether(src=probe.mac, dst="33:33:ff:00:00:01") / group / ask)
    (answer,) = probe.of(ICMPv6ND_NA)
    assert (answer.dst, answer[IPv6].dst) == (probe.mac, PEER)
    assert (answer[ICMPv6ND_NA].S, answer[ICMPv6ND_NA].O) == (1, 1)
    assert nud_of(machine.interface("eth0"), PEER) is Nud.DELAY


def test_whoever_knows_our_mac_is_not_told_it_again() -> None:
    """A solicitation to us alone gets no override and no MAC, as the kernel sends it."""
    _lab, _machine, probe = known_peer()
    ask = ICMPv6ND_NS(tgt=OURS) / ICMPv6NDOptSrcLLAddr(lladdr=probe.mac)
    probe.send(to_host(probe, ip6(PEER, OURS, hlim=255) / ask))
    (answer,) = probe.of(ICMPv6ND_NA)
    assert (answer[ICMPv6ND_NA].S, answer[ICMPv6ND_NA].O) == (1, 0)
    assert not answer.haslayer(ICMPv6NDOptDstLLAddr)


def test_an_unsolicited_claim_of_a_stranger_makes_no_neighbour() -> None:
    _lab, machine, probe = known_peer()
    peer_answers(probe)
    assert nud_of(machine.interface("eth0"), PEER) is None
    assert dropped(machine, drops.NOT_WANTED) == 1


def test_discovery_from_beyond_a_router_is_ignored() -> None:
    _lab, machine, probe = known_peer()
    ask = ICMPv6ND_NS(tgt=OURS) / ICMPv6NDOptSrcLLAddr(lladdr=probe.mac)
    probe.send(to_host(probe, ip6(PEER, OURS, hlim=254) / ask))
    assert probe.heard == []
    assert dropped(machine, drops.ND_INVALID) == 1


def test_an_unanswered_neighbour_is_reported_as_address_unreachable() -> None:
    lab, machine, _probe = known_peer()
    told: list[str] = []
    socket = machine.sockets.open_udp(lambda *_: None, 7, lambda error: told.append(error.text))
    socket.send_to(ip_from_text(PEER), 7, b"hello")
    lab.run(4 * S)
    assert told == ["Destination unreachable: Address unreachable"]
    assert nud_of(machine.interface("eth0"), PEER) is Nud.FAILED


def test_two_hosts_ping_each_other_by_their_link_local_addresses() -> None:
    lab, _machine, probe = known_peer()
    ping = ip6("fe80::9", "fe80::ff:fe00:1") / ICMPv6EchoRequest(id=3, seq=4)
    probe.send(to_host(probe, ping))
    (ask,) = probe.of(ICMPv6ND_NS)
    assert ask[ICMPv6ND_NS].tgt == "fe80::9"
    told = ICMPv6ND_NA(tgt="fe80::9", S=1, O=1) / ICMPv6NDOptDstLLAddr(lladdr=probe.mac)
    probe.send(to_host(probe, ip6("fe80::9", "fe80::ff:fe00:1", hlim=255) / told))
    (reply,) = probe.of(ICMPv6EchoReply)
    assert (reply[IPv6].src, reply[ICMPv6EchoReply].id) == ("fe80::ff:fe00:1", 3)
    lab.run(0)


def test_a_router_that_advertises_itself_ends_the_asking() -> None:
    lab, machine, probe = known_peer()
    advert = ICMPv6ND_RA() / ICMPv6NDOptSrcLLAddr(lladdr=probe.mac)
    probe.send(Ether(src=probe.mac, dst=ALL_NODES) / ip6("fe80::9", "ff02::1", hlim=255) / advert)
    probe.forget()
    lab.run(60 * S)
    assert probe.of(ICMPv6ND_RS) == []
    assert nud_of(machine.interface("eth0"), "fe80::9") in (Nud.STALE, None)
