"""MLD, the listener's side (net/ipv6/mcast.c; RFC 3810, with RFC 2710 towards an old querier)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vnet.base.ids import IPV6_ANY, multicast_mac_of
from vnet.linux.netns.membership import GroupMembership
from vnet.linux.timer_wheel import JIFFY_NS, KernelTimer
from vnet.sim.frame import Frame
from vnet.wire import icmpv6, ipv6, mld
from vnet.wire.ether import TYPE_IPV6
from vnet.wire.ether import frame as ether_frame
from vnet.wire.igmp import CHANGE_TO_EXCLUDE, CHANGE_TO_INCLUDE, Record

if TYPE_CHECKING:
    from vnet.linux.netns.interface import Interface

ALL_NODES = b"\xff\x02" + bytes(13) + b"\x01"

_NS_PER_S = 1_000_000_000
_NS_PER_MS = 1_000_000
_LEAST_ROBUSTNESS = 2
_QUERY_INTERVAL_NS = 125 * _NS_PER_S
_QUERY_RESPONSE_NS = 10 * _NS_PER_S
"""What a querier is taken to do until it says so (RFC 3810 sections 9.2 and 9.3)."""


class MldHost(GroupMembership):
    """Memberships of IPv6 groups on one interface. ff02::1 is joined always, and never told."""

    protocol = "mld"

    __slots__ = (
        "_initial_due",
        "_initial_timer",
        "_interval_ns",
        "_last_reported",
        "_old_querier_until_ns",
        "_response_ns",
        "_robustness",
    )

    def __init__(self, interface: Interface) -> None:
        super().__init__(interface)
        self._old_querier_until_ns = 0
        self._robustness = 0
        self._interval_ns, self._response_ns = _QUERY_INTERVAL_NS, _QUERY_RESPONSE_NS
        self._last_reported: set[bytes] = set()
        """Groups that we were the last to report, so that our leaving is worth telling."""
        self._initial_due = 0
        self._initial_timer = KernelTimer(interface.device.scheduler, self._report_initial)

    @property
    def robustness(self) -> int:
        return self._robustness or self.interface.namespace.sysctls.ipv6.mld_qrv

    def is_reported(self, group: bytes) -> bool:
        # Nor is anything of interface-local scope (RFC 3810 section 6).
        return group != ALL_NODES and group[1] & 0x0F > 1

    def is_member(self, group: bytes) -> bool:
        return group == ALL_NODES or super().is_member(group)

    def query(self, body: bytes) -> bool:
        """A query came in; False if it is malformed."""
        query = mld.parse_query(body)
        if query is None:
            return False
        querier = mld.parse_querier(body)
        if query.version < 2:
            self._hear_old_querier()
        elif querier is not None and not self._old_querier:
            least = min(self.interface.namespace.sysctls.ipv6.mld_qrv, _LEAST_ROBUSTNESS)
            self._robustness = max(querier.robustness or self.robustness, least)
            self._interval_ns = querier.interval_s * _NS_PER_S
            self._response_ns = query.max_response_ns
        asked = [query.group]
        if self._old_querier and not any(query.group):
            # Each group has a delay of its own then, which another's report may end.
            asked = [joined.ip for joined in self.groups if self.is_reported(joined.ip)]
        for group in asked:
            self.answer_query(group, query.max_response_ns)
        return True

    def _hear_old_querier(self) -> None:
        """Version 1 is spoken here, until this has been silent for long enough (section 9.12)."""
        silence_ns = self.robustness * self._interval_ns + self._response_ns
        now_ns = self.interface.device.scheduler.now_ns
        self._old_querier_until_ns = now_ns + silence_ns
        self.forget_changes()

    def report_heard(self, group: bytes) -> None:
        """Another listener has reported a group by version 1: one is enough."""
        timer = self._query_timers.pop(group, None)
        if timer is not None:
            timer.cancel()
        self._last_reported.discard(group)

    # -- version 1 (RFC 2710 section 4)

    def join(self, group: bytes) -> None:
        known = self.is_member(group)
        super().join(group)
        if not known and self._old_querier and self.is_reported(group):
            self._tell_old_querier(group)

    def leave(self, group: bytes) -> None:
        super().leave(group)
        if self._old_querier and not self.is_member(group) and group in self._last_reported:
            self._last_reported.discard(group)
            self.send_report((Record(CHANGE_TO_INCLUDE, group),))

    def report_all(self) -> None:
        """Tell everything again, and forget what queriers have said: the kernel starts anew."""
        self._old_querier_until_ns = self._robustness = 0
        self._interval_ns, self._response_ns = _QUERY_INTERVAL_NS, _QUERY_RESPONSE_NS
        if not self._old_querier:
            return super().report_all()
        for joined in self.groups:
            if self.is_reported(joined.ip):
                self._tell_old_querier(joined.ip)
        return None

    def _changed(self) -> None:
        # An old querier is told of each group by itself.
        if not self._old_querier:
            super()._changed()

    def _tell_old_querier(self, group: bytes) -> None:
        """Report a group at once, and again after a random part of ten seconds."""
        if not self.interface.device.running:
            return
        self._last_reported.add(group)
        self.send_report((Record(CHANGE_TO_EXCLUDE, group),))
        interval_ms = self.interface.conf6.mldv1_unsolicited_report_interval
        self.answer_query(group, max(interval_ms, 1) * _NS_PER_MS)

    # -- version 2

    def link_local_won(self) -> None:
        """Duplicate detection ended well for the link-local address: report from it at once.

        What was said before came from the unspecified address, which snooping switches
        must not believe (RFC 3590). These reports have a timer of their own.
        """
        self._initial_due = self.robustness
        self._report_initial()

    def forget_timers(self) -> None:
        super().forget_timers()
        self._initial_timer.cancel()

    def _report_initial(self) -> None:
        groups = [group for group in self.groups if self.is_reported(group.ip)]
        if not groups or self._initial_due == 0 or self._old_querier:
            return
        self.send_report(tuple(Record(CHANGE_TO_EXCLUDE, group.ip) for group in groups))
        self._initial_due -= 1
        if self._initial_due > 0:
            self._initial_timer.arm(self.unsolicited_delay_ns())

    @property
    def _old_querier(self) -> bool:
        forced = self.interface.conf6.force_mld_version
        if forced:
            return forced == 1
        return self.interface.device.scheduler.now_ns < self._old_querier_until_ns

    def unsolicited_delay_ns(self) -> int:
        interval_ms = self.interface.conf6.mldv2_unsolicited_report_interval
        return self.chance.randrange(max(interval_ms, 1) * _NS_PER_MS) + 2 * JIFFY_NS

    def send_report(self, records: tuple[Record, ...]) -> None:
        if not self._old_querier:
            message = icmpv6.Icmpv6(icmpv6.MLDV2_REPORT, 0, mld.report_v2(records))
            return self._send(mld.ALL_MLDV2_ROUTERS, message)
        for record in records:
            body = mld.message_v1(record.group)
            if record.type == CHANGE_TO_INCLUDE:
                self._send(mld.ALL_ROUTERS, icmpv6.Icmpv6(icmpv6.MLD_DONE, 0, body))
            else:
                self._last_reported.add(record.group)
                self._send(record.group, icmpv6.Icmpv6(icmpv6.MLD_REPORT, 0, body))
        return None

    def _send(self, target: bytes, message: icmpv6.Icmpv6) -> None:
        source = self.interface.link_local or IPV6_ANY
        payload = ipv6.hop_by_hop(icmpv6.PROTOCOL, ipv6.ROUTER_ALERT_MLD) + icmpv6.emit(
            source, target, message
        )
        packet = ipv6.emit(source, target, ipv6.HOP_BY_HOP, payload, hop_limit=1)
        device, netfilter = self.interface.device, self.interface.namespace.netfilter
        shown = packet if netfilter is None else netfilter.sees_off(packet, 6, device)
        if shown is not None:
            data = ether_frame(multicast_mac_of(target), device.mac, TYPE_IPV6, shown)
            device.transmit(Frame(data))
