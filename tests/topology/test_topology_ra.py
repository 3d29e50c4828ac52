"""``ra`` on a router's card: what may be said, and what comes of it in a lab."""

from __future__ import annotations

from pathlib import Path

import pytest

from vnet import Lab
from vnet.base.errors import TopologyError
from vnet.base.ids import ip_from_text
from vnet.topology.load import load_topology
from vnet.wire import ra

FILE = """
version: 1
name: lab
hosts: {h1: {nics: {eth0: }, switches: {br0: }}}
vms: {vm1: {host: h1, vnics: [{ipv6: true, mac: '52:54:00:00:00:01'}]}}
routers: {r1: {nics: {eth0: CARD}}}
links: [{ends: ['h1:eth0', 'r1:eth0']}]
"""
CARD = "{ip: '2001:db8:1::1/64', ra: SAID}"


def written(folder: Path, card: str) -> Path:
    path = folder / "lab.yaml"
    path.write_text(FILE.replace("CARD", card))
    return path


def test_every_key_arrives(tmp_path: Path) -> None:
    said = (
        "{interval: 10s, lifetime: 5min, preference: low, valid: 1h, preferred: 30min,"
        " autonomous: false, managed: true, other: true, mtu: 1400, dns: '2001:db8::53',"
        " search: lab.test}"
    )
    topology = load_topology(written(tmp_path, CARD.replace("SAID", said)))
    found = topology.routers["r1"].nics["eth0"].ra
    assert found is not None
    assert (found.interval_s, found.lifetime_s, found.preference) == (10, 300, ra.LOW)
    assert (found.valid_s, found.preferred_s, found.mtu_bytes) == (3600, 1800, 1400)
    assert (found.name_servers, found.search) == ((ip_from_text("2001:db8::53"),), ("lab.test",))
    assert (found.autonomous, found.managed, found.other_configuration) == (False, True, True)


def test_true_is_the_daemon_with_its_defaults(tmp_path: Path) -> None:
    topology = load_topology(written(tmp_path, CARD.replace("SAID", "true")))
    found = topology.routers["r1"].nics["eth0"].ra
    assert found is not None
    assert (found.interval_s, found.router_lifetime_s, found.valid_s) == (600, 1800, 86_400)


@pytest.mark.parametrize(
    ("card", "what"),
    [
        (CARD.replace("SAID", "{interval: 3s}"), "the interval is 4s to 30min"),
        (CARD.replace("SAID", "{interval: 31min}"), "the interval is 4s to 30min"),
        (CARD.replace("SAID", "{interval: 1500ms}"), "wants whole seconds"),
        (CARD.replace("SAID", "{lifetime: 3h}"), "a router's lifetime is 9000s at most"),
        (CARD.replace("SAID", "{valid: 1h, preferred: 2h}"), "preferred for longer than"),
        (CARD.replace("SAID", "{dns: 10.0.0.1}"), "10.0.0.1 is not an IPv6 address"),
        (CARD.replace("SAID", "{search: 'a b'}"), "'a b' is not a domain name"),
        (CARD.replace("SAID", "{mtu: 1600}"), "the mtu is 1280 to the card's 1500"),
        (CARD.replace("SAID", "{mtu: 1000}"), "the mtu is 1280 to the card's 1500"),
        (CARD.replace("SAID", "{preference: best}"), "best"),
        ("{ip: 10.0.0.1/24, ra: true}", "without an IPv6 network"),
        ("{ip: 'fe80::1/64', ra: true}", "without an IPv6 network"),
    ],
)
def test_what_cannot_be_advertised(card: str, what: str, tmp_path: Path) -> None:
    with pytest.raises(TopologyError) as caught:
        load_topology(written(tmp_path, card))
    assert what in str(caught.value)


def test_only_routers_advertise(tmp_path: Path) -> None:
    text = FILE.replace("CARD", "{ip: '2001:db8:1::1/64'}").replace(
        "h1: {nics: {eth0: }", "h1: {nics: {eth0: {ra: true}}"
    )
    path = tmp_path / "lab.yaml"
    path.write_text(text)
    with pytest.raises(TopologyError, match="ra"):
        load_topology(path)


def test_a_host_takes_an_address_of_the_routers_network(tmp_path: Path) -> None:
    with Lab.load(str(written(tmp_path, CARD.replace("SAID", "true")))) as lab:
        lab.advance("12s")
        namespace = lab.network.vms["vm1"].namespace
        made = namespace.interface("eth0").find(ip_from_text("2001:db8:1:0:5054:ff:fe00:1"))
        assert made is not None
        assert made.usable
        assert namespace.route_to(ip_from_text("2001:db8:99::1")) is not None
