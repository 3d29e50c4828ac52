"""The transport part of turning attributes into a flow."""

from __future__ import annotations

from vnet.ovs.dpif.text.attribute import Attribute
from vnet.ovs.dpif.text.kind import Kind
from vnet.ovs.dpif.text.kinds import ICMPV6, ND, ND_EXTENSIONS, TCP, TCP_FLAGS_SET
from vnet.ovs.dpif.text.shape import ICMP_EXACT, is_neighbor_discovery, transport_kind
from vnet.ovs.flow.errors import OvsTextError
from vnet.ovs.flow.flow import Flow

Present = dict[Kind | None, Attribute]


def put_transport(
    flow: Flow,
    source: Flow,
    present: Present,
    expected: set[Kind | None],
    *,
    is_mask: bool,
) -> None:
    """Fill in ports, ICMP types and Neighbor Discovery's members.

    ``source`` is the key: ``flow`` itself, or the key of the mask ``flow``. Adds to ``expected``
    what was looked for, or found and used.
    """
    kind = transport_kind(source)
    if kind is None:
        return
    if not is_mask:
        expected.add(kind)
    if kind is TCP and TCP_FLAGS_SET in present:
        _put(flow, present[TCP_FLAGS_SET], is_mask=is_mask)
        expected.add(TCP_FLAGS_SET)
    if kind not in present:
        return
    _put(flow, present[kind], is_mask=is_mask)
    if kind is ICMPV6 and is_neighbor_discovery(source):
        _put_neighbor_discovery(flow, present, expected, is_mask=is_mask)
    if is_mask:
        if (flow.tp_src or flow.tp_dst) and flow.nw_proto != Flow.nw_proto.ones:
            what = "flow matches on L4 ports but does not define an L4 protocol"
            raise OvsTextError(what)
        expected.add(kind)


def _put(flow: Flow, attribute: Attribute, *, is_mask: bool) -> None:
    kind = attribute.kind
    if kind is not None:
        flow.key |= (kind.write_masks if is_mask else kind.write)(attribute.values)


def _put_neighbor_discovery(
    flow: Flow, present: Present, expected: set[Kind | None], *, is_mask: bool
) -> None:
    """Its members may be matched only where type and code are, exactly."""
    if not is_mask:
        expected.add(ND)
    for kind in (ND, ND_EXTENSIONS):
        if kind not in present:
            continue
        _put(flow, present[kind], is_mask=is_mask)
        types = flow.tp_src, flow.tp_dst
        if is_mask and any(present[kind].values) and types != ICMP_EXACT:
            shown = f"({types[0]:#x},{types[1]:#x})"
            what = f"ICMP (src,dst) masks should be (0xff,0xff) but are actually {shown}"
            raise OvsTextError(what)
        expected.add(kind)
