"""One OpenFlow connection of a bridge, as a machine that is told of bytes."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from vnet.base.drops import DropReason
from vnet.ovs.connmgr.bundles import Bundles
from vnet.ovs.connmgr.dispatch import answers_to
from vnet.ovs.connmgr.flow_mod_log import FlowModLog
from vnet.ovs.connmgr.monitors import Monitors
from vnet.ovs.connmgr.multipart import Assembler
from vnet.ovs.connmgr.packet_ins import PacketIns
from vnet.ovs.connmgr.vconn_log import VconnLog
from vnet.ovs.connmgr.wishes import Wishes
from vnet.ovs.openflow.errors import OpenFlowError
from vnet.ovs.openflow.messages import ControllerRole, PacketIn, RoleReason, RoleStatus
from vnet.ovs.openflow.version import OpenFlowVersion
from vnet.ovs.openflow.wire.connection.hello import Versions, hello, negotiate
from vnet.ovs.openflow.wire.connection.role import encode_role_status
from vnet.ovs.openflow.wire.errors import error_reply, why_untold
from vnet.ovs.openflow.wire.kind import Kind
from vnet.ovs.openflow.wire.kinds import OFPT_ROLE_STATUS, ONFT_ROLE_STATUS
from vnet.ovs.openflow.wire.message import (
    ECHO_REPLY,
    ECHO_REQUEST,
    ERROR,
    HELLO,
    Message,
    MessageReader,
    ProtocolError,
    encode,
)
from vnet.ovs.openflow.wire.packet.packet_in import encode_packet_in
from vnet.ovs.openflow.wire.packing import is_followed, pack
from vnet.ovs.openflow.wire.recognition import name_of

if TYPE_CHECKING:
    from vnet.ovs.connmgr.manager import ConnectionManager, Send

_SHARE = 50
"""How many messages are carried out before others have their turn."""
_MOST_UNSENT_BYTES = 1 << 20
"""Who has so much to read already is asked for nothing more before it has read some."""
_OF_ANY_VERSION = (HELLO, ERROR, ECHO_REQUEST, ECHO_REPLY)


class Ofconn:
    """Speaks one of ``versions``; ``version`` is which, once that is agreed on.

    ``heard`` is told of each message that comes after the greetings.
    """

    def __init__(
        self,
        manager: ConnectionManager,
        send: Send,
        name: str,
        versions: Versions,
        xid: int,
        *,
        is_primary: bool,
        backlog: Callable[[], int],
    ) -> None:
        self.manager = manager
        self.name = name
        self.is_primary = is_primary
        self.version: OpenFlowVersion | None = None
        self.role = ControllerRole.EQUAL
        self.wishes = Wishes(is_primary=is_primary)
        self.backlog = backlog
        self.n_sent_bytes = 0
        self.heard: Callable[[Message], None] = lambda _message: None
        self.watchers: list[Callable[[bytes], None]] = []
        """Who is shown each message that comes or goes after the greetings."""
        self._send = send
        self._events = manager.backer.events
        self._versions = versions
        self._xid = xid
        self._reader = MessageReader()
        self._waiting: deque[Message] = deque()
        self._parts: Iterator[bytes] | None = None
        """What is left of the answer to ``_answered``, in parts."""
        self._answered: Message | None = None
        self._log = manager.vlog.module("connmgr")
        self._vconn = VconnLog(manager.vlog.module("vconn"), name.rpartition("<->")[2])
        self._error_limit = self._log.limit(10, 10)
        self._untold_limit = self._log.limit(1, 5)
        self._overflow_limit = self._log.limit(5, 5)
        self._version_limit = manager.vlog.module("vconn").limit(1, 5)
        scheduler = manager.ofproto.scheduler
        self.assembler = Assembler(scheduler, self.refuse)
        self.packet_ins = PacketIns(scheduler, self.send, self._n_taken_bytes, self._overflowed)
        self.bundles = Bundles(scheduler, self.refuse)
        self.monitors = Monitors(self.send, self._n_taken_bytes)
        self.flow_mods = FlowModLog(scheduler, name, self._log)

    def start(self) -> None:
        """Send the greeting."""
        self.send(hello(self._versions, self._xid))

    def probe(self) -> None:
        """Ask for a sign of life; of use once a version is agreed on."""
        assert self.version is not None
        self.send(encode(self.version, ECHO_REQUEST, 0))

    def closed(self) -> None:
        """The connection is no more."""
        self._waiting.clear()
        self._parts = None
        self.assembler.close()
        self.packet_ins.close()
        self.bundles.close()
        self.flow_mods.close()
        self.manager.forget(self)

    # -- what goes out

    def send(self, data: bytes) -> int:
        """Send bytes; returns how many there have been in all."""
        self.n_sent_bytes += len(data)
        self._events["rconn_queued"] += 1
        self._events["rconn_sent"] += 1
        self._vconn.sent(data)
        self._send(data)
        if self.version is not None:
            for watcher in self.watchers:
                watcher(data)
        return self.n_sent_bytes

    def tell(self, kind: Kind, body: bytes = b"") -> None:
        """Send a message that answers nothing. ``kind`` must exist in the version."""
        assert self.version is not None
        self.send(pack(kind, self.version, 0, body))

    def tell_role(self, reason: RoleReason) -> None:
        """Tell it of its role, which has changed, if it understands that."""
        for kind in (OFPT_ROLE_STATUS, ONFT_ROLE_STATUS):
            if self.version in kind.numberings:
                status = RoleStatus(self.role, reason, self.manager.generation_id)
                self.tell(kind, encode_role_status(status))

    def packet_in(self, packet_in: PacketIn) -> DropReason | None:
        """Tell it of a packet. Returns why it is not told, or None."""
        assert self.version is not None
        message = encode_packet_in(packet_in, self.wishes.packet_in_format, self.version)
        return self.packet_ins.send(packet_in, message)

    def refuse(self, message: Message, error: OpenFlowError) -> None:
        """Answer a message with an error, and let the log say why."""
        for module, text in error.warnings:
            self.manager.warn(module, text)
        if untold := why_untold(error.name, message.version):
            self.manager.vlog.module("ofp_errors").err(untold, self._untold_limit)
        text = f"{self.name}: sending {error.name} error reply to {name_of(message)} message"
        self._log.info(text, self._error_limit)
        self.send(error_reply(message, error))

    def _n_taken_bytes(self) -> int:
        return self.n_sent_bytes - self.backlog()

    def _overflowed(self) -> None:
        self._events["rconn_overflow"] += 1
        text = f"{self.name}: dropping packet-in due to queue overflow"
        self._log.info(text, self._overflow_limit)

    # -- what comes in

    def take(self, data: bytes) -> None:
        """Bytes have come; :meth:`run` carries out what they ask for.

        Raises :class:`ProtocolError` where the connection is to end, once what came before is
        carried out and what is to be said of it has been sent.
        """
        self._reader.take(data)
        try:
            while (message := self._reader.next()) is not None:
                self._sort(message)
        except ProtocolError as error:
            while self.run():
                pass
            if error.answer:
                self.send(error.answer)
            raise

    def _sort(self, message: Message) -> None:
        if self.version is None:
            self._vconn.received(message)
            self.version = OpenFlowVersion(negotiate(self._versions, message))
            self._vconn.negotiated(self._versions, message, self.version)
            self.wishes.greeted(self.version)
            self.manager.wishes_changed()
            return
        self._vconn.received(message)
        self.heard(message)
        self._waiting.append(message)

    def run(self) -> bool:
        """Carry out some of the messages that wait; whether there are more to be carried out.

        Who does not read what it asked for has to wait: call this again when it has.
        """
        if self.version is not None:
            self.monitors.resume(self.manager.ofproto.flows, self.version)
        for _ in range(_SHARE):
            if not self._may_go_on:
                break
            if self._parts is None:
                self._carry_out(self._waiting.popleft())
            if self._parts is not None and self._send_part(self._parts):
                break  # One part of many is a share of its own.
        return self._may_go_on

    @property
    def _may_go_on(self) -> bool:
        return self.is_behind and self.backlog() <= _MOST_UNSENT_BYTES

    @property
    def is_behind(self) -> bool:
        """Whether messages wait to be carried out, or to be answered to the end: it should be
        given no more."""
        return bool(self._waiting) or self._parts is not None

    def _carry_out(self, message: Message) -> None:
        if message.version != self.version and message.type not in _OF_ANY_VERSION:
            self._misunderstand(message)
            return
        for watcher in self.watchers:
            watcher(message.raw)
        self._events["ofproto_recv_openflow"] += 1
        try:
            answers = answers_to(self, message)
            if isinstance(answers, Iterator):
                self._parts, self._answered = answers, message
                return
            for answer in answers:
                self.send(answer)
        except OpenFlowError as error:
            self.refuse(message, error)

    def _send_part(self, parts: Iterator[bytes]) -> bool:
        """Send the next part of an answer, if it is ready; whether there are more."""
        part: bytes | None = None
        try:
            part = next(parts, None)
        except OpenFlowError as error:
            assert self._answered is not None
            self.refuse(self._answered, error)
        if part:
            self.send(part)
        if part is not None and (not part or is_followed(part)):
            return True
        self._parts = self._answered = None
        return False

    def _misunderstand(self, message: Message) -> None:
        """It is not in the version that was agreed on. Whoever looks on does not see it."""
        peer = self.name.rpartition("<->")[2]
        text = f"received OpenFlow version 0x{message.version:02x} != expected {self.version:02x}"
        self.manager.vlog.module("vconn").err(f"{peer}: {text}", self._version_limit)
        self._send(error_reply(message, OpenFlowError("OFPBRC_BAD_VERSION")))

    # -- what it may

    @property
    def is_secondary(self) -> bool:
        """Whether it may only look on."""
        return self.role is ControllerRole.SECONDARY

    def need_rights(self) -> None:
        """Raise OFPBRC_IS_SECONDARY where it may only look on."""
        if self.is_secondary:
            raise OpenFlowError("OFPBRC_IS_SECONDARY")

    def asking(self, *xids: int) -> Asking:
        """What changes within is this connection's doing; ``xids`` are those of the requests
        that are carried out together."""
        return Asking(self, xids)


class Asking:
    """While it is entered, the manager knows whose requests are carried out."""

    __slots__ = ("_source", "_xids")

    def __init__(self, source: Ofconn, xids: tuple[int, ...]) -> None:
        self._source = source
        self._xids = xids

    def __enter__(self) -> None:
        manager = self._source.manager
        manager.source, manager.source_xids = self._source, self._xids

    def __exit__(self, *_: object) -> None:
        manager = self._source.manager
        manager.source, manager.source_xids = None, ()
