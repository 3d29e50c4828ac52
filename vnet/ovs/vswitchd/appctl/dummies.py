"""``netdev-dummy/...`` and ``dpif-dummy/...``: what a test does to dummy devices and their
datapath. A daemon has these with ``--enable-dummy`` only."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from vnet.base.ids import ip_from_text
from vnet.base.text import with_readable_numbers
from vnet.netdev.route_source import HostAddress
from vnet.ovs.dpif.dpif import DatapathPort
from vnet.ovs.dpif.text.flows import parse_key
from vnet.ovs.flow.compose import compose, compose_sized
from vnet.ovs.flow.errors import OvsTextError
from vnet.ovs.flow.flow import Flow
from vnet.ovs.flow.ports import ODPP_NONE, OdpPort
from vnet.ovs.netdev.dummies import DummyDevices
from vnet.ovs.netdev.dummy import DummyDevice
from vnet.ovs.vswitchd.appctl.command import AppctlCommand, datapaths
from vnet.ovs.vswitchd.reconcile import Vswitchd

_LEAST_FRAME_BYTES = 60
"""An Ethernet frame without its checksum, which ``--len`` does not go below."""

_NUMBER = re.compile(r"\s*([-+]?[0-9]+)")
_HEX = re.compile(r"\s*(?:[0-9a-fA-F]{2}\s*)+")
_ETHERNET_BYTES = 14
_UNKNOWN_DEVICE = "Unknown Dummy Interface"
_UINT32_ONES = 0xFFFF_FFFF
_FAMILIES = {4: ("IP", "IPv4", 32), 16: ("IPv6", "IPv6", 128)}


def _number(text: str) -> int:
    found = _NUMBER.match(text)
    return int(with_readable_numbers(found[1])) if found else 0


class DummyCommands:
    """The commands to the dummy devices of one daemon."""

    def __init__(self, vswitchd: Vswitchd, devices: DummyDevices) -> None:
        self._vswitchd = vswitchd
        self._devices = devices

    def commands(self) -> tuple[AppctlCommand, ...]:
        """All of them."""
        receive = "name [--qid queue_id] packet|flow [--len packet_len]"
        return (
            AppctlCommand(
                "dpif-dummy/change-port-number", "dp port new-number", 3, 3, self._renumber
            ),
            AppctlCommand("netdev-dummy/conn-state", "[netdev]", 0, 1, self._show_connections),
            AppctlCommand(
                "netdev-dummy/ip4addr", "[netdev] ipaddr/mask-prefix-len", 2, 2, self._set_ipv4
            ),
            AppctlCommand("netdev-dummy/ip6addr", "[netdev] ip6addr", 2, 2, self._set_ipv6),
            AppctlCommand(
                "netdev-dummy/receive", receive, 2, None, self._receive, takes_packets=True
            ),
            AppctlCommand(
                "netdev-dummy/set-admin-state", "[netdev] up|down", 1, 2, self._set_admin
            ),
        )

    # -- frames

    def _receive(self, _vswitchd: Vswitchd, words: Sequence[str]) -> str:
        """``netdev-dummy/receive name [--qid queue_id] packet|flow [--len packet_len]...``.

        What a frame leads to has happened when its command is answered.
        """
        device = self._devices.get(words[0])
        if device is None:
            raise OvsTextError("no such dummy netdev")
        rest, queue = list(words[1:]), 0
        if len(rest) > 1 and rest[0] == "--qid":
            queue = _number(rest[1])
            del rest[:2]
            if not 0 <= queue < device.n_rx_queues:
                raise OvsTextError("bad rx queue id.")
        for frame in _frames(rest):
            device.deliver(frame, queue)
            device.scheduler.run(device.scheduler.now_ns)
        return ""

    # -- state

    def _set_admin(self, _vswitchd: Vswitchd, words: Sequence[str]) -> str:
        """``netdev-dummy/set-admin-state [netdev] up|down``."""
        *named, state = words
        if state.lower() not in ("up", "down"):
            raise OvsTextError("Invalid Admin State")
        for device in [self._named(named[0])] if named else self._devices:
            device.set_admin(state.lower() == "up")
        return "OK"

    def _show_connections(self, _vswitchd: Vswitchd, words: Sequence[str]) -> str:
        """``netdev-dummy/conn-state [netdev]``: of the streams behind devices."""
        if words:
            device = self._devices.get(words[0])
            state = None if device is None else device.connection_state
            return f"{words[0]}: {state or 'unknown'}"
        states = ((device.name, device.connection_state) for device in self._devices)
        return "\n".join(f"{name}: {state}" for name, state in states if state is not None)

    def _set_ipv4(self, _vswitchd: Vswitchd, words: Sequence[str]) -> str:
        """``netdev-dummy/ip4addr netdev ipaddr/mask-prefix-len``."""
        return self._set_address(words, 4)

    def _set_ipv6(self, _vswitchd: Vswitchd, words: Sequence[str]) -> str:
        """``netdev-dummy/ip6addr netdev ip6addr``."""
        return self._set_address(words, 16)

    def _set_address(self, words: Sequence[str], n_bytes: int) -> str:
        name, text = words
        self._devices.set_address(self._named(name), _address(text, n_bytes))
        self._vswitchd.backer.revalidator.settle()
        return "OK"

    def _named(self, name: str) -> DummyDevice:
        device = self._devices.get(name)
        if device is None:
            raise OvsTextError(_UNKNOWN_DEVICE)
        return device

    # -- the datapath

    def _renumber(self, vswitchd: Vswitchd, words: Sequence[str]) -> str:
        """``dpif-dummy/change-port-number dp port new-number``: as if the datapath had given a
        port another number by itself."""
        dp_name, port_name, digits = words
        dpif = next((dpif for dpif in datapaths(vswitchd) if dpif.name == dp_name), None)
        if dpif is None or "dummy" not in dpif.name:
            raise OvsTextError("unknown datapath or not a dummy")
        ports = {port.name: port for port in dpif.ports()}
        port = ports.get(port_name)
        if port is None:
            raise OvsTextError("unknown port")
        number = OdpPort(_number(digits) & _UINT32_ONES)
        if number in (0, ODPP_NONE):
            raise OvsTextError("bad port number")
        if any(number == other.number for other in ports.values()):
            raise OvsTextError("port number already in use")
        _move_port(vswitchd, port, number)
        return ""


def _move_port(vswitchd: Vswitchd, port: DatapathPort, number: OdpPort) -> None:
    backer = vswitchd.backer
    found = backer.port_at(port.number)
    assert port.device is not None
    if found is not None:
        backer.unmap_port(port.number)
    backer.dpif.port_del(port.number)
    backer.dpif.port_add(port.device, port.kind, number)
    if found is not None:
        bridge, ofport = found
        ofport.odp_port = number
        backer.map_port(bridge, ofport)
    backer.revalidator.settle()


def _frames(words: Sequence[str]) -> Iterator[bytes]:
    """Frames in hexadecimal, or by their flows, each of which may have a length behind it."""
    waiting = list(words)
    while waiting:
        word = waiting.pop(0)
        if _HEX.fullmatch(word) and len(bytes.fromhex(word)) >= _ETHERNET_BYTES:
            yield bytes.fromhex(word)
            continue
        size_bytes = 0
        if waiting and waiting[0] == "--len":
            size_bytes = _number(waiting[1]) if len(waiting) > 1 else 0
            del waiting[:2]
            if size_bytes < _LEAST_FRAME_BYTES:
                raise OvsTextError("too small packet len")
        flow = Flow(parse_key(word))
        if not size_bytes:
            yield compose(flow)
            continue
        try:
            yield compose_sized(flow, size_bytes)
        except ValueError:
            # The real one leaves without a sentence.
            raise OvsTextError("") from None


def _address(text: str, n_bytes: int) -> HostAddress:
    """``192.0.2.1/24``, ``192.0.2.1/255.255.255.0`` or an address alone."""
    kind, family, most = _FAMILIES[n_bytes]
    address, slash, mask = text.partition("/")
    try:
        ip = ip_from_text(address)
    except ValueError:
        ip = None
    if ip is None or len(ip) != n_bytes:
        raise OvsTextError(f"{text}: invalid {kind} address")
    if not slash:
        return HostAddress(ip, most)
    if mask.isdecimal():
        if int(mask) > most:
            bounds = f"not between 0 and {most}, inclusive"
            raise OvsTextError(f"{text}: {family} network prefix bits {bounds}")
        return HostAddress(ip, int(mask))
    try:
        bits = f"{int.from_bytes(ip_from_text(mask), 'big'):0{most}b}"
    except ValueError:
        raise OvsTextError(f"{text}: invalid {kind} address") from None
    return HostAddress(ip, len(bits) - len(bits.lstrip("1")))
