"""Actions that change what is in a packet, field by field."""

from __future__ import annotations

from vnet.base.record import record
from vnet.ovs.flow.fields import Field, Subfield
from vnet.ovs.openflow.ofpacts.ofpact import Ofpact


@record(frozen=True, slots=True)
class SetField(Ofpact):
    """``set_field:VALUE[/MASK]->FIELD`` and ``load:VALUE->FIELD[a..b]`` (value and mask in place).

    ``is_load`` is how it was written (OVS keeps NXAST_REG_LOAD apart in ``raw``).
    ``flow_has_vlan`` is what the match said at the time, as OVS keeps it. Form 2 is
    NXAST_REG_LOAD2.
    """

    field: Field
    value: int
    mask: int
    is_load: bool = False
    flow_has_vlan: bool = False
    form: int = 1


@record(frozen=True, slots=True)
class SetVlanVid(Ofpact):
    """``mod_vlan_vid`` (pushes a tag if needed) and ``set_vlan_vid`` (does not)."""

    vid: int
    push_vlan_if_needed: bool = False
    flow_has_vlan: bool = False


@record(frozen=True, slots=True)
class SetVlanPcp(Ofpact):
    """``mod_vlan_pcp`` (pushes a tag if needed) and ``set_vlan_pcp`` (does not)."""

    pcp: int
    push_vlan_if_needed: bool = False
    flow_has_vlan: bool = False


@record(frozen=True, slots=True)
class StripVlan(Ofpact):
    """``strip_vlan`` and, with ``is_pop``, ``pop_vlan``, which is the same."""

    is_pop: bool = False


@record(frozen=True, slots=True)
class PushVlan(Ofpact):
    """``push_vlan:ETHERTYPE``"""

    ethertype: int


@record(frozen=True, slots=True)
class SetEthSrc(Ofpact):
    """``mod_dl_src:MAC``"""

    mac: int


@record(frozen=True, slots=True)
class SetEthDst(Ofpact):
    """``mod_dl_dst:MAC``"""

    mac: int


@record(frozen=True, slots=True)
class SetIpv4Src(Ofpact):
    """``mod_nw_src:IP``"""

    ip: int


@record(frozen=True, slots=True)
class SetIpv4Dst(Ofpact):
    """``mod_nw_dst:IP``"""

    ip: int


@record(frozen=True, slots=True)
class SetIpDscp(Ofpact):
    """``mod_nw_tos:TOS``; the DSCP stands in the upper six bits of ``tos``."""

    tos: int


@record(frozen=True, slots=True)
class SetIpEcn(Ofpact):
    """``mod_nw_ecn:ECN``"""

    ecn: int


@record(frozen=True, slots=True)
class SetIpTtl(Ofpact):
    """``mod_nw_ttl:TTL``"""

    ttl: int


@record(frozen=True, slots=True)
class SetL4SrcPort(Ofpact):
    """``mod_tp_src:PORT``; ``flow_ip_proto`` is what the match demands, or 0."""

    port: int
    flow_ip_proto: int = 0


@record(frozen=True, slots=True)
class SetL4DstPort(Ofpact):
    """``mod_tp_dst:PORT``; ``flow_ip_proto`` is what the match demands, or 0."""

    port: int
    flow_ip_proto: int = 0


@record(frozen=True, slots=True)
class RegMove(Ofpact):
    """``move:SOURCE->DESTINATION``. Form 2 is ONFACT_COPY_FIELD, which only OpenFlow 1.3 uses."""

    source: Subfield
    destination: Subfield
    form: int = 1


@record(frozen=True, slots=True)
class StackPush(Ofpact):
    """``push:FIELD[...]``"""

    source: Subfield


@record(frozen=True, slots=True)
class StackPop(Ofpact):
    """``pop:FIELD[...]``"""

    destination: Subfield


@record(frozen=True, slots=True)
class DecTtl(Ofpact):
    """``dec_ttl`` and ``dec_ttl(ID,...)``: which controllers hear of an expired packet.

    ``with_ids`` is whether it was written with a list.
    """

    controller_ids: tuple[int, ...] = (0,)
    with_ids: bool = False


@record(frozen=True, slots=True)
class DeleteField(Ofpact):
    """``delete_field:FIELD``"""

    field: Field
