"""What a frame had Open vSwitch's datapath and its daemon say to each other, in captures.

Each message becomes a comment on the frame that caused it, where that came in: that no flow was
known, the flow that came of it, and what was done with the frame.
"""

from __future__ import annotations

from vnet.lab.capture import CapturePoint
from vnet.lab.network import Network
from vnet.netdev.device import NetDevice
from vnet.ovs.dpif.dpif import Dpif
from vnet.ovs.dpif.requests import Command, Request
from vnet.ovs.dpif.text.requests import request_text
from vnet.ovs.flow.flow import Flow

_ANSWERS = (Command.FLOW_NEW, Command.FLOW_SET, Command.PACKET_EXECUTE)


def comment_netlink(network: Network) -> None:
    """Comment what is captured from now on, on every machine with Open vSwitch."""
    switches = (switch.commands for switch in network.all_switches())
    machines = {each.machine.owner: each.machine for each in switches if each is not None}
    for machine in machines.values():
        NetlinkComments(machine.datapath)


class NetlinkComments:
    """Listens to one datapath. A packet that recirculates is still the frame that came in."""

    def __init__(self, dpif: Dpif) -> None:
        self._dpif = dpif
        self._device: NetDevice | None = None
        self._frame = b""
        self._asked_ns = -1
        dpif.watch(self._hear)

    def _hear(self, request: Request) -> None:
        if request.command.goes_up:
            self._asked(request)
        elif request.command not in _ANSWERS or request.time_ns != self._asked_ns:
            return
        self._comment(request)

    def _asked(self, request: Request) -> None:
        assert request.key is not None
        assert request.frame is not None
        if Flow.recirc_id.of(request.key) and request.time_ns == self._asked_ns:
            return
        number = Flow.in_port.of(request.key)
        ports = (port for port in self._dpif.ports() if port.number == number)
        self._device = next((port.device for port in ports), None)
        self._frame, self._asked_ns = request.frame, request.time_ns

    def _comment(self, request: Request) -> None:
        if self._device is None or not self._device.sniffers:
            return
        text = request_text(request, self._dpif)
        for sniffer in self._device.sniffers:
            if isinstance(sniffer, CapturePoint):
                sniffer.comment(request.time_ns, self._frame, text)
