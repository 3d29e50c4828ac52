"""Open vSwitch's own ways (lib/conntrack*.c): pf's TCP states, its times, hashed translation."""

from __future__ import annotations

from vnet.base.chance import Stream
from vnet.base.record import record
from vnet.tables.conntrack.counters import CtCounters
from vnet.tables.conntrack.datagrams import Datagrams, Questions
from vnet.tables.conntrack.extract import ICMP, ICMPV6, INFORMATION, TCP, TIMESTAMP
from vnet.tables.conntrack.nat import HashedNat
from vnet.tables.conntrack.policy import Policy
from vnet.tables.conntrack.tcp import PfTcp
from vnet.wire.icmp import ECHO_REQUEST
from vnet.wire.icmpv6 import ECHO_REQUEST as ECHO_REQUEST_V6

MAX_CONNS = 3_000_000
"""How many connections there may be until ``dpctl/ct-set-maxconns`` says otherwise."""

SWEEP_INTERVAL_MS = 20_000


@record(frozen=True, slots=True)
class OvsPolicy(Policy):
    """``tcp`` is the one of ``protocols`` that can be told not to check sequence numbers."""

    tcp: PfTcp


def ovs_policy(stream: Stream) -> OvsPolicy:
    """A policy for one tracker; ``stream`` settles what Open vSwitch leaves to chance."""
    counters = CtCounters()
    tcp = PfTcp(counters)
    return OvsPolicy(
        protocols={
            TCP: tcp,
            ICMP: Questions((ECHO_REQUEST, TIMESTAMP, INFORMATION)),
            ICMPV6: Questions((ECHO_REQUEST_V6,)),
        },
        other=Datagrams(),
        nat=HashedNat(stream),
        counters=counters,
        max_conns=MAX_CONNS,
        sweep_interval_ms=SWEEP_INTERVAL_MS,
        tcp=tcp,
    )
