"""A DHCP server at work: its pings, its queue, its log, and clients that are odd."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.linux.dhcp.network import Network, S
from vnet import Lab
from vnet.base.ids import IPV4_BROADCAST, MAC_BROADCAST, ip_from_text, mac_from_text
from vnet.linux.netns.drops import NOBODY_LISTENS
from vnet.linux.netns.sockets.echo import EchoReply
from vnet.linux.services.dhcp_server import drops
from vnet.linux.services.dhcp_server.daemon import DhcpServer
from vnet.linux.services.dhcp_server.reply import OptionSpace, room_for
from vnet.linux.services.dhcp_server.request import FQDN_SERVER_UPDATES
from vnet.sim.frame import Frame
from vnet.wire import dhcp, dhcp_options, ipv4, udp
from vnet.wire.dhcp import Dhcp
from vnet.wire.ether import TYPE_IPV4
from vnet.wire.ether import frame as ether_frame

ANY = bytes(4)
FIRST, SECOND = "192.168.122.161", "192.168.122.162"


def put(net: Network, data: bytes, guest: str = "g1") -> None:
    """A datagram from a guest's client port to everybody's server port."""
    card = net.card(guest)
    packet = ipv4.emit(ANY, IPV4_BROADCAST, ipv4.UDP, udp.emit(ANY, IPV4_BROADCAST, 68, 67, data))
    card.transmit(Frame(ether_frame(MAC_BROADCAST, card.mac, TYPE_IPV4, packet)))
    net.lab.advance("1ms")


def said(kind: int, *options: tuple[int, bytes], mac: str = "02:00:00:00:00:01") -> bytes:
    told = ((dhcp_options.MESSAGE_TYPE, bytes((kind,))), *options)
    return dhcp.emit(Dhcp(dhcp.BOOT_REQUEST, 7, mac_from_text(mac), told))


def test_an_address_that_answers_is_not_offered(tmp_path: Path) -> None:
    """Somebody has it by hand: the next one is taken, at once, and the choice moves on."""
    net = Network(tmp_path, "true", guests=2)
    net.lab.network.vms["g2"].namespace.add_address("eth0", ip_from_text(FIRST), 24)
    net.start("g1", "4s")
    assert net.addresses("g1") == [SECOND]
    offer = net.messages("g1")[1]
    # An answer comes at once; the second address is waited for.
    assert offer.seen.time_ns == 3 * S


def test_while_it_waits_the_server_hears_nothing_else(tmp_path: Path) -> None:
    net = Network(tmp_path, "true", guests=2)
    net.client("g1").start()
    net.lab.advance("1s")
    net.client("g2").start()
    net.lab.advance("8s")
    offers = [
        next(m.seen.time_ns for m in net.messages(guest) if m.kind == "OFFER")
        for guest in ("g1", "g2")
    ]
    assert offers == [3 * S, 6 * S]


def test_an_address_that_was_found_free_is_not_pinged_again(tmp_path: Path) -> None:
    """For half a minute; and after six pings in it none is sent at all."""
    net = Network(tmp_path, "true", guests=8)
    put(net, said(dhcp.DISCOVER))
    net.lab.advance("3s")
    put(net, said(dhcp.DISCOVER))
    assert [text.split("(")[0] for text in net.log()] == ["DHCPDISCOVER", "DHCPOFFER"] * 2
    for number in range(2, 9):
        put(net, said(dhcp.DISCOVER, mac=f"02:00:00:00:00:0{number}"))
    net.lab.advance("15s")
    offers = [text for text in net.log() if text.startswith("DHCPOFFER")]
    assert len(offers) == 9


def test_requests_that_find_no_room_in_the_queue_are_counted(tmp_path: Path) -> None:
    net = Network(tmp_path, "true", guests=1)
    for number in range(200):
        put(net, said(dhcp.DISCOVER, mac=f"02:00:00:00:01:{number:02x}"))
    assert net.server.interface.device.drops[drops.QUEUE_FULL] == 200 - 1 - 166


def test_a_full_pool_offers_nothing_and_says_so(tmp_path: Path) -> None:
    net = Network(tmp_path, "{range: 192.168.122.9, ping: false}", guests=2)
    net.start("g1", "1s")
    net.start("g2", "2s")
    assert net.kinds("g2")[-1] == "DISCOVER"
    assert "OFFER" not in net.kinds("g2")
    assert net.log()[-1] == "DHCPDISCOVER(virbr0) 02:00:00:00:00:02 no address available"
    assert net.server.interface.device.drops[drops.NO_ADDRESS] == 1


def test_no_more_leases_than_there_may_be(tmp_path: Path) -> None:
    net = Network(tmp_path, "{leases: 1, ping: false}", guests=2)
    net.start("g1", "1s")
    net.start("g2", "1s")
    assert net.kinds("g2")[-1] == "NAK"
    assert net.log()[-1].endswith("no leases left")
    assert len(net.leases) == 1


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"", id="empty"),
        pytest.param(said(dhcp.DISCOVER)[:200], id="cut"),
        pytest.param(b"\7" + said(dhcp.DISCOVER)[1:], id="neither request nor reply"),
        pytest.param(b"\1\1\x40" + said(dhcp.DISCOVER)[3:], id="hardware address too long"),
    ],
)
def test_what_is_no_message_is_counted(tmp_path: Path, data: bytes) -> None:
    net = Network(tmp_path, "true")
    put(net, data)
    assert net.server.interface.device.drops[drops.MALFORMED] == 1
    assert net.log() == []


def test_a_full_name_that_outgrows_its_option_is_left_out(tmp_path: Path) -> None:
    """With the server's own domain behind it, it is longer than one byte can say."""
    net = Network(tmp_path, "{domain: lab.example.org}")
    name = bytes((FQDN_SERVER_UPDATES, 0, 0)) + b"a" * 250
    options = (dhcp_options.CLIENT_FQDN, name), (dhcp_options.MAX_MESSAGE_SIZE, b"\x05\xdc")
    put(net, said(dhcp.DISCOVER, *options))
    net.lab.advance("4s")
    assert net.kinds() == ["DISCOVER", "OFFER"]
    assert net.messages()[1].message.option(dhcp_options.CLIENT_FQDN) is None
    left_out = f"cannot send DHCP/BOOTP option {dhcp_options.CLIENT_FQDN}: no space left in packet"
    assert left_out in net.log()


