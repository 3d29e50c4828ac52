"""Both ends of connections, as ``dpctl/flush-conntrack`` is told of them (ovs-dpctl(8))."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from vnet.base.ids import ip_from_text
from vnet.ovs.flow.tokens import key_values
from vnet.ovs.vswitchd.appctl.dpctl.call import DpctlError, Errno
from vnet.tables.conntrack.extract import ICMP, ICMPV6
from vnet.tables.conntrack.flush import ConnMatch, TupleMatch

_ADDRESSES = {
    "ct_nw_src": ("source", 4),
    "ct_nw_dst": ("target", 4),
    "ct_ipv6_src": ("source", 16),
    "ct_ipv6_dst": ("target", 16),
}
_PORTS = {"ct_tp_src": "source_port", "ct_tp_dst": "target_port"}
_ICMP_FIELDS = {"icmp_type": (0xFF, "icmp_type"), "icmp_code": (0xFF, "icmp_code")}
_ICMP_FIELDS |= {"icmp_id": (0xFFFF, "icmp_id")}


@dataclass(slots=True)
class _Reader:
    """What both tuples say of the protocols, and what the one that is being read says."""

    protocol: int = 0
    ip_bytes: int = 0
    addresses: dict[str, bytes] = field(default_factory=dict)
    numbers: dict[str, int] = field(default_factory=dict)

    def read(self, text: str) -> TupleMatch:
        """One direction's tuple."""
        self.addresses, self.numbers = {}, {}
        for key, value in key_values(text):
            if not value:
                raise _refused(f"field {key} missing value")
            self._take(key, value)
        if not self.protocol and any(self.numbers.get(name) for name in _PORTS.values()):
            raise _refused("port is set without protocol")
        return TupleMatch(
            self.addresses.get("source"), self.addresses.get("target"), **self.numbers
        )

    def _take(self, key: str, value: str) -> None:
        if key in _ADDRESSES:
            self._take_address(key, value)
        elif key == "ct_nw_proto":
            if self.protocol:
                raise _refused(f"{key} is set multiple times")
            self.protocol = _number(key, value, 0xFF)
        elif key in _PORTS:
            self.numbers[_PORTS[key]] = _number(key, value, 0xFFFF)
        elif key in _ICMP_FIELDS:
            if self.protocol not in (ICMP, ICMPV6):
                raise _refused("invalid L4 fields")
            most, name = _ICMP_FIELDS[key]
            self.numbers[name] = _number(key, value, most)
        else:
            raise _refused(f"invalid conntrack tuple field: {key}")

    def _take_address(self, key: str, value: str) -> None:
        end, n_bytes = _ADDRESSES[key]
        if self.ip_bytes not in (0, n_bytes):
            raise _refused(f"the L3 protocol does not match {value}")
        if end in self.addresses:
            raise _refused(f"{key} is set multiple times")
        try:
            address = ip_from_text(value)
        except ValueError:
            address = None
        if address is None or len(address) != n_bytes:
            raise _refused(f"failed to parse field {key}")
        self.ip_bytes = n_bytes
        self.addresses[end] = address


def parse_tuples(texts: Sequence[str]) -> ConnMatch:
    """The original and the reply tuple, each of which may be missing or empty.

    Raises :class:`DpctlError` with what is wrong.
    """
    reader = _Reader()
    original, reply = [reader.read(text) for text in (*texts, "", "")[:2]]
    is_v6 = None if not reader.ip_bytes else reader.ip_bytes == 16
    return ConnMatch(reader.protocol, is_v6, original, reply)


def _number(key: str, value: str, most: int) -> int:
    try:
        number = int(value, 0)
    except ValueError:
        number = -1
    if not 0 <= number <= most:
        raise _refused(f"failed to parse field {key}")
    return number


def _refused(what: str) -> DpctlError:
    return DpctlError(what, Errno.EINVAL)
