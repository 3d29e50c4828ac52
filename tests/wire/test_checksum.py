"""The Internet checksum against its RFCs, a slow twin, and itself."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from vnet.wire.checksum import (
    checksum,
    checksum_rewritten,
    checksum_update,
    ones_complement_sum,
    pseudo_header_sum,
    transport_checksum,
)

WORD = st.integers(0, 0xFFFF)


def slow_sum(data: bytes) -> int:
    """RFC 1071 section 4.1, word by word."""
    data += bytes(len(data) % 2)
    total = 0
    for at in range(0, len(data), 2):
        total += data[at] << 8 | data[at + 1]
        total = (total & 0xFFFF) + (total >> 16)
    return total


def test_the_example_of_rfc_1071() -> None:
    data = bytes.fromhex("0001f203f4f5f6f7")
    assert ones_complement_sum(data) == 0xDDF2
    assert checksum(data) == 0x220D


def test_the_example_of_rfc_1624() -> None:
    assert checksum_update(0xDD2F, 0x5555, 0x3285) == 0x0000


def test_nothing_and_zeros_sum_to_zero() -> None:
    assert checksum(b"") == 0xFFFF
    assert checksum(bytes(40)) == 0xFFFF


@given(st.binary(max_size=200))
def test_the_big_number_equals_the_slow_sum(data: bytes) -> None:
    assert ones_complement_sum(data) == slow_sum(data)


@given(st.binary(max_size=200).filter(any))
def test_data_with_its_checksum_sums_to_zero(data: bytes) -> None:
    data += bytes(len(data) % 2)
    assert checksum(data + checksum(data).to_bytes(2, "big")) == 0


@given(st.binary(min_size=4, max_size=60).filter(any), st.data(), WORD)
def test_update_equals_recomputation(data: bytes, choice: st.DataObject, after: int) -> None:
    data += bytes(len(data) % 2)
    at = choice.draw(st.integers(0, len(data) // 2 - 1)) * 2
    changed = data[:at] + after.to_bytes(2, "big") + data[at + 2 :]
    before = int.from_bytes(data[at : at + 2], "big")
    updated = checksum_update(checksum(data), before, after)
    if any(changed):
        assert updated == checksum(changed)
    else:  # No sum is left: RFC 1624 section 3 calls the two zeros alike.
        assert updated in (0, 0xFFFF)


@given(WORD, st.lists(st.tuples(WORD, WORD), min_size=1, max_size=9))
def test_rewriting_at_once_equals_updating_word_by_word(
    old: int, words: list[tuple[int, int]]
) -> None:
    before = b"".join(word.to_bytes(2, "big") for word, _ in words)
    after = b"".join(word.to_bytes(2, "big") for _, word in words)
    updated = old
    for word, successor in words:
        updated = checksum_update(updated, word, successor)
    assert checksum_rewritten(old, before, after) == updated


@given(st.sampled_from((4, 16)), st.data(), st.integers(0, 255), st.binary(max_size=99))
def test_the_pseudo_header_is_that_of_either_rfc(
    ip_bytes: int, choice: st.DataObject, protocol: int, segment: bytes
) -> None:
    addresses = choice.draw(st.binary(min_size=2 * ip_bytes, max_size=2 * ip_bytes))
    if ip_bytes == 4:
        header = addresses + bytes((0, protocol)) + len(segment).to_bytes(2, "big")
    else:
        header = addresses + len(segment).to_bytes(4, "big") + bytes((0, 0, 0, protocol))
    source, target = addresses[:ip_bytes], addresses[ip_bytes:]
    assert pseudo_header_sum(source, target, protocol, len(segment)) == slow_sum(header)
    assert transport_checksum(source, target, protocol, segment) == checksum(header + segment)
