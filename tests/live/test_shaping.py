"""What a cable does to frames, as tc(8) is told of it."""

from __future__ import annotations

import pytest

from vnet.live.kernel.capabilities import Capability
from vnet.live.kernel.plan import CablePlan
from vnet.live.kernel.shaping import queues
from vnet.sim.netem import Impairments
from vnet.topology.model import Endpoint

ENDS = (Endpoint("h1", "eth0"), Endpoint("h2", "eth0"))
BOTH = frozenset((Capability.NETEM, Capability.TBF))


@pytest.mark.parametrize(
    ("cable", "words"),
    [
        (CablePlan(ENDS), ""),
        (CablePlan(ENDS, latency_ns=1_000_000), "netem limit 1000 delay 1000us"),
        (
            CablePlan(ENDS, 2_000_000, 10_000_000, 50, Impairments(jitter_ns=500_000, loss=0.05)),
            "netem limit 50 delay 2000us 500us loss 5% rate 10000000bit",
        ),
        (
            CablePlan(ENDS, impairments=Impairments(duplicate=0.01, reorder=0.25, gap=5)),
            "netem limit 1000 delay 0us duplicate 1% reorder 25% gap 5",
        ),
    ],
)
def test_netem_has_all_of_it(cable: CablePlan, words: str) -> None:
    said = [" ".join(each) for each in queues(cable, 1500, BOTH)]
    assert said == ([f"root {words}"] if words else [])


def test_tbf_has_the_bandwidth_alone() -> None:
    cable = CablePlan(ENDS, latency_ns=1_000_000, bandwidth_bps=1_000_000, queue_frames=10)
    said = [" ".join(each) for each in queues(cable, 1482, {Capability.TBF})]
    assert said == [
        "root handle 1: tbf rate 1000000bit burst 6000 limit 15000",
        "parent 1: pfifo limit 10",
    ]
    assert queues(cable, 1482, ()) == []
