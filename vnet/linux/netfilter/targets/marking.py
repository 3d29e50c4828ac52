"""``-j MARK`` and ``-j CONNMARK``: set the mark of a packet or of its connection."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from vnet.linux.netfilter.netfilter import Netfilter
from vnet.linux.netfilter.packet import NfPacket
from vnet.linux.netfilter.xtables.errors import XtablesError
from vnet.linux.netfilter.xtables.extension import Act, Target
from vnet.linux.netfilter.xtables.option import Given, Option, mark, whole
from vnet.linux.netfilter.xtables.values import ALL_32

_SETTING = ("set-xmark", "set-mark", "and-mark", "or-mark", "xor-mark")
_MOVING = ("save-mark", "restore-mark")


def _others(names: tuple[str, ...], name: str) -> tuple[str, ...]:
    return tuple(other for other in names if other != name)


def _setting_options(names: tuple[str, ...]) -> tuple[Option, ...]:
    """The options that set a mark; each excludes all of ``names`` but itself."""
    return tuple(
        Option(
            name,
            mark if name in ("set-xmark", "set-mark") else whole(ALL_32),
            excludes=_others(names, name),
        )
        for name in _SETTING
    )


def _change(given: Given) -> tuple[int, int] | None:
    """Bits that are set and bits that are cleared before, from whichever option was given."""
    option = next((name for name in _SETTING if name in given.values), None)
    if option is None:
        return None
    value: Any = given.values[option]
    if option == "set-xmark":
        return value.value, value.mask
    if option == "set-mark":
        return value.value, value.value | value.mask
    if option == "and-mark":
        return 0, value ^ ALL_32
    return value, value if option == "or-mark" else 0


def _shown_change(value: int, bits: int) -> str:
    if value == 0:
        return f"and {bits ^ ALL_32:#x}"
    if value == bits:
        return f"or {value:#x}"
    if bits == 0:
        return f"xor {value:#x}"
    return f"set {value:#x}" if bits == ALL_32 else f"xset {value:#x}/{bits:#x}"


@dataclass(frozen=True, slots=True)
class MarkTarget(Target):
    """Clear the bits of ``bits``, then flip those of ``value``."""

    NAME: ClassVar[str] = "MARK"
    OPTIONS: ClassVar[tuple[Option, ...]] = _setting_options(_SETTING)

    value: int
    bits: int

    @classmethod
    def read(cls, given: Given) -> MarkTarget:
        change = _change(given)
        if change is None:
            raise XtablesError(
                "MARK: One of the --set-xmark, --{and,or,xor,set}-mark options is required"
            )
        return cls(*change)

    def saved(self) -> str:
        return f"--set-xmark {self.value:#x}/{self.bits:#x}"

    def shown(self, *, numeric: bool) -> str:  # noqa: ARG002
        return f"MARK {_shown_change(self.value, self.bits)}"

    def nft(self) -> str | None:
        value, bits = self.value, self.bits
        if bits == ALL_32:
            text = f"{value:#x}"
        elif value == 0:
            text = f"mark and {bits ^ ALL_32:#x}"
        elif value == bits:
            text = f"mark or {value:#x}"
        elif bits == 0:
            text = f"mark xor {value:#x}"
        else:
            text = f"mark and {bits ^ ALL_32:#x} xor {value:#x}"
        return f"meta mark set {text}"

    def act(self, netfilter: Netfilter) -> Act:  # noqa: ARG002
        value, kept = self.value, self.bits ^ ALL_32

        def mark_packet(packet: NfPacket) -> None:
            packet.mark = packet.mark & kept ^ value

        return mark_packet


@dataclass(frozen=True, slots=True)
class ConnmarkTarget(Target):
    """``mode`` is ``set``, ``save`` (the packet's to the connection's) or ``restore``.

    ``shift`` is how far the result is moved, to the left or (negative) to the right.
    """

    NAME: ClassVar[str] = "CONNMARK"
    TRACKS: ClassVar[bool] = True
    OPTIONS: ClassVar[tuple[Option, ...]] = (
        *_setting_options((*_SETTING, *_MOVING)),
        *(Option(name, excludes=_others((*_SETTING, *_MOVING), name)) for name in _MOVING),
        Option("left-shift-mark", whole(32)),
        Option("right-shift-mark", whole(32)),
        Option("ctmask", whole(ALL_32), excludes=("mask",)),
        Option("nfmask", whole(ALL_32), excludes=("mask",)),
        Option("mask", whole(ALL_32), excludes=("ctmask", "nfmask")),
    )

    mode: str
    value: int
    connection_bits: int
    packet_bits: int
    shift: int

    @classmethod
    def read(cls, given: Given) -> ConnmarkTarget:
        change = _change(given)
        mode = next((name for name in _MOVING if name in given.values), None)
        if change is None and mode is None:
            raise XtablesError("CONNMARK target: No operation specified")
        both = given.get("mask", ALL_32)
        bits = given.get("ctmask", both), given.get("nfmask", both)
        shift = given.get("left-shift-mark", 0) or -given.get("right-shift-mark", 0)
        if change is not None:
            return cls("set", change[0], change[1], bits[1], shift)
        return cls(str(mode).removesuffix("-mark"), 0, *bits, shift)

    @property
    def _shift_text(self) -> str:
        if not self.shift:
            return ""
        return f"{'left' if self.shift > 0 else 'right'}-shift-mark {abs(self.shift)}"

    def saved(self) -> str:
        shift = f" --{self._shift_text}" if self.shift else ""
        if self.mode == "set":
            return f"--set-xmark {self.value:#x}/{self.connection_bits:#x}{shift}"
        bits = f"--nfmask {self.packet_bits:#x} --ctmask {self.connection_bits:#x}"
        return f"--{self.mode}-mark {bits}{shift}"

    def shown(self, *, numeric: bool) -> str:  # noqa: ARG002
        shift = f" {self._shift_text}" if self.shift else ""
        if self.mode == "set":
            return f"CONNMARK {_shown_change(self.value, self.connection_bits)}{shift}"
        return f"CONNMARK {self.mode}{self._shown_bits}{shift}"

    @property
    def _shown_bits(self) -> str:
        connection, packet = self.connection_bits, self.packet_bits
        if connection == packet:
            return "" if packet == ALL_32 else f" mask {packet:#x}"
        if self.mode == "save":
            return f" nfmask {packet:#x} ctmask ~{connection:#x}"
        return f" ctmask {connection:#x} nfmask ~{packet:#x}"

    def nft(self) -> str | None:
        body = self._nft_set if self.mode == "set" else self._nft_move
        if body is None or not self.shift:
            return body
        field, _, rest = body.partition(" set ")
        sign = "<<" if self.shift > 0 else ">>"
        return f"{field} set ( {rest} ) {sign} {abs(self.shift)}"

    @property
    def _nft_set(self) -> str:
        value, bits = self.value, self.connection_bits
        if bits == ALL_32:
            return f"ct mark set {value:#x}"
        if value == 0:
            return f"ct mark set ct mark and {bits ^ ALL_32:#x}"
        if value == bits:
            return f"ct mark set ct mark or {value:#x}"
        if bits == 0:
            return f"ct mark set ct mark xor {value:#x}"
        return f"ct mark set ct mark xor {value:#x} and {bits ^ ALL_32:#x}"

    @property
    def _nft_move(self) -> str | None:
        if self.connection_bits != self.packet_bits:
            return None
        bits = "" if self.packet_bits == ALL_32 else f" and {self.packet_bits:#x}"
        move = "ct mark set mark" if self.mode == "save" else "meta mark set ct mark"
        return move + bits

    def _shifted(self, mark: int) -> int:
        return mark << self.shift & ALL_32 if self.shift >= 0 else mark >> -self.shift

    def act(self, netfilter: Netfilter) -> Act:  # noqa: ARG002
        mode, value, shifted = self.mode, self.value, self._shifted
        connection_bits, packet_bits = self.connection_bits, self.packet_bits

        def move(packet: NfPacket) -> None:
            conn = packet.track.conn if packet.track else None
            if conn is None:
                return
            if mode == "set":
                conn.mark = shifted(conn.mark & ~connection_bits ^ value)
            elif mode == "save":
                taken = shifted(packet.mark & packet_bits)
                conn.mark = (conn.mark & ~connection_bits ^ taken) & ALL_32
            else:
                taken = shifted(conn.mark & connection_bits)
                packet.mark = (packet.mark & ~packet_bits ^ taken) & ALL_32

        return move
