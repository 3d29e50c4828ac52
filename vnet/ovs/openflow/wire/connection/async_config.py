"""What controllers want to be told: pairs of masks, or from 1.4 on properties. Nicira's second kind
brings those to earlier versions."""

from __future__ import annotations

import struct

from vnet.ovs.openflow.errors import OpenFlowError
from vnet.ovs.openflow.messages import AsyncConfig, AsyncMessage
from vnet.ovs.openflow.ofpacts import PacketInReason
from vnet.ovs.openflow.version import OpenFlowVersion
from vnet.ovs.openflow.wire.parts.properties import properties, put_u32, refuse_unknown

_MASKS = struct.Struct("!6I")

_PACKET_IN10 = 0b111
_REASONS = {
    AsyncMessage.PACKET_IN: 0b111111,
    AsyncMessage.PORT_STATUS: 0b111,
    AsyncMessage.FLOW_REMOVED: 0b111111,
    AsyncMessage.ROLE_STATUS: 0b111,
    AsyncMessage.TABLE_STATUS: 0b11000,
    AsyncMessage.REQUESTFORWARD: 0b11,
}
_WITH_MASKS = (AsyncMessage.PACKET_IN, AsyncMessage.PORT_STATUS, AsyncMessage.FLOW_REMOVED)
_LEAST_EXPERIMENTER = 0xFFFE


def encode_async_masks(config: AsyncConfig, version: OpenFlowVersion) -> bytes:
    """The body of 1.3's OFPT_SET_ASYNC and OFPT_GET_ASYNC_REPLY, and NXT_SET_ASYNC_CONFIG."""
    return _MASKS.pack(
        *(
            masks[message] & _allowed(message, version)
            for message in _WITH_MASKS
            for masks in (config.primary, config.secondary)
        )
    )


def decode_async_masks(body: bytes, version: OpenFlowVersion) -> AsyncConfig:
    """The other way round. Of the other messages none is wanted."""
    masks = _MASKS.unpack(body)
    config = _Draft(AsyncConfig())
    for message in _WITH_MASKS:
        for is_secondary in (False, True):
            mask = masks[2 * message + is_secondary] & _allowed(message, version)
            config.set(message, is_secondary, mask, version)
    return config.finish()


def encode_async_properties(config: AsyncConfig, version: OpenFlowVersion) -> bytes:
    """The body of 1.4's OFPT_SET_ASYNC and OFPT_GET_ASYNC_REPLY, and NXT_SET_ASYNC_CONFIG2."""
    return b"".join(
        put_u32(2 * message + is_primary, masks[message] & _allowed(message, version))
        for message in AsyncMessage
        for is_primary, masks in enumerate((config.secondary, config.primary))
    )


def decode_async_properties(
    body: bytes, version: OpenFlowVersion, basis: AsyncConfig | None = None
) -> AsyncConfig:
    """The other way round; what is not said is as in ``basis``. Raises :class:`OpenFlowError`."""
    config = _Draft(basis or AsyncConfig())
    for one in properties(body, least_experimenter=_LEAST_EXPERIMENTER):
        kind, is_primary = divmod(one.type, 2)
        if kind not in tuple(AsyncMessage):
            refusal = refuse_unknown(one.type, "ofp_connection", "async config")
            if refusal.name == "OFPBPC_BAD_TYPE":
                raise OpenFlowError("OFPACFC_UNSUPPORTED", warning=refusal.warning)
            raise refusal
        message, mask = AsyncMessage(kind), one.u32()
        allowed = _allowed(message, version)
        if mask & ~allowed:
            text = f"bad value {mask:#x} for {message.name} (allowed mask {allowed:#x})"
            raise OpenFlowError("OFPACFC_INVALID", warning=("ofp_connection", text))
        config.set(message, not is_primary, mask, version)
    return config.finish()


class _Draft:
    """A configuration in the making."""

    def __init__(self, basis: AsyncConfig) -> None:
        self._masks = (list(basis.primary), list(basis.secondary))

    def set(
        self, message: AsyncMessage, is_secondary: bool, mask: int, version: OpenFlowVersion
    ) -> None:
        """Who wants packets that match nothing wants them with and without a flow for those; but
        from 1.3 on, not without one."""
        if message is AsyncMessage.PACKET_IN and mask >> PacketInReason.NO_MATCH & 1:
            mask |= 1 << PacketInReason.EXPLICIT_MISS
            if version < OpenFlowVersion.OF13:
                mask |= 1 << PacketInReason.IMPLICIT_MISS
        self._masks[is_secondary][message] = mask

    def finish(self) -> AsyncConfig:
        primary, secondary = self._masks
        return AsyncConfig(_six(primary), _six(secondary))


def _six(masks: list[int]) -> tuple[int, int, int, int, int, int]:
    packet_in, port, flow, role, table, forward = masks
    return packet_in, port, flow, role, table, forward


def _allowed(message: AsyncMessage, version: OpenFlowVersion) -> int:
    if message is AsyncMessage.PACKET_IN and version < OpenFlowVersion.OF14:
        return _PACKET_IN10
    return _REASONS[message]
