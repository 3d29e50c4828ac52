"""One reading of a list of actions, and of the fields that they name."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

from vnet.ovs.flow.field_headers import EXPERIMENTER_CLASS
from vnet.ovs.flow.fields import Field, Subfield
from vnet.ovs.openflow.errors import OpenFlowError
from vnet.ovs.openflow.ofpacts import Ofpact, Ofpacts
from vnet.ovs.openflow.version import OpenFlowVersion
from vnet.ovs.openflow.wire.actions.refusals import not_writable, wrong_range
from vnet.ovs.openflow.wire.actions.writing import OFFSET_SHIFT, SHORT_HEADER_BYTES
from vnet.ovs.openflow.wire.oxm import TunLengths, field_at, header_at, take_field, tun_length

MAX_DEPTH = 100
"""How deep actions may stand within actions."""

_WIDTH_MASK = (1 << OFFSET_SHIFT) - 1


class Reading:
    """What those that read actions share.

    ``tun_lengths`` are the tunnel options that a switch has mapped, None for any;
    ``tun_options`` are those that were met. ``read`` reads a list of actions. With
    ``openflow_full`` actions and fields are known, and fields set, that are not in Open vSwitch.
    """

    __slots__ = (
        "_depth",
        "_read",
        "_verify",
        "allows_debug",
        "openflow_full",
        "tun_lengths",
        "tun_options",
        "version",
    )

    def __init__(
        self,
        version: OpenFlowVersion,
        tun_lengths: TunLengths | None,
        read: Callable[[bytes, Reading], Ofpacts],
        verify: Callable[[Ofpacts, Reading, type[Ofpact] | None], None],
        *,
        allows_debug: bool,
        openflow_full: bool,
    ) -> None:
        self.version = version
        self.tun_lengths = tun_lengths
        self.allows_debug = allows_debug
        self.openflow_full = openflow_full
        self.tun_options: set[int] = set()
        self._read = read
        self._verify = verify
        self._depth = 0

    # -- lists

    def nested(self, data: bytes, outer: type[Ofpact] | None = None) -> Ofpacts:
        """The actions within an action of type ``outer``; None where they may be any.

        Raises OFPBAC_TOO_MANY, where Open vSwitch would go on, if they stand too deep.
        """
        if self._depth >= MAX_DEPTH:
            raise OpenFlowError("OFPBAC_TOO_MANY")
        self._depth += 1
        actions = self._read(data, self)
        self._verify(actions, self, outer)
        self._depth -= 1
        return actions

    # -- fields

    def short_field(self, number: int) -> Field:
        """The field that a header of 32 bits names.

        Raises :class:`OpenFlowError` (OFPBAC_BAD_SET_TYPE, NXFMFC_INVALID_TLV_FIELD).
        """
        field = _short_field(number, self.openflow_full)
        if field is None:
            raise OpenFlowError("OFPBAC_BAD_SET_TYPE")
        return self._mapped(field)

    def any_field(self, data: bytes, offset: int) -> tuple[Field, int]:
        """The field that a header at ``offset`` names, and where the header ends.

        Raises :class:`OpenFlowError` (OFPBMC_BAD_LEN, OFPBMC_BAD_FIELD, NXFMFC_INVALID_TLV_FIELD,
        OFPBMC_BAD_MASK for a header that announces one).
        """
        header = field_at(
            data, offset, len(data), self.tun_lengths, openflow_full=self.openflow_full
        )
        if header.is_masked:
            raise OpenFlowError("OFPBMC_BAD_MASK")
        assert header.field is not None, "nobody knows other fields"
        return self._mapped(header.field), offset + header.header_bytes

    def field_with_value(self, data: bytes) -> tuple[Field, int, int | None, int]:
        """A field, its value, its mask (None if there is none), and where they end.

        Raises :class:`OpenFlowError` (OFPBAC_BAD_SET_TYPE, OFPBMC_BAD_LEN and so on).
        """
        field, value, mask, end = take_field(
            data,
            0,
            len(data),
            self.tun_lengths,
            is_action=True,
            openflow_full=self.openflow_full,
        )
        return self._noted(field), value, mask, end

    def _mapped(self, field: Field) -> Field:
        """The field, of a tunnel option as much as the switch has mapped."""
        n_bytes = tun_length(field, self.tun_lengths)
        self._noted(field)
        return field if n_bytes is None else field.mapped(n_bytes)

    def _noted(self, field: Field) -> Field:
        if field.is_tun_metadata:
            self.tun_options.add(_tun_option(field))
        return field

    # -- parts of fields

    def packed_part(self, number: int, bits: int) -> Subfield:
        """A field's header of 32 bits, and offset and width in 16."""
        return unpacked_part(self.short_field(number), bits)

    def source(self, part: Subfield) -> Subfield:
        """``part``. Raises OFPBAC_BAD_SET_LEN unless it lies within its field."""
        return self._within(part, "source")

    def target(self, part: Subfield) -> Subfield:
        """As :meth:`source`; raises OFPBAC_BAD_SET_ARGUMENT unless the field can be written."""
        self._within(part, "destination")
        if not part.field.may_be_set(self.openflow_full):
            raise not_writable(part.field, "meta_flow")
        return part

    def check_writable(self, field: Field) -> None:
        """Raise OFPBAC_BAD_SET_ARGUMENT for a field that can only be read."""
        if not field.may_be_set(self.openflow_full):
            raise not_writable(field)

    def _within(self, part: Subfield, kind: str) -> Subfield:
        n_bits = part.field.n_bits
        if not part.n_bits or part.offset + part.n_bits > n_bits:
            raise wrong_range(part, n_bits, kind)
        return part


def unpacked_part(field: Field, bits: int) -> Subfield:
    """The part of a field with this offset and width, in ten and six bits."""
    return Subfield(field, bits >> OFFSET_SHIFT, (bits & _WIDTH_MASK) + 1)


@lru_cache(maxsize=1024)
def _short_field(number: int, openflow_full: bool) -> Field | None:
    if number >> 16 == EXPERIMENTER_CLASS:
        return None
    data = number.to_bytes(SHORT_HEADER_BYTES, "big")
    return header_at(data, 0, SHORT_HEADER_BYTES, openflow_full=openflow_full).field


def _tun_option(field: Field) -> int:
    return int(field.name.removeprefix("tun_metadata"))
