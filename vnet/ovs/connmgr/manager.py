"""The OpenFlow connections of one bridge (Open vSwitch's connmgr).

Whoever has a way to send bytes, be it a socket or a program in the same process, connects; all
connections work on the same bridge, and hear of what the others do.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import count
from typing import TYPE_CHECKING

from vnet.base.drops import DropReason
from vnet.base.units import NS_PER_S
from vnet.ovs.ofproto.backer import Backer
from vnet.ovs.ofproto.ofproto import Ofproto
from vnet.ovs.ofproto.packet_in_sink import NO_CONTROLLER
from vnet.ovs.openflow.messages import AsyncMessage, ControllerRole, PacketIn, RoleReason
from vnet.ovs.vlog.rate_limit import RateLimit
from vnet.ovs.vlog.vlog import SILENT, Vlog

if TYPE_CHECKING:
    from vnet.ovs.connmgr.news import News
    from vnet.ovs.connmgr.ofconn import Ofconn
    from vnet.ovs.openflow.wire.connection.hello import Versions

Send = Callable[[bytes], None]

_GENERATIONS = 1 << 64
DEFAULT_BUNDLE_PATIENCE_NS = 10 * NS_PER_S
"""A bundle that nobody adds to for so long is given up, unless something else is set."""


def nothing_waits() -> int:
    """The backlog of who takes everything at once."""
    return 0


class ConnectionManager:
    """One bridge's. ``connections`` are in the order in which they came.

    While requests are carried out, ``source`` is the connection that they came by, and
    ``source_xids`` are their numbers.
    """

    def __init__(self, ofproto: Ofproto, backer: Backer, vlog: Vlog = SILENT) -> None:
        self.ofproto = ofproto
        self.backer = backer
        self.vlog = vlog
        self.connections: list[Ofconn] = []
        self.generation_id: int | None = None
        """That of the last controller that was made primary or secondary."""
        self.source: Ofconn | None = None
        self.source_xids: tuple[int, ...] = ()
        self.bundle_patience_ns = DEFAULT_BUNDLE_PATIENCE_NS
        ofproto.packet_in_sink = self.packet_in
        self.new_xid = count(1).__next__
        self._news: News | None = None
        self._hears_of_misses = False
        self._warnings: dict[str, RateLimit] = {}

    @staticmethod
    def make_ready() -> None:
        """Load what speaks OpenFlow, for who is about to go to a controller: the greetings have a
        second, and that may take as long."""
        import vnet.ovs.connmgr.news
        import vnet.ovs.connmgr.ofconn  # noqa: F401

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
        # Labs without controllers need no codec.
        from vnet.ovs.connmgr.news import News
        from vnet.ovs.connmgr.ofconn import Ofconn

        connection = Ofconn(
            *(self, send, name, versions, self.new_xid()), is_primary=is_primary, backlog=backlog
        )
        connection.bundles.patience_ns = self.bundle_patience_ns
        self.connections.append(connection)
        if self._news is None:
            self._news = News(self)
        self.wishes_changed()
        return connection

    def forget(self, connection: Ofconn) -> None:
        """A connection has ended."""
        self.connections.remove(connection)
        self.monitors_changed()
        if not self.connections and self._news is not None:
            self._news.close()
            self._news = None
        self.wishes_changed()

    def set_bundle_patience(self, patience_ns: int) -> None:
        """Give up bundles after so long, those that there are, too."""
        self.bundle_patience_ns = patience_ns
        for connection in self.connections:
            connection.bundles.patience_ns = patience_ns

    def warn(self, module: str, text: str) -> None:
        """Say in the log what is wrong with a message, unless it has said much already."""
        log = self.vlog.module(module)
        log.warn(text, self._warnings.setdefault(module, log.limit(1, 5)))

    def inform(self, module: str, *lines: str) -> None:
        """Say in the log what is worth knowing, unless it has said much already."""
        log = self.vlog.module(module)
        limit = self._warnings.setdefault(module, log.limit(1, 5))
        for line in lines:
            log.info(line, limit if line is lines[0] else None)
            if limit.n_dropped:
                return

    def settle(self) -> None:
        """What has changed is in force before the next frame."""
        self.backer.revalidator.settle_often()

    def wishes_changed(self) -> None:
        """Other packets may have to come up from the datapath now."""
        wishes = [one.wishes for one in self.connections if one.wishes.packet_in_on_miss]
        self.ofproto.wants_packet_in_on_miss = bool(wishes)
        # Whether ovs-ofctl is there, which would not be told, is no reason to translate anew.
        is_heard = any(one.may_be_told for one in wishes)
        if is_heard is not self._hears_of_misses:
            self._hears_of_misses = is_heard
            self.ofproto.touch()

    def monitors_changed(self) -> None:
        """A connection has begun or ceased to watch flows."""
        if self._news is not None:
            self._news.follow_flows(any(one.monitors for one in self.connections))

    def listeners(self, message: AsyncMessage, reason: int) -> list[Ofconn]:
        """The connections that are to be told of something."""
        return [
            connection
            for connection in self.connections
            if connection.wishes.includes(message, reason, connection.role)
        ]

    def packet_in(self, packet_in: PacketIn) -> DropReason | None:
        """A packet is for controllers. Returns why none of them gets it, or None."""
        lost: DropReason | None = NO_CONTROLLER
        is_taken = False
        for connection in self.listeners(AsyncMessage.PACKET_IN, packet_in.reason):
            if connection.wishes.controller_id == packet_in.controller_id:
                lost = connection.packet_in(packet_in)
                is_taken = is_taken or lost is None
        return None if is_taken else lost

    def take_generation(self, generation_id: int) -> bool:
        """A controller claims a role; False where another has done so with a later generation."""
        last = self.generation_id
        if last is not None and (generation_id - last) % _GENERATIONS >= _GENERATIONS // 2:
            return False
        self.generation_id = generation_id
        return True

    def set_role(self, connection: Ofconn, role: ControllerRole) -> None:
        """A connection has a role from now on. There is one primary; who was it before looks on."""
        if role is ControllerRole.PRIMARY and connection.role is not role:
            for other in self.connections:
                if other.role is role:
                    other.role = ControllerRole.SECONDARY
                    other.tell_role(RoleReason.PRIMARY_REQUEST)
        connection.role = role
