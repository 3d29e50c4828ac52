"""Numbers with units: what is taken, what is refused, and the way back."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vnet.base.units import (
    duration_text,
    parse_duration_ns,
    parse_rate_bps,
    parse_share,
    rate_text,
    share_text,
)


@pytest.mark.parametrize(
    ("text", "ns"),
    [
        ("0", 0),
        ("0.0", 0),
        ("7ns", 7),
        ("7us", 7_000),
        ("7µs", 7_000),
        ("2.5ms", 2_500_000),
        ("1s", 10**9),
        ("0.000000001s", 1),
        ("1m", 60 * 10**9),
        ("1min", 60 * 10**9),
        ("1.5h", 5400 * 10**9),
        (" 10 MS ", 10_000_000),
    ],
)
def test_durations(text: str, ns: int) -> None:
    assert parse_duration_ns(text) == ns


@pytest.mark.parametrize(
    ("text", "bps"),
    [
        ("0", 0),
        ("9600bit", 9600),
        ("64kbit", 64_000),
        ("2.5gbit", 2_500_000_000),
        ("1tbit", 10**12),
    ],
)
def test_rates(text: str, bps: int) -> None:
    assert parse_rate_bps(text) == bps


@pytest.mark.parametrize(
    ("text", "share"),
    [("0", 0.0), ("0.0", 0.0), ("0%", 0.0), ("0.1%", 0.001), (" 30 % ", 0.3), ("100%", 1.0)],
)
def test_shares(text: str, share: float) -> None:
    assert parse_share(text) == share


@given(st.decimals(0, 100, places=6))
def test_a_share_is_told_as_it_was_written(percent: Decimal) -> None:
    assert Decimal(share_text(parse_share(f"{percent}%")).removesuffix("%")) == percent


@pytest.mark.parametrize("parse", [parse_duration_ns, parse_rate_bps, parse_share])
@pytest.mark.parametrize(
    "text",
    [
        "",
        "5",
        "1.5",
        "fast",
        "ms",
        "-1ms",
        "1e3ms",
        "1,5ms",
        "1 2ms",
        ".5s",
        "1 fortnight",
        "0 fortnights",
        "٣s",
    ],
)
def test_what_has_no_unit_or_no_number_is_refused(parse: object, text: str) -> None:
    assert callable(parse)
    with pytest.raises(ValueError, match="write a number and"):
        parse(text)


def test_a_refusal_names_the_units_that_would_do() -> None:
    with pytest.raises(ValueError, match="'5' is not a rate: write a number and one of bit, kbit"):
        parse_rate_bps("5")
    with pytest.raises(ValueError, match="is not a duration"):
        parse_duration_ns("1gbit")


@pytest.mark.parametrize(
    ("ns", "text"),
    [
        (0, "0s"),
        (1, "1ns"),
        (999, "999ns"),
        (1_500, "1.5us"),
        (1_000_000, "1ms"),
        (2_500_000_000, "2.5s"),
        (10_000_000_000, "10s"),
    ],
)
def test_durations_are_written_shortly(ns: int, text: str) -> None:
    assert duration_text(ns) == text


@pytest.mark.parametrize(
    ("bps", "text"),
    [
        (0, "0bit"),
        (999, "999bit"),
        (1_500, "1500bit"),
        (10**9, "1gbit"),
        (2_500 * 10**6, "2500mbit"),
    ],
)
def test_rates_are_written_in_the_largest_unit_that_divides(bps: int, text: str) -> None:
    assert rate_text(bps) == text


@given(st.integers(0, 1 << 64))
def test_what_is_written_is_read_back(value: int) -> None:
    assert parse_duration_ns(duration_text(value)) == value
    assert parse_rate_bps(rate_text(value)) == value
