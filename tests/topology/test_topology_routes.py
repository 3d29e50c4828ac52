"""Routes and rules in a topology file: what they become, and what is refused."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from vnet import Lab
from vnet.shell.views.route import RouteFilter, routes_text
from vnet.shell.views.rule import rules_text

ROUTER = """
version: 1
routers:
  r1:
    nics: {eth0: {ip: 10.0.0.1/24}, eth1: {ip: 10.0.1.1/24}}
    routes:
      - {to: default, via: 10.0.0.254}
      - {to: 10.9.0.0/16, nexthops: [{via: 10.0.0.9, weight: 2}, {dev: eth1}]}
      - {to: 10.8.0.0/16, type: blackhole}
      - {to: 10.7.0.0/16, type: prohibit, metric: 5}
      - to: 10.0.77.0/24
        via: 10.77.0.1
        dev: eth1
        onlink: true
        src: 10.0.1.1
        tos: 16
        mtu: 1400
      - {to: 10.66.0.0/16, type: throw, table: 100}
      - {to: default, via: 10.0.1.254, table: 100}
    rules:
      - {from: 10.0.0.0/8, iif: eth0, table: 100}
      - {priority: 50, to: 1.2.3.4/32, fwmark: 0x10/0xff, tos: 16, action: blackhole}
      - {priority: 60, goto: 32766}
      - {family: 6, action: prohibit}
  r2: {nics: {eth0: , eth1: }}
links:
  - {ends: ['r1:eth0', 'r2:eth0'], latency: 1ms}
  - {ends: ['r1:eth1', 'r2:eth1'], latency: 1ms}
"""


def test_a_router_with_everything(tmp_path: Path) -> None:
    file = tmp_path / "lab.yaml"
    file.write_text(ROUTER)
    with Lab.load(file) as lab:
        namespace = lab.router("r1").namespace
        assert routes_text(namespace, 4).splitlines() == [
            "default via 10.0.0.254 dev eth0 proto static ",
            "10.0.0.0/24 dev eth0 proto kernel scope link src 10.0.0.1 ",
            "10.0.1.0/24 dev eth1 proto kernel scope link src 10.0.1.1 ",
            "10.0.77.0/24 tos 0x10 via 10.77.0.1 dev eth1 proto static src 10.0.1.1 onlink "
            "mtu 1400 ",
            "prohibit 10.7.0.0/16 proto static metric 5 ",
            "blackhole 10.8.0.0/16 proto static ",
            "10.9.0.0/16 proto static ",
            "\tnexthop via 10.0.0.9 dev eth0 weight 2 ",
            "\tnexthop dev eth1 weight 1 ",
        ]
        assert routes_text(namespace, 4, RouteFilter(table=100)).splitlines() == [
            "default via 10.0.1.254 dev eth1 proto static ",
            "throw 10.66.0.0/16 proto static ",
        ]
        assert rules_text(namespace, 4).splitlines() == [
            "0:\tfrom all lookup local",
            "50:\tfrom all to 1.2.3.4 tos 0x10 fwmark 0x10/0xff blackhole",
            "60:\tfrom all goto 32766",
            "32765:\tfrom 10.0.0.0/8 iif eth0 lookup 100",
            "32766:\tfrom all lookup main",
            "32767:\tfrom all lookup default",
        ]
        assert rules_text(namespace, 6).splitlines()[1] == "32765:\tfrom all prohibit"


BAD = {
    "nothing": ("routes: [{to: 10.9.0.0/16}]", "a route leads by a gateway"),
    "a gateway for a hole": (
        "routes: [{to: 10.9.0.0/16, type: blackhole, via: 10.0.0.9}]",
        "a route of type blackhole leads nowhere",
    ),
    "both": (
        "routes: [{to: 10.9.0.0/16, via: 10.0.0.9, nexthops: [{via: 10.0.0.8}]}]",
        "a route has either 'via' or 'nexthops'",
    ),
    "no such device": (
        "routes: [{to: 10.9.0.0/16, dev: eth7}]",
        "the machine has eth0, lo, and no other device",
    ),
    "table": ("routes: [{to: 10.9.0.0/16, via: 10.0.0.9, table: blue}]", "wants a table"),
    "type": (
        "routes: [{to: 10.9.0.0/16, type: bleckhole}]",
        "'bleckhole'",
    ),
    "twice": (
        "routes: [{to: 10.9.0.0/16, via: 10.0.0.9}, {to: 10.9.0.0/16, via: 10.0.0.8}]",
        "a second route to 10.9.0.0/16",
    ),
    "idle rule": ("rules: [{from: 10.0.0.0/8}]", "a rule does one thing"),
    "two things": ("rules: [{table: 5, action: prohibit}]", "a rule does one thing"),
    "two families": (
        "rules: [{from: 10.0.0.0/8, to: 'fd00::/8', table: 5}]",
        "the rule speaks of IPv4 and IPv6",
    ),
    "backwards": (
        "rules: [{priority: 9, goto: 9}]",
        "a rule goes on to a later one",
    ),
    "mark": ("rules: [{fwmark: red, table: 5}]", "wants a mark"),
}


@pytest.mark.parametrize(("keys", "message"), BAD.values(), ids=BAD)
def test_what_cannot_be(keys: str, message: str, problems: Callable[[str], list[str]]) -> None:
    text = f"version: 1\nrouters: {{r1: {{nics: {{eth0: {{ip: 10.0.0.1/24}}}}, {keys}}}}}"
    (problem,) = problems(text)
    assert message in problem
