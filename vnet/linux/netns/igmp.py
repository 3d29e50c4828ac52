"""IGMP, the host's side (net/ipv4/igmp.c; RFC 3376, with RFC 2236 towards an old querier)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vnet.base.ids import IpAddress
from vnet.linux.netns import drops
from vnet.linux.netns.membership import GroupMembership
from vnet.linux.timer_wheel import JIFFY_NS
from vnet.sim.frame import Frame
from vnet.wire import igmp, ipv4
from vnet.wire.igmp import CHANGE_TO_INCLUDE, Record

if TYPE_CHECKING:
    from vnet.linux.netns.interface import Interface

ALL_HOSTS = b"\xe0\x00\x00\x01"
ALL_ROUTERS = b"\xe0\x00\x00\x02"
ALL_IGMPV3_ROUTERS = b"\xe0\x00\x00\x16"
ALL_SNOOPERS = b"\xe0\x00\x00\x6a"
"""Every bridge is a member, to hear other multicast routers (RFC 4286)."""

_TOS = 0xC0
_LOOPBACK = 127
_OLD_UNSOLICITED_INTERVAL_NS = 10_000_000_000
_OLDER_QUERIER_NS = 260_000_000_000
"""Older version querier present: 2 x 125 s + 10 s (RFC 3376 section 8.12)."""


_NOBODY = IpAddress(bytes(4))


def any_address(interface: Interface) -> IpAddress | None:
    """An address to speak to groups from: the interface's own, or one of another (weak host)."""
    others = interface.namespace.interfaces.values()
    for candidate in (interface, *others):
        for address in candidate.addresses:
            if len(address.ip) == 4 and address.ip[0] != _LOOPBACK:
                return address.ip
    return None


class IgmpHost(GroupMembership):
    """Memberships of IPv4 groups on one interface. 224.0.0.1 is joined always, and never told."""

    protocol = "igmp"

    __slots__ = ("_old_querier_until_ns", "_old_version")

    def __init__(self, interface: Interface) -> None:
        super().__init__(interface)
        self._old_version = 3
        self._old_querier_until_ns = 0

    @property
    def robustness(self) -> int:
        return self.interface.namespace.sysctls.ipv4.igmp_qrv

    def is_reported(self, group: bytes) -> bool:
        return group != ALL_HOSTS

    def is_member(self, group: bytes) -> bool:
        return group == ALL_HOSTS or super().is_member(group)

    def receive(self, frame: Frame, header: ipv4.Ipv4) -> None:
        """An IGMP message came in. Others' reports no longer silence ours (RFC 3376 App. A.2)."""
        message = header.payload
        query = igmp.parse_query(message)
        if query is None:
            known = message and message[0] in (
                igmp.REPORT_V1,
                igmp.REPORT_V2,
                igmp.REPORT_V3,
                igmp.LEAVE,
            )
            reason = drops.NOT_WANTED if known else drops.TRANSPORT_MALFORMED
            return self.interface.device.drop(frame, reason)
        if query.version < 3:
            self._old_version = query.version
            now_ns = self.interface.device.scheduler.now_ns
            self._old_querier_until_ns = now_ns + _OLDER_QUERIER_NS
        return self.answer_query(query.group, query.max_response_ns)

    @property
    def _has_old_querier(self) -> bool:
        return self.interface.device.scheduler.now_ns < self._old_querier_until_ns

    def unsolicited_delay_ns(self) -> int:
        """Towards an old querier a report is repeated within ten seconds, not within one."""
        if self._has_old_querier:
            return self.chance.randrange(_OLD_UNSOLICITED_INTERVAL_NS) + 2 * JIFFY_NS
        return super().unsolicited_delay_ns()

    def tell_leaving(self, group: bytes) -> None:
        if not self._has_old_querier:
            super().tell_leaving(group)
        elif self._old_version == 2:
            self._send(ALL_ROUTERS, igmp.message_v2(igmp.LEAVE, group))

    def send_report(self, records: tuple[Record, ...]) -> None:
        if not self._has_old_querier:
            return self._send(ALL_IGMPV3_ROUTERS, igmp.report_v3(records))
        for record in records:
            if record.type == CHANGE_TO_INCLUDE:
                if self._old_version == 2:
                    self._send(ALL_ROUTERS, igmp.message_v2(igmp.LEAVE, record.group))
            else:
                kind = igmp.REPORT_V2 if self._old_version == 2 else igmp.REPORT_V1
                self._send(record.group, igmp.message_v2(kind, record.group))
        return None

    def _send(self, target: bytes, message: bytes) -> None:
        source = any_address(self.interface) or _NOBODY
        packet = ipv4.emit(
            source,
            target,
            igmp.PROTOCOL,
            message,
            ttl=1,
            tos=_TOS,
            flags_offset=ipv4.DONT_FRAGMENT,
            options=ipv4.ROUTER_ALERT,
        )
        self.interface.namespace.ipv4.send_by(self.interface, packet)
