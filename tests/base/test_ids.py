"""Addresses as text and as bytes."""

from __future__ import annotations

from ipaddress import ip_address, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vnet.base.ids import (
    MAC_BROADCAST,
    ip_from_text,
    ip_text,
    is_link_local_ip6,
    is_multicast_ip,
    link_local_of,
    mac_from_text,
    mac_text,
    multicast_mac_of,
    network_of,
    prefix_from_text,
    solicited_node_of,
)

MAC = st.binary(min_size=6, max_size=6)
IP = st.binary(min_size=4, max_size=4) | st.binary(min_size=16, max_size=16)


@given(MAC)
def test_macs_there_and_back(mac: bytes) -> None:
    text = mac_text(mac)
    assert text == text.lower()
    assert mac_from_text(text) == mac
    assert mac_from_text(text.upper().replace(":", "-")) == mac


@pytest.mark.parametrize(
    "text",
    ["", "00:16:3e", "00:16:3e:00:00:0g", "00163e000001", "0:16:3e:0:0:1", "00:16:3e:00:00:01 "],
)
def test_what_is_no_mac_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is not a MAC address"):
        mac_from_text(text)


@given(IP)
def test_ips_there_and_back(ip: bytes) -> None:
    assert ip_from_text(ip_text(ip)) == ip


@pytest.mark.parametrize("text", ["", "10.0.0", "10.0.0.256", "fe80::1::2", "10.0.0.1/24", "host"])
def test_what_is_no_ip_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="does not appear to be"):
        ip_from_text(text)


def test_a_prefix_keeps_its_host_bits() -> None:
    assert prefix_from_text("10.0.0.7/24") == (bytes((10, 0, 0, 7)), 24)
    assert prefix_from_text("2001:db8::7/64") == (ip_from_text("2001:db8::7"), 64)
    with pytest.raises(ValueError, match="33"):
        prefix_from_text("10.0.0.7/33")


@given(IP, st.data())
def test_networks_and_kinds_are_those_of_the_standard_library(
    ip: bytes, choice: st.DataObject
) -> None:
    length = choice.draw(st.integers(0, len(ip) * 8))
    network = ip_network((ip, length), strict=False)
    assert network_of(ip, length) == network.network_address.packed
    assert is_multicast_ip(ip) == ip_address(ip).is_multicast


def test_link_local_is_ten_bits() -> None:
    assert is_link_local_ip6(ip_from_text("fe80::1"))
    assert is_link_local_ip6(ip_from_text("febf::1"))
    assert not is_link_local_ip6(ip_from_text("fec0::1"))


def test_addresses_made_from_others() -> None:
    """RFC 4291 appendix A and section 2.7.1; RFC 1112 section 6.4; RFC 2464 section 7."""
    mac = mac_from_text("34:56:78:9a:bc:de")
    assert ip_text(link_local_of(mac)) == "fe80::3656:78ff:fe9a:bcde"
    assert ip_text(solicited_node_of(ip_from_text("4037::01:800:200e:8c6c"))) == "ff02::1:ff0e:8c6c"
    assert mac_text(multicast_mac_of(ip_from_text("239.129.2.3"))) == "01:00:5e:01:02:03"
    assert mac_text(multicast_mac_of(ip_from_text("ff02::1:ff0e:8c6c"))) == "33:33:ff:0e:8c:6c"
    assert mac_text(MAC_BROADCAST) == "ff:ff:ff:ff:ff:ff"
