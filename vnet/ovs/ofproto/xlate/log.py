"""What a daemon's log says of translations."""

from __future__ import annotations

from collections.abc import Callable

from vnet.ovs.flow.flow import Flow
from vnet.ovs.flow.match_text import flow_text
from vnet.ovs.vlog.level import Level
from vnet.ovs.vlog.vlog import SILENT, Vlog

_PER_MINUTE, _BURST = 1, 5


class XlateLog:
    """The module ``ofproto_dpif_xlate``, all of whose faults share one limit, and what
    ``ofproto_dpif_upcall`` says of packets that ran in circles."""

    def __init__(self, vlog: Vlog = SILENT) -> None:
        self._log = vlog.module("ofproto_dpif_xlate")
        self._limit = self._log.limit(_PER_MINUTE, _BURST)
        self._upcalls = vlog.module("ofproto_dpif_upcall")
        self._trace_limit = self._upcalls.limit(1, 1)

    def failed(self, text: str, bridge: str, flow: Flow) -> None:
        """Something went wrong with a packet; ``flow`` is what it was like."""
        if self._log.is_enabled(Level.WARN):
            where = f"on bridge {bridge} while processing {flow_text(flow)}"
            self._log.warn(f"{text} {where}", self._limit)

    def circled(self, trace: Callable[[], str]) -> None:
        """A packet went through more tables than any may: how, which is long."""
        if self._upcalls.lets_pass(Level.WARN, self._trace_limit):
            self._upcalls.warn(trace())
