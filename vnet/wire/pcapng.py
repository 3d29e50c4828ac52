"""pcapng capture files (draft-ietf-opsawg-pcapng): one file, many interfaces.

    block    | type 4 | total length 4 | body, padded to 4 | total length 4 |
    section  | byte-order magic 4 | major 2 | minor 2 | section length 8 | options
    interface| link type 2 | 0 2 | snap length 4 | options
    packet   | interface 4 | time high 4 | time low 4 | captured 4 | original 4 | data | options
    statistics | interface 4 | time high 4 | time low 4 | options
    option   | code 2 | length 2 | value, padded to 4 |

The writer makes little-endian files with nanosecond times and puts nothing of the
host machine in them, so that the same lab writes the same bytes anywhere. The reader
takes either byte order, any time resolution, and skips the blocks it does not know.

:meth:`PcapngWriter.write_batch` is the hot door. Everything about a packet block but
its time and its data depends only on the interface, the length and the direction, so
it is made once for each length; a frame then costs one ``Struct.pack``.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterable, Iterator
from io import BytesIO
from typing import BinaryIO, NamedTuple

from vnet.base.units import NS_PER_S

LINK_ETHERNET = 1
LINK_NETLINK = 253

SECTION = 0x0A0D0D0A
INTERFACE = 1
SIMPLE_PACKET = 3
STATISTICS = 5
PACKET = 6

_MAGIC = 0x1A2B3C4D

_OPTION_END, _OPTION_COMMENT = 0, 1
_SECTION_APPLICATION = 4
_INTERFACE_NAME, _INTERFACE_DESCRIPTION, _INTERFACE_MAC = 2, 3, 6
_INTERFACE_RESOLUTION, _INTERFACE_OFFSET = 9, 14
_PACKET_FLAGS = 2
_STATISTICS_RECEIVED, _STATISTICS_DROPPED = 4, 5
_INBOUND, _OUTBOUND = 1, 2

_WORD = struct.Struct("<I")
_OPTION = struct.Struct("<HH")
_SECTION = struct.Struct("<IHHq")
_INTERFACE = struct.Struct("<HHI")
_PACKET = struct.Struct("<IIIII")
_TIMED = struct.Struct("<III")

_SECTION_TYPE = SECTION.to_bytes(4, "big")
"""A palindrome, so that it can be told before the byte order is known."""

_BLOCK_OVERHEAD = 12
_MAX_BLOCK_BYTES = 1 << 26
"""A longer block is damage, not data: memory for it is never asked for."""

_PACKET_HEAD_BYTES = 28
_FLAGS_TAIL = struct.Struct("<HHIHHI")


class Interface(NamedTuple):
    """What a capture file says about one capture point."""

    name: str
    link_type: int
    description: str = ""
    mac: bytes | None = None


class Packet(NamedTuple):
    """One captured frame.

    ``time_ns`` counts from 1970; ``outbound`` is None where the file gives no
    direction; ``original_bytes`` is the length on the wire, which is more than
    ``len(data)`` when a snap length cut the frame.
    """

    interface: Interface
    time_ns: int
    data: bytes
    outbound: bool | None
    comment: str
    original_bytes: int


_Shape = tuple[Callable[..., bytes], bytes, bytes, bytes, bytes]


class PcapngWriter:
    """Writes one section to a binary stream, which the caller opens, flushes and closes.

    Each method makes exactly one ``stream.write`` of whole blocks. Texts are UTF-8 of at
    most 65,535 bytes, or ``ValueError`` is raised. ``OSError`` of the stream passes through.
    """

    __slots__ = ("_shapes", "_snap_bytes", "_stream")

    def __init__(self, stream: BinaryIO, *, application: str, comment: str = "") -> None:
        self._stream = stream
        self._snap_bytes: list[int] = []
        self._shapes: list[dict[int, _Shape]] = []
        options = _text(_OPTION_COMMENT, comment) + _text(_SECTION_APPLICATION, application)
        stream.write(_block(SECTION, _SECTION.pack(_MAGIC, 1, 0, -1) + _ended(options)))

    def add_interface(
        self,
        name: str,
        *,
        description: str = "",
        mac: bytes | None = None,
        link_type: int = LINK_ETHERNET,
        snaplen: int = 0,
    ) -> int:
        """Describe a capture point and return its number, counted from 0.

        Frames longer than ``snaplen`` bytes are cut; 0 keeps them whole. ``mac``, six
        bytes, is written for Ethernet only.
        """
        options = _text(_INTERFACE_NAME, name) + _text(_INTERFACE_DESCRIPTION, description)
        if mac is not None and link_type == LINK_ETHERNET:
            if len(mac) != 6:
                raise ValueError(f"the MAC address of {name} has {len(mac)} bytes, not 6")
            options += _option(_INTERFACE_MAC, mac)
        options += _option(_INTERFACE_RESOLUTION, b"\x09")
        body = _INTERFACE.pack(link_type, 0, snaplen) + _ended(options)
        self._stream.write(_block(INTERFACE, body))
        self._snap_bytes.append(snaplen)
        self._shapes.append({})
        return len(self._shapes) - 1

    def write(
        self,
        interface_id: int,
        time_ns: int,
        data: bytes,
        outbound: bool | None,
        comment: str = "",
    ) -> None:
        """Write one frame, with its direction unless None, and a comment unless empty.

        Raises ``ValueError`` for an interface that was not added or a time outside
        0 to 2**64 - 1 nanoseconds since 1970.
        """
        self._check_interface(interface_id)
        _check_time(time_ns)
        kept = data[: self._snap_bytes[interface_id] or len(data)]
        options = _text(_OPTION_COMMENT, comment)
        if outbound is not None:
            flags = _OUTBOUND if outbound else _INBOUND
            options += _option(_PACKET_FLAGS, _WORD.pack(flags))
        head = _PACKET.pack(interface_id, time_ns >> 32, time_ns & 0xFFFFFFFF, len(kept), len(data))
        self._stream.write(_block(PACKET, head + _padded(kept) + _ended(options)))

    def write_batch(self, interface_id: int, frames: Iterable[tuple[int, bytes, bool]]) -> None:
        """Write frames of one interface, each ``(time_ns, data, outbound)``.

        The same bytes as :meth:`write` without a comment, and the same errors; after an
        error nothing of the batch was written.
        """
        self._check_interface(interface_id)
        shapes = self._shapes[interface_id]
        blocks: list[bytes] = []
        add = blocks.append
        high = epoch_ns = 0
        for time_ns, data, outbound in frames:
            try:
                pack, head, lengths, tail_in, tail_out = shapes[len(data)]
            except KeyError:
                pack, head, lengths, tail_in, tail_out = self._shape(interface_id, len(data))
            tail = tail_out if outbound else tail_in
            try:
                add(pack(head, high, time_ns - epoch_ns, lengths, data, tail))
            except struct.error:
                # The low word of the time leaves 32 bits once in 4.3 s: cheaper to notice
                # than to mask the time of every frame.
                _check_time(time_ns)
                high = time_ns >> 32
                epoch_ns = high << 32
                add(pack(head, high, time_ns - epoch_ns, lengths, data, tail))
        self._stream.write(b"".join(blocks))

    def statistics(self, interface_id: int, time_ns: int, received: int, dropped: int) -> None:
        """Write the counters of an interface, in frames, as they stand at ``time_ns``."""
        self._check_interface(interface_id)
        _check_time(time_ns)
        options = _option(_STATISTICS_RECEIVED, received.to_bytes(8, "little"))
        options += _option(_STATISTICS_DROPPED, dropped.to_bytes(8, "little"))
        body = _TIMED.pack(interface_id, time_ns >> 32, time_ns & 0xFFFFFFFF) + _ended(options)
        self._stream.write(_block(STATISTICS, body))

    def _shape(self, interface_id: int, frame_bytes: int) -> _Shape:
        """All of a packet block that its length decides; see :meth:`write_batch`.

        A struct cuts an ``s`` field that is too long, which is what a snap length asks.
        """
        kept_bytes = min(frame_bytes, self._snap_bytes[interface_id] or frame_bytes)
        padding = -kept_bytes % 4
        total = _PACKET_HEAD_BYTES + kept_bytes + padding + _FLAGS_TAIL.size
        pack = struct.Struct(f"<12sII8s{kept_bytes}s{padding}x{_FLAGS_TAIL.size}s").pack
        head = _TIMED.pack(PACKET, total, interface_id)
        lengths = struct.pack("<II", kept_bytes, frame_bytes)
        tail_in, tail_out = (
            _FLAGS_TAIL.pack(_PACKET_FLAGS, 4, direction, _OPTION_END, 0, total)
            for direction in (_INBOUND, _OUTBOUND)
        )
        shape = (pack, head, lengths, tail_in, tail_out)
        self._shapes[interface_id][frame_bytes] = shape
        return shape

    def _check_interface(self, interface_id: int) -> None:
        if not 0 <= interface_id < len(self._shapes):
            raise ValueError(f"interface {interface_id} was not added to the capture")


def _check_time(time_ns: int) -> None:
    if not 0 <= time_ns < 1 << 64:
        raise ValueError(f"{time_ns} ns is no time that a capture can hold")


def _padded(value: bytes) -> bytes:
    return value + bytes(-len(value) % 4)


def _option(code: int, value: bytes) -> bytes:
    if len(value) > 0xFFFF:
        raise ValueError(f"a pcapng option holds 65,535 bytes, not {len(value)}")
    return _OPTION.pack(code, len(value)) + _padded(value)


def _text(code: int, text: str) -> bytes:
    """An option of text; nothing at all where the text is empty."""
    return _option(code, text.encode()) if text else b""


def _ended(options: bytes) -> bytes:
    return options + bytes(4) if options else b""


def _block(kind: int, body: bytes) -> bytes:
    total = _BLOCK_OVERHEAD + len(body)
    return struct.pack("<II", kind, total) + body + _WORD.pack(total)


def read_pcapng(source: bytes | BinaryIO, *, strict: bool = False) -> Iterator[Packet]:
    """The packets of a capture, in file order, one at a time.

    A file that was cut off in the middle of a block gives the packets of its whole
    blocks and ends there; ``strict`` makes that an error too. Raises ``ValueError``, with
    the offset of the block, where the file is not pcapng or contradicts itself. A simple
    packet block has no time of its own: its ``time_ns`` is 0.
    """
    section: _Section | None = None
    for order, offset, kind, body in _blocks(source, strict):
        try:
            if kind == SECTION:
                section = _Section(order, body)
                continue
            assert section is not None  # _blocks lets no other block come first
            packet = section.take(kind, body)
        except (struct.error, ValueError) as error:
            raise ValueError(f"malformed pcapng block at offset {offset}: {error}") from None
        if packet is not None:
            yield packet


def _blocks(source: bytes | BinaryIO, strict: bool) -> Iterator[tuple[str, int, int, bytes]]:
    """Each whole block as (byte order, offset, type, body)."""
    stream = BytesIO(source) if isinstance(source, bytes) else source
    order = ""
    offset = 0
    while head := stream.read(_BLOCK_OVERHEAD):
        starts_section = head[:4] == _SECTION_TYPE
        if not order and not (starts_section or _SECTION_TYPE.startswith(head)):
            raise ValueError("not a pcapng file: it does not start with a section header")
        if len(head) == _BLOCK_OVERHEAD:
            if starts_section:
                order = _byte_order(head[8:], offset)
            kind, total = struct.unpack_from(order + "II", head)
            if not _BLOCK_OVERHEAD <= total <= _MAX_BLOCK_BYTES or total % 4:
                raise ValueError(f"pcapng block at offset {offset} has the length {total}")
            body = head[8:] + stream.read(total - _BLOCK_OVERHEAD)
            if len(body) == total - 8:
                if struct.unpack(order + "I", body[-4:])[0] != total:
                    raise ValueError(f"the two lengths of the block at offset {offset} differ")
                yield order, offset, kind, body[:-4]
                offset += total
                continue
        if strict:
            raise ValueError(f"the file ends inside the pcapng block at offset {offset}")
        return


def _byte_order(magic: bytes, offset: int) -> str:
    for order in "<>":
        if struct.unpack(order + "I", magic)[0] == _MAGIC:
            return order
    raise ValueError(f"the section header at offset {offset} has no byte-order magic")


class _Clock(NamedTuple):
    """How an interface counts: ticks in a second, and the second its count starts at."""

    ticks_per_s: int
    offset_s: int

    def time_ns(self, ticks: int) -> int:
        return ticks * NS_PER_S // self.ticks_per_s + self.offset_s * NS_PER_S


class _Section:
    """The interfaces seen since the last section header.

    Its methods raise ``ValueError`` or ``struct.error`` for a block that contradicts itself.
    """

    def __init__(self, order: str, body: bytes) -> None:
        major, minor, _ = struct.unpack_from(order + "HHq", body, 4)
        if major != 1 or minor not in (0, 2):  # 1.2 means the same as 1.0 (section 4.1)
            raise ValueError(f"version {major}.{minor} is not known")
        self._order = order
        self._interfaces: list[tuple[Interface, _Clock, int]] = []

    def take(self, kind: int, body: bytes) -> Packet | None:
        """Learn from a block; the packet if it holds one."""
        if kind == PACKET:
            return self._packet(body)
        if kind == SIMPLE_PACKET:
            return self._simple_packet(body)
        if kind == INTERFACE:
            self._interfaces.append(self._interface(body))
        return None

    def _interface(self, body: bytes) -> tuple[Interface, _Clock, int]:
        link_type, _, snap_bytes = struct.unpack_from(self._order + "HHI", body)
        name = description = ""
        mac = None
        ticks_per_s, offset_s = 1_000_000, 0
        for code, value in self._options(body, 8):
            if code == _INTERFACE_NAME:
                name = value.decode(errors="replace")
            elif code == _INTERFACE_DESCRIPTION:
                description = value.decode(errors="replace")
            elif code == _INTERFACE_MAC:
                mac = value
            elif code == _INTERFACE_RESOLUTION and value:
                base = 2 if value[0] & 0x80 else 10
                ticks_per_s = base ** (value[0] & 0x7F)
            elif code == _INTERFACE_OFFSET:
                (offset_s,) = struct.unpack(self._order + "q", value)
        interface = Interface(name, link_type, description, mac)
        return interface, _Clock(ticks_per_s, offset_s), snap_bytes

    def _packet(self, body: bytes) -> Packet:
        number, high, low, kept_bytes, original_bytes = struct.unpack_from(
            self._order + "IIIII", body
        )
        interface, clock, _ = self._described(number)
        end = 20 + kept_bytes
        if end > len(body):
            raise ValueError(f"{kept_bytes} bytes of packet do not fit in it")
        outbound = None
        comments = []
        for code, value in self._options(body, end + -end % 4):
            if code == _OPTION_COMMENT:
                comments.append(value.decode(errors="replace"))
            elif code == _PACKET_FLAGS:
                (flags,) = struct.unpack(self._order + "I", value)
                outbound = {_INBOUND: False, _OUTBOUND: True}.get(flags & 3)
        comment = "\n".join(comments)
        time_ns = clock.time_ns(high << 32 | low)
        return Packet(interface, time_ns, body[20:end], outbound, comment, original_bytes)

    def _simple_packet(self, body: bytes) -> Packet:
        (original_bytes,) = struct.unpack_from(self._order + "I", body)
        interface, _, snap_bytes = self._described(0)
        end = 4 + min(original_bytes, snap_bytes or original_bytes)
        if end > len(body):
            raise ValueError(f"{end - 4} bytes of packet do not fit in it")
        return Packet(interface, 0, body[4:end], None, "", original_bytes)

    def _described(self, number: int) -> tuple[Interface, _Clock, int]:
        if number >= len(self._interfaces):
            raise ValueError(f"interface {number} has not been described")
        return self._interfaces[number]

    def _options(self, body: bytes, at: int) -> Iterator[tuple[int, bytes]]:
        """The options from offset ``at`` to the end mark or, without one, the end."""
        header = struct.Struct(self._order + "HH")
        while at < len(body):
            code, size = header.unpack_from(body, at)
            if code == _OPTION_END:
                return
            if at + 4 + size > len(body):
                raise ValueError(f"option {code} is longer than what is left")
            yield code, body[at + 4 : at + 4 + size]
            at += 4 + size + -size % 4
