"""The datapath of Open vSwitch: frames a second, against the yardstick.

The flows rewrite as the yardstick's do (set_eth_dst, dec_ttl, output). A frame is handed to the
port's rx handler and leaves by a device, whose counters are part of the price; a row that says
so has the receiving device's in it, too. Both sides handle 128-byte UDP frames.
"""

from __future__ import annotations

from functools import partial

from benchmarks.harness import Speed, Work
from benchmarks.yardstick import FLOWS, hot_path, udp_frame
from vnet.base.ids import Mac
from vnet.netdev.device import NetDevice
from vnet.ovs.datapath.cache import CACHE_LIMIT
from vnet.ovs.datapath.datapath import Datapath
from vnet.ovs.dpif.actions import KeyPart, OdpActions, Output, Set
from vnet.ovs.dpif.dpif import Upcall
from vnet.ovs.flow.extract import extract
from vnet.ovs.flow.flow import Flow
from vnet.ovs.flow.ports import OdpPort
from vnet.sim.frame import Frame
from vnet.sim.scheduler import Scheduler

FRAMES = 100_000
UPCALLS = 10_000
PORTS = 4
IN_PORT = 10

_MICROFLOW = sum(
    bits.mask
    for bits in (
        *(Flow.in_port, Flow.recirc_id, Flow.packet_type, Flow.dl_type, Flow.dl_src, Flow.dl_dst),
        *(Flow.vlan_tci, Flow.nw_src, Flow.nw_dst, Flow.nw_proto, Flow.nw_ttl, Flow.nw_frag),
        *(Flow.tp_src, Flow.tp_dst),
    )
)


class Sink(NetDevice):
    """A port whose wire swallows frames."""

    __slots__ = ()

    def _xmit(self, frame: Frame) -> None:
        """The frame is gone; that it got here is what is measured."""


def _actions(number: int) -> OdpActions:
    mac = 0x020000000100 | number & 0xFF
    return (
        Set(KeyPart.ETHERNET, mac << Flow.dl_dst.shift, Flow.dl_dst.mask),
        Set(KeyPart.IPV4, 63 << Flow.nw_ttl.shift, Flow.nw_ttl.mask),
        Output(OdpPort(number % PORTS)),
    )


def _masks(n_masks: int) -> list[int]:
    """Masks that tell all flows apart; each leaves out one bit more of the source address."""
    return [_MICROFLOW & ~((1 << n) - 1 << Flow.dl_src.shift) for n in range(n_masks)]


def forward(n_flows: int, n_masks: int = 1, *, caches: bool = True, devices: bool = False) -> Work:
    """Frames of ``n_flows`` flows in turn, which are installed under ``n_masks`` masks."""
    scheduler = Scheduler()
    datapath = Datapath(scheduler, "dp", cache_limit=CACHE_LIMIT if caches else 0)
    ports = [Sink(scheduler, f"p{number}", Mac(bytes(6))) for number in range(PORTS)]
    ingress = Sink(scheduler, "in", Mac(bytes(6)))
    for number, port in enumerate(ports):
        datapath.port_add(port, "dummy", OdpPort(number))
        port.set_admin(True)
    datapath.port_add(ingress, "dummy", OdpPort(IN_PORT))
    ingress.set_admin(True)
    samples = [udp_frame(number) for number in range(n_flows)]
    masks = _masks(n_masks)
    for number, data in enumerate(samples):
        datapath.flow_put(extract(data, IN_PORT), masks[number % n_masks], _actions(number))
    frames = [Frame(data) for data in samples]
    receive = ingress.receive if devices else ingress.rx_handler
    for frame in frames:
        receive(frame)

    def work() -> int:
        before = sum(port.tx_packets for port in ports)
        for _ in range(FRAMES // n_flows):
            for frame in frames:
                receive(frame)
        assert sum(port.tx_packets for port in ports) - before == FRAMES
        return FRAMES

    return work


def upcalls() -> Work:
    """Frames of flows that are not installed yet; what decides installs, executes, no more."""
    scheduler = Scheduler()
    datapath = Datapath(scheduler, "dp")
    ports = [Sink(scheduler, f"p{number}", Mac(bytes(6))) for number in range(2)]
    for number, port in enumerate(ports):
        datapath.port_add(port, "dummy", OdpPort(number))
        port.set_admin(True)
    actions: OdpActions = (Output(OdpPort(1)),)

    def decide(upcall: Upcall) -> None:
        datapath.flow_put(upcall.key, _MICROFLOW, actions)
        datapath.execute(upcall.frame, upcall.key, actions)

    datapath.set_upcall_handler(decide)
    frames = [Frame(udp_frame(number)) for number in range(UPCALLS)]

    def work() -> int:
        for frame in frames:
            ports[0].receive(frame)
            scheduler.run(0)
        assert ports[1].tx_packets == UPCALLS
        return UPCALLS

    return work


def _speed(name: str, target: float | None, *arguments: int, **options: bool) -> Speed:
    subject = partial(forward, *arguments, **options)
    return Speed(f"OVS datapath: {name}", "frames/s", subject, hot_path, "yardstick", target)


BENCHMARKS = (
    _speed("cached, 1 flow", 0.6, 1),
    _speed("cached, 100 flows", 0.6, FLOWS),
    _speed("cached, 10,000 flows", 0.6, 10_000),
    _speed("cached, 100 flows, device to device", None, FLOWS, devices=True),
    _speed("8 masks, 100 flows, no cache", 0.4, FLOWS, 8, caches=False),
    Speed("OVS datapath: upcall, install, execute", "frames/s", upcalls, hot_path, "yardstick"),
)
