"""What is asked of the switch as a whole."""

from __future__ import annotations

from collections.abc import Iterable

from vnet.ovs.connmgr.request import NO_ANSWER, Request
from vnet.ovs.ofproto.description import describe_bridge, features_of
from vnet.ovs.openflow.messages import FragmentHandling, SwitchConfig
from vnet.ovs.openflow.wire.kinds import (
    OFPT_BARRIER_REPLY,
    OFPT_ECHO_REPLY,
    OFPT_FEATURES_REPLY,
    OFPT_GET_CONFIG_REPLY,
)
from vnet.ovs.openflow.wire.switch import (
    decode_config,
    encode_config,
    encode_description,
    encode_features,
)


def echo(request: Request) -> Iterable[bytes]:
    """The same comes back."""
    return request.reply(OFPT_ECHO_REPLY, request.body)


def barrier(request: Request) -> Iterable[bytes]:
    """All that was asked for until now is in force."""
    request.ofconn.manager.settle()
    return request.reply(OFPT_BARRIER_REPLY)


def features(request: Request) -> Iterable[bytes]:
    """OFPT_FEATURES_REQUEST"""
    body = encode_features(features_of(request.bridge), request.version)
    return request.reply(OFPT_FEATURES_REPLY, body)


def description(request: Request) -> Iterable[bytes]:
    """OFPST_DESC"""
    return request.parts([encode_description(describe_bridge(request.bridge))])


def get_config(request: Request) -> Iterable[bytes]:
    """OFPT_GET_CONFIG_REQUEST"""
    wishes = request.ofconn.wishes
    config = SwitchConfig(
        request.bridge.fragment_handling, wishes.miss_send_len, wishes.invalid_ttl
    )
    return request.reply(OFPT_GET_CONFIG_REPLY, encode_config(config, request.version))


def set_config(request: Request) -> Iterable[bytes]:
    """OFPT_SET_CONFIG. A secondary controller changes what it gets alone."""
    ofconn, bridge = request.ofconn, request.bridge
    config = decode_config(request.body, request.version)
    if config.fragments is not bridge.fragment_handling and not (
        ofconn.is_primary and ofconn.is_secondary
    ):
        if config.fragments is FragmentHandling.REASSEMBLE:
            ofconn.manager.vlog.module("ofproto").warn(
                f"{bridge.name}: unsupported fragment handling mode reassemble"
            )
        else:
            bridge.fragment_handling = config.fragments
            bridge.touch()
    if config.invalid_ttl_to_controller is not None:
        ofconn.wishes.invalid_ttl = config.invalid_ttl_to_controller
    ofconn.wishes.miss_send_len = config.miss_send_len
    ofconn.manager.wishes_changed()
    return NO_ANSWER
