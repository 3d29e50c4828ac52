"""The wanted controllers of a bridge: who tells it what flows to have (OpenFlow)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field

from vnet.base.record import record
from vnet.ovs.vswitchd.remote_address import RemoteAddress, remote_address
from vnet.ovs.vswitchd.row import Row

ACTIVE_KINDS = ("tcp", "ssl", "unix")
PASSIVE_KINDS = ("ptcp", "pssl", "punix")

OPENFLOW_PORT = 6653
"""IANA's port for OpenFlow."""

_MS_PER_S = 1000
_MAX_BACKOFF_S = 8
_PROBE_INTERVAL_S = 5


@record(frozen=True, slots=True)
class ControllerConfig(Row):
    """Controller table: where a controller is, or where one is waited for."""

    target: str
    type: str | None = None
    max_backoff: int | None = None
    inactivity_probe: int | None = None
    connection_mode: str | None = None
    controller_rate_limit: int | None = None
    controller_burst_limit: int | None = None
    controller_queue_size: int | None = None
    enable_async_messages: bool | None = None
    external_ids: Mapping[str, str] = field(default_factory=dict)
    other_config: Mapping[str, str] = field(default_factory=dict)

    @property
    def is_active(self) -> bool:
        """Whether the bridge goes there, and does not wait."""
        return self._kind in ACTIVE_KINDS

    @property
    def is_supported(self) -> bool:
        """Whether there is such a kind of target."""
        return self._kind in ACTIVE_KINDS + PASSIVE_KINDS

    @property
    def is_primary(self) -> bool:
        """Whether the bridge is without flows until somebody there says so. Without ``type``,
        those that the bridge goes to are; others are at its service as ovs-ofctl is."""
        if not self.is_supported:
            return False
        return self.is_active if self.type is None else self.type == "primary"

    @property
    def is_in_band(self) -> bool:
        """Whether the bridge's own host may have to go through the bridge to it."""
        return self.connection_mode != "out-of-band"

    @property
    def max_backoff_s(self) -> int:
        """The longest wait between two attempts."""
        wanted = self.max_backoff
        return _MAX_BACKOFF_S if wanted is None else max(wanted // _MS_PER_S, 1)

    @property
    def probe_interval_s(self) -> int:
        """How long it may be silent; 0: for ever."""
        wanted = self.inactivity_probe
        if wanted is None:
            return _PROBE_INTERVAL_S
        return max(wanted // _MS_PER_S, 1) if wanted else 0

    @property
    def is_told_unasked(self) -> bool:
        """Whether it is told anything before it has asked for it."""
        return self.enable_async_messages is not False

    @property
    def address(self) -> RemoteAddress | None:
        """Where a bridge goes to it by TCP and IPv4."""
        return remote_address(self.target, OPENFLOW_PORT)

    @property
    def _kind(self) -> str:
        kind, colon, _ = self.target.partition(":")
        return kind if colon else ""
