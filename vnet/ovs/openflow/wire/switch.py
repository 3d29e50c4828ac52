"""What a switch is and how it is set as a whole: features, configuration, description."""

from __future__ import annotations

import struct

from vnet.ovs.openflow.errors import OpenFlowError
from vnet.ovs.openflow.messages import (
    Capabilities,
    FragmentHandling,
    SwitchConfig,
    SwitchDescription,
    SwitchFeatures,
)
from vnet.ovs.openflow.version import OpenFlowVersion
from vnet.ovs.openflow.wire.message import HEADER_BYTES
from vnet.ovs.openflow.wire.parts.strings import fixed_text, text_of
from vnet.ovs.openflow.wire.port.description import decode_ports, encode_port

_OF10, _OF11, _OF12, _OF13, _OF14, _OF15 = OpenFlowVersion

_FEATURES = struct.Struct("!QIBB2xII")
_CONFIG = struct.Struct("!HH")
_DESCRIPTION = struct.Struct("!256s256s256s32s256s")
_DESCRIPTION_SIZES = (256, 256, 256, 32, 256)
_MOST_BYTES = 0xFFFF

_OF_ALL = (
    Capabilities.FLOW_STATS
    | Capabilities.TABLE_STATS
    | Capabilities.PORT_STATS
    | Capabilities.IP_REASM
    | Capabilities.QUEUE_STATS
)
_ON_WIRE = {
    **dict.fromkeys((_OF10, _OF11), _OF_ALL | Capabilities.ARP_MATCH_IP),
    **dict.fromkeys((_OF12, _OF13), _OF_ALL | Capabilities.PORT_BLOCKED),
    **dict.fromkeys(
        (_OF14, _OF15),
        _OF_ALL | Capabilities.PORT_BLOCKED | Capabilities.BUNDLES | Capabilities.FLOW_MONITORING,
    ),
}
_BIT_3 = 1 << 3
"""A spanning tree in 1.0, counters of groups later."""

_FRAGMENTS = tuple(FragmentHandling)
_FRAGMENTS_MASK = 3
_INVALID_TTL = 4


def encode_features(features: SwitchFeatures, version: OpenFlowVersion) -> bytes:
    """The body of an OFPT_FEATURES_REPLY; ports for which there is no room are left out."""
    is_of10 = version is _OF10
    special = Capabilities.STP if is_of10 else Capabilities.GROUP_STATS
    capabilities = int(features.capabilities & _ON_WIRE[version])
    body = _FEATURES.pack(
        *(features.datapath_id, features.n_buffers, features.n_tables),
        features.auxiliary_id if version >= _OF13 else 0,
        capabilities | _BIT_3 * (special in features.capabilities),
        features.actions if is_of10 else 0,
    )
    if version >= _OF13:
        return body
    for port in features.ports:
        entry = encode_port(port, version)
        if HEADER_BYTES + len(body) + len(entry) > _MOST_BYTES:
            break
        body += entry
    return body


def decode_features(body: bytes, version: OpenFlowVersion) -> SwitchFeatures:
    """The other way round. Raises :class:`OpenFlowError`."""
    datapath_id, n_buffers, n_tables, auxiliary_id, bits, actions = _FEATURES.unpack_from(body)
    is_of10 = version is _OF10
    capabilities = Capabilities(bits & _ON_WIRE[version])
    if bits & _BIT_3:
        capabilities |= Capabilities.STP if is_of10 else Capabilities.GROUP_STATS
    return SwitchFeatures(
        *(datapath_id, n_buffers, n_tables, capabilities, actions if is_of10 else 0),
        auxiliary_id if version >= _OF13 else 0,
        decode_ports(body[_FEATURES.size :], version) if version < _OF13 else (),
    )


def encode_config(config: SwitchConfig, version: OpenFlowVersion) -> bytes:
    """The body of an OFPT_SET_CONFIG or OFPT_GET_CONFIG_REPLY."""
    flags = _FRAGMENTS.index(config.fragments)
    if config.invalid_ttl_to_controller and version < _OF13:
        flags |= _INVALID_TTL
    return _CONFIG.pack(flags, config.miss_send_len)


def decode_config(body: bytes, version: OpenFlowVersion) -> SwitchConfig:
    """The other way round. Raises :class:`OpenFlowError`."""
    flags, miss_send_len = _CONFIG.unpack(body)
    has_ttl = version < _OF13
    if flags & ~(_FRAGMENTS_MASK | _INVALID_TTL * has_ttl):
        raise OpenFlowError("OFPSCFC_BAD_FLAGS")
    invalid_ttl = bool(flags & _INVALID_TTL) if has_ttl else None
    return SwitchConfig(_FRAGMENTS[flags & _FRAGMENTS_MASK], miss_send_len, invalid_ttl)


def encode_description(description: SwitchDescription) -> bytes:
    """The body of an OFPST_DESC reply."""
    texts = (
        *(description.manufacturer, description.hardware, description.software),
        *(description.serial_number, description.datapath),
    )
    return b"".join(map(fixed_text, texts, _DESCRIPTION_SIZES))


def decode_description(body: bytes) -> SwitchDescription:
    """The other way round."""
    return SwitchDescription(*map(text_of, _DESCRIPTION.unpack(body), _DESCRIPTION_SIZES))
