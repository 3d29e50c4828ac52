"""``nat`` within ``ct``: flags, and those addresses and ports that it has."""

from __future__ import annotations

import struct

from vnet.ovs.openflow.errors import OpenFlowError
from vnet.ovs.openflow.ofpacts import Nat
from vnet.ovs.openflow.version import OpenFlowVersion
from vnet.ovs.openflow.wire.actions.form import Family, Form, nicira
from vnet.ovs.openflow.wire.actions.reading import Reading

_BODY = struct.Struct("!2xHH")
_SOURCE, _DESTINATION, _PERSISTENT, _HASH, _RANDOM = 1, 2, 4, 8, 16
_ALL_FLAGS = _SOURCE | _DESTINATION | _PERSISTENT | _HASH | _RANDOM
_IPV4_MIN, _IPV4_MAX, _IPV6_MIN, _IPV6_MAX, _PORT_MIN, _PORT_MAX = 1, 2, 4, 8, 16, 32
_PORT_BYTES = 2


class _Options:
    """What follows the flags, in a fixed order, each if its bit is set."""

    def __init__(self, present: int, data: bytes) -> None:
        self._present = present
        self._data = data
        self._at = 0

    def take(self, bit: int, n_bytes: int) -> bytes | None:
        """The next option, None if it is not there. Raises OFPBAC_BAD_ARGUMENT if it is cut."""
        if not self._present & bit:
            return None
        taken = self._data[self._at : self._at + n_bytes]
        self._at += n_bytes
        if len(taken) < n_bytes:
            raise OpenFlowError("OFPBAC_BAD_ARGUMENT")
        return taken


def _decode(body: bytes, _reading: Reading) -> Nat:
    flags, present = _BODY.unpack_from(body)
    if (
        flags & ~_ALL_FLAGS
        or flags & (_SOURCE | _DESTINATION) == _SOURCE | _DESTINATION
        or flags & (_HASH | _RANDOM) == _HASH | _RANDOM
        or (present & (_IPV4_MIN | _IPV4_MAX) and present & (_IPV6_MIN | _IPV6_MAX))
    ):
        raise OpenFlowError("OFPBAC_BAD_ARGUMENT")
    options = _Options(present, body[_BODY.size :])
    if present & (_IPV4_MIN | _IPV4_MAX):
        first, last = _range(options, _IPV4_MIN, _IPV4_MAX, 4)
    else:
        first, last = _range(options, _IPV6_MIN, _IPV6_MAX, 16)
    port_min, port_max = _range(options, _PORT_MIN, _PORT_MAX, _PORT_BYTES)
    if port_min is not None and first is None:
        raise OpenFlowError("OFPBAC_BAD_ARGUMENT")
    return Nat(
        bool(flags & _SOURCE) if flags & (_SOURCE | _DESTINATION) else None,
        first,
        last if last and any(last) else None,
        int.from_bytes(port_min or b"", "big"),
        int.from_bytes(port_max or b"", "big"),
        bool(flags & _PERSISTENT),
        bool(flags & _HASH),
        bool(flags & _RANDOM),
    )


def _range(
    options: _Options, first: int, last: int, n_bytes: int
) -> tuple[bytes | None, bytes | None]:
    """Least and greatest value, which stands for nothing alone. Zeros are no least value."""
    least = options.take(first, n_bytes)
    greatest = options.take(last, n_bytes)
    if least is None:
        if greatest is not None:
            raise OpenFlowError("OFPBAC_BAD_ARGUMENT")
    elif not any(least) or (greatest is not None and greatest < least):
        raise OpenFlowError("OFPBAC_BAD_ARGUMENT")
    return least, greatest


_NAT = Form("NXAST_NAT", nicira(36), _decode, _BODY.size, is_extensible=True)


def _encode(action: Nat, version: OpenFlowVersion) -> bytes:
    """Zeros do not travel, nor ports without an address."""
    flags = _PERSISTENT * action.is_persistent | _HASH * action.is_hash | _RANDOM * action.is_random
    if action.is_source is not None:
        flags |= _SOURCE if action.is_source else _DESTINATION
    present, options = 0, b""
    if action.address_min is not None:
        is_ipv4 = len(action.address_min) == 4
        for bit, value in (
            (_IPV4_MIN if is_ipv4 else _IPV6_MIN, action.address_min),
            (_IPV4_MAX if is_ipv4 else _IPV6_MAX, action.address_max or b""),
            (_PORT_MIN, action.port_min.to_bytes(_PORT_BYTES, "big")),
            (_PORT_MAX, action.port_max.to_bytes(_PORT_BYTES, "big")),
        ):
            if any(value):
                present |= bit
                options += value
    return _NAT.encode(version, _BODY.pack(flags, present) + options)


FAMILY = Family((_NAT,), {Nat: _encode})
