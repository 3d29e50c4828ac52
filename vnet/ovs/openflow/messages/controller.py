"""What a controller is to a switch: its role, and what it is told unasked."""

from __future__ import annotations

from enum import IntEnum

from vnet.base.record import record
from vnet.ovs.openflow.messages.port import PortReason
from vnet.ovs.openflow.ofpacts import PacketInReason
from vnet.ovs.openflow.version import OpenFlowVersion


class ControllerRole(IntEnum):
    """OFPCR_ROLE_*; NOCHANGE asks for the role that one has."""

    NOCHANGE = 0
    EQUAL = 1
    PRIMARY = 2
    SECONDARY = 3


@record(frozen=True, slots=True)
class RoleRequest:
    """OFPT_ROLE_REQUEST and what answers it. Nicira's have no ``generation_id``."""

    role: ControllerRole
    generation_id: int | None = None


class RoleReason(IntEnum):
    """Why a controller's role has changed (OFPCRR_*)."""

    PRIMARY_REQUEST = 0
    CONFIG = 1
    EXPERIMENTER = 2


@record(frozen=True, slots=True)
class RoleStatus:
    """A controller's role has changed (OFPT_ROLE_STATUS)."""

    role: ControllerRole
    reason: RoleReason
    generation_id: int | None = None


class AsyncMessage(IntEnum):
    """What a controller may be told unasked."""

    PACKET_IN = 0
    PORT_STATUS = 1
    FLOW_REMOVED = 2
    ROLE_STATUS = 3
    TABLE_STATUS = 4
    REQUESTFORWARD = 5


Masks = tuple[int, int, int, int, int, int]


@record(frozen=True, slots=True)
class AsyncConfig:
    """For each :class:`AsyncMessage` a mask that has a bit for each reason to send it: one for
    those who are primary or equal, and one for secondaries."""

    primary: Masks = (0,) * 6
    secondary: Masks = (0,) * 6

    def wants(self, message: AsyncMessage, reason: int, role: ControllerRole) -> bool:
        """Whether who has this role is to be told."""
        masks = self.secondary if role is ControllerRole.SECONDARY else self.primary
        return bool(masks[message] >> reason & 1)


_PACKET_IN_REASONS = 0b111111
_FLOW_REMOVED_REASONS = {
    OpenFlowVersion.OF13: 0b1111,
    OpenFlowVersion.OF14: 0b111111,
    OpenFlowVersion.OF15: 0b111111,
}
_FLOW_REMOVED_REASONS10 = 0b111


def default_async_config(version: OpenFlowVersion) -> AsyncConfig:
    """What a controller that has said nothing is told."""
    packet_in = _PACKET_IN_REASONS & ~(1 << PacketInReason.INVALID_TTL)
    packet_in |= 1 << PacketInReason.EXPLICIT_MISS
    if version < OpenFlowVersion.OF13:
        packet_in |= 1 << PacketInReason.IMPLICIT_MISS
    port_status = sum(1 << reason for reason in PortReason)
    flow_removed = _FLOW_REMOVED_REASONS.get(version, _FLOW_REMOVED_REASONS10)
    return AsyncConfig(
        (packet_in, port_status, flow_removed, 0, 0, 0), (0, port_status, 0, 0, 0, 0)
    )
