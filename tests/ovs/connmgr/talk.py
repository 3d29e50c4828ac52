"""What a bridge answers to bytes, in messages."""

from __future__ import annotations

from collections.abc import Iterable

from benchmarks.dummy_switch import BRIDGE
from tests.ovs.command_switch import Switch
from vnet.ovs.connmgr.ofconn import Ofconn
from vnet.ovs.openflow.version import OpenFlowVersion
from vnet.ovs.openflow.wire.connection.hello import hello


class Peer:
    """Somebody who speaks ``version`` with ``br0`` of a switch; ``heard`` are whole messages.

    What is said and heard is written as hexadecimal digits, without xids: each message that is
    said has 7. While it does not read (``reads``), all that it is told waits.
    """

    def __init__(
        self, switch: Switch, version: OpenFlowVersion, *, is_primary: bool = False
    ) -> None:
        self.version = version
        self.reads = True
        self._n_unread_bytes = 0
        self._heard = bytearray()
        self.ofconn: Ofconn = switch.daemon.vswitchd.running[BRIDGE].connmgr.connect(
            self._take,
            name="peer",
            is_primary=is_primary,
            versions=tuple(OpenFlowVersion),
            backlog=self._backlog,
        )
        self.ofconn.start()
        self.ofconn.take(hello((version,), 1))
        self._heard.clear()

    def _take(self, data: bytes) -> None:
        self._heard += data
        self._n_unread_bytes += len(data)

    def _backlog(self) -> int:
        if self.reads:
            self._n_unread_bytes = 0
        return self._n_unread_bytes

    def say(self, *messages: str) -> list[str]:
        """Send messages, each ``type body`` in hexadecimal; what is heard then."""
        for message in messages:
            kind, _, body = message.partition(" ")
            data = bytes.fromhex(body)
            header = bytes((self.version, int(kind, 16))) + (8 + len(data)).to_bytes(2, "big")
            self.ofconn.take(header + b"\0\0\0\7" + data)
        while self.ofconn.run():
            pass
        return self.take()

    def take(self) -> list[str]:
        """What has been heard since, each ``type body``."""
        return list(self._messages())

    def _messages(self) -> Iterable[str]:
        while self._heard:
            end = int.from_bytes(self._heard[2:4], "big")
            yield f"{self._heard[1]:02x} {self._heard[8:end].hex()}".strip()
            del self._heard[:end]
