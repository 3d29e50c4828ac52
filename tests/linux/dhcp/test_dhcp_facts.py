"""What dnsmasq 2.90 and dhclient 4.4.3 did on Linux 6.18, fact by fact."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tests.linux.dhcp.network import Network, S
from vnet.base.ids import IPV4_BROADCAST, MAC_BROADCAST, ip_from_text, ip_text, mac_from_text
from vnet.linux.services.dhcp_server.choice import hash_of
from vnet.wire import dhcp_options
from vnet.wire.dhcp import BROADCAST_FLAG

LIBVIRT = (
    "{range: 192.168.122.2-192.168.122.254, authoritative: true, leases: 253, overload: false,"
    " domain: test, reservations: [{mac: '02:00:00:00:00:03', name: guest3, ip: 192.168.122.50}]}"
)
GUEST_1, GUEST_2 = "192.168.122.161", "192.168.122.162"
RESERVED = "192.168.122.50"


@pytest.fixture
def net(tmp_path: Path) -> Network:
    return Network(tmp_path, LIBVIRT, guests=3)


def test_a_fresh_address_is_a_hash_of_the_mac(net: Network) -> None:
    """The first two addresses that were recorded."""
    net.start("g1")
    net.start("g2")
    assert (net.addresses("g1"), net.addresses("g2")) == ([GUEST_1], [GUEST_2])
    assert 2 + hash_of(mac_from_text("02:00:00:00:00:01")) % 253 == 161


def test_three_arp_probes_then_an_offer_at_three_seconds(net: Network) -> None:
    """They are those of a ping; the offer is why it leaves in the end."""
    net.start("g1")
    assert net.requests("g1")[:3] == [(0, GUEST_1), (1024, GUEST_1), (2048, GUEST_1)]
    offer = net.messages("g1")[1]
    assert (offer.kind, offer.seen.time_ns) == ("OFFER", 3 * S)
    ping = next(f for f in net.sniffers["g1"].frames if f.data[23] == 1)
    assert ping.time_ns == 3 * S
    assert (ping.packet.total_bytes, ping.packet.ttl, ping.packet.tos) == (48, 64, 0)
    assert ping.packet.dont_fragment


def test_reserved_hosts_are_immediate(net: Network) -> None:
    net.start("g3", "1ms")
    assert net.kinds("g3") == ["DISCOVER", "OFFER", "REQUEST", "ACK"]
    assert net.addresses("g3") == [RESERVED]
    assert net.requests("g3") == []


def test_init_reboot_is_immediate(net: Network) -> None:
    client = net.start("g1")
    client.stop()
    began_ns = net.lab.now_ns
    net.start("g1", "1ms")
    assert net.kinds("g1", began_ns) == ["REQUEST", "ACK"]
    request = net.messages("g1", began_ns)[0].message
    assert request.option(dhcp_options.SERVER_ID) is None
    assert ip_text(request.option(dhcp_options.REQUESTED_ADDRESS) or b"") == GUEST_1


def test_offer_and_ack_are_unicast_without_arp(net: Network) -> None:
    net.start("g3", "1ms")
    mac = mac_from_text("02:00:00:00:00:03")
    for message in net.messages("g3")[1::2]:
        assert message.seen.data[:6] == mac
        assert ip_text(message.seen.packet.target) == RESERVED
        assert not message.message.flags & BROADCAST_FLAG


def test_a_nak_is_broadcast(net: Network) -> None:
    """A client that remembers an address of another network is told so, and asks anew."""
    client = net.start("g3", "1ms")
    client.stop()
    assert client.client.active is not None
    client.client.active = replace(client.client.active, ip=ip_from_text("192.168.50.50"))
    began_ns = net.lab.now_ns
    net.start("g3", "1ms")
    assert net.kinds("g3", began_ns) == ["REQUEST", "NAK", "DISCOVER", "OFFER", "REQUEST", "ACK"]
    nak = net.messages("g3", began_ns)[1]
    assert nak.seen.data[:6] == MAC_BROADCAST
    assert nak.seen.packet.target == IPV4_BROADCAST
    assert nak.message.flags & BROADCAST_FLAG
    assert nak.message.option(dhcp_options.MESSAGE) == b"wrong address"


def test_a_release_gets_no_answer(net: Network) -> None:
    client = net.start("g3", "1ms")
    began_ns = net.lab.now_ns
    client.release()
    net.lab.advance("1s")
    assert net.kinds("g3", began_ns) == ["RELEASE"]
    assert net.addresses("g3") == []
    assert len(net.leases) == 0


def test_t1_and_t2_are_half_and_seven_eighths(net: Network) -> None:
    net.start("g3", "1ms")
    ack = net.messages("g3")[3].message
    found = [int.from_bytes(ack.option(code) or b"", "big") for code in (51, 58, 59)]
    assert found == [3600, 1800, 3150]


def test_dhclient_sends_ttl_128_and_tos_16(net: Network) -> None:
    net.start("g3", "1ms")
    for message in net.messages("g3")[::2]:
        packet = message.seen.packet
        assert (packet.ttl, packet.tos, packet.ident, packet.flags_offset) == (128, 0x10, 0, 0)
        assert ip_text(packet.source) == "0.0.0.0"


def test_the_server_sends_tos_192_and_never_sets_df(net: Network) -> None:
    net.start("g3", "1ms")
    idents = []
    for message in net.messages("g3")[1::2]:
        packet = message.seen.packet
        assert (packet.ttl, packet.tos, packet.flags_offset) == (64, 0xC0, 0)
        idents.append(packet.ident)
    assert idents[1] == idents[0] + 1


def test_options_come_in_dnsmasqs_order(net: Network) -> None:
    net.start("g3", "1ms")
    offer, ack = (m.message for m in net.messages("g3")[1::2])
    assert [code for code, _value in offer.options] == [53, 54, 51, 58, 59, 1, 28, 3, 6, 15]
    assert [code for code, _value in ack.options] == [53, 54, 51, 58, 59, 1, 28, 3, 6, 15, 12]
    assert ack.option(dhcp_options.HOSTNAME) == b"guest3"
