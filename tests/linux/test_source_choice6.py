"""Source addresses of IPv6, as ``ip -6 route get`` of the kernel shows them."""

from __future__ import annotations

import pytest

from tests.linux.kit import Lab, S, address
from vnet.base.ids import ip_from_text, ip_text
from vnet.linux.netns.namespace import Namespace
from vnet.linux.netns.source_address import label_of, scope_of


def machine(*texts: str, link_local: bool = False, loopback: tuple[str, ...] = ()) -> Namespace:
    """A host with addresses on eth0, added in this order, and on another card."""
    lab = Lab()
    made = lab.machine("host")
    for device in ("all", "default"):
        made.sysctls[f"net.ipv6.conf.{device}.addr_gen_mode"] = 0 if link_local else 1
    lab.probe(made, "eth0", ipv6=True)
    lab.probe(made, "eth1", 2, ipv6=True)
    for device, given in (("eth1", loopback), ("eth0", texts)):
        for text in given:
            address(made, device, text)
    lab.run(4 * S)
    return made


def source(made: Namespace, target: str) -> str | None:
    found = made.interface("eth0").source_for(ip_from_text(target))
    return None if found is None else ip_text(found)


MANY = (
    "2001:db8:1::1/64",
    "2001:db8:1::2/64",
    "2001:db8:2::1/64",
    "2002:aabb::1/64",
    "fd00:7::1/64",
)


@pytest.mark.parametrize(
    ("target", "chosen"),
    [
        ("2001:db8:1::1", "2001:db8:1::1"),
        ("2001:db8:1::9", "2001:db8:1::2"),
        ("2001:db8:2::9", "2001:db8:2::1"),
        ("2001:db8:99::9", "2001:db8:2::1"),
        ("2002::1", "2002:aabb::1"),
        ("2a00::1", "2001:db8:2::1"),
        ("fd00:7:0:1::1", "fd00:7::1"),
        ("fd11::1", "fd00:7::1"),
        ("fec0::1", "fd00:7::1"),
        ("ff05::1", "2001:db8:2::1"),
        ("ff02::1", "2001:db8:2::1"),
        ("ff0e::1", "2001:db8:2::1"),
    ],
)
def test_the_kernels_choices_among_many(target: str, chosen: str) -> None:
    assert source(machine(*MANY), target) == chosen


@pytest.mark.parametrize(
    ("target", "chosen"),
    [
        ("fe80::9", "fe80::ff:fe00:1"),
        ("ff02::1", "fe80::ff:fe00:1"),
        ("ff05::1", "fd00::1"),
        ("2001:db8::1", "fd00::1"),
    ],
)
def test_the_narrowest_scope_that_is_wide_enough(target: str, chosen: str) -> None:
    assert source(machine("fd00::1/64", link_local=True), target) == chosen


def test_a_deprecated_address_gives_way_even_to_one_of_another_network() -> None:
    made = machine("2001:db8:1::1/64", "2001:db8:2::1/64")
    for found in made.interface("eth0").addresses:
        found.deprecated = found.ip == ip_from_text("2001:db8:1::1")
    assert source(made, "2001:db8:1::9") == "2001:db8:2::1"


def test_another_cards_address_serves_where_ones_own_will_not() -> None:
    """But not for what is on the link, and not if only the card's own may be used."""
    made = machine(link_local=True, loopback=("2001:db8:5::5/64",))
    assert source(made, "2001:db8::1") == "2001:db8:5::5"
    assert source(made, "fe80::9") == "fe80::ff:fe00:1"
    made.sysctls["net.ipv6.conf.eth0.use_oif_addrs_only"] = 1
    assert source(made, "2001:db8::1") == "fe80::ff:fe00:1"


def test_the_loopback_address_is_the_last_resort() -> None:
    assert source(machine(), "2001:db8::1") == "::1"
    assert source(machine(), "fe80::9") is None


@pytest.mark.parametrize(
    ("ip", "label"),
    [
        ("::1", 0), ("2001:db8::1", 1), ("2002::1", 2), ("::1.2.3.4", 3), ("::ffff:1.2.3.4", 4),
        ("fd00::1", 5), ("2001::1", 6), ("2001:10::1", 7), ("fec0::1", 11), ("3ffe::1", 12),
    ],
)  # fmt: skip
def test_labels(ip: str, label: int) -> None:
    assert label_of(ip_from_text(ip)) == label


@pytest.mark.parametrize(
    ("ip", "scope"),
    [("ff02::1", 2), ("ff05::1", 5), ("fe80::1", 2), ("::1", 2), ("fec0::1", 5), ("fd00::1", 14)],
)
def test_scopes(ip: str, scope: int) -> None:
    assert scope_of(ip_from_text(ip)) == scope
