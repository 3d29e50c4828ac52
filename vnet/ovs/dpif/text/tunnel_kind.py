"""The attribute that says where a frame came from through a tunnel, or goes."""

from __future__ import annotations

from vnet.ovs.dpif.text.kind import (
    MEMBER_NAME,
    Member,
    PortNumbers,
    ScannedAttribute,
    StructKind,
    Style,
    TooLongError,
    Values,
)
from vnet.ovs.dpif.text.scan import scan_flags
from vnet.ovs.flow import tunnel_flags
from vnet.ovs.flow.flag_text import TUNNEL_FLAGS, flags_masked_text, flags_text
from vnet.ovs.flow.flow import Flow

_KEPT = tunnel_flags.KEY | tunnel_flags.GENEVE
_GENEVE = "geneve()"
_FLAGS_MASK = 0xF
_FLAGS_NAME = "flags("
_ID = "tun_id"
_TTL = "ttl"
_MOST_BYTES = 0xFFFF - 4
"""What fits into a netlink attribute: its length, of 16 bits, counts its header of four bytes."""
_FLAGS = -2
_HAS_TTL = -1


class TunnelKind(StructKind):
    """``tunnel(tun_id=0x1,src=10.0.0.1,dst=10.0.0.2,ttl=64,flags(df|key))``

    Members that are 0 are absent, but for the TTL, and for the key where a flag says that it
    is one. Behind the members stand two more values: the flags, and whether a text had a TTL.
    """

    is_always_shown = True

    def __init__(self, name: str, *members: Member) -> None:
        super().__init__(name, *members)
        self.n_values = len(members) + 2
        self._n_bytes = {member.name: _netlink_bytes(member.notation.n_bits) for member in members}

    def has_ttl(self, values: Values) -> bool:
        """Whether there is a TTL, without which the attribute is not valid."""
        return bool(values[_HAS_TTL])

    def read(self, key: int) -> Values:
        return *super().read(key), Flow.tun_flags.of(key), 1

    def read_masks(self, mask: int) -> Values:
        return *super().read_masks(mask), Flow.tun_flags.of(mask), 1

    def write(self, values: Values) -> int:
        return super().write(values[:_FLAGS]) | values[_FLAGS] << Flow.tun_flags.shift

    def write_masks(self, masks: Values) -> int:
        return super().write_masks(masks[:_FLAGS]) | masks[_FLAGS] << Flow.tun_flags.shift

    def is_exact(self, masks: Values) -> bool:
        return super().is_exact(masks[:_FLAGS]) and masks[_FLAGS] == _FLAGS_MASK

    def is_wildcard(self, _masks: Values, /) -> bool:
        return False

    def text(self, values: Values, masks: Values | None, style: Style) -> str:
        of_members = masks or (None,) * len(values)
        parts = [
            member.text(value, mask, verbose=style.verbose)
            for member, value, mask in zip(self.members, values, of_members, strict=False)
            if value or member.name == _TTL or (member.name == _ID and _has_key(values))
        ]
        if values[_FLAGS] & tunnel_flags.GENEVE:
            parts.append(_GENEVE)
        parts.append(_flags_text(values, masks, style))
        return ",".join(part for part in parts if part)

    def scan(self, text: str, at: int, ports: PortNumbers, /) -> ScannedAttribute | None:
        """Each member is an attribute of its own within this one, as often as it is named."""
        scanned = super().scan(text, at, ports)
        if scanned is not None:
            names = MEMBER_NAME.findall(text, at, scanned.end)
            if sum(self._n_bytes[name] for name in names) > _MOST_BYTES:
                raise TooLongError
        return scanned

    def _scan_member(self, text: str, at: int, values: list[int], masks: list[int]) -> int | None:
        """The flags have parentheses of their own; whether there is a key is seen from it."""
        if text.startswith(_GENEVE, at):
            values[_FLAGS] |= tunnel_flags.GENEVE
            masks[_FLAGS] |= tunnel_flags.GENEVE
            return at + len(_GENEVE)
        if text.startswith(_FLAGS_NAME, at):
            return _scan_flags(text, at + len(_FLAGS_NAME), values, masks)
        end = super()._scan_member(text, at, values, masks)
        if end is not None and text.startswith(f"{_ID}=", at):
            values[_FLAGS] |= tunnel_flags.KEY
            masks[_FLAGS] |= tunnel_flags.KEY
        elif end is not None and text.startswith(f"{_TTL}=", at):
            values[_HAS_TTL] = masks[_HAS_TTL] = 1
        return end


def _netlink_bytes(n_bits: int) -> int:
    """What a member takes: a header of four bytes, and words of four."""
    return 4 + (n_bits + 31) // 32 * 4


def _has_key(values: Values) -> bool:
    return bool(values[0] or values[_FLAGS] & tunnel_flags.KEY)


def _flags_text(values: Values, masks: Values | None, style: Style) -> str:
    key_flag = tunnel_flags.KEY if _has_key(values) else 0
    flags = values[_FLAGS] & _FLAGS_MASK | key_flag
    if masks is None:
        return f"flags({flags_text(TUNNEL_FLAGS, flags)})"
    mask = masks[_FLAGS] & _FLAGS_MASK & ~tunnel_flags.KEY | key_flag
    if not mask and not style.verbose:
        return ""
    return f"flags({flags_masked_text(TUNNEL_FLAGS, flags, mask, _FLAGS_MASK)})"


def _scan_flags(text: str, at: int, values: list[int], masks: list[int]) -> int | None:
    scanned = scan_flags(text, at, TUNNEL_FLAGS)
    if scanned is None:
        return None
    flags, mask, end = scanned
    settable = _FLAGS_MASK & ~tunnel_flags.KEY
    values[_FLAGS] = values[_FLAGS] & _KEPT | flags & settable
    masks[_FLAGS] = masks[_FLAGS] & _KEPT | mask & settable
    return end
