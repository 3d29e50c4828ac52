"""Meters of a datapath: what is configured, and what one has counted."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class MeterBandConfig:
    """What is faster than ``rate`` is dropped, but for bursts of ``burst_size`` (0: of ``rate``).

    Both are in packets, or in kilobits: a second's worth.
    """

    rate: int
    burst_size: int = 0


@dataclass(frozen=True, slots=True)
class MeterConfig:
    """``in_packets`` tells packets from kilobits. All bands drop."""

    in_packets: bool
    bands: tuple[MeterBandConfig, ...]


@dataclass(frozen=True, slots=True)
class MeterBandStats:
    """What a band has dropped."""

    n_packets: int
    n_bytes: int


@dataclass(frozen=True, slots=True)
class MeterStats:
    """What went into a meter, and what of it each band dropped."""

    n_packets: int
    n_bytes: int
    bands: tuple[MeterBandStats, ...]
