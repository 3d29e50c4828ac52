"""Why frames die in a datapath."""

from __future__ import annotations

from collections.abc import Mapping

from vnet.base.drops import DropReason, drop_reason
from vnet.ovs.dpif.actions import DropCause

NO_ACTIONS = drop_reason(
    "ovs-flow-drops",
    cause="the datapath flow that the frame matched sends it nowhere",
    cure="trace the frame through the bridge's flow tables to see which rule drops it",
)
UPCALL_QUEUE_FULL = drop_reason(
    "ovs-upcall-queue-full",
    cause="more frames wait for userspace's decision than the upcall queue holds",
    cure="send fewer new flows at once, or install flows that match more",
)
NO_UPCALL_HANDLER = drop_reason(
    "ovs-nobody-decides",
    cause="no datapath flow matches the frame and no switch daemon listens for upcalls",
    cure="start the switch daemon, or install datapath flows by hand",
)
RECIRCULATION_TOO_DEEP = drop_reason(
    "ovs-recirculation-too-deep",
    cause="the frame was looked up again more often than the datapath allows",
    cure="shorten the chain of ct, dp_hash and mpls actions that the flow tables make",
)
RECIRCULATED_TOO_SHORT = drop_reason(
    "ovs-recirculated-too-short",
    cause="what decapsulation left of the packet is shorter than an Ethernet header",
    cure="mend the sender; the packet inside is no packet",
)
NO_SUCH_PORT = drop_reason(
    "ovs-no-such-datapath-port",
    cause="the datapath flow sends the frame to a port that does not exist",
    cure="add the port again, or let the switch revalidate the flow",
)
NO_SUCH_TUNNEL = drop_reason(
    "ovs-no-such-tunnel",
    cause="the datapath flow sends the frame through a tunnel whose port does not exist",
    cure="add the tunnel's port again, or let the switch revalidate the flow",
)
NOT_ENCAPSULATED = drop_reason(
    "ovs-tunnel-not-encapsulated",
    cause="the datapath flow sends the frame to a tunnel's port without the tunnel's headers",
    cure="let the switch's translation make the flow, or push the headers with tnl_push",
)
PORT_MTU = drop_reason(
    "ovs-port-mtu",
    cause="the frame is larger than the mtu of the datapath port it should leave by",
    cure="give all ports of the switch one mtu; a switch does not fragment",
)
NOT_ETHERNET = drop_reason(
    "ovs-not-ethernet",
    cause="the packet has no Ethernet header where it should leave by an Ethernet port",
    cure="push an Ethernet header (encap) before the output",
)
METER_EXCEEDED = drop_reason(
    "ovs-meter-exceeded",
    cause="the frame came faster than a band of its meter allows",
    cure="raise the meter's rate or burst size, or send less",
)
NSH_UNKNOWN_NEXT = drop_reason(
    "ovs-nsh-unknown-next",
    cause="the service header taken off says that something unknown follows it",
    cure="send Ethernet, IPv4, IPv6 or NSH behind a network service header",
)

