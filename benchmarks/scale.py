"""Many virtual machines: load, start and run, each in a Python of its own."""

from __future__ import annotations

from functools import partial
from tempfile import TemporaryDirectory
from time import process_time
from typing import TYPE_CHECKING

from benchmarks.harness import Cost, in_fresh_process, resident_mb

if TYPE_CHECKING:
    from vnet.lab.lab import Lab

RACK = "@thousand-vms"
"""The shipped rack of 20 hosts with 50 VMs each."""

HALF_SECONDS = 110
"""Half of the long run, of virtual time: by then every card that talks has its history full."""


def _bridge(vms: int) -> str:
    """All on one bridge, with a ping from the first to the last."""
    return f"""
version: 1
name: many
hosts: {{h1: {{hypervisor: kvm, switches: {{br0: {{type: linux}}}}}}}}
vms: {{vm: {{count: {vms}, host: h1, vnics: [{{ip: 10.0.0.1/16, switch: br0}}]}}}}
scenario: [{{at: 1s, ping: {{from: vm1, to: vm{vms}, count: 1}}, expect: {{received: 1}}}}]
"""


def _hall(hosts: int, vms: int) -> str:
    """Racks of 40 hosts, each with its switch, and a switch above them."""
    return f"""
version: 1
name: hall
hosts:
  h: {{count: {hosts}, nics: {{eth0: {{ip: 172.16.0.1/16}}}}, switches: {{br0: }}}}
switches: {{tor: {{count: {hosts // 40}, ports: 41}}, spine: {{ports: {hosts // 40}}}}}
vms: {{vm: {{host: 'h*', count: {vms}, vnics: [{{ip: 10.0.0.1/16}}]}}}}
links:
  - {{ends: ['h*:eth0', 'tor*:p*'], latency: 5us, bandwidth: 10gbit}}
  - {{ends: ['tor*:p41', 'spine:p*'], latency: 5us, bandwidth: 40gbit}}
"""


def _warm_up() -> None:
    """Import everything and build what only a first lab builds."""
    from vnet.lab.lab import Lab

    with Lab.from_text(_bridge(2)) as lab:
        lab.run()


def bridge_seconds() -> float:
    """CPU seconds to load 1,000 VMs on one bridge, start them and ping."""
    from vnet.lab.lab import Lab

    _warm_up()
    started = process_time()
    with Lab.from_text(_bridge(1_000)) as lab:
        assert lab.run().held
    return process_time() - started


def bridge_megabytes() -> float:
    """What that lab adds to the process."""
    from vnet.lab.lab import Lab

    _warm_up()
    before = resident_mb()
    with Lab.from_text(_bridge(1_000)) as lab:
        assert lab.run().held
        return resident_mb() - before


def rack_seconds() -> float:
    """CPU seconds to load the shipped rack, start it, and ping from the first VM to the last."""
    from vnet.lab.lab import Lab

    _warm_up()
    started = process_time()
    with Lab.load(RACK) as lab:
        assert lab.vm("vm1").ping("vm1000", count=1).received == 1
    return process_time() - started


def rack_megabytes() -> float:
    """What that lab adds to the process."""
    from vnet.lab.lab import Lab

    _warm_up()
    before = resident_mb()
    with Lab.load(RACK) as lab:
        assert lab.vm("vm1").ping("vm1000", count=1).received == 1
        return resident_mb() - before


def hall_seconds() -> float:
    """CPU seconds to load and start 10,000 VMs on 200 hosts, and to ping from the first VM to the
    last, across three switches. All is made by templates."""
    from vnet.lab.lab import Lab

    _warm_up()
    started = process_time()
    with Lab.from_text(_hall(200, 10_000)) as lab:
        assert lab.vm("vm1").ping("vm10000", count=1).received == 1
    return process_time() - started


def hall_megabytes() -> float:
    """What they add to the process."""
    from vnet.lab.lab import Lab

    _warm_up()
    before = resident_mb()
    with Lab.from_text(_hall(200, 10_000)) as lab:
        assert lab.vm("vm1").ping("vm10000", count=1).received == 1
        return resident_mb() - before


def growth_megabytes() -> float:
    """What the second half of a long run adds, with captures to a file.

    Ten flows across the shipped rack come and go: a flow that never ended would remember
    ever more of what it had sent.
    """
    from vnet.lab.lab import Lab

    with TemporaryDirectory() as folder, Lab.load(RACK, pcap_dir=folder) as lab:
        _flows(lab, HALF_SECONDS)
        middle = resident_mb()
        _flows(lab, HALF_SECONDS)
        return resident_mb() - middle


def _flows(lab: Lab, seconds: int) -> None:
    """Ten echoed datagrams a second from each of ten VMs, in flows of ten seconds."""
    for _ in range(seconds // 10):
        for number in range(10):
            sender = lab.network.vms[f"vm{number * 50 + 1}"]
            receiver = lab.network.vms[f"vm{(number + 10) * 50 + 2}"]
            receiver.serve_echo()
            target = receiver.addresses[0]
            sender.make_udp(target, port=7, count=100, interval_ns=100_000_000).start()
        lab.advance("10s")


def _cost(name: str, unit: str, function: str, limit: float) -> Cost:
    return Cost(name, unit, partial(in_fresh_process, "benchmarks.scale", function), limit)


BENCHMARKS = (
    _cost("1,000 VMs on a bridge: load, start, ping", "s", "bridge_seconds", 1.0),
    _cost("1,000 VMs on a bridge: memory", "MiB", "bridge_megabytes", 60.0),
    _cost("1,000-VM rack: load, start, ping", "s", "rack_seconds", 1.0),
    _cost("1,000-VM rack: memory", "MiB", "rack_megabytes", 60.0),
    _cost("1,000-VM rack: growth in a long run", "MiB", "growth_megabytes", 4.0),
    _cost("10,000 VMs on 200 hosts: load, start, ping", "s", "hall_seconds", 8.0),
    _cost("10,000 VMs on 200 hosts: memory", "MiB", "hall_megabytes", 400.0),
)
