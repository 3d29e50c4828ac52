"""What ``-m conntrack`` asks of a connection, as functions."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from vnet.linux.netfilter.packet import ICMP, ICMPV6
from vnet.linux.netfilter.xtables.values import Net, masked
from vnet.sim.scheduler import Scheduler
from vnet.tables.conntrack.key import parts_of
from vnet.tables.conntrack.linux import status
from vnet.tables.conntrack.linux.entry import Entry
from vnet.tables.conntrack.linux.tracking import INVALID, Tracking

if TYPE_CHECKING:
    from vnet.linux.netfilter.matches.conntrack import Asked

TrackTest = Callable[[Tracking], bool]
StateTest = Callable[["Tracking | None"], bool]

_STATUS_BITS = {
    "EXPECTED": status.EXPECTED,
    "SEEN_REPLY": status.SEEN_REPLY,
    "ASSURED": status.ASSURED,
    "CONFIRMED": status.CONFIRMED,
}
_ICMP = (ICMP, ICMPV6)
_NAT_BITS = {"SNAT": status.SRC_NAT, "DNAT": status.DST_NAT}


def tests_of(
    asked: Iterable[Asked], scheduler: Scheduler
) -> tuple[StateTest | None, list[TrackTest]]:
    """The test of the state, which holds of packets without a connection, too, and the others."""
    state, others = None, []
    for option, value, negated in asked:
        if option in ("ctstate", "state"):
            assert isinstance(value, frozenset)
            state = _state(value, negated)
        else:
            others.append(_negated(_test(option, value, scheduler), negated))
    return state, others


def _state(names: frozenset[str], negated: bool) -> StateTest:
    nat_bits = sum(bit for name, bit in _NAT_BITS.items() if name in names)

    def meant(track: Tracking | None) -> bool:
        track = INVALID if track is None else track
        found = track.state.name in names
        if nat_bits and track.conn is not None:
            found = found or bool(track.conn.status & nat_bits)
        return found is not negated

    return meant


def _negated(test: TrackTest, negated: bool) -> TrackTest:
    return (lambda track: not test(track)) if negated else test


def _test(option: str, value: object, scheduler: Scheduler) -> TrackTest:
    if option == "ctdir":
        return lambda track: track.is_reply is (value == "REPLY")
    if option == "ctproto":
        return lambda track: _conn(track).protocol == value
    if option == "ctstatus":
        assert isinstance(value, frozenset)
        bits = sum(_STATUS_BITS[name] for name in value)
        return lambda track: bool(_conn(track).status & bits)
    if isinstance(value, Net):
        return _address(option, value)
    assert isinstance(value, tuple)
    first, last = value
    if option == "ctexpire":
        return lambda track: first <= _conn(track).timeout_s(scheduler.now_ns) <= last
    return _port(option, first, last)


def _conn(track: Tracking) -> Entry:
    assert track.conn is not None
    return track.conn


def _address(option: str, net: Net) -> TrackTest:
    is_reply, is_target = option.startswith("ctrepl"), option.endswith("dst")
    wanted = masked(net.address, net.mask)

    def meant(track: Tracking) -> bool:
        conn = _conn(track)
        parts = parts_of(conn.reply_key if is_reply else conn.key)
        address = parts.target if is_target else parts.source
        return len(address) == len(net.mask) and masked(address, net.mask) == wanted

    return meant


def _port(option: str, first: int, last: int) -> TrackTest:
    is_reply, is_target = option.startswith("ctrepl"), option.endswith("dstport")

    def meant(track: Tracking) -> bool:
        conn = _conn(track)
        parts = parts_of(conn.reply_key if is_reply else conn.key)
        if parts.protocol in _ICMP:
            # In the kernel's tuples an identifier is where ports are, and type and code.
            port = parts.source_part if is_target else parts.ident
        else:
            port = parts.target_part if is_target else parts.source_part
        return first <= port <= last

    return meant
