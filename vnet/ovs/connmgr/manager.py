"""The OpenFlow connections of one bridge (Open vSwitch's connmgr).

Whoever has a way to send bytes, be it a socket or a program in the same process, connects; all
connections work on the same bridge, and hear of what the others do.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import count
from typing import TYPE_CHECKING

from vnet.ovs.ofproto.backer import Backer
from vnet.ovs.ofproto.ofproto import Ofproto
from vnet.ovs.vlog.vlog import SILENT, Vlog

if TYPE_CHECKING:
    from vnet.ovs.connmgr.ofconn import Ofconn
    from vnet.ovs.openflow.wire.hello import Versions

Send = Callable[[bytes], None]


def nothing_waits() -> int:
    """The backlog of who takes everything at once."""
    return 0


class ConnectionManager:
    """One bridge's. ``connections`` are in the order in which they came."""

    def __init__(self, ofproto: Ofproto, backer: Backer, vlog: Vlog = SILENT) -> None:
        self.ofproto = ofproto
        self.backer = backer
        self.vlog = vlog
        self.connections: list[Ofconn] = []
        self._new_xid = count(1).__next__

    def connect(
        self,
        send: Send,
        *,
        name: str,
        is_primary: bool,
        versions: Versions,
        backlog: Callable[[], int] = nothing_waits,
    ) -> Ofconn:
        """Somebody has come, or has been reached: the bridge's end of the connection.

        ``send`` takes bytes at any time; ``backlog()`` is how many of them still wait. Logs call
        the connection ``name``. ``is_primary``: a controller, which hears of what happens unasked;
        others are at its service as ovs-ofctl is.
        """
        from vnet.ovs.connmgr.ofconn import Ofconn  # Labs without controllers need no codec.

        connection = Ofconn(
            *(self, send, name, versions, self._new_xid()), is_primary=is_primary, backlog=backlog
        )
        self.connections.append(connection)
        return connection

    def forget(self, connection: Ofconn) -> None:
        """A connection has ended."""
        self.connections.remove(connection)

    def settle(self) -> None:
        """What has changed is in force before the next frame."""
        self.backer.revalidator.settle()
