"""Whatever a wire does to segments, every byte arrives, once and in its place."""

from __future__ import annotations

from math import sqrt
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.examples import examples
from tests.linux.tcp.kit import MS, Fates, Pump, S, Sink, Wire
from vnet.wire.tcp import Tcp

MB = 1_000_000
RTT_S = 0.02

rates = st.sampled_from([0.0, 0.01, 0.05, 0.2])


def bad_wire(seed: int, *, loss: float, duplicate: float, reorder: float, jitter_ms: int) -> Fates:
    """Loses, doubles and delays segments of either end."""
    chance = Random(seed)

    def fates(_end: int, _segment: Tcp) -> list[int]:
        copies = [] if chance.random() < loss else [0]
        copies += [0] if chance.random() < duplicate else []
        late_ms = chance.randrange(1, jitter_ms + 2) if chance.random() < reorder else 0
        return [late_ms * MS for _copy in copies]

    return fates


def send_over(fates: Fates | None, data: bytes, *, back: bytes = b"", family: int = 4) -> None:
    """Send ``data`` one way and ``back`` the other, and close both ends."""
    wire = Wire(2 * MS, ns_per_byte=80)
    client, server = wire.connect(family=family)
    wire.fates = fates
    there, here = Sink(server), Sink(client)
    Pump(client, data, close=True)
    Pump(server, back, close=True)
    for _minute in range(60):
        wire.run(60 * S)
        if there.ended and here.ended:
            break
    assert bytes(there.data) == data
    assert bytes(here.data) == back
    client.close()
    server.close()
    wire.run(600 * S)
    assert (client.failure, server.failure) == (None, None)
    assert not wire.a.sockets.tcp.sockets
    assert not wire.b.sockets.tcp.sockets


@settings(max_examples=examples(20), deadline=None)
@given(
    seed=st.integers(0, 1 << 30),
    size=st.integers(0, 50_000),
    back=st.integers(0, 20_000),
    loss=rates,
    duplicate=rates,
    reorder=rates,
    jitter_ms=st.sampled_from([1, 5, 50]),
    family=st.sampled_from([4, 6]),
)
def test_no_byte_is_lost_or_changed(
    seed: int,
    size: int,
    back: int,
    loss: float,
    duplicate: float,
    reorder: float,
    jitter_ms: int,
    family: int,
) -> None:
    chance = Random(seed)
    fates = bad_wire(seed, loss=loss, duplicate=duplicate, reorder=reorder, jitter_ms=jitter_ms)
    send_over(fates, chance.randbytes(size), back=chance.randbytes(back), family=family)


@settings(max_examples=3, deadline=None)
@given(
    seed=st.integers(0, 1 << 30),
    loss=st.sampled_from([0.001, 0.01, 0.03]),
    reorder=st.sampled_from([0.0, 0.02]),
)
def test_a_megabyte_arrives_whole(seed: int, loss: float, reorder: float) -> None:
    fates = bad_wire(seed, loss=loss, duplicate=0.01, reorder=reorder, jitter_ms=3)
    send_over(fates, Random(seed).randbytes(MB))


@pytest.mark.slow
@pytest.mark.slow
@settings(max_examples=examples(15), deadline=None)
@given(seed=st.integers(0, 1 << 30), loss=rates, duplicate=rates, reorder=rates)
def test_many_megabytes_arrive_whole(
    seed: int, loss: float, duplicate: float, reorder: float
) -> None:
    fates = bad_wire(seed, loss=loss, duplicate=duplicate, reorder=reorder, jitter_ms=5)
    send_over(fates, Random(seed).randbytes(MB))


def goodput(loss: float, *, sack: bool, duration_s: int) -> float:
    """Bytes a second that a bulk transfer brings over a wire that loses so much of its data."""
    chance = Random(7)
    wire = Wire(
        int(RTT_S * S) // 2,
        lambda end, segment, _wire: end == 0 and bool(segment.payload) and chance.random() < loss,
        ns_per_byte=8,
    )
    for machine in wire.machines:
        machine.sysctls["net.ipv4.tcp_sack"] = int(sack)
    client, server = wire.connect()
    sink = Sink(server)
    Pump(client, bytes(40 * MB))
    wire.run(duration_s * S)
    return len(sink.data) / duration_s


@pytest.mark.slow
@pytest.mark.parametrize("sack", [True, False], ids=["sack", "newreno"])
@pytest.mark.parametrize(("loss", "duration_s"), [(0.001, 8), (0.02, 20)])
def test_goodput_is_what_the_square_root_law_says(loss: float, duration_s: int, sack: bool) -> None:
    """Mathis et al. 1997: MSS / (RTT sqrt(p)), times a constant near 1.2 where each segment
    acknowledged counts, which timeouts and delayed acknowledgements lessen."""
    law = 1460 / (RTT_S * sqrt(loss))
    assert 0.7 * law <= goodput(loss, sack=sack, duration_s=duration_s) <= 2 * law
