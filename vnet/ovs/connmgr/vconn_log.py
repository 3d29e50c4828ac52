"""What a log says of each message, where somebody wants to read that (``vlog/set vconn:dbg``)."""

from __future__ import annotations

from vnet.ovs.openflow.errors import OpenFlowError
from vnet.ovs.openflow.wire.connection.hello import Versions, support_text
from vnet.ovs.openflow.wire.message import Message
from vnet.ovs.vlog.level import Level
from vnet.ovs.vlog.vlog import LogModule


class VconnLog:
    """One connection's; ``peer`` is what lines begin with."""

    def __init__(self, log: LogModule, peer: str) -> None:
        self._log = log
        self._peer = peer
        self._limit = log.limit(60, 60)

    def sent(self, data: bytes) -> None:
        """A message has been sent."""
        if self._log.is_enabled(Level.DBG):
            version, kind, xid = data[0], data[1], int.from_bytes(data[4:8], "big")
            self._say("sent (Success)", Message(version, kind, xid, data))

    def received(self, message: Message) -> None:
        """A message has come."""
        if self._log.is_enabled(Level.DBG):
            self._say("received", message)

    def negotiated(self, versions: Versions, greeting: Message, version: int) -> None:
        """A version is agreed on with who sent ``greeting``."""
        if self._log.is_enabled(Level.DBG):
            supported = support_text(versions, greeting)
            self._log.dbg(
                f"{self._peer}: negotiated OpenFlow version 0x{version:02x} ({supported})"
            )

    def _say(self, what: str, message: Message) -> None:
        # Printing is not for those who nobody looks at.
        from vnet.ovs.openflow.controller.heard import hear
        from vnet.ovs.openflow.controller.heard_text import heard_text

        try:
            text = heard_text(hear(message))
        except OpenFlowError as error:
            text = f"***decode error: {error.name}***"
        self._log.dbg(f"{self._peer}: {what}: {text}", self._limit)
