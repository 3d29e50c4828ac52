"""How each kind of message is read and written, for tests that do both."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

from vnet.ovs.openflow.version import OpenFlowVersion
from vnet.ovs.openflow.wire import kinds, port_desc, port_stats, ports, switch
from vnet.ovs.openflow.wire.kind import Kind

Decode = Callable[[bytes, OpenFlowVersion], Any]
Encode = Callable[[Any, OpenFlowVersion], bytes]


class Codec(NamedTuple):
    """From the body of a message to what it says, and back."""

    decode: Decode
    encode: Encode


def _entries(decode: Decode, encode: Encode) -> Codec:
    def encode_all(values: Iterable[Any], version: OpenFlowVersion) -> bytes:
        return b"".join(encode(value, version) for value in values)

    return Codec(decode, encode_all)


def _same_in_all(decode: Callable[[bytes], Any], encode: Callable[[Any], bytes]) -> Codec:
    return Codec(lambda body, _: decode(body), lambda value, _: encode(value))


CODECS: dict[Kind, Codec] = {
    kinds.OFPT_FEATURES_REPLY: Codec(switch.decode_features, switch.encode_features),
    kinds.OFPT_SET_CONFIG: Codec(switch.decode_config, switch.encode_config),
    kinds.OFPT_GET_CONFIG_REPLY: Codec(switch.decode_config, switch.encode_config),
    kinds.OFPST_DESC_REPLY: _same_in_all(switch.decode_description, switch.encode_description),
    kinds.OFPST_PORT_DESC_REPLY: _entries(port_desc.decode_ports, port_desc.encode_port),
    kinds.OFPT_PORT_STATUS: Codec(port_desc.decode_port_status, port_desc.encode_port_status),
    kinds.OFPT_PORT_MOD: Codec(port_desc.decode_port_mod, port_desc.encode_port_mod),
    kinds.OFPST_PORT_REQUEST: Codec(ports.decode_port_request, ports.encode_port_request),
    kinds.OFPST_PORT_REPLY: _entries(port_stats.decode_port_stats, port_stats.encode_port_stats),
}
