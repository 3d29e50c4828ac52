"""``push_nsh(...)`` in text."""

from __future__ import annotations

import re

from vnet.ovs.dpif.actions import PushNsh
from vnet.ovs.dpif.text.scan import Scanned, scan_hexadecimal, scan_integer, skip_delimiters
from vnet.ovs.dpif.text.stack_kinds import NSH_MD_TYPE_1

NSH_MD_TYPE_2 = 2

_FLAGS_MASK = 0x3
_TTL_MASK = 0x3F
"""As wide as the header has room for."""
_CONTEXT_BYTES = 4
_N_CONTEXTS = 4
_SMALL_DEFAULTS = {"flags": 0, "ttl": 63, "mdtype": NSH_MD_TYPE_1, "np": 3, "si": 255}
"""``np`` 3 is Ethernet."""
_CONTEXTS = tuple(f"c{number}" for number in range(1, _N_CONTEXTS + 1))
_NAME = re.compile(r"(flags|ttl|mdtype|np|si|spi|c[1-4])=")
_TLVS = re.compile(r"md2=0x([0-9a-fA-F]{1,511})")


def push_nsh_text(action: PushNsh) -> str:
    """``push_nsh(flags=0,ttl=63,mdtype=1,np=3,spi=0x1,si=255,c1=0x0,...)``"""
    head = (
        f"push_nsh(flags={action.flags},ttl={action.ttl},mdtype={action.mdtype},np={action.np}"
        f",spi=0x{action.path_hdr >> 8:x},si={action.path_hdr & 0xFF}"
    )
    return f"{head},{_metadata_text(action)})"


def _metadata_text(action: PushNsh) -> str:
    data = action.metadata
    if action.mdtype == NSH_MD_TYPE_1:
        words = (data[at : at + _CONTEXT_BYTES] for at in range(0, len(data), _CONTEXT_BYTES))
        shown = zip(_CONTEXTS, words, strict=False)
        return ",".join(f"{name}=0x{int.from_bytes(word, 'big'):x}" for name, word in shown)
    if action.mdtype == NSH_MD_TYPE_2:
        digits = data.hex().lstrip("0")
        return f"md2=0x{digits}" if digits else "md2=0"
    return "<error: unknown mdtype>"


def scan_push_nsh(text: str, at: int) -> tuple[PushNsh, int] | None:
    """Read ``push_nsh(...)`` from behind its opening parenthesis."""
    numbers = {**_SMALL_DEFAULTS, "spi": 0, **dict.fromkeys(_CONTEXTS, 0)}
    tlvs = b""
    while True:
        at = skip_delimiters(text, at)
        if text.startswith(")", at):
            return _push_nsh(numbers, tlvs), at + 1
        md_type = numbers["mdtype"]
        found = _NAME.match(text, at)
        if found is not None:
            name = found[1]
            scanned = _scan_number(name, text, found.end())
            if scanned is None or (name in _CONTEXTS and md_type != NSH_MD_TYPE_1):
                return None
            numbers[name], at = scanned
            if numbers["mdtype"] not in (NSH_MD_TYPE_1, NSH_MD_TYPE_2):
                return None
            continue
        found = _TLVS.match(text, at)
        if found is None or md_type != NSH_MD_TYPE_2:
            return None
        tlvs, at = _padded(found[1]), found.end()


def _scan_number(name: str, text: str, at: int) -> Scanned | None:
    if name in _SMALL_DEFAULTS:
        return scan_integer(text, at, 8)
    return scan_hexadecimal(text, at + 2, 32) if text.startswith("0x", at) else None


def _padded(digits: str) -> bytes:
    """Whole bytes, filled up to words; a last single digit is lost."""
    data = bytes.fromhex(digits[: len(digits) // 2 * 2])
    return data + bytes(-len(data) % 4)


def _push_nsh(numbers: dict[str, int], tlvs: bytes) -> PushNsh:
    metadata = tlvs
    if numbers["mdtype"] == NSH_MD_TYPE_1:
        metadata = b"".join(numbers[name].to_bytes(4, "big") for name in _CONTEXTS)
    return PushNsh(
        flags=numbers["flags"] & _FLAGS_MASK,
        ttl=numbers["ttl"] & _TTL_MASK,
        mdtype=numbers["mdtype"],
        np=numbers["np"],
        path_hdr=(numbers["spi"] << 8 & 0xFFFFFFFF) | numbers["si"],
        metadata=metadata,
    )
