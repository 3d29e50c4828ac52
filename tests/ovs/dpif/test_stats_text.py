"""Statistics of datapath flows in text."""

from __future__ import annotations

import pytest

from vnet.base.units import NS_PER_MS
from vnet.ovs.dpif.dpif import FlowStats
from vnet.ovs.dpif.text.stats import stats_text, tcp_flags_text


def test_a_flow_that_nothing_used() -> None:
    assert stats_text(FlowStats(), 5 * NS_PER_MS) == "packets:0, bytes:0, used:never"


@pytest.mark.parametrize(
    ("used_ns", "now_ns", "shown"),
    [
        (0, 0, "0.000s"),
        (NS_PER_MS - 1, NS_PER_MS, "0.001s"),
        (NS_PER_MS, 2 * NS_PER_MS - 1, "0.000s"),
        (0, 12_345 * NS_PER_MS, "12.345s"),
    ],
)
def test_the_age_counts_in_whole_milliseconds(used_ns: int, now_ns: int, shown: str) -> None:
    stats = FlowStats(n_packets=1, n_bytes=42, used_ns=used_ns)
    assert stats_text(stats, now_ns) == f"packets:1, bytes:42, used:{shown}"


@pytest.mark.parametrize(
    ("flags", "shown"),
    [
        (0x000, "none"),
        (0x002, "S"),
        (0x012, "S."),
        (0x0FF, "SFPRU.EC"),
        (0xF00, "N[200][400][800]"),
    ],
)
def test_tcp_flags_show_as_in_tcpdump(flags: int, shown: str) -> None:
    assert tcp_flags_text(flags) == shown


def test_tcp_flags_show_where_there_were_some() -> None:
    stats = FlowStats(n_packets=1, n_bytes=60, used_ns=0, tcp_flags=0x018)
    assert stats_text(stats, 0) == "packets:1, bytes:60, used:0.000s, flags:P."
