"""A lab on the kernel of this machine: two network namespaces, and a packet socket on each wire.

The machine of the lab is one namespace; the far ends of its wires are in the other, where no
protocol runs. Nothing leaves them, and they go when the lab is left, whatever happened in it.
"""

from __future__ import annotations

import ctypes
import errno
import fcntl
import itertools
import os
import select
import shutil
import socket
import struct
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType

from tests.kernel import real_rules
from tests.kernel.play import Look, Seen, Send
from tests.kernel.setup import Bridge, Lab, Route
from vnet.live.kernel import namespaces

_PREFIX = "vnk"
_SERIAL = itertools.count()

_SIOCETHTOOL = 0x8946
_ETHTOOL_STXCSUM = 0x17
_ETH_P_ALL = 3
_SOL_PACKET = 263
_PACKET_AUXDATA = 8
_PACKET_IGNORE_OUTGOING = 23
_TPACKET_AUXDATA = struct.Struct("=IIIHHHH")
_TP_STATUS_VLAN_VALID = 1 << 4
_TP_STATUS_VLAN_TPID_VALID = 1 << 6

_TAP_MTU = 65_535
_BRIDGE_NETFILTER = tuple(
    f"net.bridge.bridge-nf-call-{tables}" for tables in ("arptables", "iptables", "ip6tables")
)
"""Off unless a lab says otherwise: a kernel may have br_netfilter or not."""

_QUIET_MS = 2
_READY_S = 60.0
_REPORTED_S = 4.0
"""By then a kernel has said what groups it is in, which rules for IPv6 would count."""


class RealLab:
    """The lab in namespaces of its own, while the ``with`` lasts."""

    def __init__(self, lab: Lab) -> None:
        self.lab = lab
        name = f"{_PREFIX}{os.getpid()}-{next(_SERIAL)}"
        self._machine, self._edge = f"{name}m", f"{name}e"
        self._taps: dict[str, socket.socket] = {}
        self._programs = real_rules.Programs(self._machine)
        self._built_s = 0.0

    def __enter__(self) -> RealLab:
        try:
            self._build()
        except BaseException:
            self._remove()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._remove()

    def inject(self, port: str, frame: bytes) -> None:
        """Send a frame into the machine by one of its ports."""
        try:
            self._taps[port].send(frame)
        except OSError as error:
            # The wire's driver lost it: it is over the mtu of the port.
            if error.errno != errno.ENOBUFS:
                raise

    def collect(self) -> Iterator[tuple[str, bytes]]:
        """What has come out since, port by port. Waits until the machine has fallen silent."""
        poller = select.poll()
        names = {}
        for name, tap in self._taps.items():
            poller.register(tap, select.POLLIN)
            names[tap.fileno()] = name
        while ready := poller.poll(_QUIET_MS):
            for number, _ in sorted(ready):
                name = names[number]
                yield from ((name, frame) for frame in _waiting(self._taps[name]))

    def wait(self, duration_ms: int) -> None:
        time.sleep(duration_ms / 1000)

    def now_ms(self) -> int:
        return time.monotonic_ns() // 1_000_000

    def send(self, datagram: Send) -> None:
        self._programs.send(datagram)

    def look(self, look: Look) -> tuple[int, list[Seen]]:
        """What is seen twice was so in between; a program takes too long to tell when it looked."""
        seen = list(real_rules.look(self._machine, self.lab, look))
        while True:
            now_ms, before = self.now_ms(), seen
            seen = list(real_rules.look(self._machine, self.lab, look))
            if seen == before:
                return now_ms, seen

    def wait_ready(self) -> None:
        """Until links and addresses are there to be used; the kernel takes up to two seconds."""
        deadline = time.monotonic() + _READY_S
        while not self._is_ready():
            if time.monotonic() > deadline:
                raise TimeoutError(f"{self._machine} did not come up")
            time.sleep(0.05)
        if self.lab.bridge is not None:
            self._tell_of_stations(self.lab.bridge)
        if self.lab.rules6:
            time.sleep(max(0.0, self._built_s + _REPORTED_S - time.monotonic()))
        real_rules.restore(self._machine, self.lab)

    # -- building

    def _build(self) -> None:
        _ip(None, f"netns add {self._machine}", f"netns add {self._edge}")
        with namespaces.inside(self._edge):
            _write("net.ipv6.conf.default.disable_ipv6", 1)
        with namespaces.inside(self._machine):
            for key in _BRIDGE_NETFILTER:
                if Path("/proc/sys", *key.split(".")).exists():
                    _write(key, 0)
            if not self.lab.ipv6:
                _write("net.ipv6.conf.default.disable_ipv6", 1)
            for key, value in self.lab.sysctls.items():
                if not self.lab.is_of_device(key):
                    _write(key, value)
        _ip(self._machine, *self._device_lines())
        with namespaces.inside(self._machine):
            for port in self.lab.ports:
                _no_checksum_offload(port.name)
            for key, value in self.lab.sysctls.items():
                if self.lab.is_of_device(key):
                    _write(key, value)
        _ip(self._edge, *(f"link set {port.name} up arp off" for port in self.lab.ports))
        _ip(self._machine, *self._address_lines(), *map(_route_line, self.lab.routes))
        with namespaces.inside(self._edge):
            self._taps = {port.name: _tap(port.name) for port in self.lab.ports}
        self._built_s = time.monotonic()

    def _device_lines(self) -> Iterator[str]:
        bridge = self.lab.bridge
        if bridge is not None:
            settings = " ".join(f"{key} {value}" for key, value in bridge.settings.items())
            yield f"link add name br0 type bridge {settings}"
        for port in self.lab.ports:
            yield (
                f"link add name {port.name} address {port.mac} mtu {port.mtu_bytes} type veth "
                f"peer name {port.name} mtu {_TAP_MTU} netns {self._edge}"
            )
            if bridge is not None and port.is_member:
                yield f"link set dev {port.name} master br0"
            if port.settings:
                settings = " ".join(f"{key} {_switch(v)}" for key, v in port.settings.items())
                yield f"link set dev {port.name} type bridge_slave {settings}"
        if bridge is not None:
            yield "link set dev br0 up"
        yield from (f"link set dev {port.name} up" for port in self.lab.ports)
        yield "link set dev lo up"

    def _address_lines(self) -> Iterator[str]:
        placed = [(port.name, port.addresses) for port in self.lab.ports]
        if self.lab.bridge is not None:
            placed.append(("br0", self.lab.bridge.addresses))
        for device, addresses in placed:
            for address in addresses:
                how = "nodad" if ":" in address else "brd +"
                if address.endswith(("/31", "/32")):
                    how = ""
                yield f"addr add {address} dev {device} {how}"

    def _tell_of_stations(self, bridge: Bridge) -> None:
        for mac, words in bridge.fdb.items():
            port, *kind = words.split()
            words_of_fdb = ["fdb", "add", mac, "dev", port, "master", *kind]
            subprocess.run(["bridge", "-n", self._machine, *words_of_fdb], check=True)
        _ip(
            self._machine,
            *(
                f"neigh replace {ip} lladdr {mac} dev br0 nud permanent"
                for ip, mac in bridge.neighbors.items()
            ),
        )

    def _is_ready(self) -> bool:
        shown = _ip(self._machine, "addr show")
        if " tentative" in shown or " state DOWN" in shown or " state LOWERLAYERDOWN" in shown:
            return False
        members = shown.count("bridge_slave state ")
        return members == shown.count("bridge_slave state forwarding")

    def _remove(self) -> None:
        self._programs.close()
        for tap in self._taps.values():
            tap.close()
        for name in (self._machine, self._edge):
            if namespaces.exists(name):
                namespaces.remove(name)


