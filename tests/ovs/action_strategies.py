"""Random OpenFlow actions for Hypothesis, in the form in which their text is read back the same.

Some actions can be held in more ways than they can be written: a ``load`` of more than 64 bits is
printed as several, for one. Such doubles are not drawn.
"""

from __future__ import annotations

from collections.abc import Sequence

from hypothesis import strategies as st

from vnet.ovs.flow.field import has_short_header
from vnet.ovs.flow.fields import FIELDS, Field, Maskable, Subfield
from vnet.ovs.flow.ports import (
    OFPP_CONTROLLER,
    OFPP_IN_PORT,
    OFPP_LOCAL,
    OFPP_MAX,
    RESERVED_PORT_NAMES,
    OfpPort,
)
from vnet.ovs.openflow import ofpacts
from vnet.ovs.openflow.ofpacts import Ofpact, Ofpacts

_CT_FIELDS = (FIELDS["ct_mark"], FIELDS["ct_label"])
_ALL_FIELDS = tuple(FIELDS.values())
_WRITABLE = tuple(f for f in _ALL_FIELDS if f.writable and f not in _CT_FIELDS)
_SHORT = tuple(f for f in _ALL_FIELDS if has_short_header(f))
_PLAIN_FORMATS = ("decimal", "hexadecimal", "Ethernet", "IPv4", "IPv6")

U8 = st.integers(0, 0xFF)
U16 = st.integers(0, 0xFFFF)
U32 = st.integers(0, 0xFFFFFFFF)
U64 = st.integers(0, (1 << 64) - 1)
MACS = st.integers(0, (1 << 48) - 1)

PORT_NUMBERS = st.integers(0, OFPP_MAX - 1).map(OfpPort)
PORTS = PORT_NUMBERS | st.sampled_from(tuple(RESERVED_PORT_NAMES))
TABLES = st.integers(0, 254)


@st.composite
def subfields(
    draw: st.DrawFn, of: Sequence[Field] = _ALL_FIELDS, min_bits: int = 1, max_bits: int = 992
) -> Subfield:
    """A part of a field, of some width."""
    field = draw(st.sampled_from([f for f in of if f.n_bits >= min_bits]))
    n_bits = draw(st.integers(min_bits, min(max_bits, field.n_bits)))
    return Subfield(field, draw(st.integers(0, field.n_bits - n_bits)), n_bits)


BITS = subfields(_WRITABLE, max_bits=1)


# -- output


@st.composite
def _controllers(draw: st.DrawFn) -> Ofpact:
    reasons = [r for r in ofpacts.PacketInReason if r < ofpacts.PacketInReason.EXPLICIT_MISS]
    action = ofpacts.Controller(
        draw(U16),
        draw(U16),
        draw(st.sampled_from(reasons)),
        draw(st.binary(max_size=9)),
        draw(st.booleans()),
        draw(st.none() | st.integers(1, 0xFFFFFFFF)),
    )
    if action == ofpacts.Controller(action.max_len_bytes):
        return ofpacts.Output(OFPP_CONTROLLER, action.max_len_bytes)
    return action


@st.composite
def _bundles(draw: st.DrawFn) -> Ofpact:
    return ofpacts.Bundle(
        draw(st.sampled_from(ofpacts.HashFields)),
        draw(U16),
        draw(st.sampled_from(ofpacts.BundleAlgorithm)),
        tuple(draw(st.lists(PORTS, max_size=5))),
        draw(st.none() | subfields([f for f in _SHORT if f.writable], 16)),
    )


@st.composite
def _multipaths(draw: st.DrawFn) -> Ofpact:
    destination = draw(subfields([f for f in _SHORT if f.writable]))
    return ofpacts.Multipath(
        draw(st.sampled_from(ofpacts.HashFields)),
        draw(U16),
        draw(st.sampled_from(ofpacts.MultipathAlgorithm)),
        draw(st.integers(0, min(destination.ones, 0xFFFF))),
        draw(U32),
        destination,
    )


OUTPUTS: st.SearchStrategy[Ofpact] = st.one_of(
    st.builds(ofpacts.Output, PORTS.filter(lambda port: port != OFPP_CONTROLLER)),
    st.builds(ofpacts.Output, st.just(OFPP_CONTROLLER), U16),
    _controllers(),
    st.builds(ofpacts.Group, U32),
    st.builds(ofpacts.Enqueue, PORTS, U32),
    st.builds(ofpacts.OutputReg, subfields()),
    st.builds(
        ofpacts.OutputTrunc,
        PORT_NUMBERS | st.sampled_from([OFPP_LOCAL, OFPP_IN_PORT]),
        st.integers(14, 0xFFFFFFFF),
    ),
    _bundles(),
    _multipaths(),
)


# -- headers and fields


