"""How many bytes datapath actions take on the way to a Linux kernel (netlink attributes).

No kernel is involved here, but Open vSwitch ends a translation whose actions would not fit,
whatever the datapath, so the size decides what becomes of a packet.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice

from vnet.ovs.dpif import actions as odp
from vnet.ovs.dpif.actions import KeyPart, OdpAction
from vnet.ovs.flow.ports import ODPP_NONE

MAX_ACTIONS_BYTES = 0xFFFF
"""What resubmits may come to."""

_HEADER = 4
MAX_NESTED_BYTES = 0xFFFF - _HEADER
"""What one attribute can hold."""

_FLAG = _HEADER
_U16 = _U32 = _HEADER + 4
_COOKIE = _HEADER + 44

_KEY_BYTES = {
    KeyPart.ETHERNET: 12,
    KeyPart.IPV4: 12,
    KeyPart.IPV6: 40,
    KeyPart.TCP: 4,
    KeyPart.UDP: 4,
    KeyPart.SCTP: 4,
    KeyPart.ICMP: 2,
    KeyPart.ICMPV6: 2,
    KeyPart.ARP: 24,
    KeyPart.ND: 28,
    KeyPart.ND_EXTENSIONS: 8,
    KeyPart.MPLS: 4,
    KeyPart.NSH: 32,
    KeyPart.ETHERTYPE: 2,
    KeyPart.PROTOCOL: 1,
    KeyPart.TUNNEL: 96,
}
_OTHER_KEY_BYTES = 4

_FIXED: dict[type[OdpAction], int] = {
    odp.Output: _U32,
    odp.PushVlan: _HEADER + 4,
    odp.PopVlan: _FLAG,
    odp.PushMpls: _HEADER + 8,
    odp.AddMpls: _HEADER + 12,
    odp.PopMpls: _U16,
    odp.PushEth: _HEADER + 12,
    odp.PopEth: _FLAG,
    odp.PopNsh: _FLAG,
    odp.PushPbb: _U32,
    odp.PopPbb: _FLAG,
    odp.CopyTtlOut: _FLAG,
    odp.CopyTtlIn: _FLAG,
    odp.Pad: _FLAG,
    odp.TnlPush: _HEADER + 528,
    odp.TnlPop: _U32,
    odp.Recirc: _U32,
    odp.Hash: _HEADER + 8,
    odp.CtClear: _FLAG,
    odp.Trunc: _U32,
    odp.Meter: _U32,
    odp.Drop: _U32,
}


def _padded(n_bytes: int) -> int:
    """An attribute with so much in it, filled up to a multiple of four."""
    return _HEADER + (n_bytes + 3 & ~3)


def actions_bytes(actions: Sequence[OdpAction]) -> int:
    """The size of a list of actions."""
    total = 0
    for action in actions:
        total += _FIXED.get(type(action)) or _varying_bytes(action)
    return total


class RunningSize:
    """The size of a list that grows at its end and is cut there now and then.

    What has been measured is not measured again, however often one asks.
    """

    def __init__(self) -> None:
        self._measured: list[tuple[OdpAction, int]] = []

    def of(self, actions: Sequence[OdpAction]) -> int:
        """The size now."""
        measured = self._measured
        while measured and (
            len(measured) > len(actions) or measured[-1][0] is not actions[len(measured) - 1]
        ):
            measured.pop()
        total = measured[-1][1] if measured else 0
        for action in islice(actions, len(measured), None):
            total += actions_bytes((action,))
            measured.append((action, total))
        return total


def _varying_bytes(action: OdpAction) -> int:
    match action:
        case odp.Set(part=part, is_masked=is_masked):
            key_bytes = _KEY_BYTES.get(part, _OTHER_KEY_BYTES)
            return _HEADER + _padded(key_bytes * (2 if is_masked else 1))
        case odp.PushNsh(metadata=metadata):
            return _HEADER + _padded(8) + _padded(len(metadata))
        case odp.Userspace(tunnel_out_port=port, with_actions=with_actions):
            return _HEADER + _U32 + _COOKIE + _U32 * (port != ODPP_NONE) + _FLAG * with_actions
        case odp.Clone(actions=nested):
            return _HEADER + actions_bytes(nested)
        case odp.Sample(actions=nested):
            return _HEADER + _U32 + _HEADER + actions_bytes(nested)
        case odp.CheckPktLen(if_greater=greater, if_less_equal=less):
            return 3 * _HEADER + _U16 + actions_bytes(greater) + actions_bytes(less)
        case odp.Ct():
            return _ct_bytes(action)
    raise AssertionError(f"no such action: {action}")


def _ct_bytes(action: odp.Ct) -> int:
    total = _HEADER + _U16
    if action.commit or action.force:
        total += _FLAG + _U32
    if action.mark is not None:
        total += _HEADER + 8
    if action.label is not None:
        total += _HEADER + 32
    for text in (action.helper, action.timeout):
        if text:
            total += _padded(len(text) + 1)
    if action.nat is not None:
        total += _nat_bytes(action.nat)
    return total


def _nat_bytes(nat: odp.CtNat) -> int:
    if nat.is_source is None:
        return _HEADER
    address_bytes = len(nat.address_min or b"")
    addresses = 2 if nat.address_max not in (None, nat.address_min) else bool(address_bytes)
    ports = 2 if nat.port_max > nat.port_min else bool(nat.port_min)
    flags = 1 + nat.is_persistent + (nat.is_hash or nat.is_random)
    return _HEADER + flags * _FLAG + addresses * _padded(address_bytes) + ports * _U16
