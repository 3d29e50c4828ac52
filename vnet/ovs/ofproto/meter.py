"""The meters of a bridge: what is configured; the datapath does the measuring."""

from __future__ import annotations

from typing import Protocol

from vnet.ovs.ofproto.rule import Rule
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


class MeterProvider(Protocol):
    """Whoever measures: the datapath's side of meters, shared by its bridges."""

    def meter_add(self, mod: MeterMod) -> int:
        """A new meter; returns its number in the datapath."""

    def meter_modify(self, datapath_id: int, mod: MeterMod) -> None:
        """Other bands or flags."""

    def meter_del(self, datapath_id: int) -> None:
        """The meter is gone."""


class NumberedMeters:
    """A provider that only hands out numbers, the lowest free one each time."""

    def __init__(self) -> None:
        self._used: set[int] = set()

    def meter_add(self, mod: MeterMod) -> int:  # noqa: ARG002 (the protocol's signature)
        number = next(n for n in range(len(self._used) + 1) if n not in self._used)
        self._used.add(number)
        return number

    def meter_modify(self, datapath_id: int, mod: MeterMod) -> None:
        """Numbers stay."""

    def meter_del(self, datapath_id: int) -> None:
        self._used.remove(datapath_id)


def check_meter_mod(mod: MeterMod) -> None:
    """Raise :class:`OpenFlowError` for a number or bands that no meter may have."""
    if mod.command is MeterModCommand.DELETE:
        return
    special = (METER_SLOWPATH, METER_CONTROLLER)
    if mod.meter_id == 0 or (mod.meter_id > METER_MAX and mod.meter_id not in special):
        raise OpenFlowError("OFPMMFC_INVALID_METER")
    if len(mod.bands) > MAX_BANDS:
        raise OpenFlowError("OFPMMFC_OUT_OF_BANDS")
    if any(band.type is not MeterBandType.DROP for band in mod.bands):
        raise OpenFlowError("OFPMMFC_BAD_BAND")


def meters_to_delete(meters: dict[int, MeterEntry], meter_id: int) -> list[MeterEntry]:
    """Which meters a request to delete means; a meter that is not there is none."""
    if meter_id == METER_ALL:
        return list(meters.values())
    entry = meters.get(meter_id)
    return [] if entry is None else [entry]
