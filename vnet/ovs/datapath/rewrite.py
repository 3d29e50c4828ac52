"""Operations that change the packet, or what rides beside it, and send it nowhere."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from vnet.ovs.datapath import encap, openflow_full
from vnet.ovs.datapath.edit.layout import Edit, Editor, Layout
from vnet.ovs.datapath.edit.parts import EDITORS
from vnet.ovs.datapath.packet import DP_HASH, Packet
from vnet.ovs.datapath.program import Operation
from vnet.ovs.dpif.actions import (
    AddMpls,
    CopyTtlIn,
    CopyTtlOut,
    CtClear,
    Hash,
    HashAlgorithm,
    KeyPart,
    OdpAction,
    Pad,
    PopEth,
    PopMpls,
    PopPbb,
    PopVlan,
    PushEth,
    PushMpls,
    PushNsh,
    PushPbb,
    PushVlan,
    Set,
)
from vnet.ovs.flow.extract import extract
from vnet.ovs.flow.flow import ALL_ONES, MEMBERS, Flow
from vnet.ovs.flow.flow_hash import hash_headers, hash_received, hash_symmetric_l3l4
from vnet.ovs.flow.hashing import hash_int

METADATA_PARTS: dict[KeyPart, int] = {
    KeyPart.PRIORITY: Flow.skb_priority.mask,
    KeyPart.MARK: Flow.pkt_mark.mask,
    KeyPart.DP_HASH: Flow.dp_hash.mask,
    KeyPart.RECIRC_ID: Flow.recirc_id.mask,
    KeyPart.TUNNEL: sum(bits.mask for bits in MEMBERS if bits.name.startswith("tun_")),
}
"""Parts that ride beside the frame, and their bits."""


def written_mask(action: Set) -> int:
    """The bits that a ``set`` writes."""
    return action.mask if action.is_masked else ALL_ONES


def set_part(action: Set) -> Operation:
    """Raises ``ValueError`` for a part that no datapath can write."""
    editor = EDITORS.get(action.part)
    if editor is not None:
        return _set_header(editor, action.value, written_mask(action))
    mask = METADATA_PARTS.get(action.part)
    if mask is None:
        raise ValueError(f"a datapath cannot set {action.part.value}")
    return _set_metadata(action.value, mask & written_mask(action))


def _set_metadata(value: int, mask: int) -> Operation:
    value, kept = value & mask, ~mask

    def set_metadata(packet: Packet) -> bool:
        packet.metadata = packet.metadata & kept | value
        return True

    return set_metadata


def _set_header(editor: Editor, value: int, mask: int) -> Operation:
    made: dict[Layout, Edit | None] = {}

    def set_header(packet: Packet) -> bool:
        layout = packet.layout
        if layout not in made:
            made[layout] = editor(value, mask, layout)
        edit = made[layout]
        if edit is not None:
            packet.data = edit(packet.data, packet.padding_bytes)
            if packet.connection is not None:
                packet.connection.forget_conn()
        return True

    return set_header


def change(action: OdpAction) -> Operation | None:
    """The operation of an action that changes the packet in place; None for other actions."""
    by = CHANGES.get(type(action))
    if by is None:
        return None

    def change(packet: Packet) -> bool:
        by(packet, action)
        return True

    return change


def _hash(packet: Packet, action: Hash) -> None:
    """Of the packet as it came in (L4), or as it is now: symmetric, or of all that tells whence it
    comes and where it goes (headers)."""
    if action.algorithm is not HashAlgorithm.L4:
        key = extract(packet.data, packet_type=packet.packet_type, vlan_limit=packet.vlan_limit)
        is_symmetric = action.algorithm is HashAlgorithm.SYM_L4
        value = (hash_symmetric_l3l4 if is_symmetric else hash_headers)(key, action.basis)
    else:
        received = hash_received(packet.original, vlan_limit=packet.vlan_limit)
        value = hash_int(received, action.basis)
    packet.metadata = DP_HASH.set(packet.metadata, value)


def _clear_connection(packet: Packet, _action: CtClear) -> None:
    if packet.connection is not None:
        packet.connection.clear()


CHANGES: dict[type[OdpAction], Callable[[Packet, Any], None]] = {
    PushVlan: encap.push_vlan,
    PopVlan: encap.pop_vlan,
    PushMpls: encap.push_mpls,
    AddMpls: encap.add_mpls,
    PopMpls: encap.pop_mpls,
    PushEth: encap.push_eth,
    PopEth: encap.pop_eth,
    PushNsh: encap.push_nsh,
    PushPbb: openflow_full.push_pbb,
    PopPbb: openflow_full.pop_pbb,
    CopyTtlOut: openflow_full.copy_ttl_out,
    CopyTtlIn: openflow_full.copy_ttl_in,
    Pad: openflow_full.pad,
    Hash: _hash,
    CtClear: _clear_connection,
}
