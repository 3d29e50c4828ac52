"""What one connection has asked to be told, and how."""

from __future__ import annotations

from dataclasses import replace

from vnet.ovs.openflow.messages import (
    AsyncConfig,
    AsyncMessage,
    ControllerRole,
    PacketInFormat,
    default_async_config,
)
from vnet.ovs.openflow.messages.controller import Masks
from vnet.ovs.openflow.ofpacts import PacketInReason
from vnet.ovs.openflow.version import OpenFlowVersion, protocol_of

_MISS_SEND_LEN = 128
_INVALID_TTL = 1 << PacketInReason.INVALID_TTL
_ACTION = 1 << PacketInReason.ACTION
_KINDS_OF_ACTION = sum(
    1 << reason
    for reason in (PacketInReason.ACTION_SET, PacketInReason.GROUP, PacketInReason.PACKET_OUT)
)
"""Reasons that versions before 1.4 do not tell from ACTION."""


class Wishes:
    """``protocol`` is one of ``vnet.ovs.flow.protocols``, 0 before the greetings.

    ``miss_send_len`` is how much of a packet goes to the controller where nothing else is said. A
    connection that is at a program's service is told nothing unasked while it is 0.
    """

    def __init__(self, *, is_primary: bool) -> None:
        self.protocol = 0
        self.miss_send_len = _MISS_SEND_LEN if is_primary else 0
        self.controller_id = 0
        self.packet_in_format = PacketInFormat.STANDARD
        self.is_told_unasked = True
        """Whether its row lets it be told anything before it asks (``enable_async_messages``)."""
        self._is_primary = is_primary
        self._version = OpenFlowVersion.OF10
        self._async: AsyncConfig | None = None

    def greeted(self, version: OpenFlowVersion) -> None:
        """A version is agreed on."""
        self._version = version
        self.protocol = protocol_of(version)

    @property
    def async_config(self) -> AsyncConfig:
        """What it is told unasked."""
        if self._async is not None:
            return self._async
        if not self.protocol or not self.is_told_unasked:
            return AsyncConfig()
        return default_async_config(self._version)

    def set_async(self, config: AsyncConfig) -> None:
        """Ask for other messages."""
        if self._version < OpenFlowVersion.OF14:
            config = AsyncConfig(
                _with_kinds_of_action(config.primary), _with_kinds_of_action(config.secondary)
            )
        self._async = config

    def ask_unasked(self) -> None:
        """Who says what to be told wants to be told."""
        if not self._is_primary and not self.miss_send_len:
            self.miss_send_len = _MISS_SEND_LEN

    @property
    def invalid_ttl(self) -> bool:
        """Whether it hears of packets whose time to live is up."""
        return bool(self.async_config.primary[AsyncMessage.PACKET_IN] & _INVALID_TTL)

    @invalid_ttl.setter
    def invalid_ttl(self, wanted: bool) -> None:
        config = self.async_config
        mask = config.primary[AsyncMessage.PACKET_IN]
        mask = mask | _INVALID_TTL if wanted else mask & ~_INVALID_TTL
        self.set_async(replace(config, primary=(mask, *config.primary[1:])))

    @property
    def may_be_told(self) -> bool:
        """Whether it is told anything unasked."""
        return self._is_primary or self.miss_send_len != 0

    def includes(self, message: AsyncMessage, reason: int, role: ControllerRole) -> bool:
        """Whether who has this role is told of something."""
        if not self.protocol or not self.may_be_told:
            return False
        return self.async_config.wants(message, reason, role)

    @property
    def packet_in_on_miss(self) -> bool:
        """Whether it hears of packets without a flow, as was usual before OpenFlow 1.3."""
        return self.controller_id == 0 and (
            not self.protocol or self._version < OpenFlowVersion.OF13
        )


def _with_kinds_of_action(masks: Masks) -> Masks:
    packet_in = masks[AsyncMessage.PACKET_IN]
    return (packet_in | _KINDS_OF_ACTION if packet_in & _ACTION else packet_in, *masks[1:])
