"""Random datapath flows and actions, as translation makes them."""

from __future__ import annotations

from hypothesis import strategies as st

from tests.ovs.flow.frames import FRAMES
from vnet.ovs.dpif import actions as odp
from vnet.ovs.dpif.actions import KeyPart, OdpAction, OdpActions
from vnet.ovs.dpif.cookies import (
    ControllerCookie,
    Cookie,
    FlowSampleCookie,
    IpfixCookie,
    SflowCookie,
    SlowPath,
    SlowPathCookie,
)
from vnet.ovs.dpif.text.kinds import KINDS_BY_NAME
from vnet.ovs.flow.extract import extract
from vnet.ovs.flow.flow import ALL_ONES, CFI, DL_TYPE_NONE, Bits, Flow
from vnet.ovs.flow.ports import ODPP_NONE, OdpPort

U8 = st.integers(0, 0xFF)
U16 = st.integers(0, 0xFFFF)
U32 = st.integers(0, 0xFFFFFFFF)
MACS = st.integers(0, (1 << 48) - 1)
PORTS = st.integers(0, 0xFFFF).map(OdpPort)
LSES = st.integers(0, 0xFFFFFFFF)

_ALWAYS_MATCHED = (
    *(Flow.in_port, Flow.recirc_id, Flow.packet_type, Flow.dl_type),
    *(Flow.nw_proto, Flow.nw_frag),
)
_MAYBE_MATCHED = (
    *(Flow.dl_src, Flow.dl_dst, Flow.vlan_tci, Flow.vlan1_tci),
    *(Flow.nw_src, Flow.nw_dst, Flow.nw_tos, Flow.nw_ttl),
    *(Flow.ipv6_src, Flow.ipv6_dst, Flow.arp_sha, Flow.arp_tha, *Flow.mpls_lse),
)
_SET_METADATA = (
    *(Flow.skb_priority, Flow.pkt_mark, Flow.dp_hash, Flow.recirc_id),
    *(Flow.ct_state, Flow.ct_zone, Flow.ct_mark, Flow.ct_label),
)
_PORTS = (Flow.tp_src, Flow.tp_dst)
_NEIGHBOR_DISCOVERY = (135, 136)


def _mask(draw: st.DrawFn, bits: Bits) -> int:
    kinds = st.sampled_from((0, bits.ones)) | st.integers(0, bits.ones)
    return draw(kinds)


_TYPED = [frame for frame in FRAMES if Flow.dl_type.of(extract(frame, 1)) != DL_TYPE_NONE]
"""Flows of frames without an EtherType can be printed, and dpctl refuses to read that."""


@st.composite
def flows(draw: st.DrawFn) -> tuple[int, int]:
    """Key and mask of a flow that can be installed."""
    flow = Flow(extract(draw(st.sampled_from(_TYPED)), draw(st.integers(1, 9)), vlan_limit=2))
    mask = Flow(sum(bits.mask for bits in _ALWAYS_MATCHED))
    for bits in draw(st.lists(st.sampled_from(_SET_METADATA), unique=True, max_size=3)):
        flow.put(bits, draw(st.integers(0, bits.ones)))
        if bits is not Flow.recirc_id:
            mask.put(bits, _mask(draw, bits))
    for bits in draw(st.lists(st.sampled_from(_MAYBE_MATCHED), unique=True)):
        mask.put(bits, _mask(draw, bits))
    is_icmp = flow.nw_proto in (1, 58)
    for bits in _PORTS:
        mask.put(bits, draw(st.sampled_from((0, 0xFF))) if is_icmp else _mask(draw, bits))
    if flow.nw_proto == 6:
        mask.tcp_flags = draw(st.sampled_from((0, 0xFFF)) | st.integers(0, 0xFFF))
        if not mask.tcp_flags:
            flow.tcp_flags = 0  # text would not tell them
    if flow.vlan_tci:
        mask.vlan_tci |= CFI
        mask.vlan1_tci |= CFI
    return flow.key, mask.key


_SETTABLE = (
    *(KeyPart.ETHERNET, KeyPart.IPV4, KeyPart.IPV6, KeyPart.ARP, KeyPart.ND),
    *(KeyPart.TCP, KeyPart.UDP, KeyPart.SCTP, KeyPart.ICMP, KeyPart.ICMPV6),
    *(KeyPart.PRIORITY, KeyPart.MARK, KeyPart.MPLS),
)
_LABEL_UNUSED = Flow.ipv6_label.mask & ~(0xFFFFF << Flow.ipv6_label.shift)
_INNER_LABELS = sum(bits.mask for bits in Flow.mpls_lse[1:])

_NOISE = st.integers(0, (1 << max(bits.shift + bits.width for bits in Flow.mpls_lse)) - 1)
"""As long as the longest part that can be set."""


@st.composite
def sets(draw: st.DrawFn) -> odp.Set:
    """A ``set`` as its own text is read: with a mask unless it writes the whole part."""
    part = draw(st.sampled_from(_SETTABLE))
    kind = KINDS_BY_NAME[part.value]
    unused = _LABEL_UNUSED | (_INNER_LABELS if part is KeyPart.MPLS else 0)
    noise, mask_noise = (draw(_NOISE) & ~unused for _ in range(2))
    is_masked = part is not KeyPart.MPLS and draw(st.booleans())
    mask = kind.write_masks(kind.read_masks(mask_noise if is_masked else ALL_ONES & ~unused))
    value = kind.write(kind.read(noise)) & mask
    return odp.Set(part, value, mask, not kind.is_exact(kind.read_masks(mask | _INNER_LABELS)))