_TOOLS = ("iptables-restore", "ip6tables-restore", "conntrack")


def reason_to_skip() -> str | None:
    """Why this machine cannot be asked what its kernel does, or None."""
    if not hasattr(socket, "AF_PACKET"):
        return "this is not Linux"
    if os.geteuid() != 0:
        return "network namespaces need root"
    if missing := [tool for tool in _TOOLS if shutil.which(tool) is None]:
        return f"not installed: {', '.join(missing)}"
    name = f"{_PREFIX}{os.getpid()}-probe"
    try:
        _ip(None, f"netns add {name}")
        try:
            _ip(name, "link add name a0 type veth peer name a1", "link add name br0 type bridge")
        finally:
            _ip(None, f"netns del {name}")
    except OSError as error:
        return f"no network namespaces with veth and bridge here: {error}"
    return None


def _ip(namespace: str | None, *lines: str) -> str:
    """Run lines of ip(8) in one go, and give what they print."""
    command = ["ip", "-d", *(("-n", namespace) if namespace else ()), "-batch", "-"]
    done = subprocess.run(
        command, input="\n".join(lines) + "\n", capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise OSError(f"{' '.join(command)}: {done.stderr.strip()}")
    return done.stdout


def _route_line(route: Route) -> str:
    words = [f"route add {route.kind} {route.network}"]
    words += [
        f"{word} {value}"
        for word, value in (
            ("via", route.gateway),
            ("dev", route.device),
            ("metric", route.metric),
            ("src", route.source),
        )
        if value is not None
    ]
    return " ".join(words)


def _switch(value: int) -> str:
    return "on" if value else "off"


def _write(sysctl: str, value: int) -> None:
    Path("/proc/sys", *sysctl.split(".")).write_text(str(value))


def _no_checksum_offload(device: str) -> None:
    """Have the kernel finish its checksums, as it would for a card that cannot."""
    # The request holds a pointer to what is wanted, as ethtool(8) would pass it.
    wanted = ctypes.create_string_buffer(struct.pack("=II", _ETHTOOL_STXCSUM, 0))
    request = struct.pack("16sP", device.encode(), ctypes.addressof(wanted))
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
        fcntl.ioctl(control, _SIOCETHTOOL, request)


def _tap(device: str) -> socket.socket:
    tap = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(_ETH_P_ALL))
    tap.bind((device, _ETH_P_ALL))
    tap.setsockopt(_SOL_PACKET, _PACKET_AUXDATA, 1)
    tap.setsockopt(_SOL_PACKET, _PACKET_IGNORE_OUTGOING, 1)
    tap.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 22)
    tap.setblocking(False)
    return tap


def _waiting(tap: socket.socket) -> Iterator[bytes]:
    """Frames in the socket's queue, each with the VLAN tag that the kernel took off it."""
    while True:
        try:
            data, extra, _flags, _address = tap.recvmsg(1 << 17, 256)
        except BlockingIOError:
            return
        for level, kind, content in extra:
            if (level, kind) == (_SOL_PACKET, _PACKET_AUXDATA):
                status, _, _, _, _, tci, tpid = _TPACKET_AUXDATA.unpack(content)
                if status & _TP_STATUS_VLAN_VALID:
                    tpid = tpid if status & _TP_STATUS_VLAN_TPID_VALID else 0x8100
                    data = data[:12] + struct.pack("!HH", tpid, tci) + data[12:]
        yield data
