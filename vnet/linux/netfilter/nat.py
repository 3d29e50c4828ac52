"""Translation of addresses, as targets ask for it (net/netfilter/nf_nat_core.c).

A target of the nat table decides for a connection's first packet; the packet, and all that follow
it either way, are changed when the table has been walked.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from vnet.linux.netfilter.packet import NfPacket
from vnet.linux.netfilter.verdict import Verdict
from vnet.tables.conntrack.action import NatKind
from vnet.tables.conntrack.linux.nat_range import NatRange

if TYPE_CHECKING:
    from vnet.linux.netns.namespace import Namespace


class Nat:
    """What the targets of one namespace's nat tables call; all return what the target shall say."""

    __slots__ = ("_namespace",)

    def __init__(self, namespace: Namespace) -> None:
        self._namespace = namespace

    def set_up(self, packet: NfPacket, kind: NatKind, choice: NatRange) -> Verdict:
        """SNAT, DNAT and NETMAP: translate the connection's source or destination."""
        raise NotImplementedError

    def masquerade(self, packet: NfPacket, choice: NatRange) -> Verdict:
        """MASQUERADE: the source becomes an address of the device that the packet leaves by.

        ``choice`` has ports at the most.
        """
        raise NotImplementedError

    def redirect(self, packet: NfPacket, choice: NatRange) -> Verdict:
        """REDIRECT: the destination becomes this machine; ``choice`` has ports at the most."""
        raise NotImplementedError
