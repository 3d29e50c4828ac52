"""Names that are written down, and the file that a resolver reads."""

from __future__ import annotations

from vnet.base.ids import ip_from_text
from vnet.linux.resolv_conf import NO_RESOLVER, ResolvConf
from vnet.linux.services.names import HostNames


def hosts() -> HostNames:
    names = HostNames("test")
    names.add("vm1", [ip_from_text("10.0.0.1"), ip_from_text("2001:db8::1")])
    names.add("VM2.Other", [ip_from_text("10.0.0.2")])
    names.add("second", [ip_from_text("10.0.0.1")])
    return names


def test_a_bare_name_stands_with_and_without_the_domain() -> None:
    names = hosts()
    assert names.addresses_of("vm1") == names.addresses_of("vm1.test") != ()
    assert names.addresses_of("vm2.other") == [ip_from_text("10.0.0.2")]
    assert not names.addresses_of("vm2.other.test")


def test_an_address_keeps_its_first_name_in_full() -> None:
    assert hosts().name_of(ip_from_text("10.0.0.1")) == "vm1.test"
    assert hosts().name_of(ip_from_text("10.0.0.9")) is None


def test_a_domain_is_known_by_what_is_below_it() -> None:
    assert hosts().has_below("test")
    assert hosts().has_below("other")
    assert not hosts().has_below("vm1.test")


def test_resolv_conf_shows_options_that_are_not_the_usual_ones() -> None:
    conf = ResolvConf((ip_from_text("10.0.0.53"),), ("a.test", "test"), ndots=2)
    assert conf.text() == "nameserver 10.0.0.53\nsearch a.test test\noptions ndots:2"
    assert NO_RESOLVER.text() == ""
