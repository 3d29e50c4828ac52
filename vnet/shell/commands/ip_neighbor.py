"""``ip neighbour add``, ``replace``, ``del`` and ``flush``, and the entries of proxies."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from vnet.base.errors import UsageError
from vnet.base.ids import IpAddress, Mac, network_of
from vnet.base.text import one_of
from vnet.linux.netns.errors import FILE_EXISTS, NO_SUCH_FILE
from vnet.linux.netns.namespace import Namespace
from vnet.shell.commands.ip_words import WordReader, address, device_name, garbage, prefix
from vnet.shell.keywords import hardware_address
from vnet.tables.neigh import Neighbor, Nud

CHANGES = ("add", "replace", "change", "delete", "flush")

_STATES = {state.value: state for state in Nud}
_SETTABLE = (Nud.PERMANENT, Nud.REACHABLE, Nud.STALE)


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
    if change == "flush":
        return _flush(namespace, WordReader(words))
    entry = _read(namespace, WordReader(words))
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
                if entry.state not in _SETTABLE:
                    known = one_of([state.value for state in _SETTABLE])
                    raise UsageError("RTNETLINK answers: Invalid argument", f"here: {known}")
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


def _flush(namespace: Namespace, read: WordReader) -> str:
    """All that is meant; the administrator's own only if their state is named."""
    if not read:
        raise UsageError("Flush requires arguments.", "all, or dev DEV, or a network")
    device: str | None = None
    within: tuple[IpAddress, int] | None = None
    state: Nud | None = None
    while read:
        word = read.next()
        if word == "dev":
            device = device_name(namespace, read.next())
        elif word == "nud":
            state = _state(read.next())
        else:
            text = read.next() if word == "to" else word
            within = None if text == "all" else prefix(text)
    for interface in namespace.interfaces.values():
        if device in (None, interface.device.name):
            for cache in (interface.arp_cache, interface.nd_cache):
                for neighbor in tuple(cache.table):
                    if _is_meant(neighbor, within, state):
                        cache.forget(neighbor.ip)
    return ""


def _is_meant(
    neighbor: Neighbor[Any], within: tuple[IpAddress, int] | None, state: Nud | None
) -> bool:
    if state is None and neighbor.state is Nud.PERMANENT:
        return False
    if within is not None:
        network, length = within
        if len(neighbor.ip) != len(network):
            return False
        if network_of(neighbor.ip, length) != network_of(network, length):
            return False
    return state in (None, neighbor.state)
