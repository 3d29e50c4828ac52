"""A thousand guests that ask for their addresses, each in a Python of its own."""

from __future__ import annotations

from functools import partial
from time import process_time

from benchmarks.harness import Cost, in_fresh_process

_HOSTS, _GUESTS = 20, 50


def _lab(hosts: int, guests: int) -> str:
    """Hosts with a network each, whose server leases to the host's own guests."""
    return f"""
version: 1
name: leasing
hosts:
  h:
    count: {hosts}
    hypervisor: kvm
    switches: {{virbr0: {{uplink: none, ip: 192.168.122.1/24, dhcp: true}}}}
vms: {{vm: {{count: {hosts * guests}, host: 'h*', vnics: [{{ip: dhcp}}]}}}}
"""


def leasing_seconds() -> float:
    """CPU seconds until 1,000 guests on 20 hosts have their addresses.

    All ask at once. Each server pings six addresses and then, being busy, none: the last lease is
    made within a minute or two of virtual time, and every guest has heard all that its
    neighbours have asked meanwhile.
    """
    from vnet.lab.lab import Lab

    with Lab.from_text(_lab(1, 2)) as lab:
        lab.advance("10s")
    started = process_time()
    with Lab.from_text(_lab(_HOSTS, _GUESTS)) as lab:
        lab.advance("3min")
        leased = sum(len(lab.host(f"h{number}").dhcp_leases) for number in range(1, _HOSTS + 1))
        assert leased == _HOSTS * _GUESTS
    return process_time() - started


BENCHMARKS = (
    Cost(
        "1,000 guests lease their addresses",
        "s",
        partial(in_fresh_process, "benchmarks.leasing", "leasing_seconds"),
        15.0,
    ),
)
