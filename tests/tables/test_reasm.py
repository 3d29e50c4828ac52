"""Reassembly: any order, duplicates, overlaps, limits and deadlines."""

from __future__ import annotations

import itertools
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vnet.tables.reasm import Key, Reassembly, Refusal, Verdict, Whole

KEY: Key = (bytes(4), bytes(4), 17, 1)
TIMEOUT = 30

Table = Reassembly[str]
Piece = tuple[int, bool, bytes]


def add(
    table: Table, piece: Piece, now: int = 0, key: Key = KEY
) -> tuple[bytes, bytes] | Verdict | None:
    result = refusable(table, piece, now, key)
    if isinstance(result, Whole):
        return result.first, result.payload
    return result.verdict if isinstance(result, Refusal) else result


def refusable(
    table: Table, piece: Piece, now: int = 0, key: Key = KEY
) -> Whole[str] | Refusal[str] | None:
    offset, more, data = piece
    bearer = f"frame at {offset}"
    return table.add(key, bearer, offset, more, data, b"packet at %d" % offset, now)


def pieces_of(payload: bytes, cuts: list[int]) -> list[Piece]:
    """``payload`` cut at multiples of eight bytes."""
    places = [0, *sorted({cut * 8 for cut in cuts if 0 < cut * 8 < len(payload)}), len(payload)]
    return [
        (start, end < len(payload), payload[start:end]) for start, end in itertools.pairwise(places)
    ]


PAYLOADS = st.tuples(
    st.binary(min_size=9, max_size=400), st.lists(st.integers(1, 50), min_size=1, max_size=8)
)


@given(PAYLOADS, st.randoms(use_true_random=False))
def test_pieces_in_any_order_make_the_payload(
    case: tuple[bytes, list[int]], chance: Random
) -> None:
    payload, cuts = case
    table: Table = Reassembly(TIMEOUT)
    pieces = pieces_of(payload, cuts)
    chance.shuffle(pieces)
    results = [add(table, piece) for piece in pieces]
    assert results[:-1] == [None] * (len(pieces) - 1)
    assert results[-1] == (b"packet at 0", payload)
    assert len(table) == 0


@given(PAYLOADS, st.randoms(use_true_random=False))
def test_duplicates_change_nothing(case: tuple[bytes, list[int]], chance: Random) -> None:
    payload, cuts = case
    table: Table = Reassembly(TIMEOUT)
    pieces = pieces_of(payload, cuts)
    chance.shuffle(pieces)
    whole = None
    for piece in pieces:
        whole = add(table, piece)
        if whole is None:
            assert add(table, chance.choice(pieces[: pieces.index(piece) + 1])) in (
                Verdict.DUPLICATE,
            )
    assert whole == (b"packet at 0", payload)


@given(PAYLOADS, st.integers(0, 49), st.integers(1, 50), st.randoms(use_true_random=False))
def test_an_overlap_never_makes_a_wrong_payload(
    case: tuple[bytes, list[int]], start: int, length: int, chance: Random
) -> None:
    """Whatever odd piece is mixed in, the payload comes out right, or not at all."""
    payload, cuts = case
    table: Table = Reassembly(TIMEOUT)
    odd = (start * 8, True, payload[start * 8 : (start + length) * 8])
    pieces = [*pieces_of(payload, cuts), odd]
    chance.shuffle(pieces)
    for piece in pieces:
        result = add(table, piece)
        if isinstance(result, tuple):
            assert result[1] == payload


@pytest.mark.parametrize(
    "inside", [(0, True, bytes(8)), (8, True, bytes(16)), (16, True, bytes(16))]
)
def test_a_piece_within_a_run_is_a_duplicate(inside: Piece) -> None:
    table: Table = Reassembly(TIMEOUT)
    add(table, (0, True, bytes(16)))
    add(table, (16, True, bytes(16)))
    assert add(table, inside) is Verdict.DUPLICATE
    assert add(table, (32, False, b"end")) == (b"packet at 0", bytes(32) + b"end")


def test_pieces_that_came_out_of_order_are_no_run() -> None:
    table: Table = Reassembly(TIMEOUT)
    add(table, (16, True, bytes(16)))
    add(table, (0, True, bytes(16)))
    assert add(table, (8, True, bytes(16))) is Verdict.OVERLAP


