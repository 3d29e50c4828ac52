"""What the commands of ``ip`` are written with: words in order, addresses, devices, numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from vnet.base.errors import UsageError
from vnet.base.ids import IpAddress, ip_from_text, network_of
from vnet.base.text import did_you_mean
from vnet.linux.netns.namespace import Namespace


class WordReader:
    """The words that are left, read from the front."""

    def __init__(self, words: Sequence[str]) -> None:
        self._waiting = list(reversed(words))

    def __bool__(self) -> bool:
        return bool(self._waiting)

    def next(self) -> str:
        """The next word."""
        if not self._waiting:
            raise UsageError('Command line is not complete. Try option "help"')
        return self._waiting.pop()

    def peek(self) -> str:
        """The next word, left where it is; "" at the end."""
        return self._waiting[-1] if self._waiting else ""

    def push(self, word: str) -> None:
        """Put a word back to the front."""
        self._waiting.append(word)

    def pairs(self) -> Mapping[str, str]:
        """All that is left, as keywords with a value each."""
        found = {}
        while self:
            key = self.next()
            found[key] = self.next()
        return found


def garbage(word: str) -> UsageError:
    """What ip says of a word that it cannot place."""
    return UsageError(f'Error: either "to" is duplicate, or "{word}" is a garbage.')


def device_name(namespace: Namespace, name: str) -> str:
    """A device that is there."""
    if name not in namespace.interfaces:
        hint = did_you_mean(name, list(namespace.interfaces), "there are")
        raise UsageError(f'Cannot find device "{name}"', hint)
    return name


def address(text: str, family: int | None = None) -> IpAddress:
    """One address, of a given family if that is told."""
    found = _ip(text, family)
    if found is None:
        raise _expected("address", text, family)
    return found


def _ip(text: str, family: int | None) -> IpAddress | None:
    try:
        found = ip_from_text(text)
    except ValueError:
        return None
    return found if family in (None, 4 if len(found) == 4 else 6) else None


def _expected(what: str, text: str, family: int | None) -> UsageError:
    kind = "any valid" if family is None else "inet" if family == 4 else "inet6"
    return UsageError(f'Error: {kind} {what} is expected rather than "{text}".')


def prefix(text: str, family: int | None = None) -> tuple[IpAddress, int]:
    """A network, ``default`` and ``all`` among them; host bits are left as they are."""
    if text in ("default", "any", "all"):
        return IpAddress(bytes(16 if family == 6 else 4)), 0
    host, slash, length_text = text.partition("/")
    ip = _ip(host, family)
    bits = 0 if ip is None else len(ip) * 8
    length = bits if not slash else int(length_text) if length_text.isdecimal() else bits + 1
    if ip is None or length > bits:
        raise _expected("prefix", text, family)
    return ip, length


def network(text: str, family: int | None = None) -> tuple[IpAddress, int]:
    """A network without host bits, as the kernel wants routes to be."""
    ip, length = prefix(text, family)
    if network_of(ip, length) != ip and len(ip) == 4:
        raise UsageError("Error: Invalid prefix for given prefix length.")
    return network_of(ip, length), length


def number(text: str, most: int, what: str = "value", *, fault: str = "") -> int:
    """A number from 0, in the notation of C. ``fault`` is what ip says of any other word."""
    try:
        found = int(text, 0)
    except ValueError:
        found = -1
    if not 0 <= found <= most:
        raise UsageError(f'Error: argument "{text}" is wrong: {fault or f"invalid {what}"}')
    return found
