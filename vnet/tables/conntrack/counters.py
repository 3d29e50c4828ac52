"""What the tracker counts (``coverage/show`` of Open vSwitch, and reasons of loss)."""

from __future__ import annotations

from dataclasses import dataclass

from vnet.base.drops import drop_reason

FRAGMENT_PURGED = drop_reason(
    "ct-fragment-purged",
    cause="a fragment waited in the connection tracker, its others never came, and for ten "
    "seconds after its time no packet came by to take it along",
    cure="see why the other fragments were lost; an mtu that needs no fragments is best",
)


@dataclass(slots=True)
class CtCounters:
    """Why packets were judged invalid or connections were not made.

    ``full``: as many connections as there may be. ``zone_full``: as many as the zone may have.
    ``nat_exhausted``: no address and port was left to translate to.
    """

    l3_checksum: int = 0
    l4_checksum: int = 0
    tcp_flags: int = 0
    tcp_sequence: int = 0
    tcp_sequence_bypassed: int = 0
    natted_miss: int = 0
    full: int = 0
    zone_full: int = 0
    nat_exhausted: int = 0


@dataclass(slots=True)
class FragmentCounters:
    """What became of fragments of one IP version (``dpctl/ipf-get-status``)."""

    accepted: int = 0
    completed: int = 0
    expired: int = 0
    too_small: int = 0
    overlapped: int = 0
    purged: int = 0
