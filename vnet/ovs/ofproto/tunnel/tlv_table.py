"""Which options of tunnels are which fields of a bridge (``ovs-ofctl add-tlv-map``).

A controller decides that. The options themselves are not looked at here: what a Geneve packet
brings is passed over, so that no packet has any of the fields.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from vnet.ovs.flow.flow import TUN_METADATA_BYTES
from vnet.ovs.openflow.errors import OpenFlowError
from vnet.ovs.openflow.messages import TlvMap, TlvTable, TlvTableCommand, TlvTableMod

_N_FIELDS = 64


class TlvMappings:
    """One bridge's."""

    def __init__(self) -> None:
        self.lengths: Mapping[int, int] = {}
        """How long each option is that is mapped, in bytes, by the field's number."""
        self._maps: dict[int, TlvMap] = {}

    def apply(self, mod: TlvTableMod, used: Iterable[int]) -> None:
        """Carry out a request; ``used`` are the numbers that flows name. Raises
        :class:`OpenFlowError`, and nothing has changed then."""
        maps = dict(self._maps)
        if mod.command is TlvTableCommand.ADD:
            for one in mod.maps:
                _add(maps, one)
        else:
            doomed = set(maps)
            if mod.command is TlvTableCommand.DELETE:
                doomed &= {one.index for one in mod.maps}
            if not doomed.isdisjoint(used):
                raise OpenFlowError("NXTTMFC_INVALID_TLV_DEL")
            for index in doomed:
                del maps[index]
        self._maps = maps
        self.lengths = {index: one.option_bytes for index, one in maps.items()}

    def table(self) -> TlvTable:
        """What there is, and what there may be."""
        maps = tuple(self._maps[index] for index in sorted(self._maps))
        return TlvTable(TUN_METADATA_BYTES, _N_FIELDS, maps)


def _add(maps: dict[int, TlvMap], new: TlvMap) -> None:
    if new.index in maps:
        raise OpenFlowError("NXTTMFC_ALREADY_MAPPED")
    option = new.option_class, new.option_type
    if any((old.option_class, old.option_type) == option for old in maps.values()):
        raise OpenFlowError("NXTTMFC_DUP_ENTRY")
    if sum(old.option_bytes for old in maps.values()) + new.option_bytes > TUN_METADATA_BYTES:
        raise OpenFlowError("NXTTMFC_TABLE_FULL")
    maps[new.index] = new
