"""Ingress policing: how fast a switch lets frames in by an interface (ovs-vswitchd.conf.db(5),
Interface table)."""

from __future__ import annotations

from vnet.base.drops import drop_reason
from vnet.netdev.device import NetDevice, RxHandler
from vnet.ovs.vswitchd.config import InterfaceConfig
from vnet.sim.frame import Frame
from vnet.sim.qdisc.police import Limit, Policer
from vnet.sim.scheduler import Scheduler
from vnet.wire.ether import HEADER_BYTES

POLICED = drop_reason(
    "ovs-policed",
    cause="frames came in faster than the ingress policing of their port lets them",
    cure="raise ingress_policing_rate or its burst, or send more slowly",
)

_DEFAULT_BURST_KBITS = 8_000
_DEFAULT_BURST_KPKTS = 16
_BURST_BYTES_PER_KBIT = 1_024 // 8
"""A kilobit of a burst has 1,024 bits, one of a rate 1,000: so it is in Open vSwitch."""

_Limits = tuple[Limit | None, Limit | None]


def _limits(config: InterfaceConfig) -> _Limits:
    kbits, kpkts = config.ingress_policing_rate, config.ingress_policing_kpkts_rate
    burst_kbits = config.ingress_policing_burst or _DEFAULT_BURST_KBITS
    burst_kpkts = config.ingress_policing_kpkts_burst or _DEFAULT_BURST_KPKTS
    return (
        Limit(kbits * 1_000 // 8, burst_kbits * _BURST_BYTES_PER_KBIT) if kbits else None,
        Limit(kpkts * 1_000, burst_kpkts * 1_000) if kpkts else None,
    )


class Policing:
    """Stands between a device and whoever has its frames, while there is a limit. Dummy devices
    know none."""

    def __init__(self, scheduler: Scheduler, device: NetDevice) -> None:
        self._scheduler = scheduler
        self._device = device
        self._limits: _Limits = (None, None)
        self._behind: RxHandler | None = None

    def configure(self, config: InterfaceConfig) -> None:
        """Set the limits; those that are as they were go on counting."""
        limits = _limits(config)
        if limits == self._limits or self._device.kind == "dummy":
            return
        self.remove()
        self._limits = limits
        if any(limits):
            self._behind = self._device.rx_handler
            policer = Policer(*limits, self._scheduler.now_ns)
            self._device.rx_handler = self._guarded(policer, self._behind)

    def remove(self) -> None:
        """Let everything in again."""
        if self._behind is not None:
            self._device.rx_handler = self._behind
        self._behind, self._limits = None, (None, None)

    def _guarded(self, policer: Policer, behind: RxHandler) -> RxHandler:
        device, scheduler = self._device, self._scheduler

        def receive(frame: Frame) -> None:
            # The kernel polices before it puts the Ethernet header back (sch_handle_ingress).
            if policer.passes(max(len(frame.data) - HEADER_BYTES, 0), scheduler.now_ns):
                behind(frame)
            else:
                device.drop(frame, POLICED)

        return receive
