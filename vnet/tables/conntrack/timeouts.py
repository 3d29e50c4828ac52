"""For how long a connection is remembered, by its protocol's state.

A timeout policy (the table ``CT_Timeout_Policy`` of ovs-vswitchd.conf.db(5)) names its values
as Linux does; what they mean here is said by :data:`ATTRIBUTES`.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import IntEnum

_MS_PER_S = 1000
_U32 = 0xFFFFFFFF


class Timeout(IntEnum):
    """The states that have a time of their own."""

    TCP_FIRST_PACKET = 0
    TCP_OPENING = 1
    TCP_ESTABLISHED = 2
    TCP_CLOSING = 3
    TCP_FIN_WAIT = 4
    TCP_CLOSED = 5
    OTHER_FIRST = 6
    OTHER_MULTIPLE = 7
    OTHER_BIDIR = 8
    ICMP_FIRST = 9
    ICMP_REPLY = 10


ATTRIBUTES: dict[str, tuple[Timeout | None, int]] = {
    "tcp_syn_sent": (Timeout.TCP_FIRST_PACKET, 30),
    "tcp_syn_recv": (Timeout.TCP_OPENING, 30),
    "tcp_established": (Timeout.TCP_ESTABLISHED, 24 * 60 * 60),
    "tcp_fin_wait": (Timeout.TCP_CLOSING, 15 * 60),
    "tcp_close_wait": (None, 0),
    "tcp_last_ack": (None, 0),
    "tcp_time_wait": (Timeout.TCP_FIN_WAIT, 45),
    "tcp_close": (Timeout.TCP_CLOSED, 30),
    "tcp_syn_sent2": (None, 0),
    "tcp_retransmit": (None, 0),
    "tcp_unack": (None, 0),
    "udp_first": (Timeout.OTHER_FIRST, 60),
    "udp_single": (Timeout.OTHER_MULTIPLE, 60),
    "udp_multiple": (Timeout.OTHER_BIDIR, 30),
    "icmp_first": (Timeout.ICMP_FIRST, 60),
    "icmp_reply": (Timeout.ICMP_REPLY, 30),
}
"""Name of each value: the state it times (None: it is for others), and its default in seconds."""

Durations = tuple[int, ...]
"""Milliseconds, indexed by :class:`Timeout`."""


def _durations(values_s: Mapping[str, int]) -> Durations:
    by_state = {
        state: values_s.get(name, default_s) * _MS_PER_S & _U32
        for name, (state, default_s) in ATTRIBUTES.items()
        if state is not None
    }
    return tuple(by_state[state] for state in Timeout)


DEFAULTS = _durations({})


class TimeoutPolicies:
    """Policies by number. A connection of a policy that is gone goes by the defaults."""

    __slots__ = ("_policies",)

    def __init__(self) -> None:
        self._policies: dict[int, Durations] = {}

    def set(self, number: int, values_s: Mapping[str, int]) -> None:
        """Make or replace a policy; what it does not name has its default.

        Names may be upper or lower case; unknown ones raise ``KeyError``.
        """
        lower = {name.lower(): value for name, value in values_s.items()}
        if unknown := lower.keys() - ATTRIBUTES.keys():
            raise KeyError(min(unknown))
        self._policies[number] = _durations(lower)

    def delete(self, number: int) -> None:
        """Forget a policy. Raises ``KeyError``."""
        del self._policies[number]

    def durations(self, number: int) -> Durations:
        """What holds for connections of this policy."""
        return self._policies.get(number, DEFAULTS)
