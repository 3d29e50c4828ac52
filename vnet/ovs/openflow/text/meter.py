"""Meters as text (ovs-ofctl(8), "Meter Syntax")."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace

from vnet.ovs.flow.errors import OvsTextError
from vnet.ovs.flow.tokens import parse_u8, parse_u32
from vnet.ovs.openflow.messages import (
    METER_ALL,
    METER_CONTROLLER,
    METER_SLOWPATH,
    MeterBand,
    MeterBandType,
    MeterFlags,
    MeterMod,
    MeterModCommand,
)

_METER_MAX = 0xFFFF0000
_FLAGS = {
    "kbps": MeterFlags.KBPS,
    "pktps": MeterFlags.PKTPS,
    "burst": MeterFlags.BURST,
    "stats": MeterFlags.STATS,
}
_RESERVED = {"all": METER_ALL, "controller": METER_CONTROLLER, "slowpath": METER_SLOWPATH}
_COMMAND_WORDS = {
    MeterModCommand.ADD: "ADD",
    MeterModCommand.MODIFY: "MOD",
    MeterModCommand.DELETE: "DEL",
}
_RESERVED_NAMES = {number: name for name, number in _RESERVED.items()}
_BAND_TYPES = {band_type.value: band_type for band_type in MeterBandType}
_NAME = re.compile(r"[^=, \t\r\n]+")
_VALUE = re.compile(r"[^, \t\r\n]+")


class _Words:
    """The words of a text one after another, each ended by one delimiter, as strtok(3) does."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0

    def name(self) -> str | None:
        """The next word, up to an equals sign, comma or space; None at the end."""
        return self._next(_NAME)

    def value_of(self, name: str) -> str:
        """The next word, up to a comma or space."""
        value = self._next(_VALUE)
        if value is None:
            raise OvsTextError(f"field {name} missing value")
        return value

    def _next(self, word: re.Pattern[str]) -> str | None:
        found = word.search(self._text, self._at)
        if found is None:
            return None
        self._at = found.end() + 1
        return found.group()


def parse_meter(text: str, command: MeterModCommand) -> MeterMod:
    """What ``ovs-ofctl add-meter``, ``mod-meter`` and ``del-meters`` take for METER; a deletion
    without one is of all.
    """
    if command is MeterModCommand.DELETE:
        return MeterMod(command, parse_meter_id(text) if text else METER_ALL)
    head, band, rest = text.partition("band")
    _, equals, bands_text = rest.partition("=")
    if not band or not equals:
        raise OvsTextError("must specify bands")
    meter_id, flags = _parse_head(head, _FLAGS)
    if not flags:
        raise OvsTextError("meter must specify either 'kbps' or 'pktps'")
    bands = _parse_bands(bands_text)
    for parsed in bands:
        _check_band(parsed, flags)
    return MeterMod(command, meter_id, flags, tuple(bands))


def parse_meter_id(text: str) -> int:
    """``meter=ID``, as deletions and requests name one: a number from 1, or a reserved name."""
    meter_id, _ = _parse_head(text, {})
    return meter_id


def _parse_head(text: str, known_flags: dict[str, MeterFlags]) -> tuple[int, MeterFlags]:
    meter_id = 0
    flags = MeterFlags.NONE
    words = _Words(text)
    while (name := words.name()) is not None:
        if name in known_flags:
            flags |= known_flags[name]
            continue
        value = words.value_of(name)
        if name != "meter":
            raise OvsTextError(f"unknown keyword {name}")
        if value in _RESERVED:
            meter_id = _RESERVED[value]
            continue
        meter_id = parse_u32(value)
        if not 0 < meter_id <= _METER_MAX:
            raise OvsTextError(f"invalid value for {name}")
    if not meter_id:
        raise OvsTextError("must specify 'meter'")
    return meter_id, flags


def _parse_bands(text: str) -> list[MeterBand]:
    bands: list[MeterBand] = []
    words = _Words(text)
    while (name := words.name()) is not None:
        value = words.value_of(name)
        if name == "type":
            if value not in _BAND_TYPES:
                raise OvsTextError(f"field {name} unknown value {value}")
            bands.append(MeterBand(_BAND_TYPES[value], rate=0))
        elif not bands:
            raise OvsTextError("band must start with the 'type' keyword")
        else:
            bands[-1] = _with_setting(bands[-1], name, value)
    if not bands:
        raise OvsTextError("meter must have bands")
    return bands


def _with_setting(band: MeterBand, name: str, value: str) -> MeterBand:
    if name == "rate":
        return replace(band, rate=parse_u32(value))
    if name == "burst_size":
        return replace(band, burst_size=parse_u32(value))
    if name == "prec_level":
        return replace(band, prec_level=parse_u8(value, name))
    raise OvsTextError(f"unknown keyword {name}")


def _check_band(band: MeterBand, flags: MeterFlags) -> None:
    if band.type is MeterBandType.DSCP_REMARK and not band.prec_level:
        raise OvsTextError("'dscp_remark' band must have 'prec_level'")
    if band.type is not MeterBandType.DSCP_REMARK and band.prec_level:
        raise OvsTextError("Only 'dscp_remark' band may have 'prec_level'")
    if not band.rate:
        raise OvsTextError("band must have 'rate'")
    if flags & MeterFlags.BURST and not band.burst_size:
        raise OvsTextError("band must have 'burst_size' when 'burst' flag is set")
    if not flags & MeterFlags.BURST and band.burst_size:
        raise OvsTextError("band may have 'burst_size' only when 'burst' flag is set")


def meter_id_text(meter_id: int, separator: str = "=") -> str:
    """``meter=ID``, a reserved one by its name."""
    if meter_id > _METER_MAX:
        return f"meter{separator}{_RESERVED_NAMES.get(meter_id, 'unknown')}"
    return f"meter{separator}{meter_id}"


def meter_text(meter_id: int, flags: MeterFlags, bands: Iterable[MeterBand]) -> str:
    """A meter as ``ovs-ofctl dump-meters`` prints it, one line a band; :func:`parse_meter`
    reads it back.
    """
    words = [meter_id_text(meter_id), *(name for name, flag in _FLAGS.items() if flags & flag)]
    lines = [f"{' '.join(words)} bands=", *(_band_text(band, flags) for band in bands)]
    return "\n".join(lines)


def meter_message_text(mod: MeterMod) -> str:
    """A change of meters, after the message's type: ``ADD meter=1 kbps bands=``, a line a band."""
    return f"{_COMMAND_WORDS[mod.command]} {meter_text(mod.meter_id, mod.flags, mod.bands)}"


def _band_text(band: MeterBand, flags: MeterFlags) -> str:
    text = f"type={band.type.value} rate={band.rate}"
    if flags & MeterFlags.BURST:
        text += f" burst_size={band.burst_size}"
    if band.type is MeterBandType.DSCP_REMARK:
        text += f" prec_level={band.prec_level}"
    return text
