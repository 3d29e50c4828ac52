"""Labs for the tests of this room."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from vnet.lab.lab import Lab

MACHINES = """
version: 1
name: small
hosts:
  h1: {hypervisor: xen, nics: {eth0: {ip: 192.0.2.1/24}}, switches: {xenbr0: }}
  h2: {hypervisor: xen, nics: {eth0: {ip: 192.0.2.2/24}}, switches: {xenbr0: }}
vms:
  vm1: {host: h1, vnics: [{ip: [10.0.0.1/24, '2001:db8::1/64']}]}
  vm2: {host: h2, vnics: [{ip: [10.0.0.2/24, '2001:db8::2/64']}]}
links: [{ends: ['h1:eth0', 'h2:eth0'], latency: 1ms}]
captures: ['vm1:eth0', 'h1:peth0', 'vm2:eth0', 'h1:nlmon']
"""


@pytest.fixture
def lab_with() -> Callable[..., Lab]:
    """Two hosts with a VM each, and a scenario from text."""

    def build(scenario: str = "", **options: object) -> Lab:
        steps = f"scenario:\n{scenario}" if scenario else ""
        return Lab.from_text(MACHINES + steps, **options)

    return build
