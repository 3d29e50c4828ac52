"""The lines of a trace, as ``ovs-appctl ofproto/trace`` indents them."""

from __future__ import annotations

from collections.abc import Iterator

from vnet.ovs.dpif.cookies import SlowPath
from vnet.ovs.ofproto.xlate.report import NodeKind, Trace

_PREFIX_SUFFIX = {
    NodeKind.DETAIL: (" -> ", ""),
    NodeKind.WARN: (" >> ", ""),
    NodeKind.ERROR: (" >>>> ", " <<<<"),
}

_TERMINAL = frozenset(NodeKind) - {NodeKind.BRIDGE, NodeKind.TABLE, NodeKind.THAW}
"""What may be indented below a bridge or table even where nothing follows it."""

SLOW_PATH_EXPLANATIONS = {
    SlowPath.CFM: "Consists of CFM packets",
    SlowPath.BFD: "Consists of BFD packets",
    SlowPath.LACP: "Consists of LACP packets",
    SlowPath.STP: "Consists of STP packets",
    SlowPath.LLDP: "Consists of LLDP packets",
    SlowPath.ACTION: "Uses action(s) not supported by datapath",
    SlowPath.MATCH: "Datapath can't match specifically enough",
}


def trace_lines(trace: Trace) -> Iterator[str]:
    """The lines of some nodes and all below them, which may nest thousands deep.

    What stands alone under its parent (the next table of a chain, the next bridge) keeps the
    parent's column, so that a long pipeline does not drift off to the right.
    """
    waiting = [(node, node is trace[-1], 0) for node in reversed(trace)]
    while waiting:
        node, is_last, level = waiting.pop()
        if node.kind is NodeKind.BRIDGE:
            yield ""
        more = int(not is_last or node.kind in _TERMINAL)
        indent = " " * (4 * (level + more))
        before, after = _PREFIX_SUFFIX.get(node.kind, ("", ""))
        yield f"{indent}{before}{node.text}{after}"
        if node.kind is NodeKind.BRIDGE:
            yield indent + "-" * len(node.text)
        below = node.children
        waiting += [(child, child is below[-1], level + 2 * more) for child in reversed(below)]


def slow_path_lines(slow: SlowPath) -> Iterator[str]:
    """Why a flow is handled frame by frame."""
    yield "This flow is handled by the userspace slow path because it:"
    for reason in SlowPath:
        if reason in slow:
            yield f"  - {SLOW_PATH_EXPLANATIONS[reason]}."
