"""Steps of a scenario that change rules and look at what they and connections count."""

from __future__ import annotations

import pytest

from vnet.base.errors import TopologyError
from vnet.lab.lab import Lab

_LAB = """\
version: 1
name: steps
hosts:
  h1: {nics: {eth0: {}}, switches: {br0: {uplink: eth0}}}
vms:
  vm1: {host: h1, gateway: 10.0.0.254, vnics: [{ip: 10.0.0.1/24}]}
routers:
  r1:
    nics: {eth0: {ip: 10.0.0.254/24}, eth1: {ip: 192.0.2.1/24}}
    iptables: |
      *nat
      -A POSTROUTING -o eth1 -j MASQUERADE
      COMMIT
  far: {nics: {eth0: {ip: 192.0.2.2/24}}}
links:
  - {ends: ['h1:eth0', 'r1:eth0']}
  - {ends: ['r1:eth1', 'far:eth0']}
"""


def run(scenario: str) -> list[str]:
    """What did not hold."""
    with Lab.from_text(_LAB + "scenario:\n" + scenario) as lab:
        report = lab.run()
        return [str(step) for step in report.steps if not step.held]


def test_rules_and_connections_are_changed_and_counted() -> None:
    assert (
        run(
            """\
  - ping: {from: vm1, to: 192.0.2.2, count: 2}
    expect: {received: 2}
  - conntrack: {machine: r1, args: -p icmp --src-nat}
    expect: {entries: 1, translated: 1, unreplied: 0}
  - rules: {machine: r1, table: nat, chain: POSTROUTING, rule: 1}
    expect: {rules: 1, packets: 1, bytes: 84}
  - iptables: {machine: r1, commands: -A FORWARD -p icmp -j DROP}
  - rules: {machine: r1, chain: FORWARD}
    expect: {rules: 1, packets: 0}
  - ping: {from: vm1, to: 192.0.2.2, count: 2, timeout: 1s}
    expect: {received: 0}
  - rules: {machine: r1, chain: FORWARD, rule: 1}
    expect: {packets: 2}
  - conntrack: {machine: r1, args: -D -p icmp}
  - conntrack: {machine: r1}
    expect: {entries: 0}
"""
        )
        == []
    )


@pytest.mark.parametrize(
    ("step", "what"),
    [
        ("rules: {machine: r1, rule: 1}", "rules are numbered in their chain"),
        ("rules: {machine: r9}", "r9"),
        ("conntrack: {machine: r1, args: --dport 80}", "conntrack: unknown option `--dport'"),
        ("conntrack: {machine: r1, args: -C}", "-C is nothing for a step"),
    ],
)
def test_mistakes_are_told_at_load(step: str, what: str) -> None:
    with pytest.raises(TopologyError) as caught:
        Lab.from_text(f"{_LAB}scenario:\n  - {step}\n")
    assert what in caught.value.problems[0].what
