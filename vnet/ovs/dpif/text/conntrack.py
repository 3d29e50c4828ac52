"""``ct(...)`` in text, printed and read."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from socket import AF_INET, AF_INET6, inet_ntop

from vnet.ovs.dpif.actions import Ct, CtNat
from vnet.ovs.dpif.text.kinds import CT_LABEL
from vnet.ovs.dpif.text.scan import (
    Scanned,
    scan_decimal,
    scan_hexadecimal,
    scan_wide,
    skip_delimiters,
)
from vnet.ovs.flow.address_text import scan_ipv4, scan_ipv6
from vnet.ovs.flow.value_text import hex_text

_LABEL_BYTES = 16
_MARK_ONES = 0xFFFFFFFF
_MAX_HELPER_CHARACTERS = 15
_MAX_TIMEOUT_CHARACTERS = 31

_WORD = re.compile(r"[^, \t\r\n)]+")


def ct_text(action: Ct) -> str:
    """``ct(commit,zone=1,nat(src=10.0.0.1))``, and ``ct`` alone where nothing is said."""
    parts = []
    if action.commit:
        parts.append("commit")
    if action.force:
        parts.append("force_commit")
    if action.zone:
        parts.append(f"zone={action.zone}")
    if action.mark is not None:
        value, mask = action.mark
        parts.append(f"mark={hex_text(value)}/{hex_text(mask)}")
    if action.label is not None:
        parts.append(f"label={CT_LABEL.notation.masked_text(*action.label)}")
    if action.helper:
        parts.append(f"helper={action.helper}")
    if action.timeout:
        parts.append(f"timeout={action.timeout}")
    if action.nat is not None:
        parts.append(nat_text(action.nat))
    return f"ct({','.join(parts)})" if parts else "ct"


def nat_text(nat: CtNat) -> str:
    """``nat(src=10.0.0.1-10.0.0.9:1024-2048,random)``, ``nat`` where no side is said."""
    if nat.is_source is None:
        return "nat"
    parts = ["src" if nat.is_source else "dst"]
    if nat.address_min is not None:
        parts[0] += f"={_range_text(nat, nat.address_min)}"
    parts += [
        word
        for word, is_set in (
            ("persistent", nat.is_persistent),
            ("hash", nat.is_hash),
            ("random", nat.is_random),
        )
        if is_set
    ]
    return f"nat({','.join(parts)})"


def _range_text(nat: CtNat, address_min: bytes) -> str:
    shown = _address_text(address_min, nat.port_min)
    address_max = nat.address_max
    if address_max is not None and any(address_max) and address_max != address_min:
        shown += f"-{_address_text(address_max, nat.port_min)}"
    if nat.port_min:
        shown += f":{nat.port_min}"
        if nat.port_max and nat.port_max != nat.port_min:
            shown += f"-{nat.port_max}"
    return shown


def _address_text(address: bytes, port: int) -> str:
    """An IPv6 address stands in brackets where a port follows."""
    if len(address) == 4:
        return inet_ntop(AF_INET, address)
    shown = inet_ntop(AF_INET6, address)
    return f"[{shown}]" if port else shown


def scan_ct(text: str, at: int) -> tuple[Ct, int] | None:
    """Read ``ct`` or ``ct(...)`` from behind its name. What is said twice counts once, the last."""
    ct = Ct()
    if not text.startswith("(", at):
        return ct, at
    at += 1
    while True:
        at = skip_delimiters(text, at)
        if text.startswith(")", at):
            break
        scanned = _scan_ct_part(ct, text, at)
        if scanned is None:
            return None
        ct, at = scanned
    if ct.commit and ct.force:
        return None
    return ct, at + 1


def _scan_ct_part(ct: Ct, text: str, at: int) -> tuple[Ct, int] | None:
    for name, scan in _CT_PARTS:
        if text.startswith(name, at):
            return scan(ct, text, at + len(name))
    return None


def _scan_zone(ct: Ct, text: str, at: int) -> tuple[Ct, int] | None:
    scanned = scan_decimal(text, at, 16)
    return scanned and (replace(ct, zone=scanned[0]), scanned[1])


def _scan_mark(ct: Ct, text: str, at: int) -> tuple[Ct, int] | None:
    scanned = scan_hexadecimal(text, at, 32)
    if scanned is None:
        return None
    value, end = scanned
    mask: Scanned = _MARK_ONES, end
    if text.startswith("/", end):
        mask = scan_hexadecimal(text, end + 1, 32) or mask
    return replace(ct, mark=(value, mask[0]) if mask[0] else None), mask[1]


def _scan_label(ct: Ct, text: str, at: int) -> tuple[Ct, int] | None:
    scanned = scan_wide(text, at, _LABEL_BYTES)
    if scanned is None:
        return None
    value, mask, end = scanned
    return replace(ct, label=(value, mask) if mask else None), end


def _scan_helper(ct: Ct, text: str, at: int) -> tuple[Ct, int] | None:
    word = _word_at(text, at, _MAX_HELPER_CHARACTERS)
    return None if word is None else (replace(ct, helper=word), at + len(word))


def _scan_timeout(ct: Ct, text: str, at: int) -> tuple[Ct, int] | None:
    word = _word_at(text, at, _MAX_TIMEOUT_CHARACTERS)
    return None if word is None else (replace(ct, timeout=word), at + len(word))


def _word_at(text: str, at: int, max_characters: int) -> str | None:
    found = _WORD.match(text, at)
    return None if found is None or len(found[0]) > max_characters else found[0]


def _scan_nat(ct: Ct, text: str, at: int) -> tuple[Ct, int] | None:
    scanned = scan_nat(text, at)
    return scanned and (replace(ct, nat=scanned[0]), scanned[1])


_CT_PARTS = (
    ("commit", lambda ct, _text, at: (replace(ct, commit=True), at)),
    ("force_commit", lambda ct, _text, at: (replace(ct, force=True), at)),
    ("zone=", _scan_zone),
    ("mark=", _scan_mark),
    ("label=", _scan_label),
    ("helper=", _scan_helper),
    ("timeout=", _scan_timeout),
    ("nat", _scan_nat),
)


def scan_nat(text: str, at: int) -> tuple[CtNat, int] | None:
    """Read ``nat`` or ``nat(...)`` from behind its name."""
    nat = CtNat()
    if not text.startswith("(", at):
        return nat, at
    at += 1
    sides: set[str] = set()
    while True:
        at = skip_delimiters(text, at)
        if text.startswith(")", at):
            break
        word = next((word for word in _NAT_WORDS if text.startswith(word, at)), None)
        if word is None:
            return None
        at += len(word)
        if word in _NAT_SIDES:
            sides.add(word)
            scanned = _scan_range(replace(nat, is_source=word == "src"), text, at)
            if scanned is None:
                return None
            nat, at = scanned
        else:
            nat = _NAT_OPTIONS[word](nat)
    if len(sides) > 1 or not _is_range_sane(nat) or (nat.is_hash and nat.is_random):
        return None
    return _normalized(nat), at + 1


_NAT_SIDES = ("src", "dst")
_NAT_OPTIONS: dict[str, Callable[[CtNat], CtNat]] = {
    "persistent": lambda nat: replace(nat, is_persistent=True),
    "hash": lambda nat: replace(nat, is_hash=True),
    "random": lambda nat: replace(nat, is_random=True),
}
_NAT_WORDS = (*_NAT_SIDES, *_NAT_OPTIONS)


def _scan_range(nat: CtNat, text: str, at: int) -> tuple[CtNat, int] | None:
    if not text.startswith("=", at):
        return nat, at
    scanned = _scan_address(text, at + 1)
    if scanned is None:
        return None
    address, at = scanned
    nat = replace(nat, address_min=address, address_max=None)
    if text.startswith("-", at):
        scanned = _scan_address(text, at + 1)
        if scanned is None or len(scanned[0]) != len(address):
            return None
        nat, at = replace(nat, address_max=scanned[0]), scanned[1]
    ports = scan_decimal(text, at + 1, 16) if text.startswith(":", at) else None
    if ports is None:
        return nat, at
    port_min, at = ports
    nat = replace(nat, port_min=port_min)
    if text.startswith("-", at):
        ports = scan_decimal(text, at + 1, 16)
        if ports is None:
            return None
        nat, at = replace(nat, port_max=ports[0]), ports[1]
    return nat, at


def _scan_address(text: str, at: int) -> tuple[bytes, int] | None:
    scanned = scan_ipv4(text, at)
    if scanned is not None:
        return scanned[0].to_bytes(4, "big"), scanned[1]
    is_bracketed = text.startswith("[", at)
    scanned = scan_ipv6(text, at + is_bracketed)
    if scanned is None or (is_bracketed and not text.startswith("]", scanned[1])):
        return None
    return scanned[0].to_bytes(16, "big"), scanned[1] + is_bracketed


def _is_range_sane(nat: CtNat) -> bool:
    address_min, address_max = nat.address_min, nat.address_max
    if address_min and address_max and any(address_max) and address_max < address_min:
        return False
    return not nat.port_max or nat.port_max >= nat.port_min


def _normalized(nat: CtNat) -> CtNat:
    """Without a side nothing else counts; nor does an end of a range that is its beginning."""
    if nat.is_source is None:
        return CtNat()
    address_min, address_max = nat.address_min, nat.address_max
    if address_min is None:
        return CtNat(nat.is_source)
    if address_max is not None and address_max <= address_min:
        address_max = None
    port_max = nat.port_max if nat.port_min and nat.port_max > nat.port_min else 0
    return replace(nat, address_max=address_max, port_max=port_max)
