"""What all controllers of a bridge have in common, however they are reached."""

from __future__ import annotations

from typing import Protocol

from vnet.ovs.openflow.wire.connection.hello import Versions
from vnet.ovs.vswitchd.controller_config import ControllerConfig
from vnet.ovs.vswitchd.controller_status import ControllerStatus

MS_PER_S = 1000
_LEAST_PROBE_S = 5


class Service(Protocol):
    """A controller that there is, by its row."""

    versions: Versions

    def configure(self, config: ControllerConfig) -> None:
        """Its row may have changed."""

    def status(self) -> ControllerStatus:
        """What its row is to say."""

    @property
    def n_connections(self) -> int:
        """How many peers there are."""

    def reconnect(self) -> None:
        """Make the connection anew."""

    def close(self) -> None:
        """End it."""


def probe_interval_ms(config: ControllerConfig) -> int:
    """How long a peer may be silent before it is asked for a sign of life; 0: for ever."""
    seconds = config.probe_interval_s
    return max(seconds, _LEAST_PROBE_S) * MS_PER_S if seconds else 0
