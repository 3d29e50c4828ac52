"""Kinds of attributes that are one number, or one number cut into named parts."""

from __future__ import annotations

from collections.abc import Mapping

from vnet.ovs.dpif.text.kind import (
    MEMBER_NAME,
    Kind,
    PortNumbers,
    ScannedAttribute,
    Style,
    Values,
    scan_list,
)
from vnet.ovs.dpif.text.notation import Notation, decimal
from vnet.ovs.dpif.text.scan import scan_flags, scan_integer, scan_wide
from vnet.ovs.flow.flag_text import flags_masked_text, flags_text
from vnet.ovs.flow.flow import CFI, Bits, Flow
from vnet.ovs.flow.value_text import hex_text


class NumberKind(Kind):
    """One number: ``recirc_id(0x1)``.

    ``hides_wildcard``: where nothing is matched there is nothing between the parentheses.
    ``is_exact_only``: no mask is read.
    """

    def __init__(
        self,
        name: str,
        notation: Notation,
        bits: Bits,
        *,
        hides_wildcard: bool = False,
        is_exact_only: bool = False,
    ) -> None:
        super().__init__(name)
        self.notation = notation
        self.bits = bits
        self.hides_wildcard = hides_wildcard
        self.is_exact_only = is_exact_only

    def read(self, key: int) -> Values:
        return (self.bits.of(key),)

    def write(self, values: Values) -> int:
        return (values[0] & self.bits.ones) << self.bits.shift

    def is_exact(self, masks: Values) -> bool:
        return self.notation.is_full(masks[0])

    def text(self, values: Values, masks: Values | None, style: Style) -> str:
        if self.hides_wildcard and not style.verbose and not (masks and masks[0]):
            return ""
        return self.notation.masked_text(values[0], masks[0] if masks else None)

    def scan(self, text: str, at: int, _ports: PortNumbers, /) -> ScannedAttribute | None:
        scanned = self.notation.scan(text, at, with_mask=not self.is_exact_only)
        if scanned is None or not text.startswith(")", scanned[2]):
            return None
        value, mask, end = scanned
        return ScannedAttribute((value,), (mask,), end + 1)


class PortKind(NumberKind):
    """``in_port(1)`` or, where ports have names, ``in_port(vif1.0)``."""

    def __init__(self, name: str, bits: Bits) -> None:
        super().__init__(name, decimal(32), bits)

    def text(self, values: Values, masks: Values | None, style: Style) -> str:
        if style.port_names and (masks is None or self.is_exact(masks)):
            return style.port_names.get(values[0], str(values[0]))
        return super().text(values, masks, style)

    def scan(self, text: str, at: int, ports: PortNumbers, /) -> ScannedAttribute | None:
        if scan_integer(text, at, 32) is not None:
            return super().scan(text, at, ports)
        end = text.find(")", at)
        number = ports.get(text[at:end]) if end >= 0 else None
        if number is None:
            return None
        return ScannedAttribute((number,), (self.bits.ones,), end + 1)


class FlagsKind(Kind):
    """A set of flags: ``ct_state(+new+trk)``, ``tcp_flags(syn|ack)``.

    ``n_bits`` is the width of the attribute; a mask with all bits of ``exact_mask`` is an exact
    one. ``is_number_if_verbose``: verbose prints are a number.
    """

    def __init__(
        self,
        name: str,
        bits: Bits,
        flags: Mapping[int, str],
        *,
        n_bits: int,
        exact_mask: int,
        is_number_if_verbose: bool,
    ) -> None:
        super().__init__(name)
        self.bits = bits
        self.flags = flags
        self.n_bits = n_bits
        self.exact_mask = exact_mask
        self.is_number_if_verbose = is_number_if_verbose

    def read(self, key: int) -> Values:
        return (self.bits.of(key),)

    def write(self, values: Values) -> int:
        return (values[0] & self.bits.ones) << self.bits.shift

    def is_exact(self, masks: Values) -> bool:
        return masks[0] & self.exact_mask == self.exact_mask

    def is_wildcard(self, masks: Values) -> bool:
        return not masks[0] & self.exact_mask

    def text(self, values: Values, masks: Values | None, style: Style) -> str:
        value = values[0]
        is_exact = masks is None or self.is_exact(masks)
        mask = masks[0] if masks is not None else self.exact_mask
        if style.verbose and self.is_number_if_verbose:
            return hex_text(value) if is_exact else f"{hex_text(value)}/{hex_text(mask)}"
        if is_exact:
            return flags_text(self.flags, value)
        return flags_masked_text(self.flags, value, mask & self.exact_mask, self.exact_mask)

    def scan(self, text: str, at: int, _ports: PortNumbers, /) -> ScannedAttribute | None:
        scanned = scan_flags(text, at, self.flags)
        if scanned is None:
            return None
        value, mask, end = scanned
        return ScannedAttribute((value,), (mask & (1 << self.n_bits) - 1,), end)


