"""What a cable does to frames, as a queue of the card that sends into it (tc(8)).

netem holds frames back, loses them and sends them at a rate; a kernel without it may have tbf,
which knows of rates alone.
"""

from __future__ import annotations

from collections.abc import Collection

from vnet.base.units import NS_PER_US
from vnet.live.kernel.capabilities import Capability
from vnet.live.kernel.plan import CablePlan
from vnet.sim.netem import UNIMPAIRED, Impairments

_ETHERNET_BYTES = 18
_BURST_FRAMES = 4


def queues(cable: CablePlan, mtu_bytes: int, has: Collection[Capability]) -> list[list[str]]:
    """The queues for what a card of ``mtu_bytes`` sends into ``cable``, outermost first, in words;
    none where there is nothing to do, or nothing that the kernel could do."""
    shapes = cable.latency_ns or cable.bandwidth_bps or cable.impairments != UNIMPAIRED
    if shapes and Capability.NETEM in has:
        return [["root", *_netem(cable)]]
    if cable.bandwidth_bps and Capability.TBF in has:
        frame_bytes = mtu_bytes + _ETHERNET_BYTES
        burst, limit = _BURST_FRAMES * frame_bytes, cable.queue_frames * frame_bytes
        words = f"rate {cable.bandwidth_bps}bit burst {burst} limit {max(burst, limit)}"
        inner = ["parent", "1:", "pfifo", "limit", str(cable.queue_frames)]
        # tbf by itself counts bytes: small frames would find more room than the cable has.
        return [["root", "handle", "1:", "tbf", *words.split()], inner]
    return []


def _netem(cable: CablePlan) -> list[str]:
    words = ["netem", "limit", str(cable.queue_frames)]
    words += ["delay", f"{cable.latency_ns // NS_PER_US}us"]
    words += _impaired(cable.impairments)
    return words + (["rate", f"{cable.bandwidth_bps}bit"] if cable.bandwidth_bps else [])


def _impaired(impairments: Impairments) -> list[str]:
    """Right behind the delay: a jitter is part of it."""
    words = [f"{impairments.jitter_ns // NS_PER_US}us"] if impairments.jitter_ns else []
    if impairments.jitter_ns and impairments.distribution is not None:
        words += ["distribution", impairments.distribution]
    for name in ("loss", "duplicate", "reorder", "corrupt"):
        share = getattr(impairments, name)
        if isinstance(share, float) and share:
            words += [name, f"{100 * share:g}%"]
        elif share:
            words += [name, *str(share).split()]
    return words + (["gap", str(impairments.gap)] if impairments.gap > 1 else [])
