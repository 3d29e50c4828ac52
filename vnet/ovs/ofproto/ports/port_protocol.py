"""Protocols that a switch itself speaks on its ports: LACP, spanning trees, fault detection.

Their frames come up like all others, are claimed when they are translated, and go no further.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from vnet.ovs.dpif.cookies import SlowPath
from vnet.ovs.flow.flow import Flow

if TYPE_CHECKING:
    from vnet.ovs.ofproto.ports.ofport import OfPort


class PortProtocol(Protocol):
    """What listens on a port. One object may listen on several."""

    @property
    def slow_path(self) -> SlowPath:
        """Why its frames come up one by one; of two protocols that claim a frame, the one with
        the lower reason gets it."""

    def claims(self, flow: Flow, wc: Flow) -> bool:
        """Whether frames of a flow are the protocol's; ``wc`` gets the bits that were looked at,
        beyond those of the frame's type."""

    def receive(self, port: OfPort, frame: bytes) -> None:
        """A frame came in by ``port``.

        It is under translation: whatever has to be sent or changed for it must wait until later
        in the same instant.
        """
