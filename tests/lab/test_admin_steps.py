"""The steps ``iptables`` and ``sysctl``: they change a machine while the lab runs."""

from __future__ import annotations

import pytest

from vnet.base.errors import TopologyError
from vnet.lab.lab import Lab
from vnet.topology.load import parse_topology

LAB = """
version: 1
hosts: {h1: {switches: {br0: }}}
vms:
  vm1: {host: h1, vnics: [{ip: [10.0.0.1/24, '2001:db8::1/64']}]}
  vm2: {host: h1, vnics: [{ip: [10.0.0.2/24, '2001:db8::2/64']}]}
scenario:
"""

PING = "  - ping: {from: vm1, to: 10.0.0.2, count: 1, timeout: 1s}\n"


def run(scenario: str) -> list[str]:
    """The failures and errors of a scenario."""
    with Lab.from_text(LAB + scenario) as lab:
        report = lab.run()
    return [o.error or str(o.failures) for o in report.steps if o.error or o.failures]


def test_rules_come_and_go() -> None:
    drop = "INPUT -p icmp -j DROP"
    assert not run(
        f"{PING}    expect: {{received: 1}}\n"
        f"  - iptables: {{machine: vm2, commands: -A {drop}}}\n"
        f"    expect: {{commands: 1}}\n"
        f"{PING}    expect: {{received: 0}}\n"
        f"  - iptables: {{machine: vm2, commands: [-D {drop}, -A INPUT -i lo -j ACCEPT]}}\n"
        f"    expect: {{commands: 2}}\n"
        f"{PING}    expect: {{received: 1}}\n"
    )


def test_rules_of_ipv6() -> None:
    assert not run(
        "  - {at: 4s, iptables: {machine: vm2, ipv6: true, commands: -P INPUT DROP}}\n"
        "  - ping: {from: vm1, to: '2001:db8::2', count: 1, timeout: 1s}\n"
        "    expect: {received: 0}\n"
    )


def test_settings_change() -> None:
    assert not run(
        "  - sysctl: {machine: vm2, set: {net.ipv4.icmp_echo_ignore_all: 1}}\n"
        f"{PING}    expect: {{received: 0}}\n"
    )


def test_what_only_shows_when_it_runs_is_the_step_s_error() -> None:
    assert run("  - iptables: {machine: vm1, commands: -A NONE -j DROP}\n") == [
        "No chain/target/match by that name"
    ]
    assert run("  - sysctl: {machine: vm1, set: {net.ipv4.conf.eth9.rp_filter: 1}}\n") == [
        "unknown sysctl net.ipv4.conf.eth9.rp_filter (the devices here are lo, eth0)"
    ]


@pytest.mark.parametrize(
    ("step", "message"),
    [
        ("{iptables: {machine: vm1, commands: ^-A INPUT --foo}}", 'unknown option "--foo"'),
        (
            "{iptables: {machine: vm1, commands: [-F, ^3]}}",
            "commands wants a command of iptables, not the number 3",
        ),
        ("{iptables: {machine: ^vm9, commands: -F}}", "there is no node 'vm9'"),
        (
            "{sysctl: {machine: vm1, set: {net.ipv4.ip_forward: ^many}}}",
            "net.ipv4.ip_forward takes a whole number, not 'many'",
        ),
    ],
)
def test_what_cannot_be_is_told_at_load(step: str, message: str) -> None:
    text = f"{LAB}  - {step}"
    before, _, after = text.partition("^")
    line, column = before.count("\n") + 1, len(before) - before.rfind("\n")
    with pytest.raises(TopologyError) as caught:
        parse_topology(before + after)
    (found,) = caught.value.problems
    assert (found.line, found.column, found.what) == (line, column, message)
