"""Requests in several parts, put together (openflow-spec 1.5.1, section 7.3.5).

Parts have the number of their request in common. Those without a body count for nothing, unless
there is no other.
"""

from __future__ import annotations

from collections.abc import Callable

from vnet.base.units import NS_PER_S
from vnet.ovs.openflow.errors import OpenFlowError
from vnet.ovs.openflow.version import OpenFlowVersion
from vnet.ovs.openflow.wire.kind import Kind
from vnet.ovs.openflow.wire.message import Message
from vnet.ovs.openflow.wire.packing import has_more
from vnet.ovs.openflow.wire.recognition import kind_by_numbers, kind_of
from vnet.sim.scheduler import Scheduler, Timer

_PATIENCE_NS = NS_PER_S
_MOST_BYTES = 4 << 20
_MOST_BYTES_IN_ALL = 16 << 20
"""Of all requests of one connection; Open vSwitch has no such limit."""


class _Partial:
    """What has come of one request."""

    def __init__(self, kind: Kind) -> None:
        self.kind = kind
        self.parts: list[Message] = []
        self.n_bytes = 0
        self.has_body = False
        self.due_ns = 0


class Assembler:
    """One connection's. ``refuse`` is told of requests whose last parts do not come."""

    def __init__(
        self, scheduler: Scheduler, refuse: Callable[[Message, OpenFlowError], None]
    ) -> None:
        self._scheduler = scheduler
        self._refuse = refuse
        self._timer = Timer(scheduler, self._look)
        self._partials: dict[int, _Partial] = {}
        """By their numbers, those first that have waited longest."""
        self._n_bytes = 0

    def take(self, message: Message) -> list[Message]:
        """A part has come: the parts of the whole request, or none of them yet.

        Raises :class:`OpenFlowError`, and what came of the request is forgotten then.
        """
        kind = kind_by_numbers(message)
        numbering = kind.numberings[message.version]
        has_body = len(message.raw) > numbering.offset
        if has_body:
            kind_of(message)  # refuses bodies of the wrong length
        is_last = message.version < OpenFlowVersion.OF13 or not has_more(message)
        if is_last and message.xid not in self._partials:
            if not has_body and numbering.least_bytes:
                raise OpenFlowError("OFPBRC_BAD_LEN")
            return [message]
        partial = self._partials.setdefault(message.xid, _Partial(kind))
        partial.n_bytes += len(message.raw)
        self._n_bytes += len(message.raw)
        partial.has_body |= has_body
        error = self._fault(partial, kind, is_last=is_last)
        if error or is_last:
            self._forget(message.xid)
        if error:
            raise OpenFlowError(error)
        partial.parts.append(message)
        if is_last:
            return _with_bodies(partial.parts, numbering.offset)
        self._partials[message.xid] = self._partials.pop(message.xid)
        partial.due_ns = self._scheduler.now_ns + _PATIENCE_NS
        if self._timer.due_ns is None:
            self._timer.arm(_PATIENCE_NS)
        return []

    def _fault(self, partial: _Partial, kind: Kind, *, is_last: bool) -> str:
        if partial.kind is not kind:
            return "OFPBRC_BAD_STAT"
        if partial.n_bytes > _MOST_BYTES or self._n_bytes > _MOST_BYTES_IN_ALL:
            return "OFPBRC_MULTIPART_BUFFER_OVERFLOW"
        needs_body = any(numbering.least_bytes for numbering in kind.numberings.values())
        return "OFPBRC_BAD_LEN" if is_last and needs_body and not partial.has_body else ""

    def _forget(self, xid: int) -> None:
        self._n_bytes -= self._partials.pop(xid).n_bytes

    def close(self) -> None:
        """The connection is no more."""
        self._timer.cancel()
        self._partials.clear()

    def _look(self) -> None:
        """Give up what has waited for too long."""
        now_ns = self._scheduler.now_ns
        while self._partials:
            xid, partial = next(iter(self._partials.items()))
            if partial.due_ns > now_ns:
                self._timer.arm(partial.due_ns - now_ns)
                return
            self._forget(xid)
            error = OpenFlowError("OFPBRC_MULTIPART_REQUEST_TIMEOUT")
            self._refuse(partial.parts[-1], error)


def _with_bodies(parts: list[Message], offset: int) -> list[Message]:
    return [part for part in parts if len(part.raw) > offset] or parts[:1]
