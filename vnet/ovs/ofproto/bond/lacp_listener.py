"""LACP's frames on their way to and from the links of a bond."""

from __future__ import annotations

from collections.abc import Callable

from vnet.ovs.dpif.cookies import SlowPath
from vnet.ovs.flow.extract import layers
from vnet.ovs.flow.flow import Flow
from vnet.ovs.ofproto.ports.ofport import OfPort
from vnet.wire import ether, lacp
from vnet.wire.lacp import Pdu

Heard = Callable[[OfPort, bytes], None]


class LacpListener:
    """Takes the frames of the slow protocols from the links of one aggregation."""

    slow_path = SlowPath.LACP

    def __init__(self, heard: Heard) -> None:
        self._heard = heard

    def claims(self, flow: Flow, _wc: Flow) -> bool:
        return flow.dl_type == lacp.ETHER_TYPE

    def receive(self, port: OfPort, frame: bytes) -> None:
        start = layers(frame).l3
        self._heard(port, b"" if start is None else frame[start:])


def lacp_frame(port: OfPort, pdu: Pdu) -> bytes:
    """A PDU as the frame that a port sends."""
    return ether.frame(lacp.TARGET, port.mac, lacp.ETHER_TYPE, lacp.emit(pdu))
