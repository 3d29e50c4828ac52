"""Kinds of attributes with rules of their own: label stacks, extensions, service headers."""

from __future__ import annotations

from vnet.ovs.dpif.text.kind import (
    MEMBER_NAME,
    Kind,
    PortNumbers,
    ScannedAttribute,
    StructKind,
    Style,
    Values,
    scan_list,
)
from vnet.ovs.dpif.text.single_kinds import Part
from vnet.ovs.flow.flow import N_MPLS_LABELS, Flow

LABEL = Part("label", 12, 20)
TC = Part("tc", 9, 3)
TTL = Part("ttl", 0, 8)
BOS = Part("bos", 8, 1)
LSE_PARTS = (LABEL, TC, TTL, BOS)
_LSE_PARTS_BY_NAME = {part.name: part for part in LSE_PARTS}
_LSE_ONES = 0xFFFFFFFF


def lse_text(lse: int) -> str:
    """``label=16,tc=0,ttl=64,bos=1``"""
    return ",".join(f"{part.name}={part.of(lse)}" for part in LSE_PARTS)


def _masked_lse_text(lse: int, mask: int) -> str:
    return (
        f"label={LABEL.of(lse)}/0x{LABEL.of(mask):x},tc={TC.of(lse)}/{TC.of(mask):x}"
        f",ttl={TTL.of(lse)}/0x{TTL.of(mask):x},bos={BOS.of(lse)}/{BOS.of(mask):x}"
    )


class MplsKind(Kind):
    """One to three label stack entries, the outermost first."""

    def read(self, key: int) -> Values:
        return tuple(bits.of(key) for bits in Flow.mpls_lse)

    def write(self, values: Values) -> int:
        return sum(lse << bits.shift for bits, lse in zip(Flow.mpls_lse, values, strict=False))

    def is_exact(self, masks: Values) -> bool:
        return all(mask == _LSE_ONES for mask in masks)

    def text(self, values: Values, masks: Values | None, _style: Style, /) -> str:
        if masks is None or self.is_exact(masks):
            return ",".join(map(lse_text, values))
        return ",".join(map(_masked_lse_text, values, masks))

    def scan(self, text: str, at: int, _ports: PortNumbers, /) -> ScannedAttribute | None:
        """A part that comes again begins the next entry."""
        values, masks = [0], [0]
        seen: set[str] = set()

        def scan_part(here: int) -> int | None:
            named = MEMBER_NAME.match(text, here)
            part = None if named is None else _LSE_PARTS_BY_NAME.get(named[1])
            if named is None or part is None:
                return here
            if part.name in seen:
                seen.clear()
                values.append(0)
                masks.append(0)
            seen.add(part.name)
            scanned = part.scan(text, named.end(), values[-1], masks[-1], 32)
            if scanned is None or len(values) > N_MPLS_LABELS:
                return None
            values[-1], masks[-1], end = scanned
            return end

        end = scan_list(text, at, scan_part)
        return None if end is None else ScannedAttribute(tuple(values), tuple(masks), end)


class NdExtensionsKind(StructKind):
    """Neighbor Discovery's reserved word, always shown whole, and first option."""

    def text(self, values: Values, masks: Values | None, style: Style) -> str:
        reserved, _option = values
        rest = super().text(values, (0, masks[1] if masks else 0xFF), style)
        return f"nd_reserved=0x{reserved:x}" + (f",{rest}" if rest else "")


NSH_MD_TYPE_1 = 1
_NSH_NO_CONTEXTS = 6


class NshKind(StructKind):
    """A network service header. Without masks the contexts show for MD type 1 only."""

    is_always_shown = True

    def text(self, values: Values, masks: Values | None, _style: Style, /) -> str:
        if masks is None:
            n_shown = len(values) if values[2] == NSH_MD_TYPE_1 else _NSH_NO_CONTEXTS
            shown = zip(self.members[:n_shown], values, strict=False)
            return ",".join(f"{member.name}={member.notation.text(v)}" for member, v in shown)
        return super().text(values, masks, Style(verbose=False))
