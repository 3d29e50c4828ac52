"""Many virtual machines: load, start and one ping, in a Python of its own."""

from __future__ import annotations

from functools import partial
from time import process_time

from benchmarks.harness import Cost, in_fresh_process, resident_mb


def _topology(vms: int) -> str:
    return f"""
version: 1
name: many
hosts: {{h1: {{hypervisor: kvm, switches: {{br0: {{type: linux}}}}}}}}
vms: {{vm: {{count: {vms}, host: h1, vnics: [{{ip: 10.0.0.1/16, switch: br0}}]}}}}
scenario: [{{at: 1s, ping: {{from: vm1, to: vm{vms}, count: 1}}, expect: {{received: 1}}}}]
"""


def _run(vms: int) -> None:
    from vnet.lab.lab import Lab

    with Lab.from_text(_topology(vms)) as lab:
        assert lab.run().held


def seconds(vms: int) -> float:
    """CPU seconds to load, start and ping, the imports aside."""
    from vnet.lab.lab import Lab

    Lab.from_text(_topology(2)).close()
    started = process_time()
    _run(vms)
    return process_time() - started


def megabytes(vms: int) -> float:
    """What the lab adds to the process, the imports aside."""
    from vnet.lab.lab import Lab

    Lab.from_text(_topology(2)).close()
    before = resident_mb()
    with Lab.from_text(_topology(vms)) as lab:
        assert lab.run().held
        return resident_mb() - before


def thousand_seconds() -> float:
    return seconds(1_000)


def thousand_megabytes() -> float:
    return megabytes(1_000)


BENCHMARKS = (
    Cost(
        "1,000 VMs: load, start, ping",
        "s",
        partial(in_fresh_process, "benchmarks.scale", "thousand_seconds"),
        1.0,
    ),
    Cost(
        "1,000 VMs: memory",
        "MiB",
        partial(in_fresh_process, "benchmarks.scale", "thousand_megabytes"),
        60.0,
    ),
)
