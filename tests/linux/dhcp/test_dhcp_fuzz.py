"""Whatever comes in, nothing is raised: random messages at a server's and a client's core."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.examples import examples
from vnet.base.ids import IpAddress, ip_from_text
from vnet.linux.services.dhcp_client.client import DhcpClient, Reason, State
from vnet.linux.services.dhcp_client.lease import ClientLease
from vnet.linux.services.dhcp_client.settings import ClientSettings
from vnet.linux.services.dhcp_server.replies import Answer
from vnet.linux.services.dhcp_server.request import Arrival, LocalNetwork
from vnet.linux.services.dhcp_server.server import DhcpService
from vnet.linux.services.dhcp_server.settings import DhcpRange, DhcpServing, Reservation
from vnet.wire import dhcp
from vnet.wire.dhcp import Dhcp

OWN = ip_from_text("192.168.122.1")
NETWORK = LocalNetwork(OWN, 24, ip_from_text("192.168.122.255"))
MAC = b"\2\0\0\0\0\1"
ADDRESSES = st.one_of(
    st.just(bytes(4)),
    st.integers(0, 255).map(lambda host: bytes((192, 168, 122, host))),
    st.binary(min_size=4, max_size=4),
)
CODES = st.sampled_from((12, 50, 51, 53, 54, 55, 57, 58, 59, 61, 80, 81, 82, 118, 119, 121, 255))
KINDS = st.integers(0, 9).map(lambda kind: (53, bytes((kind,))))
OPTIONS = st.lists(
    st.one_of(
        KINDS,
        st.tuples(st.sampled_from((50, 54, 118)), ADDRESSES),
        st.tuples(CODES, st.binary(max_size=40)),
    ),
    max_size=8,
).map(tuple)
MESSAGES = st.builds(
    Dhcp,
    op=st.just(dhcp.BOOT_REQUEST),
    xid=st.integers(0, 0xFFFF_FFFF),
    chaddr=st.one_of(st.just(MAC), st.binary(max_size=16)),
    options=OPTIONS,
    flags=st.sampled_from((0, 0x8000)),
    ciaddr=ADDRESSES,
    yiaddr=ADDRESSES,
    siaddr=ADDRESSES,
    giaddr=st.one_of(st.just(bytes(4)), ADDRESSES),
    htype=st.sampled_from((0, 1, 6)),
    hops=st.integers(0, 255),
    sname=st.just(b""),
    file=st.just(b""),
    secs=st.just(0),
    whole=st.booleans(),
)
SERVING = DhcpServing(
    (
        DhcpRange(ip_from_text("192.168.122.2"), ip_from_text("192.168.122.9")),
        DhcpRange(ip_from_text("10.1.0.2"), ip_from_text("10.1.0.9"), 24),
    ),
    reservations=(Reservation(client_id=b"x", ip=ip_from_text("192.168.122.50"), name="x"),),
    domain="test",
    rapid_commit=True,
    most_leases=5,
)


@pytest.mark.slow
@settings(max_examples=examples(150), deadline=None)
@given(st.lists(st.tuples(MESSAGES, st.booleans(), st.booleans()), max_size=12), st.booleans())
def test_a_server_answers_or_does_not(
    requests: list[tuple[Dhcp, bool, bool]], authoritative: bool
) -> None:
    """What it sends can be read, and no address is leased twice or beyond its ranges."""
    now_s, chance = [1_000], Random(1)
    service = DhcpService(
        DhcpServing(
            SERVING.ranges,
            reservations=SERVING.reservations,
            domain="test",
            authoritative=authoritative,
            rapid_commit=True,
            most_leases=5,
        ),
        lambda: now_s[0],
        lambda: chance,
        lambda _text: None,
    )
    for message, was_unicast, is_taken in requests:
        now_s[0] += 7
        arrival = Arrival("virbr0", (NETWORK,), bytes(message.ciaddr), 68, was_unicast)
        answer = _outcome(service, message, arrival, is_taken)
        if answer is not None:
            sent = dhcp.parse(answer.data)
            assert sent is not None
            assert sent.whole
            assert (sent.op, sent.xid) == (dhcp.BOOT_REPLY, message.xid)
        for lease in service.leases:
            reserved = lease.ip == ip_from_text("192.168.122.50")
            assert reserved or any(lease.ip in span for span in SERVING.ranges)
        assert len(service.leases) <= 5


def _outcome(
    service: DhcpService, message: Dhcp, arrival: Arrival, is_taken: bool
) -> Answer | None:
    steps = service.answer(message, arrival)
    try:
        next(steps)
        for _ in range(100):
            steps.send(is_taken)
    except StopIteration as done:
        answer: Answer | None = done.value
        return answer
    raise AssertionError("a server does not ask for ever")


class Board:
    """A machine that only notes what its client does."""

    def __init__(self) -> None:
        self.time_ns = 1_000_000_000_000
        self.alarm_ns: int | None = None
        self.sent: list[Dhcp] = []
        self.has: ClientLease | None = None

    def now_ns(self) -> int:
        return self.time_ns

    def wake_at(self, time_ns: int | None) -> None:
        assert time_ns is None or time_ns >= self.time_ns
        self.alarm_ns = time_ns

    def send(self, message: Dhcp, source: IpAddress, target: IpAddress) -> None:
        assert len(source) == len(target) == 4
        self.sent.append(message)

    def configure(self, reason: Reason, old: ClientLease | None, new: ClientLease | None) -> bool:
        if reason is not Reason.PREINIT:
            assert old is None or new is not None or self.has is not None
            self.has = new
        return True

    def log(self, text: str) -> None:
        assert text


@pytest.mark.slow
@settings(max_examples=examples(150), deadline=None)
@given(st.lists(st.one_of(MESSAGES, st.integers(0, 400)), max_size=25))
def test_a_client_goes_on(events: list[Dhcp | int]) -> None:
    """Through any messages and any time: it has a lease only where one was granted."""
    board = Board()
    client = DhcpClient(board, "eth0", MAC, ClientSettings("vm"), Random(1))
    client.start()
    for event in events:
        if isinstance(event, int):
            end_ns = board.time_ns + event * 1_000_000_000
            while board.alarm_ns is not None and board.alarm_ns <= end_ns:
                board.time_ns, board.alarm_ns = max(board.time_ns, board.alarm_ns), None
                client.woken()
            board.time_ns = end_ns
        else:
            reply = event._replace(op=dhcp.BOOT_REPLY, xid=board.sent[-1].xid, chaddr=MAC)
            client.heard(reply, OWN)
        assert board.alarm_ns is not None, "there is always something to wait for"
        if client.state is State.BOUND:
            assert client.active is not None
            assert client.active.expires_s * 1_000_000_000 > 0
            assert client.active.number(51)
