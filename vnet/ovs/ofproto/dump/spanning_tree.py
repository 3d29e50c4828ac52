"""Spanning trees as ``ovs-appctl stp/show`` and ``rstp/show`` print them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from vnet.ovs.flow.errors import OvsTextError
from vnet.ovs.ofproto.ofproto import Ofproto
from vnet.ovs.ofproto.spanning_tree.rstp_bridge import RstpBridge
from vnet.ovs.ofproto.spanning_tree.stp_bridge import StpBridge
from vnet.ovs.ofproto.spanning_tree.tree import SpanningTree

_MISSING: dict[type[SpanningTree], str] = {
    StpBridge: "no such stp object",
    RstpBridge: "No such RSTP object",
}


def trees_of(
    bridges: Iterable[Ofproto], protocol: type[SpanningTree], name: str | None
) -> Sequence[SpanningTree]:
    """The trees of a protocol, or the one of a bridge.

    Raises :class:`OvsTextError` where the bridge that is named does not speak it.
    """
    trees = [
        bridge.spanning_tree
        for bridge in bridges
        if isinstance(bridge.spanning_tree, protocol) and name in (None, bridge.name)
    ]
    if name is not None and not trees:
        raise OvsTextError(_MISSING[protocol])
    return trees


def dump_trees(
    bridges: Iterable[Ofproto], protocol: type[SpanningTree], name: str | None = None
) -> Iterator[str]:
    """All that is to say of the trees of a protocol, or of that of one bridge."""
    for tree in trees_of(bridges, protocol, name):
        yield from tree.show()
