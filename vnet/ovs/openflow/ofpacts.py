"""OpenFlow actions and instructions, one class each (ovs-actions(7)).

These are the forms that text and wire formats are read into and written from, and that
translation carries out: a closed list, immutable, so that rules can share them and compare
them. Numbers are plain integers in host order; ``Subfield`` names a run of bits in a field.
"""

from __future__ import annotations

from enum import Enum, IntEnum

from vnet.base.record import record
from vnet.ovs.flow.fields import Field, Subfield
from vnet.ovs.flow.flow_hash import HashFields as HashFields
from vnet.ovs.flow.ports import OFPP_NONE, OfpPort


class Ofpact:
    """An action or instruction."""

    __slots__ = ()


Ofpacts = tuple[Ofpact, ...]

# -- output


@record(frozen=True, slots=True)
class Output(Ofpact):
    """``output:PORT``, and the bare names ``normal``, ``flood``, ``all``, ``local``, ``in_port``,
    ``table``. ``max_len_bytes`` counts only for ``controller``.
    """

    port: OfpPort
    max_len_bytes: int = 0


@record(frozen=True, slots=True)
class Group(Ofpact):
    """``group:ID``"""

    group_id: int


class PacketInReason(IntEnum):
    """Why a packet went to the controller (OFPR_*)."""

    NO_MATCH = 0
    ACTION = 1
    INVALID_TTL = 2
    ACTION_SET = 3
    GROUP = 4
    PACKET_OUT = 5
    EXPLICIT_MISS = 6
    IMPLICIT_MISS = 7


@record(frozen=True, slots=True)
class Controller(Ofpact):
    """``controller(...)``; ``meter_id`` None for no meter."""

    max_len_bytes: int = 0xFFFF
    controller_id: int = 0
    reason: PacketInReason = PacketInReason.ACTION
    userdata: bytes = b""
    pause: bool = False
    meter_id: int | None = None


@record(frozen=True, slots=True)
class Enqueue(Ofpact):
    """``enqueue:PORT:QUEUE``"""

    port: OfpPort
    queue_id: int


@record(frozen=True, slots=True)
class OutputReg(Ofpact):
    """``output:FIELD[...]``"""

    source: Subfield
    max_len_bytes: int = 0xFFFF


@record(frozen=True, slots=True)
class OutputTrunc(Ofpact):
    """``output(port=PORT,max_len=N)``"""

    port: OfpPort
    max_len_bytes: int


class BundleAlgorithm(Enum):
    """How ``bundle`` chooses among its members; the value is its text."""

    ACTIVE_BACKUP = "active_backup"
    HIGHEST_RANDOM_WEIGHT = "hrw"


@record(frozen=True, slots=True)
class Bundle(Ofpact):
    """``bundle(...)`` and, with a ``destination``, ``bundle_load(...)``."""

    fields: HashFields
    basis: int
    algorithm: BundleAlgorithm
    members: tuple[OfpPort, ...]
    destination: Subfield | None = None


# -- header changes


@record(frozen=True, slots=True)
class SetField(Ofpact):
    """``set_field:VALUE[/MASK]->FIELD`` and ``load:VALUE->FIELD[a..b]`` (value and mask in place).

    ``is_load`` is how it was written (OVS keeps NXAST_REG_LOAD apart in ``raw``).
    ``flow_has_vlan`` is what the match said at the time, as OVS keeps it.
    """

    field: Field
    value: int
    mask: int
    is_load: bool = False
    flow_has_vlan: bool = False


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
    """``move:SOURCE->DESTINATION``"""

    source: Subfield
    destination: Subfield


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
class DeleteField(Ofpact):
    """``delete_field:FIELD``"""

    field: Field


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


# -- metadata


@record(frozen=True, slots=True)
class SetTunnel(Ofpact):
    """``set_tunnel:ID`` and ``set_tunnel64:ID``"""

    tun_id: int
    is_64_bits: bool = False


@record(frozen=True, slots=True)
class SetQueue(Ofpact):
    """``set_queue:ID``"""

    queue_id: int


@record(frozen=True, slots=True)
class PopQueue(Ofpact):
    """``pop_queue``"""


@record(frozen=True, slots=True)
class FinTimeout(Ofpact):
    """``fin_timeout(idle_timeout=S,hard_timeout=S)``; 0 leaves one alone."""

    fin_idle_timeout_s: int = 0
    fin_hard_timeout_s: int = 0


# -- flow tables

TABLE_ALL = 0xFF
"""Any table; in ``resubmit`` the present one."""


@record(frozen=True, slots=True)
class Resubmit(Ofpact):
    """``resubmit([PORT],[TABLE][,ct])``; ``in_port`` OFPP_IN_PORT and ``table_id`` TABLE_ALL
    mean the present ones.
    """

    in_port: OfpPort
    table_id: int = TABLE_ALL
    with_ct_orig: bool = False


class LearnTarget(Enum):
    """What a learn specification does with its source."""

    MATCH = "match"
    LOAD = "load"
    OUTPUT = "output"


