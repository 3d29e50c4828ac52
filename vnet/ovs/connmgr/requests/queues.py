"""Queues: which there are, and what they have sent."""

from __future__ import annotations

from collections.abc import Iterable

from vnet.ovs.connmgr.request import Request
from vnet.ovs.ofproto.queue_facts import queues_of
from vnet.ovs.openflow.messages import QueueConfig, QueueRequest
from vnet.ovs.openflow.wire.kinds import OFPT_QUEUE_GET_CONFIG_REPLY
from vnet.ovs.openflow.wire.port.queue import (
    decode_queue_config_request,
    decode_queue_stats_request,
    encode_queue_configs,
    encode_queue_desc,
    encode_queue_stats,
)


def stats(request: Request) -> Iterable[bytes]:
    """OFPST_QUEUE"""
    asked = decode_queue_stats_request(request.body, request.version)
    found = queues_of(request.bridge, asked)
    return request.parts(encode_queue_stats(one, request.version) for one in found)


def configs(request: Request) -> Iterable[bytes]:
    """OFPT_QUEUE_GET_CONFIG_REQUEST (up to OpenFlow 1.3)"""
    asked = decode_queue_config_request(request.body, request.version)
    body = encode_queue_configs(asked.port, _configs(request, asked), request.version)
    return request.reply(OFPT_QUEUE_GET_CONFIG_REPLY, body)


def descriptions(request: Request) -> Iterable[bytes]:
    """OFPST_QUEUE_DESC (from OpenFlow 1.4 on)"""
    asked = decode_queue_config_request(request.body, request.version)
    return request.parts(map(encode_queue_desc, _configs(request, asked)))


def _configs(request: Request, asked: QueueRequest) -> list[QueueConfig]:
    """OpenFlow's way to write rates fits none of the queues that there are."""
    return [QueueConfig(one.port, one.queue) for one in queues_of(request.bridge, asked)]