DROP_CAUSES: dict[DropCause, DropReason] = {
    DropCause.OK: NO_ACTIONS,
    DropCause.BRIDGE_NOT_FOUND: drop_reason(
        "ovs-bridge-not-found",
        cause="the flow tables send the frame on in a bridge that is not there",
        cure="add the bridge, or mend the patch port or the flow that names it",
    ),
    DropCause.RECURSION_TOO_DEEP: drop_reason(
        "ovs-recursion-too-deep",
        cause="the frame's actions led from table to table more than 64 levels deep",
        cure="look for resubmits, groups or patch ports that run in a circle",
    ),
    DropCause.TOO_MANY_RESUBMITS: drop_reason(
        "ovs-too-many-resubmits",
        cause="the frame's actions looked up flow tables more than 4,096 times",
        cure="look for rules that resubmit twice to tables that do the same",
    ),
    DropCause.STACK_TOO_DEEP: drop_reason(
        "ovs-stack-too-deep",
        cause="the frame's actions pushed more than 64 kB onto the stack",
        cure="pop what is pushed",
    ),
    DropCause.NO_RECIRCULATION_CONTEXT: drop_reason(
        "ovs-no-recirculation-context",
        cause="the frame came back from recirculation, and its state is gone",
        cure="nothing, if the flow tables just changed; the next frame will fare better",
    ),
    DropCause.RECIRCULATION_CONFLICT: drop_reason(
        "ovs-recirculation-conflict",
        cause="two reasons to recirculate the frame came together",
        cure="do not let a frame meet a recirculating action inside a frozen translation",
    ),
    DropCause.TOO_MANY_MPLS_LABELS: drop_reason(
        "ovs-too-many-mpls-labels",
        cause="the frame's actions push more MPLS labels than the switch can handle",
        cure="push fewer labels",
    ),
    DropCause.INVALID_TUNNEL_METADATA: drop_reason(
        "ovs-invalid-tunnel-metadata",
        cause="the frame came with tunnel metadata that the switch cannot read",
        cure="map the tunnel's options as the sender does",
    ),
    DropCause.UNSUPPORTED_PACKET_TYPE: drop_reason(
        "ovs-unsupported-packet-type",
        cause="the frame is of a packet type that the bridge or port does not take",
        cure="encapsulate or decapsulate the packet before that",
    ),
    DropCause.CONGESTION_DROP: drop_reason(
        "ovs-congestion-drop",
        cause="the outer header of the tunnel says congestion, which the inner cannot",
        cure="let the ends use ECN",
    ),
    DropCause.NO_TUNNEL_ROUTE: drop_reason(
        "ovs-tunnel-no-route",
        cause="no route of the host, by a port of a bridge, leads to the tunnel's other end",
        cure="give the underlay's bridge an address in the network of remote_ip, or add a route",
    ),
    DropCause.NO_TUNNEL_NEIGHBOR: drop_reason(
        "ovs-tunnel-no-neighbor",
        cause="nobody has told yet who has the address of the tunnel's other end, or of the router "
        "on the way there; the switch has asked",
        cure="nothing, if it happens once; else see that the other end answers ARP",
    ),
    DropCause.FORWARDING_DISABLED: drop_reason(
        "ovs-forwarding-disabled",
        cause="the port does not forward: it is blocked by spanning tree or by its settings",
        cure="wait for the port to reach forwarding, or look at why it does not",
    ),
}
"""By why translation gave the frame up."""

_NO_ERRORS = (DropCause.OK, DropCause.NO_TUNNEL_ROUTE, DropCause.NO_TUNNEL_NEIGHBOR)
"""To Open vSwitch their frames just go nowhere."""
DROP_EVENTS: dict[str, tuple[DropReason, ...]] = {
    "drop_action_of_pipeline": tuple(DROP_CAUSES[cause] for cause in _NO_ERRORS),
    "drop_action_too_many_resubmit": (DROP_CAUSES[DropCause.TOO_MANY_RESUBMITS],),
    "drop_action_congestion": (DROP_CAUSES[DropCause.CONGESTION_DROP],),
    **{
        f"drop_action_{cause.name.lower()}": (DROP_CAUSES[cause],)
        for cause in (
            DropCause.BRIDGE_NOT_FOUND,
            DropCause.RECURSION_TOO_DEEP,
            DropCause.STACK_TOO_DEEP,
            DropCause.NO_RECIRCULATION_CONTEXT,
            DropCause.RECIRCULATION_CONFLICT,
            DropCause.TOO_MANY_MPLS_LABELS,
            DropCause.INVALID_TUNNEL_METADATA,
            DropCause.UNSUPPORTED_PACKET_TYPE,
            DropCause.FORWARDING_DISABLED,
        )
    },
    "datapath_drop_invalid_port": (NO_SUCH_PORT, NOT_ENCAPSULATED),
    "datapath_drop_invalid_tnl_port": (NO_SUCH_TUNNEL,),
    "datapath_drop_meter": (METER_EXCEEDED,),
    "datapath_drop_nsh_decap_error": (NSH_UNKNOWN_NEXT,),
    "datapath_drop_recirc_error": (RECIRCULATION_TOO_DEEP,),
}
"""What frames died of, by what ``coverage/show`` calls it."""


def n_drops(event: str, *counts: Mapping[DropReason, int]) -> int:
    """How many frames died of what ``coverage/show`` calls so."""
    return sum(drops.get(reason, 0) for drops in counts for reason in DROP_EVENTS.get(event, ()))