@record(frozen=True, slots=True)
class LearnSpec:
    """One ``FIELD=SOURCE``, ``load:SOURCE->FIELD`` or ``output:FIELD`` of ``learn``.

    The source is a subfield, or ``immediate``, an integer of ``n_bits``; exactly one is set.
    ``destination`` is None for ``output``.
    """

    target: LearnTarget
    n_bits: int
    source: Subfield | None
    immediate: int | None
    destination: Subfield | None


@record(frozen=True, slots=True)
class Learn(Ofpact):
    """``learn(...)``; times in whole seconds, ``limit`` 0 for none."""

    specs: tuple[LearnSpec, ...]
    idle_timeout_s: int = 0
    hard_timeout_s: int = 0
    priority: int = 32768
    table_id: int = 1
    cookie: int = 0
    send_flow_rem: bool = False
    delete_learned: bool = False
    fin_idle_timeout_s: int = 0
    fin_hard_timeout_s: int = 0
    limit: int = 0
    result_destination: Subfield | None = None


@record(frozen=True, slots=True)
class Conjunction(Ofpact):
    """``conjunction(ID,CLAUSE/N)``; ``clause`` counts from 0 here and from 1 in text."""

    conj_id: int
    clause: int
    n_clauses: int


class MultipathAlgorithm(Enum):
    """How ``multipath`` turns a hash into a link; the value is its text."""

    MODULO_N = "modulo_n"
    HASH_THRESHOLD = "hash_threshold"
    HIGHEST_RANDOM_WEIGHT = "hrw"
    ITER_HASH = "iter_hash"


@record(frozen=True, slots=True)
class Multipath(Ofpact):
    """``multipath(...)``; ``max_link`` is the number of links minus 1."""

    fields: HashFields
    basis: int
    algorithm: MultipathAlgorithm
    max_link: int
    argument: int
    destination: Subfield


# -- others


@record(frozen=True, slots=True)
class Note(Ofpact):
    """``note:HEX``"""

    data: bytes


@record(frozen=True, slots=True)
class Exit(Ofpact):
    """``exit``"""


class SampleDirection(Enum):
    """Whether ``sample`` is said to see a packet coming or going; the value is its text."""

    DEFAULT = ""
    INGRESS = "ingress"
    EGRESS = "egress"


@record(frozen=True, slots=True)
class Sample(Ofpact):
    """``sample(...)``; ``probability`` is of 65535."""

    probability: int
    collector_set_id: int = 0
    obs_domain_id: int = 0
    obs_point_id: int = 0
    sampling_port: OfpPort = OFPP_NONE
    direction: SampleDirection = SampleDirection.DEFAULT


@record(frozen=True, slots=True)
class UnrollXlate(Ofpact):
    """Never written by a user: back to the table and cookie of the rule that was left when
    translation froze (of no rule: a cookie of all ones).
    """

    rule_table_id: int
    rule_cookie: int


@record(frozen=True, slots=True)
class Nat(Ofpact):
    """``nat`` in ``ct``. ``is_source`` None for a bare ``nat``. Addresses are packed (4 or 16
    bytes) or None, ports 0 where not given; ``*_max`` equals ``*_min`` for a single one.
    """

    is_source: bool | None = None
    address_min: bytes | None = None
    address_max: bytes | None = None
    port_min: int = 0
    port_max: int = 0
    is_persistent: bool = False
    is_hash: bool = False
    is_random: bool = False


@record(frozen=True, slots=True)
class Ct(Ofpact):
    """``ct(...)``. ``zone_source`` None means the number ``zone``; ``table_id`` None means no
    recirculation; ``alg`` is a port: 21 for ftp, 69 for tftp, 0 for none. ``actions`` are those of
    ``exec(...)``, and a :class:`Nat`.
    """

    commit: bool = False
    force: bool = False
    zone: int = 0
    zone_source: Subfield | None = None
    table_id: int | None = None
    alg: int = 0
    actions: Ofpacts = ()


@record(frozen=True, slots=True)
class CtClear(Ofpact):
    """``ct_clear``"""


@record(frozen=True, slots=True)
class Clone(Ofpact):
    """``clone(...)``"""

    actions: Ofpacts


@record(frozen=True, slots=True)
class CheckPktLarger(Ofpact):
    """``check_pkt_larger(N)->FIELD[i]``"""

    packet_bytes: int
    destination: Subfield


@record(frozen=True, slots=True)
class DebugRecirc(Ofpact):
    """``debug_recirc``, for tests: recirculates."""


@record(frozen=True, slots=True)
class DebugSlow(Ofpact):
    """``debug_slow``, for tests: takes the slow path."""


# -- instructions


@record(frozen=True, slots=True)
class Meter(Ofpact):
    """``meter:ID``"""

    meter_id: int


@record(frozen=True, slots=True)
class ClearActions(Ofpact):
    """``clear_actions``"""


@record(frozen=True, slots=True)
class WriteActions(Ofpact):
    """``write_actions(...)``"""

    actions: Ofpacts


@record(frozen=True, slots=True)
class WriteMetadata(Ofpact):
    """``write_metadata:VALUE[/MASK]``"""

    metadata: int
    mask: int = 0xFFFFFFFFFFFFFFFF


@record(frozen=True, slots=True)
class GotoTable(Ofpact):
    """``goto_table:TABLE``"""

    table_id: int