@st.composite
def nats(draw: st.DrawFn) -> odp.CtNat:
    """A ``nat``, with a range whose ends are in order."""
    is_source = draw(st.none() | st.booleans())
    n_bytes = draw(st.sampled_from((0, 4, 16)))
    if is_source is None or not n_bytes:
        return odp.CtNat(is_source)
    low, high = sorted(
        draw(st.lists(st.binary(min_size=n_bytes, max_size=n_bytes), min_size=2, max_size=2))
    )
    port_min, port_max = sorted((draw(U16), draw(U16)))
    is_hash, is_random = draw(st.sampled_from(((False, False), (True, False), (False, True))))
    return odp.CtNat(
        is_source,
        low,
        high if high > low and draw(st.booleans()) else None,
        port_min,
        port_max if 0 < port_min < port_max else 0,
        draw(st.booleans()),
        is_hash,
        is_random,
    )


def _masked(bits: int) -> st.SearchStrategy[tuple[int, int] | None]:
    ones = (1 << bits) - 1
    return st.none() | st.tuples(st.integers(0, ones), st.integers(1, ones))


@st.composite
def cts(draw: st.DrawFn) -> odp.Ct:
    """A ``ct``."""
    commit, force = draw(st.sampled_from(((False, False), (True, False), (False, True))))
    return odp.Ct(
        commit,
        force,
        draw(U16),
        draw(_masked(32)),
        draw(_masked(128)),
        draw(st.sampled_from(("", "ftp", "tftp"))),
        draw(st.sampled_from(("", "ovs_tp_0_tcp4"))),
        draw(st.none() | nats()),
    )


@st.composite
def push_nshs(draw: st.DrawFn) -> odp.PushNsh:
    """A ``push_nsh``; text does not tell zeros at the beginning of TLVs."""
    mdtype = draw(st.sampled_from((1, 2)))
    contexts = st.binary(min_size=16, max_size=16)
    tlvs = st.binary(min_size=3, max_size=3).map(lambda rest: b"\x10" + rest)
    metadata = draw(contexts if mdtype == 1 else tlvs)
    return odp.PushNsh(
        draw(st.integers(0, 3)), draw(st.integers(0, 63)), mdtype, draw(U8), draw(U32), metadata
    )


_CONTROLLERS = st.builds(
    ControllerCookie,
    *(U16, st.booleans(), st.booleans(), U32, st.integers(0, (1 << 64) - 1), U16, U16),
)
_SLOW_PATHS = st.integers(1, 127).map(SlowPath).map(SlowPathCookie)
_FLOW_SAMPLES = st.builds(
    FlowSampleCookie, *(U16, U32, U32, U32, PORTS), st.sampled_from(("", "ingress", "egress"))
)
_SFLOWS = st.builds(SflowCookie, st.integers(0, 4095), st.integers(0, 7), U32)
_COOKIES: st.SearchStrategy[Cookie] = st.one_of(
    _CONTROLLERS, _SLOW_PATHS, _FLOW_SAMPLES, _SFLOWS, PORTS.map(IpfixCookie)
)

_SIMPLE: st.SearchStrategy[OdpAction] = st.one_of(
    PORTS.map(odp.Output),
    sets(),
    st.builds(odp.PushVlan, st.sampled_from((0x8100, 0x88A8)), U16),
    st.builds(odp.PushMpls, LSES, st.sampled_from((0x8847, 0x8848))),
    st.builds(odp.AddMpls, LSES, st.just(0x8847)),
    U16.map(odp.PopMpls),
    st.builds(odp.PushEth, MACS, MACS),
    push_nshs(),
    U32.map(odp.Recirc),
    st.builds(odp.Hash, st.sampled_from(odp.HashAlgorithm), U32),
    cts(),
    U32.map(odp.Trunc),
    U32.map(odp.Meter),
    st.builds(odp.Userspace, _COOKIES, U32, PORTS | st.just(ODPP_NONE), st.booleans()),
    st.sampled_from((odp.PopVlan(), odp.PopEth(), odp.PopNsh(), odp.CtClear())),
)
_PROBABILITIES = st.integers(0, 1000).map(
    lambda tenths: int(0xFFFFFFFF * (float(f"{tenths / 10:.1f}") / 100.0) + 0.5)
)
"""Those that a percentage with one decimal says exactly, which is all that text has."""


def _with_nested(inner: st.SearchStrategy[OdpAction]) -> st.SearchStrategy[OdpAction]:
    lists = st.lists(inner, max_size=3).map(tuple)
    return st.one_of(
        lists.map(odp.Clone),
        st.builds(odp.Sample, _PROBABILITIES, lists),
        st.builds(odp.CheckPktLen, U16, lists, lists),
    )


ACTIONS: st.SearchStrategy[OdpActions] = st.lists(
    st.recursive(_SIMPLE, _with_nested, max_leaves=6), min_size=1, max_size=5
).map(tuple)
"""Lists of actions that are not empty."""
