"""What segments make of a tracked TCP connection, as a kernel's table was seen to change."""

from __future__ import annotations

import pytest
from scapy.layers.inet import TCP

from tests.linux.kit import MS, Lab, ip, router, to_host

ONE, OTHER = "10.0.1.1", "10.0.2.1"
Segment = tuple[str, int, int]
"""Who speaks and its flags, sequence number, acknowledgement."""

HALF_OPEN: tuple[Segment, ...] = ((">S", 1_000, 0), ("<S", 5_000, 0))
ANSWERED: tuple[Segment, ...] = ((">S", 1_000, 0), ("<SA", 5_000, 1_001))
OPEN: tuple[Segment, ...] = (*ANSWERED, (">A", 1_001, 5_001))
CHALLENGED: tuple[Segment, ...] = ((">S", 1_000, 0), ("<A", 5_000, 7_777))


def state_after(*segments: Segment) -> str:
    lab = Lab()
    machine, inside, outside = router(lab)
    netfilter = machine.make_netfilter()
    netfilter.track(4)
    for word, sequence, ack in segments:
        segment = {"flags": word[1:], "seq": sequence, "ack": ack, "window": 8_000}
        if word[0] == ">":
            packet = ip(ONE, OTHER) / TCP(sport=40_000, dport=80, **segment)
            inside.send(to_host(inside, packet, 1))
        else:
            packet = ip(OTHER, ONE) / TCP(sport=80, dport=40_000, **segment)
            outside.send(to_host(outside, packet, 2))
        lab.run(20 * MS)
    (entry,) = netfilter.conntrack.table
    return str(entry.l4)


@pytest.mark.parametrize(
    ("segments", "state"),
    [
        (HALF_OPEN, "SYN_SENT2"),
        (ANSWERED, "SYN_RECV"),
        (OPEN, "ESTABLISHED"),
        # Far out of the window; a reset that answers a SYN of the same end answers nothing.
        ((*HALF_OPEN, ("<R", 6_001, 0)), "SYN_SENT2"),
        ((*HALF_OPEN, (">S", 900, 0), ("<R", 6_001, 0)), "CLOSE"),
        ((*ANSWERED, ("<A", 5_001, 1_001), ("<RA", 9_000_000, 5_001)), "CLOSE"),
        ((*ANSWERED, ("<A", 5_001, 1_001), (">RA", 9_000_000, 5_001)), "SYN_RECV"),
        # A challenge (RFC 5961) is answered with the number that it acknowledges.
        (CHALLENGED, "SYN_SENT"),
        ((*CHALLENGED, (">R", 7_777, 0)), "CLOSE"),
        # An old connection's end is believed whatever its number is.
        ((*OPEN, (">R", 2_000, 0)), "ESTABLISHED"),
        ((*OPEN, (">FA", 1_001, 5_001), (">R", 3_000_000, 0)), "CLOSE"),
        # Somebody starts over with higher numbers.
        ((*HALF_OPEN, (">S", 9_000, 0), ("<SA", 5_001, 9_001)), "SYN_SENT2"),
        (((">S", 1_000, 0), (">S", 900_000, 0), ("<SA", 5_000, 900_001)), "SYN_RECV"),
    ],
)
def test_a_connection_goes_on_as_the_kernels_does(
    segments: tuple[Segment, ...], state: str
) -> None:
    assert state_after(*segments) == state


def test_a_syn_that_is_only_repeated_is_not_counted() -> None:
    lab = Lab()
    machine, inside, _ = router(lab)
    machine.sysctls["net.netfilter.nf_conntrack_acct"] = 1
    netfilter = machine.make_netfilter()
    netfilter.track(4)
    for _ in range(3):
        inside.send(to_host(inside, ip(ONE, OTHER) / TCP(sport=40_000, dport=80, flags="S")))
    (entry,) = netfilter.conntrack.table
    assert entry.counted is not None
    assert [way.packet_count for way in entry.counted] == [1, 0]
