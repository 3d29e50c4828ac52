"""Bonds in labs: guests notice nothing of them, whatever the switch behind is, and cables fail."""

from __future__ import annotations

import pytest

from vnet.lab.lab import Lab
from vnet.lab.report import Report

LAB = """\
version: 1
name: bonds
hosts:
  h1:
    hypervisor: kvm
    nics: %(cards)s
    switches: {br0: {type: ovs, uplink: %(uplink)s, ports: {bond0: {bond: [eth0, eth1]%(more)s}}}}
  h2: {hypervisor: kvm, nics: {eth0: {ip: 192.0.2.2/24}}, switches: {br0: }}
vms:
  vm1: {host: h1, vnics: [{ip: 10.0.0.1/24}]}
  vm2: {host: h1, vnics: [{ip: 10.0.0.2/24}]}
  vm3: {host: h2, vnics: [{ip: 10.0.0.3/24}]}
switches: {sw1: {type: %(type)s%(ports)s}}
links:
  - {ends: ['h1:eth0', 'sw1:p1']}
  - {ends: ['h1:eth1', 'sw1:p2']}
  - {ends: ['h2:eth0', 'sw1:p3']}
scenario:
%(steps)s
"""

PINGS = (
    "{ping: {from: vm1, to: vm3, count: 2}, expect: {received: 2, duplicates: 0}}",
    "{ping: {from: vm3, to: vm2, count: 2}, expect: {received: 2, duplicates: 0}}",
    "{ping: {from: h1, to: h2, count: 2}, expect: {received: 2, duplicates: 0}}",
)


DEFAULTS = {
    "more": "",
    "uplink": "eth0",
    "cards": "{eth0: {ip: 192.0.2.1/24}, eth1: }",
    "kind": "linux",
    "ports": "",
}


def run(*steps: str, **changed: str) -> Report:
    words = DEFAULTS | changed
    words["type"] = words.pop("kind")
    written = "\n".join(f"  - {step}" for step in ("{wait: 1s}", *steps))
    report = Lab.from_text(LAB % {**words, "steps": written}).run()
    assert report.held, report
    assert not report.storms
    return report


@pytest.mark.parametrize("kind", ["linux", "ovs"])
@pytest.mark.parametrize("mode", ["active-backup", "balance-slb"])
def test_a_switch_that_knows_nothing_of_the_bond_serves_it(mode: str, kind: str) -> None:
    run(*PINGS, more=f", bond_mode: {mode}", kind=kind)


@pytest.mark.parametrize("mode", ["active-backup", "balance-slb"])
def test_a_pulled_cable_is_made_up_for_before_the_next_frame(mode: str) -> None:
    run(
        *PINGS,
        "{link: {end: 'h1:eth0', state: down}}",
        "{wait: 10ms}",
        *PINGS,
        "{bond: {switch: 'h1:br0', port: bond0}, expect: {enabled: 1, active: eth1}}",
        "{fdb: {switch: sw1, mac: vm1}, expect: {port: p2}}",
        more=f", bond_mode: {mode}",
    )


def test_a_delay_keeps_a_link_that_has_failed_for_as_long() -> None:
    run(
        "{link: {end: 'h1:eth0', state: down}}",
        "{wait: 400ms}",
        "{bond: {switch: 'h1:br0', port: bond0}, expect: {enabled: 2, active: eth0}}",
        "{wait: 200ms}",
        "{bond: {switch: 'h1:br0', port: bond0}, expect: {enabled: 1, active: eth1}}",
        more=", bond_downdelay: 500",
    )


def test_a_partner_without_lacp_leaves_nothing_but_the_fallback() -> None:
    lacp = ", bond_mode: balance-tcp, lacp: active, other_config: {lacp-fallback-ab: %s}"
    bond = "{bond: {switch: 'h1:br0', port: bond0}, expect: {enabled: %d, lacp: configured}}"
    silent = "{ping: {from: vm1, to: vm3, count: 1, timeout: 1s}, expect: {received: 0}}"
    run("{wait: 5s}", bond % 0, silent, more=lacp % "false")
    run("{wait: 5s}", bond % 2, *PINGS, more=lacp % "true")


@pytest.mark.parametrize("uplink", ["eth0", "none"])
def test_both_ends_may_bond_and_none_of_the_cards_need_be_the_uplink(uplink: str) -> None:
    lacp = ", bond_mode: balance-tcp, lacp: active"
    cards = "{eth0: {ip: 192.0.2.1/24}, eth1: }" if uplink == "eth0" else "{eth0: , eth1: }"
    run(
        *PINGS[: 3 if uplink == "eth0" else 2],
        "{bond: {switch: sw1, port: bond0}, expect: {enabled: 2, lacp: negotiated}}",
        more=lacp,
        uplink=uplink,
        cards=cards,
        kind="ovs",
        ports=f", ports: {{bond0: {{bond: [p1, p2]{lacp}}}}}",
    )
