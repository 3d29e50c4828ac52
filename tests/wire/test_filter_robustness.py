"""No text and no frame makes a filter raise anything but its own error."""

from __future__ import annotations

from hypothesis import example, given
from hypothesis import strategies as st

from vnet.wire.filter import FilterError, compile_filter
from vnet.wire.filter.names import CONSTANTS, KEYWORDS, REFUSED

FILTERS = [
    compile_filter(text)
    for text in (
        "not (host 10.0.0.1 or host fd00::1)",
        "not net fd00::/33 and not net 10.1",
        "port 80 or portrange 50-60 or not tcp src and dst port 7",
        "ether host 02:00:00:00:00:01 or ether broadcast or ip multicast or ip6 multicast",
        "vlan 5 and vlan and not arp or icmp6 or sctp",
        "tcp[tcp[12] >> 2 : 4] = 0x47455420 or udp[ip[2:2] - 4 : 2] > 1",
        "ether[ether[0:4]] = 1 or len / ip[1] % ip[9] << ip[8] ^ ip[0] = 3",
        "icmp6[0] & 128 = 0 or - ip6[40:4] < 4 or ip[-14] = 0",
        "ipx or iso or stp or netbeui or atalk or aarp or ip broadcast",
    )
]
SIGNS = "( ) [ ] : + - * / % & | ^ << >> < <= > >= = == != ! && || \\ $"
VALUES = """
0 1 80 4096 0x1f 017 08 99999999999 80-90 http domain foo \\tcp \\ip
10.0.0.1 10.1 10.0.0.0 999.1 fd00::1 :: 1:2 02:00:00:00:00:01 $0
"""
WORDS = KEYWORDS | set(REFUSED) | set(CONSTANTS)
PIECES = [*sorted(WORDS), *SIGNS.split(), *VALUES.split()]
HEADS = [
    bytes(12) + b"\x08\x00\x45",
    bytes(12) + b"\x08\x00\x4f" + bytes(8) + b"\x06",
    bytes(12) + b"\x86\xdd\x60" + bytes(5) + b"\x2c",
    bytes(12) + b"\x81\x00\x00\x05\x88\xa8\x00\x07\x08\x00\x45",
    bytes(12) + b"\x08\x06",
    bytes(12) + b"\x00\x08\xaa\xaa\x03",
]


@given(head=st.sampled_from([b"", *HEADS]), tail=st.binary(max_size=80))
def test_any_frame_is_borne(head: bytes, tail: bytes) -> None:
    for accepts in FILTERS:
        assert accepts(head + tail) in (True, False)


@given(st.text(max_size=60))
@example("\N{ARABIC-INDIC DIGIT FIVE}")
@example("host ²")
@example("ip\x00")
@example("\\")
@example("1" * 4096)
@example("ip[0]=" + "9" * 4000)
def test_any_text_is_a_filter_or_an_error(text: str) -> None:
    check(text)


@given(st.lists(st.sampled_from(PIECES), max_size=14), st.sampled_from(["", " "]))
def test_any_row_of_words_is_a_filter_or_an_error(pieces: list[str], between: str) -> None:
    check(between.join(pieces))


@given(st.sampled_from(["(", "!", "- ", "ip[", "1^", "host (", "vlan (", "(1+", "!("]))
def test_no_nesting_is_too_deep_to_be_told(piece: str) -> None:
    check("len=" + piece * 800)
    check(piece * 800)


def check(text: str) -> None:
    fault: FilterError | None = None
    try:
        accepts = compile_filter(text)
    except FilterError as error:
        fault = error
    if fault is None:
        assert all(accepts(head) in (True, False) for head in HEADS)
    else:
        assert fault.what
        assert 1 <= fault.column <= len(text) + 1, fault
