"""MLD, the listener's side (net/ipv6/mcast.c; RFC 3810, with RFC 2710 towards an old querier)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vnet.base.ids import IPV6_ANY, multicast_mac_of
from vnet.linux.netns.membership import GroupMembership
from vnet.linux.timer_wheel import KernelTimer
from vnet.sim.frame import Frame
from vnet.wire import icmpv6, ipv6, mld
from vnet.wire.ether import TYPE_IPV6
from vnet.wire.ether import frame as ether_frame
from vnet.wire.igmp import CHANGE_TO_EXCLUDE, CHANGE_TO_INCLUDE, Record

if TYPE_CHECKING:
    from vnet.linux.netns.interface import Interface

ALL_NODES = b"\xff\x02" + bytes(13) + b"\x01"

_OLDER_QUERIER_NS = 260_000_000_000


class MldHost(GroupMembership):
    """Memberships of IPv6 groups on one interface. ff02::1 is joined always, and never told."""

    protocol = "mld"

    __slots__ = ("_initial_due", "_initial_timer", "_old_querier_until_ns")

    def __init__(self, interface: Interface) -> None:
        super().__init__(interface)
        self._old_querier_until_ns = 0
        self._initial_due = 0
        self._initial_timer = KernelTimer(interface.device.scheduler, self._report_initial)

    @property
    def robustness(self) -> int:
        return self.interface.namespace.sysctls.ipv6.mld_qrv

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
        if query.version < 2:
            now_ns = self.interface.device.scheduler.now_ns
            self._old_querier_until_ns = now_ns + _OLDER_QUERIER_NS
        self.answer_query(query.group, query.max_response_ns)
        return True

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
        return self.interface.device.scheduler.now_ns < self._old_querier_until_ns

    def send_report(self, records: tuple[Record, ...]) -> None:
        if not self._old_querier:
            message = icmpv6.Icmpv6(icmpv6.MLDV2_REPORT, 0, mld.report_v2(records))
            return self._send(mld.ALL_MLDV2_ROUTERS, message)
        for record in records:
            body = mld.message_v1(record.group)
            if record.type == CHANGE_TO_INCLUDE:
                self._send(mld.ALL_ROUTERS, icmpv6.Icmpv6(icmpv6.MLD_DONE, 0, body))
            else:
                self._send(record.group, icmpv6.Icmpv6(icmpv6.MLD_REPORT, 0, body))
        return None

    def _send(self, target: bytes, message: icmpv6.Icmpv6) -> None:
        source = self.interface.link_local or IPV6_ANY
        payload = ipv6.hop_by_hop(icmpv6.PROTOCOL, ipv6.ROUTER_ALERT_MLD) + icmpv6.emit(
            source, target, message
        )
        packet = ipv6.emit(source, target, ipv6.HOP_BY_HOP, payload, hop_limit=1)
        device = self.interface.device
        data = ether_frame(multicast_mac_of(target), device.mac, TYPE_IPV6, packet)
        device.transmit(Frame(data))
