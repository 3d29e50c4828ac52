"""What a port is: its description, changes of that, and requests to change it."""

from __future__ import annotations

import struct
from collections.abc import Sequence

from vnet.base.ids import MAC_ZERO, Mac
from vnet.ovs.flow.ports import OfpPort
from vnet.ovs.openflow.errors import OpenFlowError
from vnet.ovs.openflow.messages import (
    PortConfig,
    PortDesc,
    PortFeatures,
    PortMod,
    PortReason,
    PortState,
    PortStatus,
)
from vnet.ovs.openflow.version import OpenFlowVersion
from vnet.ovs.openflow.wire.parts.port_numbers import port_from_of11, port_to_of11
from vnet.ovs.openflow.wire.parts.properties import properties, put, put_u32, refuse_unknown
from vnet.ovs.openflow.wire.parts.strings import fixed_text, text_of

_OF10, _OF11, _, _OF13, _OF14, _ = OpenFlowVersion

_PORT10 = struct.Struct("!H6s16s6I")
_PORT11 = struct.Struct("!I4x6s2x16s8I")
_PORT14 = struct.Struct("!IH2x6s2x16sII")
_PORT_SPEEDS = struct.Struct("!4x6I")
_STATUS = struct.Struct("!B7x")
_MOD10 = struct.Struct("!H6sIII4x")
_MOD11 = struct.Struct("!I4x6s2xIII4x")
_MOD14 = struct.Struct("!I4x6s2xII")

_ETHERNET = 0
_NAME_BYTES = 16

_CONFIG10 = PortConfig(0x7F)
_CONFIG11 = PortConfig.PORT_DOWN | PortConfig.NO_RECV | PortConfig.NO_FWD | PortConfig.NO_PACKET_IN
_STATE10 = PortState.LINK_DOWN | PortState.STP_MASK
_STATE11 = PortState.LINK_DOWN | PortState.BLOCKED | PortState.LIVE

_SPEEDS_KBPS = (
    (PortFeatures.FD_1TB, 1_000_000_000),
    (PortFeatures.FD_100GB, 100_000_000),
    (PortFeatures.FD_40GB, 40_000_000),
    (PortFeatures.FD_10GB, 10_000_000),
    (PortFeatures.FD_1GB | PortFeatures.HD_1GB, 1_000_000),
    (PortFeatures.FD_100MB | PortFeatures.HD_100MB, 100_000),
    (PortFeatures.FD_10MB | PortFeatures.HD_10MB, 10_000),
)


def speed_kbps(features: PortFeatures) -> int:
    """The highest speed among them, 0 if none is said."""
    return next((speed for bits, speed in _SPEEDS_KBPS if features & bits), 0)


def encode_port(desc: PortDesc, version: OpenFlowVersion) -> bytes:
    """A port as it stands in lists of ports."""
    if version is _OF10:
        return _PORT10.pack(
            *(desc.port, desc.mac, _name(desc), desc.config & _CONFIG10, desc.state & _STATE10),
            *(_features10(features) for features in _features_of(desc)),
        )
    head = (desc.mac, _name(desc), desc.config & _CONFIG11, desc.state & _STATE11)
    speeds = (*_features_of(desc), desc.current_kbps, desc.max_kbps)
    number = port_to_of11(desc.port)
    if version < _OF14:
        return _PORT11.pack(number, *head, *speeds)
    ethernet = put(_ETHERNET, _PORT_SPEEDS.pack(*speeds))
    return _PORT14.pack(number, _PORT14.size + len(ethernet), *head) + ethernet


def decode_port(data: bytes, offset: int, version: OpenFlowVersion) -> tuple[PortDesc, int]:
    """The port at ``offset``, and where the next begins. Raises :class:`OpenFlowError`."""
    if version >= _OF14:
        return _decode_port14(data, offset)
    layout = _PORT10 if version is _OF10 else _PORT11
    end = offset + layout.size
    if end > len(data):
        raise OpenFlowError("OFPBRC_BAD_LEN")
    number, mac, name, config, state, *more = layout.unpack_from(data, offset)
    if version is not _OF10:
        return _desc11(port_from_of11(number), mac, name, config, state, more), end
    current, advertised, supported, peer = map(_from_features10, more)
    return PortDesc(
        *(OfpPort(number), text_of(name, _NAME_BYTES), Mac(mac)),
        config=PortConfig(config & _CONFIG10),
        state=PortState(state & _STATE10),
        current=current,
        advertised=advertised,
        supported=supported,
        peer=peer,
        current_kbps=speed_kbps(current),
        max_kbps=speed_kbps(supported),
    ), end


