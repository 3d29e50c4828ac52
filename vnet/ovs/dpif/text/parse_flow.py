"""Datapath flows read from text (``odp_flow_from_string``), as rows of attributes."""

from __future__ import annotations

import re

from vnet.ovs.dpif.text.attribute import ENCAP_NAME, Attribute
from vnet.ovs.dpif.text.kind import PortNumbers, TooLongError
from vnet.ovs.dpif.text.kinds import KINDS_BY_NAME
from vnet.ovs.dpif.text.scan import skip_delimiters
from vnet.ovs.flow.errors import OvsTextError

MAX_DEPTH = 32
"""How deep attributes and actions may be nested, plus one."""

TOO_LONG = "Argument list too long"

_NAME = re.compile(r"([a-z0-9_]+)\(")
_UFID = re.compile(r"ufid:[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12} ?")

Pair = tuple[Attribute, Attribute]
"""An attribute of the key and the one of the mask."""


class FlowSyntaxError(OvsTextError):
    """A text that is no flow, from ``rest`` on; ``why`` is what the C library calls it."""

    def __init__(self, rest: str, why: str = "Invalid argument") -> None:
        super().__init__(f"syntax error at {rest}")
        self.why = why


def parse_attributes(text: str, ports: PortNumbers) -> tuple[list[Attribute], list[Attribute]]:
    """The key's and the mask's attributes. Those that are repeated or make no sense together
    are found when a flow is made of them. Raises :class:`FlowSyntaxError`.
    """
    pairs: list[Pair] = []
    at = skip_delimiters(text, 0)
    while at < len(text):
        start = at
        if text.startswith("ufid:", at):
            found = _UFID.match(text, at)
            if found is None:
                raise FlowSyntaxError(text[start:])
            start = at = found.end()
        try:
            scanned = scan_attribute(text, at, ports)
        except TooLongError as error:
            raise FlowSyntaxError(text[start:], TOO_LONG) from error
        if scanned is None:
            raise FlowSyntaxError(text[start:])
        pair, at = scanned
        pairs.append(pair)
        at = skip_delimiters(text, at)
    return [key for key, _mask in pairs], [mask for _key, mask in pairs]


def scan_attribute(
    text: str, at: int, ports: PortNumbers, depth: int = 1
) -> tuple[Pair, int] | None:
    """Read one attribute at ``at``. Raises :class:`TooLongError`."""
    found = _NAME.match(text, at)
    if found is None or depth >= MAX_DEPTH:
        return None
    if found[1] == ENCAP_NAME:
        return _scan_encap(text, found.end(), ports, depth)
    kind = KINDS_BY_NAME.get(found[1])
    scanned = None if kind is None else kind.scan(text, found.end(), ports)
    if scanned is None:
        return None
    values, masks, end = scanned
    return (Attribute(kind, values), Attribute(kind, masks)), end


def _scan_encap(text: str, at: int, ports: PortNumbers, depth: int) -> tuple[Pair, int] | None:
    pairs: list[Pair] = []
    while True:
        at = skip_delimiters(text, at)
        if text.startswith(")", at):
            inner_key = tuple(key for key, _mask in pairs)
            inner_mask = tuple(mask for _key, mask in pairs)
            return (Attribute(None, inner=inner_key), Attribute(None, inner=inner_mask)), at + 1
        scanned = scan_attribute(text, at, ports, depth + 1)
        if scanned is None:
            return None
        pair, at = scanned
        pairs.append(pair)
