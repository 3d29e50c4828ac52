"""A match: the values that a flow must have, under a mask; and how one comes to be."""

from __future__ import annotations

from typing import NamedTuple

from vnet.ovs.flow.errors import OvsTextError
from vnet.ovs.flow.fields import Field, Subfield
from vnet.ovs.flow.flow import TUN_METADATA_BYTES, Flow
from vnet.ovs.flow.prerequisites import Prerequisite
from vnet.ovs.flow.protocol_numbers import PT_ETHERNET
from vnet.ovs.flow.protocols import P_ANY


class TunOption(NamedTuple):
    """Where a match keeps a tunnel option: ``tun_metadata<number>``, ``n_bytes`` at ``offset``.

    A match brings this layout along as long as no switch has said where its options stand.
    ``is_masked`` tells a match on a part of the option from one on the whole.
    """

    number: int
    offset: int
    n_bytes: int
    is_masked: bool

    @property
    def shift(self) -> int:
        """The place of its lowest bit in a flow."""
        last = TUN_METADATA_BYTES - self.offset - self.n_bytes
        return Flow.tun_metadata.shift + 8 * last

    @property
    def ones(self) -> int:
        """All its bits."""
        return (1 << 8 * self.n_bytes) - 1


class Match(NamedTuple):
    """A flow key and the mask under which it must be equal; bits outside the mask are 0."""

    value: int
    mask: int
    tun_options: tuple[TunOption, ...] = ()

    def matches(self, key: int) -> bool:
        """Whether a flow's key satisfies it."""
        return key & self.mask == self.value

    def meets_prereqs(self, field: Field) -> bool:
        """Whether what it matches meets a field's prerequisites."""
        return field.are_match_prereqs_ok(Flow(self.value), Flow(self.mask))


CATCHALL = Match(0, 0)


class MatchBuilder:
    """A match in the making: ``flow`` under ``mask``. It starts by matching everything.

    ``usable`` are the protocols that can express what was asked for so far.
    """

    __slots__ = ("_tun_bytes", "flow", "mask", "tun_options", "usable")

    def __init__(self, match: Match = CATCHALL) -> None:
        self.flow = Flow(match.value)
        self.mask = Flow(match.mask)
        self.tun_options = list(match.tun_options)
        self.usable = P_ANY
        self._tun_bytes = sum(option.n_bytes for option in match.tun_options)

    def build(self) -> Match:
        """The match as it is now."""
        mask = self.mask.key
        options = tuple(sorted(self.tun_options)) if self.tun_options else ()
        return Match(self.flow.key & mask, mask, options)

    def set(
        self, field: Field, value: int, mask: int | None = None, n_bytes: int | None = None
    ) -> None:
        """Demand ``value`` of a field, or the bits of it under ``mask``; mask 0 demands nothing.

        A field of packets implies Ethernet packets, unless another packet type is asked for.
        ``n_bytes`` is how long a tunnel option is, where a switch has said so.
        """
        value_mask = field.ones if mask is None else mask
        if field.is_tun_metadata:
            self._set_tun_option(field, value, value_mask, n_bytes)
        else:
            self.usable &= field.set_match(self.flow, self.mask, value, value_mask)
        if field.prerequisite is not Prerequisite.NONE:
            self.set_default_packet_type()

    def set_subfield(self, subfield: Subfield, value: int) -> None:
        """Demand ``value`` of some bits of a field; what is demanded of others stays."""
        field, bits = subfield.field, subfield.mask
        self.set(
            field,
            field.get(self.flow) & ~bits | value << subfield.offset & bits,
            field.get(self.mask) | bits,
        )

    def set_default_packet_type(self) -> None:
        """Match Ethernet packets only, if no packet type was asked for."""
        if not self.mask.key & Flow.packet_type.mask:
            self.flow.packet_type = PT_ETHERNET
            self.mask.key |= Flow.packet_type.mask

    def meets_prereqs(self, field: Field) -> bool:
        """Whether what is matched so far meets a field's prerequisites."""
        return field.are_match_prereqs_ok(self.flow, self.mask)

    def _set_tun_option(
        self, field: Field, value: int, value_mask: int, n_bytes: int | None
    ) -> None:
        number = int(field.name.removeprefix("tun_metadata"))
        if n_bytes is None:
            # As many bytes as say it all, leading zeros left out.
            is_masked = value_mask != field.ones
            bits = max(value.bit_length(), value_mask.bit_length() if is_masked else 0)
            n_bytes = (bits + 7) // 8
        else:
            is_masked = bool(~value_mask & (1 << 8 * n_bytes) - 1)
        option = TunOption(number, self._tun_bytes, n_bytes, is_masked)
        used = self._tun_bytes + option.n_bytes
        if used > TUN_METADATA_BYTES:
            raise OvsTextError(
                f"field {field.name} exceeds maximum size for tunnel metadata "
                f"(used {used}, max {TUN_METADATA_BYTES})"
            )
        present = 1 << Flow.tun_metadata_present.shift + number
        if self.mask.key & present:
            raise OvsTextError(f"field {field.name} set multiple times")
        self.flow.key |= present | (value & value_mask & option.ones) << option.shift
        self.mask.key |= present | (value_mask & option.ones) << option.shift
        self.tun_options.append(option)
        self._tun_bytes = used
        usable = field.usable_masked(value_mask) if is_masked else field.usable_exact
        self.usable &= usable
