"""Small labs for the tests of this room."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NoReturn

import pytest
from scapy.config import conf

from vnet.lab.lab import Lab

TWO_VMS = """
version: 1
name: two
hosts: {h1: {hypervisor: kvm, switches: {br0: }}}
vms:
  vm1: {host: h1, vnics: [{ip: 10.0.0.1/24}]}
  vm2: {host: h1, vnics: [{ip: 10.0.0.2/24}]}
"""

FAR = """
version: 1
name: far
hosts:
  h1: {hypervisor: xen, nics: {eth0: {ip: 192.0.2.1/24}}, switches: {xenbr0: }}
  h2: {hypervisor: xen, nics: {eth0: {ip: 192.0.2.2/24}}, switches: {xenbr0: }}
vms:
  vm1: {host: h1, vnics: [{ip: 10.0.0.1/24}]}
  vm2: {host: h2, vnics: [{ip: 10.0.0.2/24}]}
links: [{ends: ['h1:eth0', 'h2:eth0'], latency: 10ms}]
"""

SIX = """
version: 1
name: six
hosts: {h1: {hypervisor: kvm, switches: {br0: }}}
vms:
  vm1: {host: h1, vnics: [{ip: '2001:db8::1/64'}]}
  vm2: {host: h1, vnics: [{ip: '2001:db8::2/64'}]}
"""

ROUTED = """
version: 1
name: routed
hosts:
  h1: {hypervisor: kvm, nics: {eth0: }, switches: {br0: }}
  h2: {hypervisor: kvm, nics: {eth0: }, switches: {br0: }}
vms:
  vm1: {host: h1, vnics: [{ip: 10.0.1.1/24}], routes: [{to: default, via: 10.0.1.254}]}
  vm2: {host: h2, vnics: [{ip: 10.0.2.1/24, mtu: 1400}], routes: [{to: default, via: 10.0.2.254}]}
routers:
  r1: {nics: {eth0: {ip: 10.0.1.254/24}, eth1: {ip: 10.0.2.254/24, mtu: 1400}}}
links:
  - {ends: ['h1:eth0', 'r1:eth0']}
  - {ends: ['h2:eth0', 'r1:eth1']}
"""


@pytest.fixture
def two() -> Iterator[Lab]:
    """Two VMs on one bridge: no delay anywhere."""
    with Lab.from_text(TWO_VMS) as lab:
        yield lab


@pytest.fixture
def far() -> Iterator[Lab]:
    """Two VMs on two hosts, 10 ms apart."""
    with Lab.from_text(FAR) as lab:
        yield lab


@pytest.fixture
def six() -> Iterator[Lab]:
    """Two VMs that speak IPv6, past their duplicate checks."""
    with Lab.from_text(SIX) as lab:
        lab.advance("3s")
        yield lab


@pytest.fixture
def routed() -> Iterator[Lab]:
    """A router between two VMs; the second's network has a smaller mtu."""
    with Lab.from_text(ROUTED) as lab:
        yield lab


@pytest.fixture
def lab_of() -> Callable[[str], Lab]:
    """A lab from text."""
    return Lab.from_text


class Forbidden:
    """Stands in for a table of the computer that the tests run on."""

    def _refuse(self, *_args: object, **_options: object) -> NoReturn:
        raise AssertionError("Scapy asked the computer that the tests run on")

    __iter__ = __contains__ = __getitem__ = __len__ = _refuse


@pytest.fixture(autouse=True)
def no_real_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever looks into this computer's routes or asks its neighbours fails the test."""
    for table, names in (
        (conf.route, ("routes", "cache")),
        (conf.route6, ("routes", "cache")),
        (conf.neighbor, ("resolvers",)),
    ):
        for name in names:
            monkeypatch.setattr(table, name, Forbidden())
    monkeypatch.setattr(conf, "verb", 0)
