"""What the user wants compared otherwise: by field names, with ``*`` and ``?`` as in a shell."""

from __future__ import annotations

from dataclasses import dataclass, field
from fnmatch import fnmatchcase

from vnet.base.ids import is_link_local_ip6
from vnet.compare.cursor import ip_shown, mac_shown
from vnet.compare.field import FREE, Field, Label

_MULTICAST_BIT = 1
_SOLICITED_IP = bytes.fromhex("ff0200000000000000000001ff")
_SOLICITED_MAC = b"\x33\x33\xff"
_EUI64_MIDDLE = b"\xff\xfe"


@dataclass
class Rules:
    """``exact`` fields are compared by value, ``labels`` as labels, and ``skip`` not at all.

    With ``macs``, MAC addresses are labels wherever they stand, in the IPv6 addresses made from
    them as well. Names are as shown, and as shown without ``inner.`` and ``quoted.``.
    """

    exact: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()
    skip: tuple[str, ...] = ()
    macs: bool = False
    _known: dict[str, str] = field(default_factory=dict, repr=False)

    @property
    def is_plain(self) -> bool:
        return not (self.exact or self.labels or self.skip or self.macs)

    def apply(self, one: Field) -> Field:
        """The field as it is to be compared."""
        how = self._known.get(one.name)
        if how is None:
            how = self._known[one.name] = self._how(one)
        if how == "skip":
            return one._replace(key=FREE, label=None)
        if how == "exact":
            return one._replace(key=one.value, label=None)
        if how == "label":
            return one._replace(key=FREE, label=Label(one.plain_name, None, one.value))
        return _without_mac(one) if self.macs else one

    def _how(self, one: Field) -> str:
        for how, patterns in (("skip", self.skip), ("exact", self.exact), ("label", self.labels)):
            if any(fnmatchcase(n, p) for p in patterns for n in (one.name, one.plain_name)):
                return how
        return "as it is"


def _without_mac(one: Field) -> Field:
    value = one.value
    if not isinstance(value, bytes):
        return one
    if one.show is mac_shown:
        if value.startswith(_SOLICITED_MAC):
            return one._replace(key=_SOLICITED_MAC, label=Label("mac.low", None, value[3:]))
        if any(value) and not value[0] & _MULTICAST_BIT:
            return one._replace(key=FREE, label=Label("mac", None, value))
    elif one.show is ip_shown and len(value) == 16:
        if value.startswith(_SOLICITED_IP):
            return one._replace(key=_SOLICITED_IP, label=Label("mac.low", None, value[13:]))
        if is_link_local_ip6(value) and value[11:13] == _EUI64_MIDDLE:
            mac = bytes([value[8] ^ 2]) + value[9:11] + value[13:]
            return one._replace(key=value[:8], label=Label("mac", None, mac))
    return one
