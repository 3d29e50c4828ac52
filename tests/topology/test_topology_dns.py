"""``dns`` on cards, bridges and machines: what may be said, and what cannot be."""

from __future__ import annotations

import pytest

from vnet.base.errors import TopologyError
from vnet.base.ids import ip_from_text
from vnet.lab.lab import Lab
from vnet.linux.services.dns_server import message
from vnet.linux.services.dns_server.settings import Record, Upstream

FILE = """
version: 1
hosts: {h1: {hypervisor: kvm, switches: {br0: {uplink: none, BRIDGE}}}}
vms: {vm1: {host: h1, vnics: [{ip: 10.0.0.2/24, CARD}], MACHINE}}
scenario: [STEP]
"""
PLAIN = {"BRIDGE": "ip: 10.0.0.1/24", "CARD": "", "MACHINE": "", "STEP": ""}


def text(**places: str) -> str:
    said = FILE
    for place, plain in PLAIN.items():
        said = said.replace(place, places.get(place.lower(), plain))
    return said


def refused(**places: str) -> str:
    with pytest.raises(TopologyError) as caught:
        Lab.from_text(text(**places))
    return str(caught.value)


def test_every_key_arrives() -> None:
    dns = (
        "{domain: Lab.Test, local: false, lab: false, hosts: {printer: [10.0.0.9, 'fd00::9']},"
        " addresses: {www.test: 10.0.0.3, ads.test: none}, records: ['a.test 60 MX 5 b.test'],"
        " upstream: [10.9.9.9, /corp.test/10.0.0.2], ttl: 1min, cache: 10}"
    )
    with Lab.from_text(text(bridge=f"ip: 10.0.0.1/24, dns: {dns}")) as lab:
        serving = lab.topology.hosts["h1"].switches["br0"].dns
    assert serving is not None
    ip = ip_from_text
    assert (serving.domain, serving.local, serving.lab) == ("lab.test", False, False)
    assert serving.hosts == (("printer", (ip("10.0.0.9"), ip("fd00::9"))),)
    assert serving.addresses == (("www.test", ip("10.0.0.3")), ("ads.test", None))
    assert serving.records == (Record("a.test", message.MX, b"\0\5\1b\4test\0", 60),)
    assert serving.upstreams == (Upstream(ip("10.9.9.9")), Upstream(ip("10.0.0.2"), "corp.test"))
    assert (serving.ttl_s, serving.cache_names) == (60, 10)


def test_a_machine_is_told_whom_to_ask() -> None:
    for said, shown in (
        ("10.0.0.1", "nameserver 10.0.0.1"),
        ("[10.0.0.1, 'fd00::1']", "nameserver 10.0.0.1\nnameserver fd00::1"),
        (
            "{servers: 10.0.0.1, search: [a.test, b.test], ndots: 2, timeout: 1s, attempts: 3}",
            "nameserver 10.0.0.1\nsearch a.test b.test\noptions ndots:2 timeout:1 attempts:3",
        ),
    ):
        with Lab.from_text(text(machine=f"dns: {said}")) as lab:
            assert lab.machine("vm1").namespace.resolv_conf.text() == shown


@pytest.mark.parametrize(
    ("places", "what"),
    [
        ({"bridge": "dns: true"}, "3:67: a DNS server on a bridge on which the host has no addr"),
        ({"bridge": "ip: 10.0.0.1/24, dns: {upstream: 10.0.0.1}"}, "10.0.0.1 is this server itse"),
        ({"bridge": "ip: 10.0.0.1/24, dns: {domain: 'a b'}"}, "'a b' is not a domain name"),
        ({"bridge": "ip: 10.0.0.1/24, dns: {upstream: /corp.test}"}, "'/corp.test' has no address"),
        ({"bridge": "ip: 10.0.0.1/24, dns: {ttl: 1500ms}"}, "wants whole seconds"),
        ({"bridge": "ip: 10.0.0.1/24, dns: {hosts: {a..b: 10.0.0.1}}"}, "a..b"),
        ({"bridge": "ip: 10.0.0.1/24, dns: {records: [a A]}"}, "a record has a name, a type and d"),
        ({"bridge": "ip: 10.0.0.1/24, dns: {records: [a.test A fd00::1]}"}, "not an IPv4 address"),
        ({"bridge": "ip: 10.0.0.1/24, dns: {records: [a.test NS b.test]}"}, "not a type that is s"),
        (
            {"bridge": "ip: 10.0.0.1/24, dns: {records: [a CNAME b, A CNAME c]}"},
            "'a' is an alias of 'b' already",
        ),
        ({"bridge": "ip: 10.0.0.1/24, dns: {records: [e CNAME E]}"}, "'e' leads back to itself"),
        (
            {"bridge": "ip: 10.0.0.1/24, dns: {records: [f CNAME g, g CNAME h, h CNAME f]}"},
            "the alias 'h' leads back to itself",
        ),
        ({"machine": "dns: []"}, "a resolver asks one to 3 servers, not 0"),
        ({"machine": "dns: [10.0.0.1, 10.0.0.2, 10.0.0.3, 10.0.0.4]"}, "one to 3 servers, not 4"),
        ({"machine": "dns: {servers: 10.0.0.1, timeout: 31s}"}, "the timeout is 1s to 30s"),
        ({"machine": "dns: {servers: 10.0.0.1, ndots: 16}"}, "ndots"),
        ({"machine": "dns: vm1"}, "vm1"),
        ({"step": "{dns: {from: vm1, name: a.test}}"}, "vm1 has no DNS server to ask"),
        ({"step": "{dns: {from: vm1, name: a..test, server: h1}}"}, "empty label"),
        ({"step": "{dns: {from: vm1, name: a.test, type: BLAH}}"}, "not a type of record"),
        ({"step": "{dns: {from: vm1, name: a.test, server: vm9}}"}, "there is no node 'vm9'"),
        ({"step": "{ping: {from: vm1, to: www.test}}"}, "there is no node 'www.test'"),
        ({"machine": "dns: 10.0.0.1", "step": "{arping: {from: vm1, to: w.test}}"}, "no node"),
    ],
)
def test_what_cannot_be_said(places: dict[str, str], what: str) -> None:
    assert what in refused(**places)