@pytest.mark.parametrize(
    "odd",
    [(0, True, bytes(16)), (8, True, bytes(16)), (8, False, bytes(16)), (0, False, bytes(32))],
)
def test_an_overlap_throws_the_whole_packet_away(odd: Piece) -> None:
    table: Table = Reassembly(TIMEOUT)
    add(table, (0, True, bytes(8)))
    add(table, (16, True, bytes(8)))
    assert add(table, odd) is Verdict.OVERLAP
    assert len(table) == 0


@pytest.mark.parametrize(
    ("piece", "why"),
    [
        ((0, True, bytes(9)), "only the last piece may be of any length"),
        ((0xFFF8, False, bytes(8)), "no packet is larger than 65535 bytes"),
        ((8, False, b""), "a piece without data"),
    ],
)
def test_malformed(piece: Piece, why: str) -> None:
    assert add(Reassembly(TIMEOUT), piece) is Verdict.MALFORMED, why


@pytest.mark.parametrize(
    ("pieces", "why"),
    [
        (((16, False, bytes(8)), (24, True, bytes(8))), "a piece beyond the known end"),
        (((16, False, bytes(8)), (32, False, bytes(8))), "two different ends"),
        (((32, True, bytes(8)), (16, False, bytes(8))), "an end before what is there"),
    ],
)
def test_contradicting_ends_throw_the_packet_away(pieces: tuple[Piece, Piece], why: str) -> None:
    table: Table = Reassembly(TIMEOUT)
    assert add(table, pieces[0]) is None
    assert add(table, pieces[1]) is Verdict.MALFORMED, why
    assert len(table) == 0


def test_packets_are_told_apart_by_their_key() -> None:
    table: Table = Reassembly(TIMEOUT)
    other: Key = (bytes(4), bytes(4), 17, 2)
    add(table, (0, True, b"A" * 8))
    add(table, (0, True, b"B" * 8), key=other)
    assert add(table, (8, False, b"b"), key=other) == (b"packet at 0", b"B" * 8 + b"b")
    assert add(table, (8, False, b"a")) == (b"packet at 0", b"A" * 8 + b"a")


def test_there_is_a_limit_to_the_memory_of_what_waits() -> None:
    """As with ipfrag_high_thresh: what goes over it is taken, and then nothing more."""
    table: Table = Reassembly(TIMEOUT, limit_bytes=10_000)

    def wait(ident: int, offset: int = 0) -> object:
        key = (*KEY[:3], ident)
        return table.add(key, "", offset, True, bytes(8), b"", 0, bearer_bytes=9000)

    assert wait(1) is None
    assert wait(2) is None
    held = table.held_bytes
    assert held > 18_000
    for ident, offset in ((3, 0), (1, 8)):
        refusal = wait(ident, offset)
        assert isinstance(refusal, Refusal)
        assert refusal.verdict is Verdict.FULL
    assert (table.held_bytes, len(table)) == (held, 2)
    table.expire(TIMEOUT)
    assert table.held_bytes == 0
    assert wait(3) is None


def test_what_became_whole_or_was_spoilt_is_no_longer_held() -> None:
    table: Table = Reassembly(TIMEOUT)
    for spoil in (False, True):
        add(table, (0, True, bytes(16)))
        assert table.held_bytes > 0
        add(table, (8 if spoil else 16, False, bytes(16)))
        assert table.held_bytes == 0


def test_the_first_piece_starts_the_clock() -> None:
    table: Table = Reassembly(TIMEOUT)
    add(table, (8, True, bytes(8)), now=0)
    add(table, (0, True, bytes(8)), now=TIMEOUT - 1)
    assert table.expire(TIMEOUT - 1) == []
    (gone,) = table.expire(TIMEOUT)
    assert (gone.first, sorted(gone.pieces)) == (b"packet at 0", [0, 8])
    assert gone.bearers == ["frame at 8", "frame at 0"]
    assert len(table) == 0


def test_a_packet_thrown_away_hands_back_all_that_brought_it() -> None:
    table: Table = Reassembly(TIMEOUT)
    add(table, (0, True, bytes(16)))
    assert refusable(table, (0, True, bytes(16))) == Refusal(Verdict.DUPLICATE, ["frame at 0"])
    spoilt = refusable(table, (8, True, bytes(16)))
    assert spoilt == Refusal(Verdict.OVERLAP, ["frame at 0", "frame at 8"])
    add(table, (16, True, bytes(16)))
    spoilt = refusable(table, (48, True, bytes(7)))
    assert spoilt == Refusal(Verdict.MALFORMED, ["frame at 16", "frame at 48"])
