"""``ip address add``, ``replace``, ``del`` and ``flush``, with the real tool's answers."""

from __future__ import annotations

from collections.abc import Sequence

from vnet.base.errors import UsageError
from vnet.base.ids import IpAddress
from vnet.linux.netns.namespace import Namespace
from vnet.shell.commands.ip_words import WordReader, device_name, garbage, prefix

CHANGES = ("add", "replace", "change", "delete", "flush")


def change_address(namespace: Namespace, verb: str, words: Sequence[str]) -> str:
    """Do what stands behind ``ip address``."""
    change = next(c for c in CHANGES if c.startswith(verb))
    local, device, family = _read(namespace, WordReader(words))
    if device is None:
        raise UsageError('Not enough information: "dev" argument is required.')
    if change == "flush":
        return _flush(namespace, device, family, local)
    if local is None:
        raise UsageError("RTNETLINK answers: Operation not supported", "say which address")
    ip, length = local
    interface = namespace.interface(device)
    known = interface.find(ip)
    version = "ipv6" if len(ip) == 16 else "ipv4"
    if change == "delete":
        if known is None:
            raise UsageError(f"Error: {version}: Address not found.")
        namespace.delete_address(device, ip)
    elif known is None:
        namespace.add_address(device, ip, length)
    elif change == "add":
        word = "address" if len(ip) == 16 else "Address"
        raise UsageError(f"Error: {version}: {word} already assigned.")
    return ""


def _read(
    namespace: Namespace, read: WordReader
) -> tuple[tuple[IpAddress, int] | None, str | None, int | None]:
    """The address, the device, and whether one family alone is meant."""
    local: tuple[IpAddress, int] | None = None
    device: str | None = None
    while read:
        word = read.next()
        match word:
            case "dev":
                device = device_name(namespace, read.next())
            case "brd" | "broadcast" | "label" | "scope":
                read.next()  # what every address here has as the kernel would choose it
            case "local" | "to":
                local = prefix(read.next())
            case _ if local is None and word not in namespace.interfaces:
                local = prefix(word)
            case _ if device is None:
                device = device_name(namespace, word)
            case _:
                raise garbage(word)
    return local, device, None


def _flush(
    namespace: Namespace, device: str, family: int | None, local: tuple[IpAddress, int] | None
) -> str:
    interface = namespace.interface(device)
    for address in tuple(interface.addresses):
        wanted = local is None or address.ip == local[0]
        of_family = family in (None, 4 if len(address.ip) == 4 else 6)
        # The secondary ones may have gone with the first of their network.
        if wanted and of_family and interface.find(address.ip) is not None:
            namespace.delete_address(device, address.ip)
    return ""
