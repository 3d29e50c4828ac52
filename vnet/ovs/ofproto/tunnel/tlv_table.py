"""Which options of tunnels are which fields of a bridge (``ovs-ofctl add-tlv-map``).

A controller decides that. What a Geneve packet brings is passed over: only packets that a
controller sends have any of the fields.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from vnet.ovs.flow.flow import TUN_METADATA_BYTES, Flow
from vnet.ovs.flow.match import Match, TunOption
from vnet.ovs.openflow.errors import OpenFlowError
from vnet.ovs.openflow.messages import TlvMap, TlvTable, TlvTableCommand, TlvTableMod

_N_FIELDS = 64
_ALL_OPTIONS = Flow.tun_metadata.mask
_ANY_PRESENT = Flow.tun_metadata_present.mask


class TlvMappings:
    """One bridge's."""

    def __init__(self) -> None:
        self.lengths: Mapping[int, int] = {}
        """How long each option is that is mapped, in bytes, by the field's number."""
        self._maps: dict[int, TlvMap] = {}
        self._places: dict[int, TunOption] = {}
        """Where flows have each of them. It stays there as long as it is mapped."""

    def apply(self, mod: TlvTableMod, used: Iterable[int]) -> None:
        """Carry out a request; ``used`` are the numbers that flows name. Raises
        :class:`OpenFlowError`, and nothing has changed then."""
        maps, places = dict(self._maps), dict(self._places)
        if mod.command is TlvTableCommand.ADD:
            for one in mod.maps:
                _add(maps, one)
                places[one.index] = _place(one, places.values())
        else:
            doomed = set(maps)
            if mod.command is TlvTableCommand.DELETE:
                doomed &= {one.index for one in mod.maps}
            if not doomed.isdisjoint(used):
                raise OpenFlowError("NXTTMFC_INVALID_TLV_DEL")
            for index in doomed:
                del maps[index], places[index]
        self._maps, self._places = maps, places
        self.lengths = {index: one.option_bytes for index, one in maps.items()}

    def table(self) -> TlvTable:
        """What there is, and what there may be."""
        maps = tuple(self._maps[index] for index in sorted(self._maps))
        return TlvTable(TUN_METADATA_BYTES, _N_FIELDS, maps)

    def placed(self, match: Match) -> Match:
        """A match with its options where the bridge's flows have them.

        Raises :class:`OpenFlowError` for one that is not mapped.
        """
        if not match.tun_options:
            return match
        if any(option.number not in self._places for option in match.tun_options):
            raise OpenFlowError("NXFMFC_INVALID_TLV_FIELD")
        value, mask = match.value & ~_ALL_OPTIONS, match.mask & ~_ALL_OPTIONS
        options = []
        for old in match.tun_options:
            place = self._places[old.number]
            bits = match.mask >> old.shift & old.ones if old.is_masked else place.ones
            value |= (match.value >> old.shift & old.ones & bits) << place.shift
            mask |= bits << place.shift
            options.append(place._replace(is_masked=bits != place.ones))
        return Match(value, mask, tuple(options))

    def options_of(self, key: int) -> Match:
        """The options that a packet has, by its flow's key, as a match on them."""
        mask, options = 0, []
        for number, place in sorted(self._places.items()) if key & _ANY_PRESENT else ():
            present = 1 << Flow.tun_metadata_present.shift + number
            if key & present:
                mask |= present | place.ones << place.shift
                options.append(place)
        return Match(key & mask, mask, tuple(options))


def _add(maps: dict[int, TlvMap], new: TlvMap) -> None:
    if new.index in maps:
        raise OpenFlowError("NXTTMFC_ALREADY_MAPPED")
    option = new.option_class, new.option_type
    if any((old.option_class, old.option_type) == option for old in maps.values()):
        raise OpenFlowError("NXTTMFC_DUP_ENTRY")
    if sum(old.option_bytes for old in maps.values()) + new.option_bytes > TUN_METADATA_BYTES:
        raise OpenFlowError("NXTTMFC_TABLE_FULL")
    maps[new.index] = new


def _place(new: TlvMap, taken: Iterable[TunOption]) -> TunOption:
    """The first gap between options that is large enough. Where gaps would have to be joined,
    the table is full."""
    offset = 0
    for old in sorted(taken, key=lambda place: place.offset):
        if old.offset - offset >= new.option_bytes:
            break
        offset = old.offset + old.n_bytes
    if offset + new.option_bytes > TUN_METADATA_BYTES:
        raise OpenFlowError("NXTTMFC_TABLE_FULL")
    return TunOption(new.index, offset, new.option_bytes, is_masked=False)
