"""Meters of a datapath: what is configured, and what one has counted."""

from __future__ import annotations

from vnet.base.record import record


@record(frozen=True, slots=True)
class MeterBandConfig:
    """What is faster than ``rate``, but for bursts of ``burst_size`` (0: of ``rate``), is dropped.

    Both are in packets, or in kilobits: a second's worth. With ``n_drop_levels`` it is not
    dropped: its drop precedence, where its DSCP has one, rises by so many levels.
    """

    rate: int
    burst_size: int = 0
    n_drop_levels: int = 0


@record(frozen=True, slots=True)
class MeterConfig:
    """``in_packets`` tells packets from kilobits."""

    in_packets: bool
    bands: tuple[MeterBandConfig, ...]


@record(frozen=True, slots=True)
class MeterBandStats:
    """What a band has dropped, or remarked."""

    n_packets: int
    n_bytes: int


@record(frozen=True, slots=True)
class MeterStats:
    """What went into a meter, and what of it was over the rate of each band."""

    n_packets: int
    n_bytes: int
    bands: tuple[MeterBandStats, ...]
