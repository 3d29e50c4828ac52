"""The trie of prefixes: which lengths may match an address, and which bits show it."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from vnet.ovs.ofproto.classifier.prefix_trie import PrefixTrie

WIDTH = 8

Prefix = tuple[int, int]

prefixes = st.lists(
    st.integers(1, WIDTH).flatmap(
        lambda length: st.tuples(
            st.integers(0, (1 << length) - 1).map(lambda bits: bits << (WIDTH - length)),
            st.just(length),
        )
    ),
    max_size=12,
)


def common_bits(a: int, b: int) -> int:
    return WIDTH - (a ^ b).bit_length()


def expected(stored: list[Prefix], value: int) -> tuple[int, int]:
    """The same from the definition: one bit more than the best agreement, if any went on."""
    lengths = 0
    best = 0
    goes_on = False
    for prefix, length in stored:
        agreed = min(length, common_bits(prefix, value))
        if agreed == length:
            lengths |= 1 << length
        if agreed > best:
            best, goes_on = agreed, agreed < length
        elif agreed == best:
            goes_on = goes_on or agreed < length
    return best + goes_on, lengths


def trie_of(stored: list[Prefix]) -> PrefixTrie:
    trie = PrefixTrie(WIDTH)
    for value, length in stored:
        trie.insert(value, length)
    return trie


@given(prefixes, st.integers(0, 255))
def test_lookup_is_what_the_definition_says(stored: list[Prefix], value: int) -> None:
    assert trie_of(stored).lookup(value) == expected(stored, value)


@given(prefixes, prefixes, st.integers(0, 255))
def test_what_was_removed_leaves_no_trace(
    kept: list[Prefix], gone: list[Prefix], value: int
) -> None:
    trie = trie_of(kept + gone)
    for prefix in gone:
        trie.remove(*prefix)
    assert trie.lookup(value) == expected(kept, value)


def test_an_empty_trie_needs_no_bit() -> None:
    assert PrefixTrie(32).lookup(0x0A000001) == (0, 0)


def test_a_route_to_a_network_is_told_from_a_host_route_by_the_first_bits_that_differ() -> None:
    trie = PrefixTrie(32)
    trie.insert(0x0A000000, 8)
    trie.insert(0x0A010203, 32)
    n_bits, lengths = trie.lookup(0x0A800000)
    assert (n_bits, lengths) == (9, 1 << 8)
