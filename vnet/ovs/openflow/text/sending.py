"""What a switch receives when a change of flows or groups, or a packet, is sent to it.

Which protocol is used decides: the earliest that can say all of it, among those allowed. Cookies,
flags, importance and numbers of buckets get lost on the way where the protocol has no room for
them, and OpenFlow 1.0 gives a match without wildcards the highest priority.
"""

from __future__ import annotations

from vnet.ovs.flow.errors import OvsTextError
from vnet.ovs.flow.protocols import P_ANY, protocols_text
from vnet.ovs.openflow.messages import FlowMod, GroupMod, PacketOut
from vnet.ovs.openflow.version import version_of
from vnet.ovs.openflow.wire.flow.flow_mod import decode_flow_mod, flow_mod_body, flow_mod_kind
from vnet.ovs.openflow.wire.group.group_mod import decode_group_mod, encode_group_mod
from vnet.ovs.openflow.wire.oxm import TunLengths
from vnet.ovs.openflow.wire.packet.packet_out import (
    check_packet_out,
    decode_packet_out,
    encode_packet_out,
)


def protocol_for(usable: int, allowed: int = P_ANY) -> int:
    """The protocol in which to send what ``usable`` protocols can say."""
    both = usable & allowed
    if not both:
        raise OvsTextError(
            f"none of the usable flow formats ({protocols_text(usable)}) is among the "
            f"allowed flow formats ({protocols_text(allowed)})"
        )
    return both & -both


def flow_as_sent(mod: FlowMod, protocol: int, *, openflow_full: bool = False) -> FlowMod:
    """What a switch makes of ``mod`` sent by ``protocol``, one of those that can say it
    (``vnet.ovs.flow.protocols``). With ``openflow_full`` it knows what Open vSwitch lacks.

    Raises :class:`OpenFlowError` where it refuses it.
    """
    return decode_flow_mod(
        flow_mod_body(mod, protocol),
        flow_mod_kind(protocol),
        version_of(protocol),
        protocol,
        openflow_full=openflow_full,
    )


def group_as_sent(mod: GroupMod, protocol: int, *, openflow_full: bool = False) -> GroupMod:
    """What a switch makes of ``mod`` sent by ``protocol``, one of ``vnet.ovs.flow.protocols``.

    OpenFlow 1.1 to 1.4 have no room for bucket numbers and methods of selection. Raises
    :class:`OpenFlowError` where the switch refuses it; with ``openflow_full`` it knows what Open
    vSwitch lacks.
    """
    version = version_of(protocol)
    return decode_group_mod(encode_group_mod(mod, version), version, openflow_full=openflow_full)


def packet_out_as_sent(
    packet_out: PacketOut,
    protocol: int,
    *,
    tun_lengths: TunLengths | None = None,
    openflow_full: bool = False,
) -> PacketOut:
    """What a switch makes of ``packet_out`` sent by ``protocol``: what that cannot say of the
    pipeline is not said. ``tun_lengths`` are those of its tunnel options. Raises
    :class:`OpenFlowError` where it refuses it; with ``openflow_full`` it knows what Open vSwitch
    lacks.
    """
    version = version_of(protocol)
    received = decode_packet_out(
        encode_packet_out(packet_out, version),
        version,
        tun_lengths=tun_lengths,
        openflow_full=openflow_full,
    )
    return check_packet_out(received, protocol)
