"""A relay between clients and a server that is elsewhere."""

from __future__ import annotations

import pytest

from vnet import Lab
from vnet.base.errors import TopologyError
from vnet.base.ids import ip_from_text, ip_text
from vnet.linux.services.dhcp_relay import LOOPED
from vnet.wire import dhcp, udp

FILE = """
version: 1
name: lab
hosts: {h1: {nics: {eth0: }, switches: {br0: }}}
vms:
  vm1: {host: h1, vnics: [{ip: dhcp, mac: '02:00:00:00:00:01'}]}
  vm2: {host: h1, vnics: [{ip: dhcp, mac: '02:00:00:00:00:02'}]}
routers:
  r1:
    nics:
      eth0: {ip: 10.1.0.1/24, dhcp_relay: 10.0.0.1}
      eth1: {ip: 10.0.0.2/24}
  r2:
    nics:
      eth0:
        ip: 10.0.0.1/24
        dhcp:
          relayed: [{network: 10.1.0.0/24, range: 10.1.0.100-10.1.0.199, lease: 10min}]
          reservations: [{mac: '02:00:00:00:00:02', ip: 10.1.0.50}]
    gateway: 10.0.0.2
links:
  - {ends: ['h1:eth0', 'r1:eth0']}
  - {ends: ['r1:eth1', 'r2:eth0']}
"""


def test_a_client_gets_an_address_of_its_own_network() -> None:
    with Lab.from_text(FILE) as lab:
        lab.advance("8s")
        vm1 = lab.vm("vm1").dhcp_client().lease
        assert vm1 is not None
        assert ip_from_text("10.1.0.100") <= vm1.ip <= ip_from_text("10.1.0.199")
        assert [ip_text(ip) for ip in vm1.routers] == ["10.1.0.1"]
        assert vm1.server == ip_from_text("10.0.0.1")
        assert vm1.length_s == 600
        vm2 = lab.vm("vm2").dhcp_client().lease
        assert vm2 is not None
        assert ip_text(vm2.ip) == "10.1.0.50"


def test_it_is_renewed_without_the_relay() -> None:
    with Lab.from_text(FILE) as lab:
        lab.advance("8s")
        client = lab.vm("vm1").dhcp_client()
        before = client.lease
        lab.vm("vm1").dhcp("renew")
        assert client.lease is not None
        assert before is not None
        assert client.lease.ip == before.ip
        assert client.heard["DHCPNAK"] == 0


def test_requests_leave_with_the_relays_address_and_one_hop_more() -> None:
    with Lab.from_text(FILE) as lab:
        seen: list[dhcp.Dhcp] = []
        times: list[int] = []

        class Sniffer:
            def capture(self, time_ns: int, data: bytes, outbound: bool) -> None:
                if data[12:14] == b"\x08\0" and data[23] == 17 and not outbound:
                    datagram = udp.parse(data[34:])
                    message = None if datagram is None else dhcp.parse(datagram.payload)
                    if message is not None:
                        assert (data[15], data[20] & 0x40) == (0xC0, 0)
                        seen.append(message)
                        times.append(time_ns)

            def note_drop(self, *_what: object) -> None:
                """Nothing is dropped."""

        device = lab.network.device("r2", "eth0")
        assert device is not None
        device.add_sniffer(Sniffer())
        lab.advance("8s")
        assert times
        assert {(each.hops, ip_text(each.giaddr)) for each in seen} == {(1, "10.1.0.1")}


def test_a_client_without_a_mac_of_six_bytes_is_entered_nowhere() -> None:
    """Whoever answers in a server's stead says what it likes; MACs have six bytes all the same."""
    with Lab.from_text(FILE) as lab:
        relay = lab.network.routers["r1"].namespace.interface("eth0")
        server = lab.network.routers["r2"].namespace
        reply = dhcp.Dhcp(dhcp.BOOT_REPLY, 1, b"\2\0\1")._replace(
            yiaddr=ip_from_text("10.1.0.77"), giaddr=ip_from_text("10.1.0.1")
        )
        source = server.sockets.open_udp(lambda *_: None, 1067)
        source.send_to(ip_from_text("10.1.0.1"), dhcp.SERVER_PORT, dhcp.emit(reply))
        lab.advance("5s")
        entry = relay.arp_cache.table.get(ip_from_text("10.1.0.77"))
        assert entry is None or entry.mac is None
        (daemon,) = relay.namespace.dhcp_relays.values()
        assert "ARP-cache injection failed: Invalid argument" in [text for _, text in daemon.log]


def test_what_goes_in_circles_ends() -> None:
    """A request that names the relay itself, and one that has come a long way."""
    with Lab.from_text(FILE) as lab:
        interface = lab.network.routers["r1"].namespace.interface("eth0")
        guest = lab.network.vms["vm1"].namespace
        mac = b"\2\0\0\0\0\1"
        for more in ({"giaddr": interface.addresses[0].ip}, {"hops": 21}):
            message = dhcp.Dhcp(dhcp.BOOT_REQUEST, 1, mac)._replace(**more)
            source = guest.sockets.open_udp(lambda *_: None, 1068, device=guest.interface("eth0"))
            target, any_ip = bytes((255,) * 4), bytes(4)
            source.send_to(target, 67, dhcp.emit(message), any_ip)
            source.close()
        lab.advance("1ms")
        assert interface.device.drops[LOOPED] == 2


@pytest.mark.parametrize(
    ("relayed", "what"),
    [
        ("{network: 10.0.0.0/24}", "is the server's own network"),
        ("{network: '2001:db8::/64'}", "is one of IPv4"),
        ("{network: 10.1.0.0/24, range: 10.2.0.1-10.2.0.9}", "is not in 10.1.0.0/24"),
    ],
)
def test_networks_that_cannot_be_relayed(relayed: str, what: str) -> None:
    text = FILE.replace(
        "{network: 10.1.0.0/24, range: 10.1.0.100-10.1.0.199, lease: 10min}", relayed
    )
    with pytest.raises(TopologyError) as caught:
        Lab.from_text(text)
    assert what in str(caught.value)
