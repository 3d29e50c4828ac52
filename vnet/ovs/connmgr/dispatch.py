"""Who answers what."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING

from vnet.ovs.connmgr.request import NO_ANSWER, Handler, Request
from vnet.ovs.connmgr.requests import switch
from vnet.ovs.openflow.errors import OpenFlowError
from vnet.ovs.openflow.wire import kinds
from vnet.ovs.openflow.wire.kind import Kind
from vnet.ovs.openflow.wire.message import Message

if TYPE_CHECKING:
    from vnet.ovs.connmgr.ofconn import Ofconn

HANDLERS: Mapping[Kind, Handler] = MappingProxyType(
    {
        kinds.OFPT_ECHO_REQUEST: switch.echo,
        kinds.OFPT_ECHO_REPLY: lambda _request: NO_ANSWER,
        kinds.OFPT_BARRIER_REQUEST: switch.barrier,
    }
)


def answers_to(ofconn: Ofconn, message: Message) -> Iterable[bytes]:
    """Do what a message asks for. Raises :class:`OpenFlowError` where it is refused."""
    kind, offset = kinds.kind_of(message)
    handler = HANDLERS.get(kind)
    if handler is None:
        is_request = kind.name.endswith(" request")
        raise OpenFlowError("OFPBRC_BAD_STAT" if is_request else "OFPBRC_BAD_TYPE")
    return handler(Request(ofconn, message, kind, offset))
