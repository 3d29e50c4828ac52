"""Meters: token buckets on the virtual clock (dp_netdev_run_meter of lib/dpif-netdev.c).

A bucket fills by whole milliseconds. It holds thousandths of packets, or bits. After a long
pause it gets what flows in as many milliseconds as the slowest of the meter's bands needs to fill
up, rounded down: a bucket that the rate does not divide evenly may stay a little short of full.
"""

from __future__ import annotations

from vnet.ovs.dpif.meters import MeterBandConfig, MeterBandStats, MeterConfig, MeterStats

_NS_PER_MS = 1_000_000
_PER_BURST = 1_000
"""Thousandths in a packet, and bits in a kilobit."""
_LONGEST_MASK = 0xFFFF_FFFF
"""Open vSwitch keeps that time in 32 bits, and of a longer one the rest."""


class _Band:
    __slots__ = ("bucket", "capacity", "config", "n_bytes", "n_packets", "rate")

    def __init__(self, config: MeterBandConfig) -> None:
        self.config = config
        self.rate = config.rate
        self.capacity = (config.burst_size or config.rate) * _PER_BURST
        self.bucket = self.capacity
        self.n_packets = 0
        self.n_bytes = 0


class Meter:
    """A meter; its buckets are full to begin with."""

    __slots__ = ("_bands", "_in_packets", "_longest_ms", "_n_bytes", "_n_packets", "_used_ms")

    def __init__(self, config: MeterConfig, now_ns: int) -> None:
        self._in_packets = config.in_packets
        self._bands = [_Band(band) for band in config.bands]
        self._longest_ms = max(
            (band.capacity // band.rate & _LONGEST_MASK for band in self._bands), default=0
        )
        self._used_ms = now_ns // _NS_PER_MS
        self._n_packets = 0
        self._n_bytes = 0

    def exceeded_band(self, n_bytes: int, now_ns: int) -> MeterBandConfig | None:
        """Take a packet from every bucket. Where some have too little, the fastest of those bands
        counts the packet and says what becomes of it."""
        now_ms = now_ns // _NS_PER_MS
        elapsed_ms = min(now_ms - self._used_ms, self._longest_ms)
        self._used_ms = now_ms
        self._n_packets += 1
        self._n_bytes += n_bytes
        volume = _PER_BURST if self._in_packets else n_bytes * 8
        exceeded: _Band | None = None
        for band in self._bands:
            band.bucket = min(band.bucket + elapsed_ms * band.rate, band.capacity)
            if band.bucket >= volume:
                band.bucket -= volume
            elif band.rate > (exceeded.rate if exceeded else 0):
                exceeded = band
        if exceeded is None:
            return None
        exceeded.n_packets += 1
        exceeded.n_bytes += n_bytes
        return exceeded.config

    def stats(self) -> MeterStats:
        """What it has counted."""
        bands = tuple(MeterBandStats(band.n_packets, band.n_bytes) for band in self._bands)
        return MeterStats(self._n_packets, self._n_bytes, bands)
