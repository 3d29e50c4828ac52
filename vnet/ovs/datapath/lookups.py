"""How often a datapath has looked frames up, and found something."""

from __future__ import annotations

from dataclasses import replace

from vnet.ovs.datapath.megaflow import Megaflow
from vnet.ovs.datapath.pipeline import AGAIN_MASK, Pipeline
from vnet.ovs.dpif.dpif import DatapathStats


class LookupCounts:
    """Of one datapath. Nothing is counted for it while frames pass: every hit was some flow's, and
    flows that go leave here what they had."""

    def __init__(self, pipeline: Pipeline) -> None:
        self._pipeline = pipeline
        self._removed = DatapathStats()
        self._cleared = DatapathStats()

    def removed(self, flow: Megaflow) -> None:
        """A flow goes."""
        _count_hits(self._removed, flow)

    def clear(self) -> None:
        """Count anew."""
        self._cleared = self._all()

    def stats(self) -> DatapathStats:
        """What has been counted since."""
        counted, cleared, table = self._all(), self._cleared, self._pipeline.table
        return DatapathStats(
            counted.n_hit - cleared.n_hit,
            counted.n_missed - cleared.n_missed,
            counted.n_lost - cleared.n_lost,
            len(table),
            table.n_masks,
            counted.n_recirculated - cleared.n_recirculated,
        )

    def _all(self) -> DatapathStats:
        pipeline = self._pipeline
        counted = replace(
            self._removed,
            n_missed=pipeline.n_missed,
            n_lost=pipeline.queue.n_lost,
            n_recirculated=self._removed.n_recirculated + pipeline.n_missed_again,
        )
        for flow in pipeline.table:
            _count_hits(counted, flow)
        return counted


def _count_hits(stats: DatapathStats, flow: Megaflow) -> None:
    stats.n_hit += flow.n_packets
    if flow.key & AGAIN_MASK:
        stats.n_recirculated += flow.n_packets
