"""DHCP messages and their options: both ways, and Scapy's opinion."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scapy.layers.dhcp import BOOTP, DHCP

from vnet.wire import dhcp, dhcp_options
from vnet.wire.dhcp import Dhcp
from vnet.wire.dhcp_options import END, PAD

ADDRESS = st.binary(min_size=4, max_size=4)
CODES = st.integers(1, 254).filter(lambda code: code != dhcp_options.OVERLOAD)
U16 = st.integers(0, 0xFFFF)
TEXT = st.binary(max_size=60).map(lambda text: text.rstrip(b"\0"))
MESSAGES = st.builds(
    Dhcp,
    op=st.sampled_from((dhcp.BOOT_REQUEST, dhcp.BOOT_REPLY)),
    xid=st.integers(0, 0xFFFF_FFFF),
    chaddr=st.binary(max_size=16),
    options=st.lists(st.tuples(CODES, st.binary(max_size=255)), max_size=20).map(tuple),
    secs=U16,
    flags=U16,
    ciaddr=ADDRESS,
    yiaddr=ADDRESS,
    siaddr=ADDRESS,
    giaddr=ADDRESS,
    htype=st.integers(0, 255),
    hops=st.integers(0, 255),
    sname=TEXT,
    file=TEXT,
    whole=st.just(True),
)
DISCOVER = Dhcp(
    dhcp.BOOT_REQUEST,
    0xC89E6C56,
    b"\x02\0\0\0\0\1",
    ((dhcp_options.MESSAGE_TYPE, b"\1"), (dhcp_options.HOSTNAME, b"vm")),
)


@given(MESSAGES)
def test_what_is_written_is_read(message: Dhcp) -> None:
    assert dhcp.parse(dhcp.emit(message)) == message


@given(st.binary(max_size=700))
def test_any_bytes_are_a_message_or_none(data: bytes) -> None:
    for candidate in (data, dhcp.emit(DISCOVER)[:240] + data):
        message = dhcp.parse(candidate)
        if message is not None:
            assert dhcp.parse(dhcp.emit(message)) == message._replace(whole=True)


@given(st.binary(max_size=300))
def test_any_bytes_are_options(area: bytes) -> None:
    options, _whole = dhcp_options.parse(area)
    assert dhcp_options.parse(dhcp_options.emit(options)) == (options, True)
    dhcp_options.addresses(area)
    dhcp_options.parse_names(area)


def test_scapy_reads_it() -> None:
    packet = BOOTP(dhcp.emit(DISCOVER))
    assert (packet.op, packet.xid, packet.chaddr[:6]) == (1, 0xC89E6C56, b"\x02\0\0\0\0\1")
    assert packet[DHCP].options[:3] == [("message-type", 1), ("hostname", b"vm"), "end"]


def test_it_reads_scapy() -> None:
    built = BOOTP(op=2, xid=9, chaddr=b"\x02\0\0\0\0\1", yiaddr="10.0.0.9") / DHCP(
        options=[("message-type", "offer"), ("lease_time", 3600), "end"]
    )
    message = dhcp.parse(bytes(built))
    assert message is not None
    assert (message.type_name, message.xid, message.yiaddr) == (
        "DHCPOFFER",
        9,
        bytes((10, 0, 0, 9)),
    )
    assert message.option(dhcp_options.LEASE_TIME) == b"\0\0\x0e\x10"


def test_messages_are_never_shorter_than_bootp() -> None:
    assert len(dhcp.emit(DISCOVER)) == dhcp.LEAST_BYTES == 300


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"", id="empty"),
        pytest.param(dhcp.emit(DISCOVER)[:235], id="short"),
        pytest.param(b"\3" + dhcp.emit(DISCOVER)[1:], id="neither request nor reply"),
        pytest.param(b"\1\1\x11" + dhcp.emit(DISCOVER)[3:], id="hardware address too long"),
    ],
)
def test_what_is_no_message(data: bytes) -> None:
    assert dhcp.parse(data) is None


def test_without_the_cookie_it_is_bootp() -> None:
    message = dhcp.parse(dhcp.emit(DISCOVER)[:236] + bytes(64))
    assert message is not None
    assert (message.type, message.options, message.type_name) == (0, (), "BOOTP")


def test_options_before_a_broken_one_count() -> None:
    area = bytes((dhcp_options.MESSAGE_TYPE, 1, 1, PAD, dhcp_options.HOSTNAME, 200)) + b"vm"
    message = dhcp.parse(dhcp.emit(DISCOVER)[:240] + area)
    assert message is not None
    assert (message.type, message.whole, len(message.options)) == (dhcp.DISCOVER, False, 1)


def test_overloaded_areas_hold_options() -> None:
    """RFC 2132 section 9.3: those of the file come before those of the server's name."""
    file = bytes((dhcp_options.ROUTER, 4, 10, 0, 0, 1, END))
    sname = bytes((dhcp_options.DNS_SERVER, 4, 10, 0, 0, 2, END))
    options = bytes((dhcp_options.OVERLOAD, 1, 3, dhcp_options.MESSAGE_TYPE, 1, 2, END))
    message = dhcp.parse(dhcp.emit_areas(DISCOVER, options, file, sname))
    assert message is not None
    assert [code for code, _value in message.options] == [
        dhcp_options.MESSAGE_TYPE,
        dhcp_options.ROUTER,
        dhcp_options.DNS_SERVER,
    ]
    assert (message.file, message.sname) == (b"", b"")


def test_long_values_come_in_pieces() -> None:
    """RFC 3396: several options of one code are one value."""
    value = bytes(range(256)) * 2
    options, whole = dhcp_options.parse(
        dhcp_options.emit(((dhcp_options.CLASSLESS_ROUTES, value),))
    )
    assert whole
    assert [len(piece) for _code, piece in options] == [255, 255, 2]
    assert dhcp_options.joined(options, dhcp_options.CLASSLESS_ROUTES) == value


def test_domain_names_share_their_ends() -> None:
    """The example of RFC 3397 section 2, with a name of its own at the end."""
    names = ("eng.apple.com", "marketing.apple.com", "test")
    value = dhcp_options.emit_names(names)
    assert value == b"\3eng\5apple\3com\0\x09marketing\xc0\x04\4test\0"
    assert dhcp_options.parse_names(value) == names


@pytest.mark.parametrize(
    "value",
    [
        pytest.param(b"\xc0\0", id="points at itself"),
        pytest.param(b"\1a\xc0\0", id="goes round"),
        pytest.param(b"\5ab", id="runs over the end"),
        pytest.param(b"\xc0", id="half a pointer"),
        pytest.param(b"\1a", id="never ends"),
        pytest.param(b"\x40a", id="no length"),
    ],
)
def test_domain_names_that_are_none(value: bytes) -> None:
    assert dhcp_options.parse_names(value) is None
