"""What one connection watches of flows (openflow-spec 1.5.1, section 7.3.5.19; Open vSwitch's
ovs-ofctl(8), "monitor").

Who does not read what it is told is told no more for a while, but of flows that go and that it
knows; and then what has become of the flows meanwhile.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

from vnet.ovs.flow.ports import OFPP_NONE
from vnet.ovs.ofproto.rules.action_queries import outputs_to
from vnet.ovs.ofproto.rules.changes import FlowChange, FlowEvent
from vnet.ovs.ofproto.rules.rule import Rule
from vnet.ovs.ofproto.rules.selection import Selection
from vnet.ovs.openflow.errors import OpenFlowError
from vnet.ovs.openflow.messages import (
    FlowMonitorCommand,
    FlowMonitorFlags,
    FlowMonitorRequest,
    FlowUpdate,
    FlowUpdateEvent,
)
from vnet.ovs.openflow.version import OpenFlowVersion
from vnet.ovs.openflow.wire.flow import encode_flow_monitor_pause, encode_flow_update, update_kind
from vnet.ovs.openflow.wire.packing import pack_multipart

_MOST_UNREAD_BYTES = 128 << 10
_MOST_MONITORS = 512
"""Each change of a flow is held against each of them. Open vSwitch has no such limit."""

_WANTED = {
    FlowEvent.ADDED: (FlowMonitorFlags.ADD, FlowUpdateEvent.ADDED),
    FlowEvent.MODIFIED: (FlowMonitorFlags.MODIFY, FlowUpdateEvent.MODIFIED),
    FlowEvent.REMOVED: (FlowMonitorFlags.REMOVED, FlowUpdateEvent.REMOVED),
}
_NEW = FlowMonitorFlags.ADD | FlowMonitorFlags.MODIFY

Flows = Callable[[Selection], Iterable[Rule]]


class Monitors:
    """One connection's. ``send`` takes bytes and returns how many there have been in all;
    ``n_taken()`` is how many of those the peer has taken."""

    def __init__(self, send: Callable[[bytes], int], n_taken: Callable[[], int]) -> None:
        self._send = send
        self._n_taken = n_taken
        self._monitors: dict[int, FlowMonitorRequest] = {}
        self._unread: deque[tuple[int, int]] = deque()
        """Of each message about flows that waits, where it ends in all bytes, and its length."""
        self._n_waiting_bytes = 0
        """How long all of those are together."""
        self._missed: dict[Rule, FlowMonitorFlags] | None = None
        """While telling pauses, what has become of flows that there are."""

    def __bool__(self) -> bool:
        return bool(self._monitors)

    # -- what is watched

    def change(self, request: FlowMonitorRequest) -> FlowMonitorRequest | None:
        """Carry out a request: the monitor that there is now and was not before, if any.

        Raises :class:`OpenFlowError`.
        """
        if request.command == FlowMonitorCommand.ADD:
            if request.monitor_id in self._monitors:
                raise OpenFlowError("OFPMOFC_MONITOR_EXISTS")
        elif request.command in (FlowMonitorCommand.MODIFY, FlowMonitorCommand.DELETE):
            self.end(request.monitor_id)
        if request.command not in (FlowMonitorCommand.ADD, FlowMonitorCommand.MODIFY):
            return None
        if len(self._monitors) >= _MOST_MONITORS:
            raise OpenFlowError("OFPMOFC_UNKNOWN")
        self._monitors[request.monitor_id] = request
        return request

    def end(self, monitor_id: int) -> None:
        """Watch no more. Raises OFPMOFC_UNKNOWN_MONITOR."""
        if self._monitors.pop(monitor_id, None) is None:
            raise OpenFlowError("OFPMOFC_UNKNOWN_MONITOR")

    def forget(self, monitors: Iterable[FlowMonitorRequest]) -> None:
        """Watch no more what these have asked for, as far as that is still watched."""
        for monitor in monitors:
            if self._monitors.get(monitor.monitor_id) is monitor:
                del self._monitors[monitor.monitor_id]

    def first_updates(self, new: Iterable[FlowMonitorRequest], flows: Flows) -> list[FlowUpdate]:
        """What new monitors are told of the flows that there are, unless they have gone again."""
        found: dict[Rule, FlowMonitorFlags] = {}
        for monitor in new:
            is_there = self._monitors.get(monitor.monitor_id) is monitor
            if is_there and FlowMonitorFlags.INITIAL in monitor.flags:
                for rule in flows(_selection(monitor)):
                    found[rule] = found.get(rule, FlowMonitorFlags.NONE) | monitor.flags
        return [_update(rule, FlowUpdateEvent.INITIAL, flags) for rule, flags in found.items()]

    # -- what is told

    def tell(
        self, changes: Sequence[FlowChange], xids: Sequence[int], version: OpenFlowVersion
    ) -> None:
        """Tell of changes. ``xids`` are the numbers of this connection's own requests that they
        come from; by default those are all that it is told of its own doings."""
        entries: list[bytes] = []
        has_abbreviated = False
        for change in changes:
            flags = self._flags_for(change)
            if not flags:
                continue
            is_own = bool(xids) and change.position is not None
            if not is_own or FlowMonitorFlags.ONLY_OWN in flags or self._missed is not None:
                event = _WANTED[change.event][1]
                update = _update(change.shown, event, flags, change.reason or 0)
                entries.append(encode_flow_update(update, version))
            elif not has_abbreviated:
                has_abbreviated = True
                xid = xids[change.position or 0]
                entries.append(encode_flow_update(FlowUpdate(FlowUpdateEvent.ABBREV, xid), version))
        if entries:
            for message in pack_multipart(update_kind(version), version, 0, entries):
                self._put(message)
        if self._missed is None and self._n_unread_bytes() > _MOST_UNREAD_BYTES:
            self._missed = {}
            self._put(encode_flow_monitor_pause(FlowUpdateEvent.PAUSED, version))

    def _flags_for(self, change: FlowChange) -> FlowMonitorFlags:
        """Those of all monitors that are to be told."""
        if self._missed is not None and not self._is_told_meanwhile(change, self._missed):
            return FlowMonitorFlags.NONE
        flags, wanted = FlowMonitorFlags.NONE, _WANTED[change.event][0]
        for monitor in self._monitors.values():
            if wanted in monitor.flags and _concerns(monitor, change):
                flags |= monitor.flags
        return flags

    def _is_told_meanwhile(self, change: FlowChange, missed: dict[Rule, FlowMonitorFlags]) -> bool:
        if change.event is FlowEvent.REMOVED:
            return FlowMonitorFlags.ADD not in missed.pop(change.rule, FlowMonitorFlags.NONE)
        is_new = change.event is FlowEvent.ADDED
        missed[change.rule] = missed.get(change.rule, FlowMonitorFlags.MODIFY) | (
            _NEW if is_new else FlowMonitorFlags.MODIFY
        )
        return False

    def resume(self, flows: Flows, version: OpenFlowVersion) -> None:
        """Tell what was missed, once all has been read."""
        missed = self._missed
        if missed is None or self._n_unread_bytes():
            return
        self._missed = None
        found: dict[Rule, FlowMonitorFlags] = {}
        for monitor in self._monitors.values():
            for rule in flows(_selection(monitor)):
                became = missed.get(rule, FlowMonitorFlags.NONE)
                if became & monitor.flags:
                    instructions = monitor.flags & FlowMonitorFlags.INSTRUCTIONS
                    found[rule] = found.get(rule, FlowMonitorFlags.NONE) | became | instructions
        entries = []
        for rule, flags in found.items():
            is_new = FlowMonitorFlags.ADD in flags
            event = FlowUpdateEvent.ADDED if is_new else FlowUpdateEvent.MODIFIED
            entries.append(encode_flow_update(_update(rule, event, flags), version))
        if entries:
            for message in pack_multipart(update_kind(version), version, 0, entries):
                self._send(message)
        self._send(encode_flow_monitor_pause(FlowUpdateEvent.RESUMED, version))

    def _put(self, message: bytes) -> None:
        self._unread.append((self._send(message), len(message)))
        self._n_waiting_bytes += len(message)

    def _n_unread_bytes(self) -> int:
        """How much of what waited the peer has not taken by now."""
        n_taken = self._n_taken()
        while self._unread and self._unread[0][0] <= n_taken:
            self._n_waiting_bytes -= self._unread.popleft()[1]
        return self._n_waiting_bytes


def _selection(monitor: FlowMonitorRequest) -> Selection:
    return Selection(
        monitor.table_id,
        monitor.match,
        out_port=monitor.out_port,
        out_group=monitor.out_group,
    )


def _concerns(monitor: FlowMonitorRequest, change: FlowChange) -> bool:
    """Whether a flow is watched; to the port that it is watched for it may also have output
    before it did something else."""
    selection = _selection(monitor)
    if change.old_actions is not None and outputs_to(change.old_actions, monitor.out_port):
        selection = replace(selection, out_port=OFPP_NONE)
    return selection.matches(change.shown) and selection.selects(change.shown)


def _update(
    rule: Rule, event: FlowUpdateEvent, flags: FlowMonitorFlags, reason: int = 0
) -> FlowUpdate:
    return FlowUpdate(
        event,
        0,
        reason,
        rule.table_id,
        rule.priority,
        rule.idle_timeout_s,
        rule.hard_timeout_s,
        rule.cookie,
        rule.match,
        rule.actions if FlowMonitorFlags.INSTRUCTIONS in flags else (),
    )
