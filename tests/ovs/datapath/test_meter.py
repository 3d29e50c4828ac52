"""A meter's buckets: what fits in, and how they fill. The figures are those of Open vSwitch."""

from __future__ import annotations

import pytest

from vnet.base.units import NS_PER_MS, NS_PER_S
from vnet.ovs.datapath.meter import Meter
from vnet.ovs.dpif.meters import MeterBandConfig, MeterConfig

HOUR_NS = 3600 * NS_PER_S


def packets(*bands: MeterBandConfig) -> Meter:
    return Meter(MeterConfig(in_packets=True, bands=bands), now_ns=0)


def passed(meter: Meter, count: int, now_ns: int, n_bytes: int = 100) -> int:
    return sum(meter.exceeded_band(n_bytes, now_ns) is None for _ in range(count))


def test_a_burst_fits_into_a_full_bucket() -> None:
    assert passed(packets(MeterBandConfig(rate=5)), 10, 0) == 5
    assert passed(packets(MeterBandConfig(rate=5, burst_size=8)), 10, 0) == 8


def test_buckets_fill_by_whole_milliseconds() -> None:
    meter = packets(MeterBandConfig(rate=1000, burst_size=1))
    assert passed(meter, 1, 0) == 1
    assert passed(meter, 1, NS_PER_MS - 1) == 0
    assert passed(meter, 1, NS_PER_MS) == 1


@pytest.mark.parametrize(("rate", "refilled"), [(2, 1), (3, 0)])
def test_a_long_pause_fills_no_more_than_whole_milliseconds_of_the_rate(
    rate: int, refilled: int
) -> None:
    meter = packets(MeterBandConfig(rate, burst_size=1))
    assert passed(meter, 1, 0) == 1
    assert passed(meter, 1, HOUR_NS) == refilled, "a third of a second is 333 ms"


def test_a_pause_longer_than_32_bits_of_milliseconds_counts_by_its_rest() -> None:
    burst_size = (2**32 + 704) // 1000  # 704 ms more than 32 bits hold
    meter = packets(MeterBandConfig(rate=1, burst_size=burst_size))
    meter._bands[0].bucket = 0
    assert passed(meter, 1, HOUR_NS) == 0
    assert passed(meter, 1, 2 * HOUR_NS) == 1


def test_the_fastest_band_that_is_exceeded_counts() -> None:
    meter = packets(*(MeterBandConfig(rate) for rate in (1, 3, 2)))
    assert passed(meter, 5, 0) == 1
    assert [band.n_packets for band in meter.stats().bands] == [1, 2, 1]
