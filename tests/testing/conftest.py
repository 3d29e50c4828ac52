"""Topologies for tests of tests."""

from __future__ import annotations

import pytest

NARROW = """\
version: 1
name: narrow
hosts:
  h1: {hypervisor: kvm, nics: {eth0: }, switches: {br0: {uplink: eth0}}}
  h2: {hypervisor: kvm, nics: {eth0: }, switches: {br0: {uplink: eth0}}}
vms:
  vm1: {host: h1, vnics: [{ip: 10.0.0.1/24, switch: br0}]}
  vm2: {host: h2, vnics: [{ip: 10.0.0.2/24, switch: br0}]}
links: [{ends: ['h1:eth0', 'h2:eth0'], latency: 1ms, mtu: 1400}]
"""
"""Two hosts and a cable that carries less than their cards would send; no captures."""


@pytest.fixture(scope="session", autouse=True)
def _vnet_is_imported() -> None:
    """It is kept over the runs inside pytest, which forget what they have imported themselves."""
    import vnet.lab.lab
    import vnet.testing.plugin  # noqa: F401


@pytest.fixture
def narrow(pytester: pytest.Pytester) -> None:
    """``narrow.yaml`` beside the tests that ``pytester`` makes."""
    pytester.makefile(".yaml", narrow=NARROW)
