"""Why frames die in a datapath."""

from __future__ import annotations

from vnet.base.drops import drop_reason

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
NO_SUCH_PORT = drop_reason(
    "ovs-no-such-datapath-port",
    cause="the datapath flow sends the frame to a port that does not exist",
    cure="add the port again, or let the switch revalidate the flow",
)
PORT_MTU = drop_reason(
    "ovs-port-mtu",
    cause="the frame is larger than the mtu of the datapath port it should leave by",
    cure="give all ports of the switch one mtu; a switch does not fragment",
)
