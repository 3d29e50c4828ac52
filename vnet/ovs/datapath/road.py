"""Straight roads: flows that edit bytes and then send them, which is nearly all there are.

Such a flow needs no :class:`~vnet.ovs.datapath.packet.Packet`: for frames of one layout it is a
few edits of the bytes, and then a few ports.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import IntEnum
from functools import partial
from typing import NamedTuple

from vnet.ovs.datapath.edit.layout import Edit, Layout
from vnet.ovs.datapath.edit.parts import EDITORS
from vnet.ovs.datapath.edit.routed import edit_routed
from vnet.ovs.datapath.encap import ADDRESSES_BYTES, TAG_BYTES, tag_of
from vnet.ovs.datapath.program import Engine
from vnet.ovs.datapath.reasons import NO_SUCH_TUNNEL
from vnet.ovs.datapath.rewrite import METADATA_PARTS, written_mask
from vnet.ovs.datapath.tunnels.device import TunnelDevice
from vnet.ovs.datapath.tunnels.push import has_source_port, pusher
from vnet.ovs.dpif.actions import (
    KeyPart,
    OdpActions,
    Output,
    PopVlan,
    PushVlan,
    Set,
    TnlPop,
    TnlPush,
)
from vnet.ovs.flow.flow import CFI, Flow
from vnet.sim.frame import Frame

Send = Callable[[Frame], None]


class Road(NamedTuple):
    """Edits, and then where the frame goes."""

    edits: tuple[Edit, ...]
    sends: tuple[Send, ...]


class Reach(IntEnum):
    """How far into the frame the edits of a flow reach: what must be known of its layers."""

    LINK = 0
    NETWORK = 1
    PAYLOAD = 2


_NETWORK_ONLY = Flow.nw_ttl.mask | Flow.nw_tos.mask


def reach_of(actions: OdpActions) -> Reach:
    """The farthest of the actions. Addresses reach into the payload, for its checksum."""
    reach = Reach.LINK
    for action in actions:
        if isinstance(action, Set) and action.part in EDITORS:
            if action.part is KeyPart.IPV4 and not written_mask(action) & ~_NETWORK_ONLY:
                reach = max(reach, Reach.NETWORK)
            elif action.part is not KeyPart.ETHERNET:
                return Reach.PAYLOAD
    return reach


def has_tag(key: int, mask: int) -> bool:
    """Whether all frames that a flow matches have a VLAN tag."""
    return bool(Flow.vlan_tci.of(key & mask) & CFI)


def straight_road(
    engine: Engine, actions: OdpActions, layout: Layout, is_tagged: bool
) -> Road | None:
    """The road of ``actions`` for Ethernet frames of a layout, without padding behind the IP
    packet; None where it is not straight. ``is_tagged`` says that all of them have a VLAN tag.
    """
    edits: list[Edit] = []
    sends: list[Send] = []
    queue = 0
    n_tags = int(is_tagged)
    before: Set | None = None
    if actions and isinstance(actions[0], TnlPush | TnlPop):
        return _tunnel_road(engine, actions)
    for action in actions:
        if isinstance(action, Output):
            send = engine.vport(action.port).send
            sends.append(partial(send, queue=queue) if queue else send)
            continue
        if sends:
            return None
        match action:
            case Set() if action.part in EDITORS:
                routed = _routed(before, action, layout)
                if routed is not None:
                    edits[-1] = routed
                else:
                    edit = EDITORS[action.part](action.value, written_mask(action), layout)
                    edits += [] if edit is None else [edit]
                before = action
                continue
            case Set() if action.part is KeyPart.PRIORITY:
                mask = Flow.skb_priority.of(written_mask(action))
                queue = queue & ~mask | Flow.skb_priority.of(action.value) & mask
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
        before = None
    return Road(tuple(edits), tuple(sends)) if sends else None


def _tunnel_road(engine: Engine, actions: OdpActions) -> Road | None:
    """The road through a tunnel of packets that are as they came in."""
    match actions:
        case (TnlPop(port=port),):
            return Road((), (partial(engine.decapsulate, tunnel=engine.vport(port)),))
        case (TnlPush() as push, *rest) if rest:
            ports = [action.port for action in rest if isinstance(action, Output)]
            if len(ports) == len(rest):
                sends = tuple(engine.vport(port).send for port in ports)
                return Road((), (_encapsulated(engine, push, sends),))
    return None


def _encapsulated(engine: Engine, action: TnlPush, sends: tuple[Send, ...]) -> Send:
    tunnel, push = engine.vport(action.tnl_port), pusher(action)
    is_spread = has_source_port(action)

    def send_encapsulated(frame: Frame) -> None:
        data, device = frame.data, tunnel.device
        if not isinstance(device, TunnelDevice):
            return engine.mourn(frame, NO_SUCH_TUNNEL)
        data = push(data, device, engine.udp_source_port(data) if is_spread else 0)
        outer = Frame(data, engine.note(frame.meta, "tunnel push", data))
        for send in sends:
            send(outer)
        return None

    return send_encapsulated


def _routed(first: Set | None, second: Set, layout: Layout) -> Edit | None:
    """The edit of MACs and then TTL, if that is what the actions write."""
    if first is None or first.part is not KeyPart.ETHERNET or second.part is not KeyPart.IPV4:
        return None
    return edit_routed(
        (first.value, written_mask(first)), (second.value, written_mask(second)), layout
    )


def _insert_tag(tag: bytes) -> Edit:
    def insert_tag(data: bytes, _padding: int) -> bytes:
        return data[:ADDRESSES_BYTES] + tag + data[ADDRESSES_BYTES:]

    return insert_tag


def _remove_tag(data: bytes, _padding: int) -> bytes:
    return data[:ADDRESSES_BYTES] + data[ADDRESSES_BYTES + TAG_BYTES :]
