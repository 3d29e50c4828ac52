"""What Open vSwitch translates a connection to, out of what a rule allows (lib/conntrack.c).

Address and first port are picked by a hash of connection and rule, so that flows spread over
the range. Open vSwitch starts the hash from a number drawn when it starts: which of several
addresses or ports comes out is nobody's promise there, nor is it here. Promised is: without a
port range the source port stays if it is free; else it is the next one up that is, within the
class that it is from (1-511, 600-1023, 1024-65535). After 128 ports that were taken, ports are
tried from random starts, 64 the next time, then 32, 16 and 8.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from zlib import crc32

from vnet.base.chance import Stream
from vnet.tables.conntrack.action import NatKind, NatRange
from vnet.tables.conntrack.extract import TCP, UDP
from vnet.tables.conntrack.key import KeyParts, parts_of

_PORT_CLASSES = ((512, range(1, 512)), (1024, range(600, 1024)), (65536, range(1024, 65536)))
"""Source ports below the first number are moved within the range."""

_MAX_ATTEMPTS = 128
_MIN_ATTEMPTS = 16
_U16 = 0xFFFF
_MOST_ADDRESSES = 0xFFFFFFFF


class HashedNat:
    """Open vSwitch's choice. ``stream`` gives the hash its start, and ports when it gets tight."""

    __slots__ = ("_basis", "_stream")

    def __init__(self, stream: Stream) -> None:
        self._stream = stream
        self._basis = stream.getrandbits(32)

    def choose(
        self, key: bytes, reply_key: bytes, choice: NatRange, is_taken: Callable[[bytes], bool]
    ) -> bytes | None:
        """The reply key after translation, or None if every attempt hit one that is taken."""
        hashed = crc32(key + repr(choice).encode(), self._basis)
        parts, reply = parts_of(key), parts_of(reply_key)
        address = _pick_address(parts, choice, hashed)
        if choice.kind is NatKind.SOURCE:
            reply = reply._replace(target=address)
        else:
            reply = reply._replace(source=address)
        if parts.protocol not in (TCP, UDP):
            found = reply.pack()
            return None if is_taken(found) else found
        source_port, source_ports = _source_ports(parts, choice, hashed)
        if choice.kind is NatKind.DESTINATION and choice.first_port:
            reply = reply._replace(target_part=source_port)
            target_port = _hashed_port(choice.ports, hashed)
            for port in self._attempts(target_port, choice.ports):
                found = reply._replace(source_part=port).pack()
                if not is_taken(found):
                    return found
            reply = reply._replace(source_part=target_port)
        for port in self._attempts(source_port, source_ports):
            found = reply._replace(target_part=port).pack()
            if not is_taken(found):
                return found
        return None

    def _attempts(self, first: int, ports: range) -> Iterator[int]:
        """Ports in the order in which they are tried. ``first`` may be outside of ``ports``."""
        attempts = min(len(ports) & _U16, _MAX_ATTEMPTS)
        port = first
        while True:
            for _ in range(min(attempts, len(ports) + (first not in ports))):
                yield port
                port = port + 1 if port in ports and port != ports[-1] else ports[0]
            if not _MIN_ATTEMPTS <= attempts < len(ports):
                return
            attempts //= 2
            port = first = ports[self._stream.getrandbits(32) % len(ports)]


def _source_ports(parts: KeyParts, choice: NatRange, hashed: int) -> tuple[int, range]:
    """The source port to try first, and those to try after it."""
    if choice.kind is NatKind.DESTINATION or (choice.kind is not None and not choice.first_port):
        port = parts.source_part
        return port, next(ports for below, ports in _PORT_CLASSES if port < below)
    return _hashed_port(choice.ports, hashed), choice.ports


def _hashed_port(ports: range, hashed: int) -> int:
    return ports[hashed % len(ports)]


def _pick_address(parts: KeyParts, choice: NatRange, hashed: int) -> bytes:
    first = choice.first_address
    if first is None or choice.keeps_address:
        if choice.kind is None:
            return bytes(len(parts.source))
        return parts.source if choice.kind is NatKind.SOURCE else parts.target
    # A rule may be given packets of the other family: their addresses are cut or filled up.
    size = len(parts.source)
    low = int.from_bytes(first[:size].ljust(size, b"\0"), "big")
    high = int.from_bytes((choice.last_address or first)[:size].ljust(size, b"\0"), "big")
    # Of a wider IPv6 range only so many addresses are ever picked.
    count = min(high - low + 1, _MOST_ADDRESSES) if high >= low else _MOST_ADDRESSES
    return ((low + hashed % count) & (1 << size * 8) - 1).to_bytes(size, "big")
