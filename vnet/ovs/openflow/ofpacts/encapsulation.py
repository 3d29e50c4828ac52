"""Actions on headers around a packet: MPLS, NSH, and those of ``encap`` and ``decap``."""

from __future__ import annotations

from vnet.base.record import record
from vnet.ovs.openflow.ofpacts.ofpact import Ofpact


@record(frozen=True, slots=True)
class SetMplsLabel(Ofpact):
    """``set_mpls_label:LABEL``"""

    label: int


@record(frozen=True, slots=True)
class SetMplsTc(Ofpact):
    """``set_mpls_tc:TC``"""

    tc: int


@record(frozen=True, slots=True)
class SetMplsTtl(Ofpact):
    """``set_mpls_ttl:TTL``"""

    ttl: int


@record(frozen=True, slots=True)
class DecMplsTtl(Ofpact):
    """``dec_mpls_ttl``"""


@record(frozen=True, slots=True)
class PushMpls(Ofpact):
    """``push_mpls:ETHERTYPE``"""

    ethertype: int


@record(frozen=True, slots=True)
class PopMpls(Ofpact):
    """``pop_mpls:ETHERTYPE``"""

    ethertype: int


@record(frozen=True, slots=True)
class DecNshTtl(Ofpact):
    """``dec_nsh_ttl``"""


@record(frozen=True, slots=True)
class NshMdType:
    """``md_type=N``, a property of ``encap(nsh(...))``: 1 for four fixed contexts, 2 for TLVs."""

    md_type: int


@record(frozen=True, slots=True)
class NshTlv:
    """``tlv(CLASS,TYPE,VALUE)``, a property of ``encap(nsh(...))``: metadata of MD type 2."""

    tlv_class: int
    tlv_type: int
    value: bytes


EncapProperty = NshMdType | NshTlv


@record(frozen=True, slots=True)
class Encap(Ofpact):
    """``encap(...)``; ``new_packet_type`` as in :attr:`Flow.packet_type`."""

    new_packet_type: int
    header_bytes: int = 0
    properties: tuple[EncapProperty, ...] = ()


PT_USE_NEXT_PROTO = 0xFFFE
"""``decap``'s default packet type: whatever the header says comes next (OFPHTN_ONF, 0xfffe)."""


@record(frozen=True, slots=True)
class Decap(Ofpact):
    """``decap`` and ``decap(packet_type(...))``"""

    new_packet_type: int = PT_USE_NEXT_PROTO
