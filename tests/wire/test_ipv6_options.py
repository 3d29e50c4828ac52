"""The options of extension headers: whatever their bytes, there is a verdict."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vnet.wire.ipv6_options import Fault, Refusal, fault_in

HEADERS = st.integers(0, 5).flatmap(lambda n: st.binary(min_size=8 * n + 8, max_size=8 * n + 8))


@given(HEADERS, st.booleans())
def test_any_header_is_judged_and_a_fault_lies_within_it(header: bytes, hop_by_hop: bool) -> None:
    fault = fault_in(header, hop_by_hop=hop_by_hop)
    assert fault is None or 2 <= fault.at < len(header)


@given(st.lists(st.sampled_from([b"\0", b"\1\0", b"\1\1\0", b"\x1e\0", b"\x1e\2ab"]), max_size=8))
def test_padding_is_good_up_to_seven_bytes_in_a_row(parts: list[bytes]) -> None:
    header = bytes(2) + b"".join(parts)
    padding = longest = 0
    for part in parts:
        padding = padding + len(part) if part[0] < 2 else 0
        longest = max(longest, padding)
    assert (fault_in(header, hop_by_hop=True) is None) == (longest <= 7)


@pytest.mark.parametrize(
    ("kind", "refusal"),
    [
        (0x40, Refusal.DISCARD),
        (0x80, Refusal.OPTION),
        (0xC0, Refusal.OPTION_TO_ONE),
    ],
)
def test_the_upper_bits_of_a_type_say_what_to_do(kind: int, refusal: Refusal) -> None:
    header = bytes((59, 0, 0x1E, 0, kind | 0x1D, 0, 1, 0))
    assert fault_in(header, hop_by_hop=False) == Fault(refusal, 4)