def test_a_server_that_loses_its_address_over_a_ping_answers_no_more(tmp_path: Path) -> None:
    net = Network(tmp_path, "true")
    net.client("g1").start()
    net.lab.advance("1s")
    namespace = net.server.interface.namespace
    namespace.addresses.delete("virbr0", ip_from_text("192.168.122.1"))
    net.lab.advance("4s")
    assert "OFFER" not in net.kinds()
    assert "no address on virbr0 to answer from" in net.log()


def test_an_answer_that_comes_twice_speaks_of_one_address(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second copy says nothing of the address that is asked for next."""
    once = DhcpServer._answered

    def twice(server: DhcpServer, reply: EchoReply) -> None:
        once(server, reply)
        once(server, reply)

    monkeypatch.setattr(DhcpServer, "_answered", twice)
    net = Network(tmp_path, "true", guests=2)
    net.lab.network.vms["g2"].namespace.add_address("eth0", ip_from_text(FIRST), 24)
    net.start("g1", "4s")
    assert net.addresses("g1") == [SECOND]


def test_a_lease_runs_out(tmp_path: Path) -> None:
    """The server takes it back to the second; the address is free for others then."""
    net = Network(tmp_path, "{lease: 2min, ping: false}", guests=1)
    client = net.start("g1", "1s")
    client.stop()
    net.lab.advance("118s")
    assert len(net.leases) == 1
    net.lab.advance("1s")
    assert len(net.leases) == 0
    assert net.addresses("g1") == [], "the kernel takes the address away, too"


def test_a_declined_address_is_not_offered_again(tmp_path: Path) -> None:
    net = Network(tmp_path, "{ping: false}", guests=1)
    net.start("g1", "1s")
    wish = (dhcp_options.REQUESTED_ADDRESS, ip_from_text(FIRST))
    put(net, said(dhcp.DECLINE, wish, (dhcp_options.SERVER_ID, ip_from_text("192.168.122.1"))))
    assert len(net.leases) == 0
    put(net, said(dhcp.DISCOVER))
    assert net.log()[-1] == f"DHCPOFFER(virbr0) {SECOND} 02:00:00:00:00:01 "


def test_a_declined_reservation_is_out_of_use_for_ten_minutes(tmp_path: Path) -> None:
    told = "{ping: false, reservations: [{mac: '02:00:00:00:00:01', ip: 192.168.122.50}]}"
    net = Network(tmp_path, told)
    wish = (dhcp_options.REQUESTED_ADDRESS, ip_from_text("192.168.122.50"))
    put(net, said(dhcp.DECLINE, wish, (dhcp_options.SERVER_ID, ip_from_text("192.168.122.1"))))
    assert net.log()[-1] == "disabling DHCP static address 192.168.122.50 for 10m"
    put(net, said(dhcp.DISCOVER))
    assert "not using configured address 192.168.122.50 because it was previously declined" in (
        net.log()
    )
    net.lab.advance("10min")
    put(net, said(dhcp.DISCOVER))
    assert net.log()[-1] == "DHCPOFFER(virbr0) 192.168.122.50 02:00:00:00:00:01 "


def test_two_networks_of_one_machine_have_a_server_each() -> None:
    text = """
version: 1
hosts:
  h1:
    switches:
      br1: {uplink: none, ip: 10.1.0.1/24, dhcp: true}
      br2: {uplink: none, ip: 10.2.0.1/24, dhcp: true}
vms:
  vm1: {host: h1, vnics: [{ip: dhcp, switch: br1}]}
  vm2: {host: h1, vnics: [{ip: dhcp, switch: br2}]}
"""
    with Lab.from_text(text) as lab:
        lab.advance("4s")
        first, second = (lab.network.vms[name].addresses for name in ("vm1", "vm2"))
        assert (first[0][:2], second[0][:2]) == (b"\x0a\1", b"\x0a\2")
        assert len(lab.host("h1").dhcp_leases) == 2


def test_who_hears_others_ask_counts_it_as_nothing_special(tmp_path: Path) -> None:
    net = Network(tmp_path, "true", guests=2)
    net.start("g1", "4s")
    assert net.card("g2").drops[NOBODY_LISTENS] == 2
    assert NOBODY_LISTENS.routine


def test_options_overflow_into_file_and_server_name() -> None:
    """RFC 2132 section 9.3, filled as dnsmasq fills it."""
    space = OptionSpace(room_for(None))
    space.allow_overload()
    assert space.put(17, b"a" * 200)
    assert space.put(40, b"b" * 90)
    assert space.put(43, b"c" * 100)
    assert space.put(47, b"d" * 50)
    assert not space.put(60, b"e" * 100)
    assert space.left_out == [60]
    message = dhcp.parse(space.packet(Dhcp(dhcp.BOOT_REPLY, 1, b"\2\0\0\0\0\1")))
    assert message is not None
    assert [(code, value[:1]) for code, value in message.options] == [
        (17, b"a"),
        (40, b"b"),
        (43, b"c"),
        (47, b"d"),
    ]


@pytest.mark.parametrize(
    ("most", "room"),
    [(None, 308), (0, 16_144), (300, 308), (576, 308), (700, 432), (1500, 1232), (65_535, 16_144)],
)
def test_how_much_a_client_takes(most: int | None, room: int) -> None:
    """dnsmasq reckons without a sign: a client that takes less than nothing takes it all."""
    assert room_for(most) == room
