"""The lines of a trace, as ``ovs-appctl ofproto/trace`` indents them."""

from __future__ import annotations

from collections.abc import Iterator

from vnet.ovs.dpif.actions import SlowPath
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


def trace_lines(trace: Trace, level: int = 0) -> Iterator[str]:
    """The lines of some nodes and all below them.

    What stands alone under its parent (the next table of a chain, the next bridge) keeps the
    parent's column, so that a long pipeline does not drift off to the right.
    """
    for node in trace:
        if node.kind is NodeKind.BRIDGE:
            yield ""
        more = int(node is not trace[-1] or node.kind in _TERMINAL)
        indent = " " * (4 * (level + more))
        before, after = _PREFIX_SUFFIX.get(node.kind, ("", ""))
        yield f"{indent}{before}{node.text}{after}"
        if node.kind is NodeKind.BRIDGE:
            yield indent + "-" * len(node.text)
        yield from trace_lines(node.children, level + 2 * more)


def slow_path_lines(slow: SlowPath) -> Iterator[str]:
    """Why a flow is handled frame by frame."""
    yield "This flow is handled by the userspace slow path because it:"
    for reason in SlowPath:
        if reason in slow:
            yield f"  - {SLOW_PATH_EXPLANATIONS[reason]}."
