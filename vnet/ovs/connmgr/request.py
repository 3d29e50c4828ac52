"""A message that a bridge is to answer, and the shape of what answers it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

from vnet.ovs.openflow.version import OpenFlowVersion
from vnet.ovs.openflow.wire.kind import Kind
from vnet.ovs.openflow.wire.kinds import reply_to
from vnet.ovs.openflow.wire.message import Message
from vnet.ovs.openflow.wire.packing import multiparts, pack

if TYPE_CHECKING:
    from vnet.ovs.connmgr.ofconn import Ofconn
    from vnet.ovs.ofproto.ofproto import Ofproto


class Request(NamedTuple):
    """What came by ``ofconn``; the message's own body begins at ``offset`` of its bytes.

    ``messages`` are all messages of it; some multipart requests may come in several, of which
    ``message`` is the first.
    """

    ofconn: Ofconn
    message: Message
    kind: Kind
    offset: int
    messages: Sequence[Message]

    @property
    def bridge(self) -> Ofproto:
        """Whom it is to."""
        return self.ofconn.manager.ofproto

    @property
    def version(self) -> OpenFlowVersion:
        """The version of OpenFlow that it is in."""
        return OpenFlowVersion(self.message.version)

    @property
    def body(self) -> bytes:
        """What follows the headers."""
        return self.message.raw[self.offset :]

    def reply(self, kind: Kind, body: bytes = b"") -> list[bytes]:
        """One message as the answer."""
        return [pack(kind, self.message.version, self.message.xid, body)]

    def parts(self, entries: Iterable[bytes]) -> Iterator[bytes]:
        """The answer to a multipart request, in as many parts as it takes.

        ``entries`` are taken as the peer reads: what they tell of must not change until then.
        """
        message = self.message
        return multiparts(reply_to(self.kind), message.version, message.xid, entries)


Handler = Callable[[Request], Iterable[bytes]]
"""Does what is asked, and gives the messages that answer it. Raises
:class:`~vnet.ovs.openflow.errors.OpenFlowError` to refuse; what was given until then is sent.

An iterator gives the parts of a multipart message, each when the peer has read enough of those
before; empty bytes let others have their turn."""

NO_ANSWER: tuple[bytes, ...] = ()
