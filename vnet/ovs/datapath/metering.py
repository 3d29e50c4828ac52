"""What meters do to packets, and the roads of flows that begin with one."""

from __future__ import annotations

from typing import Protocol

from vnet.ovs.datapath.edit.layout import Layout
from vnet.ovs.datapath.megaflow import Megaflow, Roads
from vnet.ovs.datapath.packet import Packet
from vnet.ovs.datapath.program import Engine, run
from vnet.ovs.datapath.reasons import METER_EXCEEDED
from vnet.ovs.datapath.remark import remark
from vnet.ovs.datapath.road import Road
from vnet.ovs.dpif.actions import Meter
from vnet.ovs.dpif.meters import MeterBandConfig
from vnet.sim.frame import Frame


class _Engine(Engine, Roads, Protocol):
    """What such a road needs of the datapath around it."""


def exceed(engine: Engine, packet: Packet, band: MeterBandConfig) -> bool:
    """A packet is too much for a band; whether it lives on, remarked."""
    if band.n_drop_levels:
        remark(packet, band.n_drop_levels)
        return True
    engine.lose(packet, METER_EXCEEDED)
    return False


def metered_road(engine: _Engine, flow: Megaflow, layout: Layout, vlan_limit: int) -> Road | None:
    """The road of a flow that asks a meter and has a straight one from there on; None where it has
    not. Only what is too much goes the long way."""
    if not flow.actions or not isinstance(flow.actions[0], Meter):
        return None
    onward = engine.road(flow.actions[1:], layout, flow.is_tagged)
    if onward is None:
        return None
    edits, sends = onward
    meter_id, in_port, rest = flow.actions[0].meter_id, flow.in_port, flow.program[1:]

    def meter(frame: Frame) -> None:
        data = frame.data
        band = engine.exceeded_band(meter_id, len(data))
        if band is not None:
            packet = Packet(data, frame.meta, in_port, vlan_limit)
            if exceed(engine, packet, band):
                run(rest, packet)
            return
        if edits:
            for edit in edits:
                data = edit(data, 0)
            frame = Frame(data, frame.meta)
        for send in sends:
            send(frame)

    return Road((), (meter,))
