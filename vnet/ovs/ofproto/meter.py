"""The meters of a bridge: what is configured; the datapath does the measuring."""

from __future__ import annotations

from dataclasses import replace

from vnet.ovs.dpif.dpif import Dpif
from vnet.ovs.dpif.meters import MeterBandConfig, MeterBandStats, MeterConfig, MeterStats
from vnet.ovs.ofproto.rules.rule import Rule
from vnet.ovs.openflow.errors import OpenFlowError
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

METER_MAX = 0xFFFF_0000
MAX_BANDS = 8
"""How many bands a meter of the userspace datapath may have."""
_KNOWN_FLAGS = MeterFlags.KBPS | MeterFlags.PKTPS | MeterFlags.BURST | MeterFlags.STATS


class MeterEntry:
    """A meter. ``rules`` are the flows that go with it; ``datapath_id`` is its number below."""

    __slots__ = ("bands", "created_ns", "datapath_id", "flags", "meter_id", "rules")

    def __init__(self, mod: MeterMod, datapath_id: int, now_ns: int) -> None:
        self.meter_id = mod.meter_id
        self.datapath_id = datapath_id
        self.created_ns = now_ns
        self.rules: dict[Rule, None] = {}
        self.configure(mod)

    def configure(self, mod: MeterMod) -> None:
        """Take over flags and bands."""
        self.flags: MeterFlags = mod.flags
        self.bands: tuple[MeterBand, ...] = mod.bands

    @property
    def may_remark(self) -> bool:
        """Whether packets may come out of it with another DSCP."""
        return any(band.type is MeterBandType.DSCP_REMARK for band in self.bands)


class MeterPool:
    """The meters of one datapath, which its bridges share: numbers, and who measures.

    Without a datapath they are only numbered, and have seen nothing.
    """

    def __init__(self, dpif: Dpif | None = None) -> None:
        self._dpif = dpif
        self._used: set[int] = set()

    def add(self, mod: MeterMod) -> int:
        """A new meter; returns the number it has in the datapath, the lowest that is free."""
        number = next(n for n in range(len(self._used) + 1) if n not in self._used)
        self._used.add(number)
        self.modify(number, mod)
        return number

    def modify(self, number: int, mod: MeterMod) -> None:
        """A meter begins anew, with other bands or flags."""
        if self._dpif is not None:
            bands = tuple(
                MeterBandConfig(band.rate, band.burst_size, band.prec_level) for band in mod.bands
            )
            self._dpif.meter_set(number, MeterConfig(MeterFlags.PKTPS in mod.flags, bands))

    def remove(self, number: int) -> None:
        """The meter is gone, and its number free."""
        self._used.remove(number)
        if self._dpif is not None:
            self._dpif.meter_del(number)

    def stats(self, entry: MeterEntry) -> MeterStats:
        """What a meter has counted."""
        if self._dpif is not None:
            return self._dpif.meter_get(entry.datapath_id)
        return MeterStats(0, 0, tuple(MeterBandStats(0, 0) for _ in entry.bands))


def band_types(openflow_full: bool) -> tuple[MeterBandType, ...]:
    """What bands may do: Open vSwitch's own datapath can only drop."""
    return tuple(MeterBandType) if openflow_full else (MeterBandType.DROP,)


def check_meter_mod(mod: MeterMod) -> None:
    """Raise :class:`OpenFlowError` for a number that no meter may have, or too many bands."""
    if mod.command is MeterModCommand.DELETE:
        return
    special = (METER_SLOWPATH, METER_CONTROLLER)
    if mod.meter_id == 0 or (mod.meter_id > METER_MAX and mod.meter_id not in special):
        raise OpenFlowError("OFPMMFC_INVALID_METER")
    if len(mod.bands) > MAX_BANDS:
        raise OpenFlowError("OFPMMFC_OUT_OF_BANDS")


def check_bands(mod: MeterMod, openflow_full: bool) -> None:
    """Raise :class:`OpenFlowError` for what the datapath cannot measure."""
    if not openflow_full and not mod.flags & (MeterFlags.KBPS | MeterFlags.PKTPS):
        raise OpenFlowError("OFPMMFC_BAD_FLAGS")
    if not openflow_full and not mod.bands:
        raise OpenFlowError("OFPMMFC_OUT_OF_BANDS")
    if any(band.rate == 0 for band in mod.bands):
        raise OpenFlowError("OFPMMFC_BAD_RATE")
    if not openflow_full and int(mod.flags) & ~int(_KNOWN_FLAGS):
        raise OpenFlowError("OFPMMFC_BAD_FLAGS")
    known = band_types(openflow_full)
    if any(band.type not in known for band in mod.bands):
        raise OpenFlowError("OFPMMFC_BAD_BAND")


_LEAST_BURST_KBIT = 16
"""More than the largest ordinary frame has."""


def with_bursts(mod: MeterMod, openflow_full: bool) -> MeterMod:
    """A request whose bands all have a burst size. Where none was given Open vSwitch takes what
    comes in a second, and a bridge that speaks OpenFlow whole a quarter of it, to keep nearer to
    the rate.
    """
    least = 1 if MeterFlags.PKTPS in mod.flags else _LEAST_BURST_KBIT

    def size(rate: int) -> int:
        return max(rate // 4, min(rate, least)) if openflow_full else rate

    bands = (replace(band, burst_size=band.burst_size or size(band.rate)) for band in mod.bands)
    return replace(mod, bands=tuple(bands))


def meters_to_delete(meters: dict[int, MeterEntry], meter_id: int) -> list[MeterEntry]:
    """Which meters a request to delete means; a meter that is not there is none."""
    if meter_id == METER_ALL:
        return list(meters.values())
    entry = meters.get(meter_id)
    return [] if entry is None else [entry]
