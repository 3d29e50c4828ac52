"""Datapath actions in text (``format_odp_actions``): ``set(eth(src=...)),push_vlan(vid=1),2``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from vnet.base.deep_calls import deep_calls
from vnet.ovs.dpif.actions import (
    AddMpls,
    CheckPktLen,
    Clone,
    CopyTtlIn,
    CopyTtlOut,
    Ct,
    CtClear,
    Drop,
    Hash,
    KeyPart,
    Meter,
    OdpAction,
    OdpActions,
    Output,
    Pad,
    PopEth,
    PopMpls,
    PopNsh,
    PopPbb,
    PopVlan,
    PushEth,
    PushMpls,
    PushNsh,
    PushPbb,
    PushVlan,
    Recirc,
    Sample,
    Set,
    TnlPop,
    TnlPush,
    Trunc,
    Userspace,
)
from vnet.ovs.dpif.text.conntrack import ct_text
from vnet.ovs.dpif.text.kind import PortNames, Style, port_text
from vnet.ovs.dpif.text.kinds import KINDS_BY_NAME, PBB
from vnet.ovs.dpif.text.nsh import push_nsh_text
from vnet.ovs.dpif.text.single_kinds import vlan_tci_text
from vnet.ovs.dpif.text.stack_kinds import lse_text
from vnet.ovs.dpif.text.tunnel_push import tnl_push_text
from vnet.ovs.dpif.text.userspace import userspace_text
from vnet.ovs.flow.address_text import mac_text
from vnet.ovs.flow.flow import Flow
from vnet.ovs.flow.protocol_numbers import ETH_TYPE_VLAN_8021Q
from vnet.ovs.flow.value_text import hex_text

DROP = "drop"
"""No action at all, and the explicit drop."""

_UINT32_ONES = 0xFFFFFFFF
_TCI_ONES = 0xFFFF


def actions_text(actions: OdpActions, *, port_names: PortNames | None = None) -> str:
    """A list of actions; ports go by their names where given."""
    with deep_calls():
        return _nested_text(actions, port_names or {})


def _nested_text(actions: OdpActions, names: PortNames) -> str:
    return ",".join(_TEXTS[type(action)](action, names) for action in actions) or DROP


def set_text(action: Set) -> str:
    """``set(ipv4(ttl=63))``; a masked one shows what it writes, the other its whole part."""
    kind = KINDS_BY_NAME[action.part.value]
    values = kind.read(action.value)
    masks = kind.read_masks(action.mask) if action.is_masked else None
    if action.part is KeyPart.MPLS:
        values, masks = values[:1], masks and masks[:1]
    style = Style(verbose=not action.is_masked)
    return f"set({kind.name}({kind.text(values, masks, style)}))"


def _push_vlan(action: PushVlan, _names: PortNames) -> str:
    tpid = f"tpid=0x{action.tpid:04x}," if action.tpid != ETH_TYPE_VLAN_8021Q else ""
    return f"push_vlan({tpid}{vlan_tci_text(action.tci, _TCI_ONES, verbose=False)})"


def _labelled(name: str) -> Callable[[PushMpls | AddMpls, PortNames], str]:
    def text(action: PushMpls | AddMpls, _names: PortNames) -> str:
        return f"{name}({lse_text(action.lse)},eth_type=0x{action.ethertype:x})"

    return text


def _sample(action: Sample, names: PortNames) -> str:
    percentage = 100.0 * action.probability / _UINT32_ONES
    inner = _nested_text(action.actions, names)
    return f"sample(sample={percentage:.1f}%,actions({inner}))"


def _check_pkt_len(action: CheckPktLen, names: PortNames) -> str:
    greater = _nested_text(action.if_greater, names)
    less_equal = _nested_text(action.if_less_equal, names)
    return f"check_pkt_len(size={action.packet_bytes},gt({greater}),le({less_equal}))"


def _push_eth(action: PushEth, _names: PortNames) -> str:
    return f"push_eth(src={mac_text(action.src)},dst={mac_text(action.dst)})"


def _push_pbb(action: PushPbb, _names: PortNames) -> str:
    values = tuple(member.bits.of(action.tci << Flow.pbb_tci.shift) for member in PBB.members)
    return f"push_pbb({PBB.text(values, None, Style(verbose=True))})"


def _word(text: str) -> Callable[[OdpAction, PortNames], str]:
    """An action without arguments."""
    return lambda _action, _names: text


_TEXTS: dict[type[OdpAction], Callable[[Any, PortNames], str]] = {
    Output: lambda action, names: port_text(action.port, names),
    Set: lambda action, _names: set_text(action),
    PushVlan: _push_vlan,
    PopVlan: _word("pop_vlan"),
    PushMpls: _labelled("push_mpls"),
    AddMpls: _labelled("add_mpls"),
    PopMpls: lambda action, _names: f"pop_mpls(eth_type=0x{action.ethertype:x})",
    PushEth: _push_eth,
    PopEth: _word("pop_eth"),
    PushNsh: lambda action, _names: push_nsh_text(action),
    PopNsh: _word("pop_nsh()"),
    PushPbb: _push_pbb,
    PopPbb: _word("pop_pbb"),
    CopyTtlOut: _word("copy_ttl_out"),
    CopyTtlIn: _word("copy_ttl_in"),
    Pad: _word("pad"),
    TnlPush: tnl_push_text,
    TnlPop: lambda action, names: f"tnl_pop({port_text(action.port, names)})",
    Recirc: lambda action, _names: f"recirc({hex_text(action.recirc_id)})",
    Hash: lambda action, _names: f"hash({action.algorithm.value}({action.basis}))",
    Sample: _sample,
    Ct: lambda action, _names: ct_text(action),
    CtClear: _word("ct_clear"),
    Trunc: lambda action, _names: f"trunc({action.max_len_bytes})",
    Clone: lambda action, names: f"clone({_nested_text(action.actions, names)})",
    Meter: lambda action, _names: f"meter({action.meter_id})",
    CheckPktLen: _check_pkt_len,
    Userspace: userspace_text,
    Drop: _word(DROP),
}
