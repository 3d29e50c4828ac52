"""``ip neighbour add``, ``replace``, ``del`` and ``flush``, and the entries of proxies."""

from __future__ import annotations

from collections.abc import Sequence

from vnet.base.errors import UsageError
from vnet.base.ids import IpAddress, Mac
from vnet.linux.netns.errors import FILE_EXISTS, NO_SUCH_FILE
from vnet.linux.netns.namespace import Namespace
from vnet.shell.commands.ip_words import WordReader, address, device_name, garbage
from vnet.shell.keywords import hardware_address
from vnet.tables.neigh import Nud

CHANGES = ("add", "replace", "change", "delete", "flush")

_STATES = {
    "permanent": Nud.PERMANENT,
    "reachable": Nud.REACHABLE,
    "stale": Nud.STALE,
}


class _Entry:
    """An entry as it is written."""

    def __init__(self) -> None:
        self.ip: IpAddress | None = None
        self.mac: Mac | None = None
        self.device: str | None = None
        self.state = Nud.PERMANENT
        self.is_proxy = False


def change_neighbor(namespace: Namespace, verb: str, words: Sequence[str]) -> str:
    """Do what stands behind ``ip neighbour``."""
    change = next(c for c in CHANGES if c.startswith(verb))
    entry = _read(namespace, WordReader(words))
    if change == "flush":
        return _flush(namespace, entry)
    if entry.ip is None or entry.device is None:
        raise UsageError("Device and destination are required arguments.")
    if entry.is_proxy:
        return _proxy(namespace, change, entry)
    cache = namespace.interface(entry.device).cache_of(entry.ip)
    known = cache.table.get(entry.ip)
    if change == "delete":
        if known is None:
            raise UsageError(NO_SUCH_FILE)
        cache.forget(entry.ip)
        return ""
    if change == "add" and known is not None:
        raise UsageError(FILE_EXISTS)
    if change == "change" and known is None:
        raise UsageError(NO_SUCH_FILE)
    if entry.mac is None:
        raise UsageError("Error: No link layer address given.")
    cache.set(entry.ip, entry.mac, entry.state)
    return ""


def _read(namespace: Namespace, read: WordReader) -> _Entry:
    entry = _Entry()
    while read:
        word = read.next()
        match word:
            case "lladdr":
                entry.mac = hardware_address(read.next())
            case "dev":
                entry.device = device_name(namespace, read.next())
            case "nud":
                entry.state = _state(read.next())
            case "proxy":
                entry.is_proxy = True
                entry.ip = address(read.next())
            case "router":
                continue
            case _ if entry.ip is None:
                entry.ip = address(read.next() if word == "to" else word)
            case _:
                raise garbage(word)
    return entry


def _state(text: str) -> Nud:
    if text not in _STATES:
        raise UsageError(f'Error: argument "{text}" is wrong: nud state is bad')
    return _STATES[text]


def _proxy(namespace: Namespace, change: str, entry: _Entry) -> str:
    assert entry.ip is not None
    assert entry.device is not None
    adds = change in ("add", "replace")
    if len(entry.ip) == 16:
        cache = namespace.interface(entry.device).nd_cache
        if adds:
            cache.add_proxied(entry.ip)
        else:
            cache.remove_proxied(entry.ip)
        return ""
    entries, key = namespace.arp.proxy.entries, (entry.device, bytes(entry.ip))
    if adds:
        entries.add(key)
    elif key in entries:
        entries.remove(key)
    else:
        raise UsageError(NO_SUCH_FILE)
    return ""


def _flush(namespace: Namespace, entry: _Entry) -> str:
    """All of a device, or of all, but for the administrator's own."""
    if entry.device is None and entry.ip is None:
        raise UsageError("Flush requires arguments.")
    for interface in namespace.interfaces.values():
        if entry.device in (None, interface.device.name):
            for cache in (interface.arp_cache, interface.nd_cache):
                cache.flush(keep_permanent=True)
    return ""
