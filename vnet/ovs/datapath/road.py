"""Straight roads: flows that edit bytes and then send them, which is nearly all there are.

Such a flow needs no :class:`~vnet.ovs.datapath.packet.Packet`: for frames of one layout it is a
few edits of the bytes, and then a few ports.
"""

from __future__ import annotations

from typing import NamedTuple

from vnet.ovs.datapath.cache import Send
from vnet.ovs.datapath.edit.layout import Edit, Layout
from vnet.ovs.datapath.edit.parts import EDITORS
from vnet.ovs.datapath.encap import ADDRESSES_BYTES, TAG_BYTES, tag_of
from vnet.ovs.datapath.rewrite import METADATA_PARTS, written_mask
from vnet.ovs.datapath.vport import Vports
from vnet.ovs.dpif.actions import KeyPart, OdpActions, Output, PopVlan, PushVlan, Set
from vnet.ovs.flow.flow import CFI, Flow


class Road(NamedTuple):
    """Edits, and then where the frame goes."""

    edits: tuple[Edit, ...]
    sends: tuple[Send, ...]


def depends_on_layout(actions: OdpActions) -> bool:
    """Whether a straight road is another for another layout of Ethernet frames."""
    return any(
        isinstance(action, Set) and action.part in EDITORS and action.part is not KeyPart.ETHERNET
        for action in actions
    )


def has_tag(key: int, mask: int) -> bool:
    """Whether all frames that a flow matches have a VLAN tag."""
    return bool(Flow.vlan_tci.of(key & mask) & CFI)


def straight_road(
    vports: Vports, actions: OdpActions, layout: Layout, *, is_tagged: bool
) -> Road | None:
    """The road of ``actions`` for Ethernet frames of a layout, without padding behind the IP
    packet; None where it is not straight. ``is_tagged`` says that all of them have a VLAN tag.
    """
    edits: list[Edit] = []
    sends: list[Send] = []
    n_tags = int(is_tagged)
    for action in actions:
        if isinstance(action, Output):
            sends.append(vports.vport(action.port).send)
            continue
        if sends:
            return None
        match action:
            case Set() if action.part in EDITORS:
                edit = EDITORS[action.part](action.value, written_mask(action), layout)
                edits += [] if edit is None else [edit]
            case Set() if action.part in METADATA_PARTS:
                pass  # nobody is left to see it
            case PushVlan():
                edits.append(_insert_tag(tag_of(action)))
                layout = layout.shifted(TAG_BYTES)
                n_tags += 1
            case PopVlan() if n_tags:
                edits.append(_remove_tag)
                layout = layout.shifted(-TAG_BYTES)
                n_tags -= 1
            case _:
                return None
    return Road(tuple(edits), tuple(sends)) if sends else None


def _insert_tag(tag: bytes) -> Edit:
    def insert_tag(data: bytes, _padding: int) -> bytes:
        return data[:ADDRESSES_BYTES] + tag + data[ADDRESSES_BYTES:]

    return insert_tag


def _remove_tag(data: bytes, _padding: int) -> bytes:
    return data[:ADDRESSES_BYTES] + data[ADDRESSES_BYTES + TAG_BYTES :]
