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
from vnet.ovs.dpif.actions import KeyPart, OdpActions, Output, Set, TnlPop
from vnet.ovs.dpif.dpif import Upcall
from vnet.ovs.dpif.text.parse_actions import parse_actions
from vnet.ovs.flow.extract import extract
from vnet.ovs.flow.flow import Flow
from vnet.ovs.flow.ports import OdpPort
from vnet.sim.frame import Frame
from vnet.sim.scheduler import Scheduler

FRAMES = 100_000
UPCALLS = 10_000
PORTS = 4
IN_PORT = 10
UNDERLAY, VXLAN = OdpPort(0), OdpPort(4789)

_PUSH = parse_actions(
    f"tnl_push(tnl_port({VXLAN}),header(size=50,type=4,eth(dst=02:00:00:00:00:02,"
    "src=02:00:00:00:00:01,dl_type=0x0800),ipv4(src=192.0.2.1,dst=192.0.2.2,proto=17,tos=0,"
    "ttl=64,frag=0x4000),udp(src=0,dst=4789,csum=0x0),vxlan(flags=0x8000000,vni=0x64)),"
    f"out_port(11)),{UNDERLAY}"
)

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


class _Keeping(Sink):
    """A port that keeps what it sent."""

    __slots__ = ("sent",)

    def __init__(self, scheduler: Scheduler, name: str, mac: Mac) -> None:
        super().__init__(scheduler, name, mac)
        self.sent: list[bytes] = []

    def _xmit(self, frame: Frame) -> None:
        self.sent.append(frame.data)


class _Tunnelling:
    """A datapath with guests, an underlay and a tunnel between them; its flows come by upcall."""

    def __init__(self) -> None:
        self.scheduler = Scheduler()
        self.underlay = _Keeping(self.scheduler, "underlay", Mac(bytes(6)))
        self.guests = _Keeping(self.scheduler, "guests", Mac(bytes(6)))
        self._datapath = Datapath(self.scheduler, "dp")
        for number, port in ((UNDERLAY, self.underlay), (OdpPort(IN_PORT), self.guests)):
            self._datapath.port_add(port, "dummy", number)
            port.set_admin(True)
        self._datapath.tunnel_add("vxlan_sys_4789", "vxlan", VXLAN)
        self._datapath.set_upcall_handler(self._decide)

    def _decide(self, upcall: Upcall) -> None:
        actions: dict[int, OdpActions] = {
            IN_PORT: _PUSH,
            UNDERLAY: (TnlPop(VXLAN),),
            VXLAN: (Output(OdpPort(IN_PORT)),),
        }
        chosen = actions[upcall.key >> Flow.in_port.shift & Flow.in_port.ones]
        self._datapath.flow_put(upcall.key, _MICROFLOW | Flow.tun_id.mask, chosen)
        self._datapath.execute(upcall.frame, upcall.key, chosen)

    def through(self, samples: list[bytes], ways: tuple[_Keeping, _Keeping]) -> list[bytes]:
        """Frames that come in by the first of two ports; those that leave by the other."""
        ingress, egress = ways
        for data in samples:
            ingress.receive(Frame(data))
            self.scheduler.run(0)
        return egress.sent


def tunnel(*, leaves: bool) -> Work:
    """Frames of 100 flows that get VXLAN's headers, or ``leaves`` them behind."""
    samples = [udp_frame(number) for number in range(FLOWS)]
    sender = _Tunnelling()
    outer = sender.through(samples, (sender.guests, sender.underlay))
    end, ways, frames = sender, (sender.guests, sender.underlay), samples
    if leaves:
        end = _Tunnelling()
        ways, frames = (end.underlay, end.guests), outer
        assert end.through(outer, ways) == samples
    ingress, egress = ways
    arriving = [Frame(data) for data in frames]

    def work() -> int:
        egress.sent.clear()
        receive = ingress.rx_handler
        for _ in range(FRAMES // FLOWS):
            for frame in arriving:
                receive(frame)
        assert len(egress.sent) == FRAMES
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


def _tunnel_speed(name: str, *, leaves: bool) -> Speed:
    subject = partial(tunnel, leaves=leaves)
    return Speed(f"OVS datapath: {name}", "frames/s", subject, hot_path, "yardstick")


BENCHMARKS = (
    _speed("cached, 1 flow", 0.6, 1),
    _speed("cached, 100 flows", 0.6, FLOWS),
    _speed("cached, 10,000 flows", 0.6, 10_000),
    _speed("cached, 100 flows, device to device", None, FLOWS, devices=True),
    _speed("8 masks, 100 flows, no cache", 0.4, FLOWS, 8, caches=False),
    _tunnel_speed("into a tunnel, 100 flows", leaves=False),
    _tunnel_speed("out of a tunnel, 100 flows", leaves=True),
    Speed("OVS datapath: upcall, install, execute", "frames/s", upcalls, hot_path, "yardstick"),
)
