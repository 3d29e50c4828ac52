"""The fields of a flow as users name them, and parts of fields.

What ovs-fields(7) tells of the fields is data, each sort of it in one place; matching, text,
actions, the documentation and the wire format read it there, and there is no second list:

========================  ===================================================================
``field_table``           names, widths, masking, access, formats, prerequisites
``field_headers``         NXM and OXM names and numbers, and since when
``field_access``          where a value stands in a flow, and what is peculiar about a field
``field_rules``           values that no match may test for
``prerequisites``         what a flow must be before a field makes sense
``value_text``            the formats
========================  ===================================================================

:class:`~vnet.ovs.flow.field.Field` puts a field's data together; here are all of them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from vnet.base.record import record
from vnet.ovs.flow.errors import OvsTextError
from vnet.ovs.flow.field import Field, Maskable
from vnet.ovs.flow.field_headers import headers
from vnet.ovs.flow.field_table import Row, full_rows, rows
from vnet.ovs.flow.flow import Flow

__all__ = [
    "FIELDS",
    "FULL_FIELDS",
    "Field",
    "Maskable",
    "Subfield",
    "copy_subfield",
    "field_by_header",
    "field_by_name",
    "parse_field_name",
    "swap_subfields",
]


def _fields(rows: Iterable[Row], first: int) -> dict[str, Field]:
    of_name = headers()
    return {
        row.name: Field(number, row, of_name.get(row.name, ()))
        for number, row in enumerate(rows, start=first)
    }


FIELDS: dict[str, Field] = _fields(rows(), 0)
"""Every field by its first name, in the order of ovs-fields(7)."""

FULL_FIELDS: dict[str, Field] = _fields(full_rows(), len(FIELDS))
"""The fields that Open vSwitch lacks, which bridges have that speak OpenFlow whole."""

_BY_NAME = FIELDS | {field.alias: field for field in FIELDS.values() if field.alias}
_BY_HEADER: dict[str, Field] = {
    header.name: field for field in FIELDS.values() for header in field.headers
}


def field_by_name(name: str, openflow_full: bool = False) -> Field | None:
    """The field of that name, new or old (``ip_src``, ``nw_src``); with ``openflow_full`` also one
    that Open vSwitch lacks.
    """
    return _BY_NAME.get(name) or (FULL_FIELDS.get(name) if openflow_full else None)


def field_by_header(name: str) -> Field | None:
    """The field with a header of that name (``NXM_OF_IP_SRC``, ``OXM_OF_IPV4_SRC``)."""
    return _BY_HEADER.get(name)


def parse_field_name(text: str) -> Field:
    """A field by a header's name or its own."""
    field = _BY_HEADER.get(text) or _BY_NAME.get(text)
    if field is None:
        raise OvsTextError(f"unknown field `{text}'")
    return field


_INT = r"[ \t\n\v\f\r]*([+-]?[0-9]+)"
_BITS = re.compile(rf"\[(?:{_INT}(?:\.\.{_INT})?)?\]")


@record(frozen=True, slots=True)
class Subfield:
    """Bits ``offset`` to ``offset + n_bits - 1`` of a field, bit 0 the least significant."""

    field: Field
    offset: int
    n_bits: int

    @classmethod
    def whole(cls, field: Field) -> Subfield:
        """All of a field."""
        return cls(field, 0, field.n_bits)

    @classmethod
    def parse(cls, text: str) -> Subfield:
        """``FIELD``, ``FIELD[]``, ``FIELD[BIT]`` or ``FIELD[FIRST..LAST]``; a field goes by a
        header's name or its own (mf_parse_subfield).
        """
        subfield, rest = cls.parse_prefix(text)
        if rest:
            raise OvsTextError("unexpected input following field syntax")
        return subfield

    @classmethod
    def parse_prefix(cls, text: str) -> tuple[Subfield, str]:
        """The subfield that ``text`` begins with, and the rest of it."""
        name = re.split(r"[\[-]", text, maxsplit=1)[0]
        field = _BY_HEADER.get(name.removesuffix("_W")) or _BY_NAME.get(name)
        if field is None:
            raise OvsTextError(f"{text}: unknown field `{name}'")
        first, last, end = 0, field.n_bits - 1, len(name)
        if text.startswith("[", end):
            found = _BITS.match(text, end)
            if found is None:
                what = "syntax error expecting [] or [<bit>] or [<start>..<end>]"
                raise OvsTextError(f"{text}: {what}")
            end = found.end()
            if found[1] is not None:
                first = _int32(found[1])
                last = first if found[2] is None else _int32(found[2])
        _check_range(text, field, first, last)
        return cls(field, first, last - first + 1), text[end:]

    def format(self) -> str:
        """``NXM_OF_VLAN_TCI[0..11]``, with the header's name if it has one (mf_format_subfield)."""
        name = self.field.nxm_name
        if self.offset == 0 and self.n_bits == self.field.n_bits:
            return f"{name}[]"
        if self.n_bits == 1:
            return f"{name}[{self.offset}]"
        return f"{name}[{self.offset}..{self.offset + self.n_bits - 1}]"

    @property
    def ones(self) -> int:
        """The greatest value."""
        return (1 << self.n_bits) - 1

    @property
    def mask(self) -> int:
        """These bits in a mask of the field."""
        return ((1 << self.n_bits) - 1) << self.offset

    def get(self, flow: Flow) -> int:
        """These bits in a flow that meets the field's prerequisites."""
        return self.field.get(flow) >> self.offset & (1 << self.n_bits) - 1

    def put(self, flow: Flow, value: int) -> None:
        """Write these bits, of ``value`` as many as fit."""
        self.field.put_masked(flow, value << self.offset, self.mask)

    def unwildcard(self, wc: Flow) -> None:
        """Set these bits in a mask."""
        self.field.unwildcard(wc, self.mask)


def _int32(digits: str) -> int:
    """What scanf(3) makes of a number: its lower 32 bits, with a sign."""
    return (int(digits) + (1 << 31)) % (1 << 32) - (1 << 31)


def _check_range(text: str, field: Field, first: int, last: int) -> None:
    width = f"field is only {field.n_bits} bits wide"
    if first > last:
        raise OvsTextError(f"{text}: starting bit {first} is after ending bit {last}")
    if not 0 <= first < field.n_bits:
        raise OvsTextError(f"{text}: starting bit {first} is not valid because {width}")
    if last >= field.n_bits:
        raise OvsTextError(f"{text}: ending bit {last} is not valid because {width}")


def copy_subfield(
    source: Subfield, destination: Subfield, flow: Flow, wc: Flow | None = None
) -> None:
    """Copy bits within a flow, if it meets the prerequisites of both (mf_subfield_copy)."""
    if _may_move(source, destination, flow, wc):
        destination.put(flow, source.get(flow))


def swap_subfields(one: Subfield, other: Subfield, flow: Flow, wc: Flow | None = None) -> None:
    """Exchange bits within a flow, if it meets the prerequisites of both (mf_subfield_swap)."""
    if _may_move(one, other, flow, wc):
        of_one, of_other = one.get(flow), other.get(flow)
        other.put(flow, of_one)
        one.put(flow, of_other)


def _may_move(source: Subfield, destination: Subfield, flow: Flow, wc: Flow | None) -> bool:
    fields = (destination.field, source.field)
    if not all(field.are_prereqs_ok(flow, wc) for field in fields):
        return False
    if wc is not None:
        source.unwildcard(wc)
        destination.unwildcard(wc)
    return True
