"""Rows of attributes, and how they are printed (``odp_flow_format``)."""

from __future__ import annotations

from collections.abc import Sequence

from vnet.base.record import record
from vnet.ovs.dpif.text.kind import Kind, Style, Values
from vnet.ovs.dpif.text.kinds import ETHERNET, ETHERTYPE, PACKET_TYPE


@record(frozen=True, slots=True)
class Attribute:
    """An attribute of a flow's key or mask: a kind and its values.

    ``kind`` None is ``encap``: what a tagged frame carries, a row of attributes of its own.
    """

    kind: Kind | None
    values: Values = ()
    inner: tuple[Attribute, ...] = ()

    @property
    def name(self) -> str:
        """The attribute's name in text."""
        return ENCAP_NAME if self.kind is None else self.kind.name


Attributes = Sequence[Attribute]

ENCAP_NAME = "encap"
EMPTY = "<empty>"


def find(attributes: Attributes, kind: Kind | None) -> Attribute | None:
    """The first attribute of a kind."""
    return next((attribute for attribute in attributes if attribute.kind is kind), None)


def attributes_text(key: Attributes, mask: Attributes | None, style: Style) -> str:
    """A flow as a row of attributes. Without a mask, or with an empty one, it is exact.

    What is wholly wildcarded is left out, with exceptions: an empty ``eth()`` says that there
    is an Ethernet header where no packet type says so.
    """
    if not key:
        return EMPTY
    parts = []
    tells_packet_type = False
    for attribute in key:
        if attribute.kind is PACKET_TYPE:
            tells_packet_type = True
        of_mask = find(mask, attribute.kind) if mask else None
        is_wildcard = bool(mask) and _is_wildcard(of_mask)
        if style.verbose or not is_wildcard or _is_always_shown(attribute):
            parts.append(_attribute_text(attribute, of_mask, is_wildcard, style))
        elif attribute.kind is ETHERNET and not tells_packet_type:
            parts.append(f"{ETHERNET.name}()")
        elif attribute.kind is PACKET_TYPE:
            tells_packet_type = False
    if mask is not None and find(key, ETHERTYPE) is None:
        of_mask = find(mask, ETHERTYPE)
        if of_mask is not None:
            # IEEE 802.2 frames have no type; the mask says that they are meant.
            parts.append(f"{ETHERTYPE.name}(0/0x{of_mask.values[0]:04x})")
            if len(parts) == 1:
                parts.insert(0, "")
    return ",".join(parts)


def _is_wildcard(mask: Attribute | None) -> bool:
    if mask is None:
        return True
    return mask.kind is not None and mask.kind.is_wildcard(mask.values)


def _is_always_shown(attribute: Attribute) -> bool:
    return attribute.kind is None or attribute.kind.is_always_shown


def _attribute_text(
    attribute: Attribute, mask: Attribute | None, is_wildcard: bool, style: Style
) -> str:
    if attribute.kind is None:
        inner_style = Style(style.verbose)
        inner_mask = mask.inner if mask is not None and mask.inner else None
        inner = attribute.inner
        shown = attributes_text(inner, inner_mask, inner_style) if inner else ""
        return f"{ENCAP_NAME}({shown})"
    masks = mask.values if mask is not None else None
    if masks is None and is_wildcard:
        masks = (0,) * len(attribute.values)
    return f"{attribute.name}({attribute.kind.text(attribute.values, masks, style)})"
