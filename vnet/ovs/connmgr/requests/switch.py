"""What is asked of the switch as a whole."""

from __future__ import annotations

from collections.abc import Iterable

from vnet.ovs.connmgr.request import Request
from vnet.ovs.openflow.wire.kinds import OFPT_BARRIER_REPLY, OFPT_ECHO_REPLY


def echo(request: Request) -> Iterable[bytes]:
    """The same comes back."""
    return request.reply(OFPT_ECHO_REPLY, request.body)


def barrier(request: Request) -> Iterable[bytes]:
    """All that was asked for until now is in force."""
    request.ofconn.manager.settle()
    return request.reply(OFPT_BARRIER_REPLY)