@st.composite
def set_fields(draw: st.DrawFn, of: Sequence[Field] = _WRITABLE) -> Ofpact:
    """``set_field``, masked where the field allows it."""
    field = draw(st.sampled_from(of))
    value = draw(st.integers(0, (1 << field.n_bits) - 1).filter(field.is_value_valid))
    mask = field.ones
    if field.maskable is Maskable.FULLY and field.format_name in _PLAIN_FORMATS:
        mask = draw(st.just(mask) | st.integers(1, mask))
    return ofpacts.SetField(field, value, mask)


@st.composite
def loads(draw: st.DrawFn, of: Sequence[Field] = _WRITABLE) -> Ofpact:
    """``load``"""
    part = draw(subfields(of, max_bits=64))
    value = draw(st.integers(0, part.ones))
    return ofpacts.SetField(part.field, value << part.offset, part.mask, is_load=True)


@st.composite
def moves(draw: st.DrawFn, to: Sequence[Field] = _WRITABLE) -> Ofpact:
    """``move``"""
    destination = draw(subfields(to))
    n_bits = destination.n_bits
    return ofpacts.RegMove(draw(subfields(min_bits=n_bits, max_bits=n_bits)), destination)


@st.composite
def _encaps(draw: st.DrawFn) -> Ofpact:
    packet_type = draw(st.sampled_from([0, 0x18847, 0x18848, 0x1894F]))
    tlv_values = st.binary(min_size=1, max_size=9).filter(lambda value: value[0])
    properties = st.lists(
        st.builds(ofpacts.NshMdType, st.integers(1, 2))
        | st.builds(ofpacts.NshTlv, U16, U8, tlv_values),
        max_size=3,
    )
    return ofpacts.Encap(packet_type, 0, tuple(draw(properties)) if packet_type == 0x1894F else ())


HEADERS: st.SearchStrategy[Ofpact] = st.one_of(
    set_fields(),
    loads(),
    moves(),
    st.builds(ofpacts.SetVlanVid, st.integers(0, 0xFFF), st.booleans()),
    st.builds(ofpacts.SetVlanPcp, st.integers(0, 7), st.booleans()),
    st.builds(ofpacts.StripVlan, st.booleans()),
    st.builds(ofpacts.PushVlan, st.sampled_from([0x8100, 0x88A8])),
    st.builds(ofpacts.SetEthSrc, MACS),
    st.builds(ofpacts.SetEthDst, MACS),
    st.builds(ofpacts.SetIpv4Src, U32),
    st.builds(ofpacts.SetIpv4Dst, U32),
    st.builds(ofpacts.SetIpDscp, st.integers(0, 63).map(lambda dscp: dscp << 2)),
    st.builds(ofpacts.SetIpEcn, st.integers(0, 3)),
    st.builds(ofpacts.SetIpTtl, U8),
    st.builds(ofpacts.SetL4SrcPort, U16),
    st.builds(ofpacts.SetL4DstPort, U16),
    st.just(ofpacts.DecTtl()),
    st.builds(
        ofpacts.DecTtl, st.lists(U16, min_size=1, max_size=4).map(tuple), with_ids=st.just(True)
    ),
    st.builds(ofpacts.SetMplsLabel, st.integers(0, 0xFFFFF)),
    st.builds(ofpacts.SetMplsTc, st.integers(0, 7)),
    st.builds(ofpacts.SetMplsTtl, U8),
    st.just(ofpacts.DecMplsTtl()),
    st.builds(ofpacts.PushMpls, st.sampled_from([0x8847, 0x8848])),
    st.builds(ofpacts.PopMpls, U16),
    st.just(ofpacts.DecNshTtl()),
    _encaps(),
    st.builds(ofpacts.Decap, st.just(ofpacts.PT_USE_NEXT_PROTO) | st.integers(0, 0x4FFFF)),
    st.builds(ofpacts.DeleteField, st.sampled_from([f for f in _ALL_FIELDS if f.is_tun_metadata])),
)

METADATA: st.SearchStrategy[Ofpact] = st.one_of(
    st.builds(ofpacts.StackPush, subfields()),
    st.builds(ofpacts.StackPop, subfields(_WRITABLE)),
    st.builds(ofpacts.SetTunnel, U32),
    st.builds(ofpacts.SetTunnel, U64, st.just(True)),
    st.builds(ofpacts.SetQueue, U32),
    st.just(ofpacts.PopQueue()),
    st.builds(ofpacts.FinTimeout, U16, U16),
    st.builds(
        ofpacts.Sample,
        st.integers(1, 0xFFFF),
        U32,
        U32,
        U32,
        PORTS,
        st.sampled_from(ofpacts.SampleDirection),
    ),
    st.builds(ofpacts.CheckPktLarger, U16, BITS),
    st.just(ofpacts.Exit()),
    st.just(ofpacts.CtClear()),
)

NOTES = st.builds(ofpacts.Note, st.binary(max_size=20))


# -- tables