def _decode_port14(data: bytes, offset: int) -> tuple[PortDesc, int]:
    if len(data) - offset < _PORT14.size:
        raise OpenFlowError("OFPBRC_BAD_LEN")
    number, n_bytes, mac, name, config, state = _PORT14.unpack_from(data, offset)
    end = offset + n_bytes
    if n_bytes < _PORT14.size or end > len(data):
        raise OpenFlowError("OFPBRC_BAD_LEN")
    port = port_from_of11(number)
    more: Sequence[int] = (0,) * 6
    for one in properties(data[offset + _PORT14.size : end]):
        if one.type == _ETHERNET:
            if len(one.value) != _PORT_SPEEDS.size:
                raise OpenFlowError("OFPBPC_BAD_LEN")
            more = _PORT_SPEEDS.unpack(one.value)
    return _desc11(port, mac, name, config, state, more), end


def _desc11(
    port: OfpPort, mac: bytes, name: bytes, config: int, state: int, more: Sequence[int]
) -> PortDesc:
    *features, current_kbps, max_kbps = more
    current, advertised, supported, peer = map(_from_features11, features)
    return PortDesc(
        *(port, text_of(name, _NAME_BYTES), Mac(mac)),
        config=PortConfig(config & _CONFIG11),
        state=PortState(state & _STATE11),
        current=current,
        advertised=advertised,
        supported=supported,
        peer=peer,
        current_kbps=current_kbps,
        max_kbps=max_kbps,
    )


def decode_ports(body: bytes, version: OpenFlowVersion) -> tuple[PortDesc, ...]:
    """A list of ports. Raises :class:`OpenFlowError`."""
    ports, offset = [], 0
    while offset < len(body):
        port, offset = decode_port(body, offset, version)
        ports.append(port)
    return tuple(ports)


def encode_port_status(status: PortStatus, version: OpenFlowVersion) -> bytes:
    """The body of an OFPT_PORT_STATUS."""
    return _STATUS.pack(status.reason) + encode_port(status.desc, version)


def decode_port_status(body: bytes, version: OpenFlowVersion) -> PortStatus:
    """The other way round. Raises :class:`OpenFlowError`."""
    (reason,) = _STATUS.unpack_from(body)
    if reason not in tuple(PortReason):
        raise OpenFlowError("NXBRC_BAD_REASON")
    return PortStatus(PortReason(reason), decode_port(body, _STATUS.size, version)[0])


def encode_port_mod(mod: PortMod, version: OpenFlowVersion) -> bytes:
    """The body of an OFPT_PORT_MOD."""
    mac = mod.mac or MAC_ZERO
    if version is _OF10:
        config, mask = mod.config & _CONFIG10, mod.mask & _CONFIG10
        return _MOD10.pack(mod.port, mac, config, mask, _features10(mod.advertise))
    number = port_to_of11(mod.port)
    config, mask = mod.config & _CONFIG11, mod.mask & _CONFIG11
    if version < _OF14:
        return _MOD11.pack(number, mac, config, mask, mod.advertise)
    body = _MOD14.pack(number, mac, config, mask)
    return body + (put_u32(_ETHERNET, mod.advertise) if mod.advertise else b"")


def decode_port_mod(body: bytes, version: OpenFlowVersion) -> PortMod:
    """The other way round. Raises :class:`OpenFlowError`."""
    if version is _OF10:
        number, mac, config, mask, bits = _MOD10.unpack(body)
        port, known, advertise = OfpPort(number), _CONFIG10, _from_features10(bits)
    else:
        known = _CONFIG11
        if version < _OF14:
            number, mac, config, mask, bits = _MOD11.unpack(body)
            port, advertise = port_from_of11(number), _from_features11(bits)
        else:
            number, mac, config, mask = _MOD14.unpack_from(body)
            port, advertise = port_from_of11(number), _advertise14(body[_MOD14.size :])
    mask &= known
    return PortMod(port, PortConfig(config & mask), PortConfig(mask), Mac(mac), advertise)


def _advertise14(data: bytes) -> PortFeatures:
    advertise = PortFeatures.NONE
    for one in properties(data):
        if one.type != _ETHERNET:
            raise refuse_unknown(one.type, "ofp_port", "port_mod")
        advertise = _from_features11(one.u32())
    return advertise


def _name(desc: PortDesc) -> bytes:
    return fixed_text(desc.name, _NAME_BYTES)


def _features_of(desc: PortDesc) -> tuple[PortFeatures, ...]:
    return desc.current, desc.advertised, desc.supported, desc.peer


def _features10(features: PortFeatures) -> int:
    """1.0 knows no speeds above 10 Gbit/s, and what follows those has lower bits there."""
    return features & 0x7F | (features & 0xF800) >> 4


def _from_features10(bits: int) -> PortFeatures:
    return PortFeatures(bits & 0x7F | (bits & 0xF80) << 4)


def _from_features11(bits: int) -> PortFeatures:
    return PortFeatures(bits & 0xFFFF)
