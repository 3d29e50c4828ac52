"""All matches, by family and name."""

from __future__ import annotations

from vnet.linux.netfilter.matches.addrtype import AddrtypeMatch
from vnet.linux.netfilter.matches.comment import CommentMatch
from vnet.linux.netfilter.matches.conntrack import ConntrackMatch, StateMatch
from vnet.linux.netfilter.matches.header_fields import (
    DscpMatch,
    HlMatch,
    LengthMatch,
    TcpmssMatch,
    TosMatch,
    TtlMatch,
)
from vnet.linux.netfilter.matches.icmp import IcmpMatch, Icmpv6Match
from vnet.linux.netfilter.matches.iprange import IprangeMatch
from vnet.linux.netfilter.matches.link_layer import MacMatch, PkttypeMatch
from vnet.linux.netfilter.matches.marks import ConnmarkMatch, MarkMatch
from vnet.linux.netfilter.matches.multiport import MultiportMatch
from vnet.linux.netfilter.matches.physdev import PhysdevMatch
from vnet.linux.netfilter.matches.rates import LimitMatch, StatisticMatch
from vnet.linux.netfilter.matches.tcp import TcpMatch
from vnet.linux.netfilter.matches.u32 import U32Match
from vnet.linux.netfilter.matches.udp import SctpMatch, UdpMatch
from vnet.linux.netfilter.xtables.errors import XtablesError
from vnet.linux.netfilter.xtables.extension import Match

_ALL: tuple[type[Match], ...] = (
    AddrtypeMatch,
    CommentMatch,
    ConnmarkMatch,
    ConntrackMatch,
    DscpMatch,
    HlMatch,
    IcmpMatch,
    Icmpv6Match,
    IprangeMatch,
    LengthMatch,
    LimitMatch,
    MacMatch,
    MarkMatch,
    MultiportMatch,
    PhysdevMatch,
    PkttypeMatch,
    SctpMatch,
    StateMatch,
    StatisticMatch,
    TcpMatch,
    TcpmssMatch,
    TosMatch,
    TtlMatch,
    U32Match,
    UdpMatch,
)

_BY_PROTOCOL = {"ipv6-icmp": "icmp6", "icmpv6": "icmp6"}
"""Matches that are called differently from their protocol."""


def match_names(family: int) -> list[str]:
    """What may stand behind ``-m``, in order."""
    return [match.NAME for match in _ALL if family in match.FAMILIES]


def find_match(name: str, family: int) -> type[Match] | None:
    """The match of a name; None where there is none."""
    name = _BY_PROTOCOL.get(name, name)
    return next((m for m in _ALL if name == m.NAME and family in m.FAMILIES), None)


def known_match(name: str, family: int) -> type[Match]:
    """The same; raises :class:`XtablesError`."""
    found = find_match(name, family)
    if found is None:
        raise XtablesError(f"Couldn't load match `{name}':No such file or directory\n")
    return found