@st.composite
def _learn_specs(draw: st.DrawFn) -> ofpacts.LearnSpec:
    target = draw(st.sampled_from(ofpacts.LearnTarget))
    if target is ofpacts.LearnTarget.OUTPUT:
        source = draw(subfields(_SHORT))
        return ofpacts.LearnSpec(target, source.n_bits, source, None, None)
    is_match = target is ofpacts.LearnTarget.MATCH
    fields = [f for f in _SHORT if (f.format_name in _PLAIN_FORMATS if is_match else f.writable)]
    destination = draw(subfields(fields) | st.builds(Subfield.whole, st.sampled_from(fields)))
    n_bits = destination.n_bits
    if draw(st.booleans()):
        value = draw(st.integers(0, destination.ones))
        return ofpacts.LearnSpec(target, n_bits, None, value, destination)
    source = draw(subfields(_SHORT, n_bits, n_bits) | st.just(destination))
    return ofpacts.LearnSpec(target, n_bits, source, None, destination)


LEARNS = st.builds(
    ofpacts.Learn,
    st.lists(_learn_specs(), max_size=4).map(tuple),
    U16,
    U16,
    U16,
    TABLES,
    U64,
    st.booleans(),
    st.booleans(),
    U16,
    U16,
    U32,
    st.none() | BITS,
)

STEERING: st.SearchStrategy[Ofpact] = st.one_of(
    st.builds(ofpacts.Resubmit, PORTS.filter(lambda port: port != OFPP_IN_PORT)),
    st.builds(ofpacts.Resubmit, PORTS, TABLES, st.booleans()),
    LEARNS,
)


# -- connections


@st.composite
def _nats(draw: st.DrawFn) -> Ofpact:
    is_source = draw(st.none() | st.booleans())
    if is_source is None or not draw(st.booleans()):
        return ofpacts.Nat(is_source)
    n_bytes = draw(st.sampled_from([4, 16]))
    addresses = st.binary(min_size=n_bytes, max_size=n_bytes)
    first, last = sorted([draw(addresses), draw(addresses)])
    low, high = sorted([draw(U16), draw(U16)])
    return ofpacts.Nat(
        is_source,
        first,
        draw(st.none() | st.just(last)) if last != first else None,
        low,
        draw(st.sampled_from([0, high])) if 0 < low < high else 0,
        draw(st.booleans()),
        *draw(st.sampled_from([(False, False), (True, False), (False, True)])),
    )


@st.composite
def _cts(draw: st.DrawFn) -> Ofpact:
    nat = draw(st.none() | _nats())
    within = st.lists(set_fields(_CT_FIELDS) | loads(_CT_FIELDS) | moves(_CT_FIELDS), max_size=2)
    zone_source = draw(st.none() | subfields(_ALL_FIELDS, 16, 16))
    commit = draw(st.booleans())
    return ofpacts.Ct(
        commit,
        commit and draw(st.booleans()),
        0 if zone_source else draw(U16),
        zone_source,
        draw(st.none() | TABLES),
        draw(st.sampled_from([0, 21, 69])),
        ((nat,) if nat else ()) + tuple(draw(within)),
    )


# -- lists


@st.composite
def conjunctions(draw: st.DrawFn) -> Ofpacts:
    """Clauses of conjunctive matches, which stand with notes alone."""
    clauses = []
    for _ in range(draw(st.integers(1, 3))):
        n_clauses = draw(st.integers(2, 64))
        clauses.append(
            ofpacts.Conjunction(draw(U32), draw(st.integers(0, n_clauses - 1)), n_clauses)
        )
    return (*clauses, *draw(st.lists(NOTES, max_size=1)))


_FLAT = st.one_of(OUTPUTS, HEADERS, METADATA, NOTES, STEERING, _cts())


def _lists(of: st.SearchStrategy[Ofpact], max_size: int) -> st.SearchStrategy[Ofpacts]:
    return st.lists(of, max_size=max_size).map(tuple)


ACTIONS: st.SearchStrategy[Ofpact] = st.recursive(
    _FLAT, lambda inner: st.builds(ofpacts.Clone, _lists(inner, 3)), max_leaves=6
)
"""One action, as it may stand in a bucket as well."""


@st.composite
def instructions(draw: st.DrawFn) -> Ofpacts:
    """All the actions and instructions of a flow, in their order."""
    if draw(st.integers(0, 9)) == 0:
        return draw(conjunctions())
    optional: list[st.SearchStrategy[Ofpact]] = [
        st.just(ofpacts.ClearActions()),
        st.builds(ofpacts.WriteActions, _lists(OUTPUTS | HEADERS, 3)),
        st.builds(ofpacts.WriteMetadata, U64, U64),
        st.builds(ofpacts.GotoTable, TABLES),
    ]
    chosen = [draw(each) for each in optional if draw(st.booleans())]
    meter = draw(st.lists(st.builds(ofpacts.Meter, st.integers(1, 0xFFFF0000)), max_size=1))
    return (*meter, *draw(_lists(ACTIONS, 4)), *chosen)
