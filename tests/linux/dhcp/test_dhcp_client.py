"""A DHCP client at work: when it asks, how, and what a lease does to its machine."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest

from tests.linux.dhcp.network import Network, S
from vnet.base.errors import UsageError
from vnet.base.ids import IPV4_BROADCAST, MAC_BROADCAST, ip_text
from vnet.linux.netns.routing.destination import Destination
from vnet.linux.services.daemon_log import DaemonLog
from vnet.linux.services.dhcp_client.client import State
from vnet.linux.services.dhcp_server import drops
from vnet.sim.frame import Frame
from vnet.sim.scheduler import Scheduler
from vnet.wire import dhcp, dhcp_options, ipv4, udp
from vnet.wire.ether import TYPE_IPV4
from vnet.wire.ether import frame as ether_frame

QUICK = "{lease: 10min, ping: false}"
ADDRESS = "192.168.122.161"


def way(net: Network, target: str) -> Destination | None:
    ip = bytes(int(part) for part in target.split("."))
    return net.lab.network.vms["g1"].namespace.route_to(ip)


def test_it_asks_less_and_less_often_and_gives_up_after_a_minute(tmp_path: Path) -> None:
    net = Network(tmp_path, QUICK)
    net.server.stop()
    client = net.start("g1", "62s")
    sent = net.messages()
    times = [m.seen.time_ns // S for m in sent]
    gaps = [b - a for a, b in pairwise(times)]
    assert 3 <= gaps[0] <= 8
    assert all(3 <= gap <= 22 for gap in gaps)
    assert client.client.state is State.INIT
    assert {m.message.xid for m in sent} == {sent[0].message.xid}
    assert [m.message.secs for m in sent] == times
    net.lab.advance("140s")
    assert len(net.messages()) == len(sent), "it rests for 150 seconds at least"
    net.lab.advance("320s")
    assert len(net.messages()) > len(sent)
    assert net.messages()[-1].message.xid != sent[0].message.xid


def test_a_lease_is_renewed_by_unicast_within_the_last_quarter_before_t1(tmp_path: Path) -> None:
    net = Network(tmp_path, QUICK)
    client = net.start("g1", "1s")
    xid = net.messages()[0].message.xid
    bound_ns = net.lab.now_ns
    net.lab.advance("301s")
    renewal, answer = (m for m in net.messages(since_ns=bound_ns) if m.kind in ("REQUEST", "ACK"))
    assert 224 <= renewal.seen.time_ns // S <= 301
    packet = renewal.seen.packet
    assert (ip_text(packet.source), ip_text(packet.target)) == (ADDRESS, "192.168.122.1")
    assert (packet.ttl, packet.tos, packet.dont_fragment) == (64, 0, True)
    assert packet.ident
    assert ip_text(renewal.message.ciaddr) == ADDRESS
    assert renewal.message.xid == xid
    assert [code for code, _ in renewal.message.options] == [53, 12, 55]
    assert ip_text(answer.seen.packet.target) == ADDRESS
    assert client.client.state is State.BOUND
    assert client.heard["DHCPACK"] == 2


def test_from_t2_on_it_asks_everybody_and_in_the_end_lets_go(tmp_path: Path) -> None:
    net = Network(tmp_path, QUICK)
    client = net.start("g1", "1s")
    net.server.stop()
    net.lab.advance("598s")
    asked = net.messages(since_ns=2 * S)
    first, last = asked[0].seen.packet, asked[-1].seen.packet
    assert ip_text(first.target) == "192.168.122.1"
    assert last.target == IPV4_BROADCAST
    assert ip_text(last.source) == ADDRESS
    assert (last.ttl, last.tos) == (128, 0x10)
    turned = next(m for m in asked if m.seen.packet.target == IPV4_BROADCAST)
    assert turned.seen.time_ns // S > 525
    assert net.addresses() == [ADDRESS]
    net.lab.advance("6s")
    assert net.addresses() == []
    assert way(net, "10.9.9.9") is None, "the default route went with the address"
    discover = net.messages()[-1]
    assert discover.kind == "DISCOVER"
    assert client.client.state is State.SELECTING
    wish = discover.message.option(dhcp_options.REQUESTED_ADDRESS)
    assert wish is not None
    assert ip_text(wish) == ADDRESS


def test_a_refusal_is_not_heard_by_who_has_nothing(tmp_path: Path) -> None:
    """dhclient without a lease passes NAKs over, and asks again for ten seconds."""
    net = Network(tmp_path, "{leases: 1, ping: false}", guests=2)
    net.start("g1", "1s")
    client = net.start("g2", "1s")
    assert client.client.state is State.REQUESTING
    assert net.kinds("g2")[-1] == "NAK"
    net.lab.advance("25s")
    requests = [m for m in net.messages("g2") if m.kind == "REQUEST"]
    assert len(requests) > 1
    assert net.kinds("g2").count("DISCOVER") > 1


def test_a_release_is_an_ordinary_datagram(tmp_path: Path) -> None:
    net = Network(tmp_path, QUICK)
    client = net.start("g1", "1s")
    client.release()
    net.lab.advance("1s")
    release = net.messages()[-1]
    packet = release.seen.packet
    assert (packet.ttl, packet.tos, packet.dont_fragment) == (64, 0, True)
    assert ip_text(packet.target) == "192.168.122.1"
    assert [code for code, _ in release.message.options] == [53, 54, 12]
    assert ip_text(release.message.ciaddr) == ADDRESS
    assert client.client.state is State.STOPPED


def test_messages_have_dhclients_options_in_its_order(tmp_path: Path) -> None:
    net = Network(tmp_path, QUICK)
    client = net.start("g1", "1s")
    client.stop()
    net.start("g1", "1s")
    discover, request, reboot = (m.message for m in net.messages() if m.message.op == 1)
    assert [code for code, _ in discover.options] == [53, 12, 55]
    assert [code for code, _ in request.options] == [53, 54, 50, 12, 55]
    assert [code for code, _ in reboot.options] == [53, 50, 12, 55]
    wanted = bytes((1, 28, 2, 3, 15, 6, 119, 12, 44, 47, 26, 121, 42))
    assert discover.option(dhcp_options.PARAMETER_REQUEST) == wanted
    assert discover.option(dhcp_options.HOSTNAME) == b"g1"


def test_what_a_lease_does_to_a_machine(tmp_path: Path) -> None:
    told = (
        "{lease: 10min, ping: false, domain: a.test, dns: [192.168.122.1, 192.168.122.3],"
        " options: {mtu: 1400, domain-search: [b.test, a.test]}}"
    )
    net = Network(tmp_path, told)
    net.start("g1", "1s")
    namespace = net.lab.network.vms["g1"].namespace
    assert net.card("g1").mtu_bytes == 1400
    found = way(net, "10.9.9.9")
    assert found is not None
    assert found.gateway == bytes((192, 168, 122, 1))
    conf = namespace.resolv_conf
    assert [ip_text(ip) for ip in conf.servers] == ["192.168.122.1", "192.168.122.3"]
    assert list(conf.search) == ["b.test", "a.test"]
    address = namespace.interface("eth0").addresses[0]
    assert address.lifetimes_s(net.lab.now_ns) == (599, 599)
    assert address.has_said_broadcast


def test_routes_take_the_place_of_routers(tmp_path: Path) -> None:
    """RFC 3442: whoever has option 121 does not look at option 3."""
    routes = "18:0a:09:08:c0:a8:7a:09:00:c0:a8:7a:08"
    net = Network(tmp_path, f"{{ping: false, options: {{classless-static-route: '{routes}'}}}}")
    net.start("g1", "1s")
    near, far = way(net, "10.9.8.7"), way(net, "10.1.1.1")
    assert near is not None
    assert far is not None
    assert near.gateway == bytes((192, 168, 122, 9))
    assert far.gateway == bytes((192, 168, 122, 8))


def test_of_several_routers_the_first_is_preferred(tmp_path: Path) -> None:
    net = Network(tmp_path, "{ping: false, router: [192.168.122.7, 192.168.122.8]}")
    net.start("g1", "1s")
    found = way(net, "10.1.1.1")
    assert found is not None
    assert found.gateway == bytes((192, 168, 122, 7))


@pytest.mark.parametrize(
    ("kept", "more"), [(120, b""), (243, b"\x0c\xff")], ids=["cut", "option runs over"]
)
def test_what_is_no_message_is_counted(tmp_path: Path, kept: int, more: bytes) -> None:
    net = Network(tmp_path, QUICK)
    net.server.stop()
    client = net.start("g1", "1s")
    xid = net.messages()[0].message.xid
    offer = dhcp.emit(dhcp.Dhcp(dhcp.BOOT_REPLY, xid, net.card("g1").mac, ((53, b"\2"),)))
    server = bytes((192, 168, 122, 1))
    segment = udp.emit(server, IPV4_BROADCAST, 67, 68, offer[:kept] + more)
    packet = ipv4.emit(server, IPV4_BROADCAST, ipv4.UDP, segment)
    net.card("g1").receive(Frame(ether_frame(MAC_BROADCAST, bytes(6), TYPE_IPV4, packet)))
    net.lab.advance("1ms")
    assert net.card("g1").drops[drops.MALFORMED] == 1
    assert client.client.state is State.SELECTING


def test_a_cable_that_was_out_does_not_end_a_lease(tmp_path: Path) -> None:
    net = Network(tmp_path, QUICK)
    client = net.start("g1", "1s")
    namespace = net.lab.network.vms["g1"].namespace
    namespace.set_down("eth0")
    net.lab.advance("1s")
    namespace.set_up("eth0")
    net.lab.advance("300s")
    assert client.is_bound
    assert client.heard["DHCPACK"] == 2


def test_a_client_ends_with_its_device(tmp_path: Path) -> None:
    """Nothing is left that would act on it when the lease is over."""
    net = Network(tmp_path, "true")
    client = net.start()
    guest = net.lab.network.vms["g1"]
    guest.namespace.links.remove_device("eth0")
    assert not client.is_running
    net.lab.advance("3h")
    with pytest.raises(UsageError, match="no device to get an address for"):
        guest.dhcp_client()


def test_a_full_log_still_tells_what_is_new() -> None:
    log = DaemonLog(Scheduler())
    for number in range(5_000):
        log.write(str(number))
    before = log.n_written
    assert log.since(before) == []
    log.write("new")
    log.write("newer")
    assert log.since(before) == ["new", "newer"]