class Part:
    """A run of bits of a number, with a name: ``vid=``, ``label=``."""

    def __init__(self, name: str, shift: int, width: int) -> None:
        self.name = name
        self.shift = shift
        self.ones = (1 << width) - 1

    def of(self, number: int) -> int:
        """The part's value."""
        return number >> self.shift & self.ones

    def with_value(self, number: int, value: int) -> int:
        """The number with this part replaced."""
        return number & ~(self.ones << self.shift) | value << self.shift

    def scan(
        self, text: str, at: int, value: int, mask: int, n_bits: int
    ) -> tuple[int, int, int] | None:
        """Read a value, perhaps with a mask, into ``value`` and ``mask``; None if too large."""
        scanned = scan_integer(text, at, n_bits)
        if scanned is None or scanned[0] > self.ones:
            return None
        value, end = self.with_value(value, scanned[0]), scanned[1]
        scanned_mask = None
        if text.startswith("/", end):
            scanned_mask = scan_integer(text, end + 1, n_bits)
        if scanned_mask is None:
            return value, self.with_value(mask, self.ones), end
        if scanned_mask[0] > self.ones:
            return None
        return value, self.with_value(mask, scanned_mask[0]), scanned_mask[1]


VID = Part("vid", 0, 12)
PCP = Part("pcp", 13, 3)
_CFI = Part("cfi", 12, 1)
_VLAN_PARTS = {part.name: part for part in (VID, PCP, _CFI)}
_TCI_ONES = 0xFFFF


def vlan_tci_text(tci: int, mask: int, *, verbose: bool) -> str:
    """``vid=1,pcp=0``; ``cfi=0`` at the end if there is no tag."""
    parts = [
        _vlan_part_text(part, tci, mask)
        for part in (VID, PCP)
        if verbose or part.of(tci) or part.of(mask)
    ]
    if not tci & CFI:
        parts.append("cfi=0")
    return ",".join(parts)


def _vlan_part_text(part: Part, tci: int, mask: int) -> str:
    shown = f"{part.name}={part.of(tci)}"
    return shown if part.of(mask) == part.ones else f"{shown}/{part.of(mask):#x}"


class VlanKind(Kind):
    """The TCI of the outermost tag that is not yet taken off: ``vlan(vid=1,pcp=0)``."""

    def read(self, key: int) -> Values:
        return (Flow.vlan_tci.of(key),)

    def write(self, values: Values) -> int:
        return values[0] << Flow.vlan_tci.shift

    def is_exact(self, masks: Values) -> bool:
        return masks[0] == _TCI_ONES

    def text(self, values: Values, masks: Values | None, style: Style) -> str:
        mask = masks[0] if masks is not None else _TCI_ONES
        return vlan_tci_text(values[0], mask, verbose=style.verbose)

    def scan(self, text: str, at: int, _ports: PortNumbers, /) -> ScannedAttribute | None:
        tci, mask = CFI, CFI

        def scan_part(here: int) -> int | None:
            nonlocal tci, mask
            named = MEMBER_NAME.match(text, here)
            part = None if named is None else _VLAN_PARTS.get(named[1])
            if named is None or part is None:
                return here
            scanned = part.scan(text, named.end(), tci, mask, 16)
            if scanned is None:
                return None
            tci, mask, end = scanned
            return end

        end = scan_list(text, at, scan_part)
        return None if end is None else ScannedAttribute((tci,), (mask,), end)


class WideKind(NumberKind):
    """A number of 128 bits: ``ct_label(0x1)``."""

    def scan(self, text: str, at: int, _ports: PortNumbers, /) -> ScannedAttribute | None:
        scanned = scan_wide(text, at, self.notation.n_bits // 8)
        if scanned is None or not text.startswith(")", scanned[2]):
            return None
        value, mask, end = scanned
        return ScannedAttribute((value,), (mask,), end + 1)
