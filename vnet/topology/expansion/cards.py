"""Network cards: what a card's own keys say must fit, and the cards of a template's instances.

A template's card is judged once, for all instances: does the last address still lie in
the network? After that counting up cannot fail.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from itertools import chain
from typing import TypeVar

from vnet.base.ids import IpAddress, Mac, ip_text, mac_text
from vnet.base.text import quote
from vnet.topology.expansion.routes import same_network
from vnet.topology.model import Address, Dynamic, Nic
from vnet.topology.reading.report import Path, Report
from vnet.topology.schema.topology import NicFile, TopologyFile
from vnet.topology.schema.values import RefusedError, check_host_part

NO_MAC = Mac(bytes(6))
"""Of a card whose file entry gives none: each instance is to get one of its own."""

_MIN_MTU_IPV6 = 1280  # RFC 8200 section 5

_N = TypeVar("_N", bound=Nic)


def check_card(path: Path, card: NicFile, count: int, report: Report) -> None:
    """Judge the card at ``path``, of which there will be ``count``."""
    seen: set[Dynamic | IpAddress] = set()
    for index, address in enumerate(card.ip):
        key = address if isinstance(address, Dynamic) else address.ip
        if key in seen:
            shown = key.value if isinstance(key, Dynamic) else ip_text(key)
            report.add((*path, "ip", index), f"the card has {shown} twice")
        seen.add(key)
        if isinstance(address, Dynamic):
            continue
        if len(address.ip) == 16 and card.ipv6 is False:
            what = "an IPv6 address on a card with `ipv6: false`"
            report.add((*path, "ipv6"), what, "leave one of the two out")
    has_ipv6 = card.ipv6 or any(len(address.ip) == 16 for address in card.addresses)
    if has_ipv6 and card.ipv6 is not False and card.mtu < _MIN_MTU_IPV6:
        hint = f"IPv6 needs {_MIN_MTU_IPV6}"
        report.add((*path, "mtu"), f"mtu {card.mtu} is too small for IPv6", hint)
    _check_room(path, card, count, report)
    if card.tc:
        # Files without queues do without all that they are made of.
        from vnet.topology.expansion.queues import check_commands

        check_commands((*path, "tc"), card.tc, card.mtu, report)


def _check_room(path: Path, card: NicFile, count: int, report: Report) -> None:
    """Check that ``count`` addresses in a row stay where the first one is."""
    for index, address in enumerate(card.ip):
        if isinstance(address, Dynamic):
            continue
        last = int.from_bytes(address.ip, "big") + count - 1
        packed = last.to_bytes(len(address.ip) + 1, "big")[1:]
        fits = last >> (len(address.ip) * 8) == 0 and same_network(address, packed)
        if fits:
            try:
                check_host_part(Address(IpAddress(packed), address.prefix_length), "")
            except RefusedError:
                fits = False
        if not fits:
            first = f"{ip_text(address.ip)}/{address.prefix_length}"
            what = f"{count} addresses from {quote(first)} do not fit in its network"
            report.add((*path, "ip", index), what, "choose a shorter prefix length")
    if card.mac is not None and int.from_bytes(card.mac[3:], "big") + count > 1 << 24:
        what = f"{count} MAC addresses from {quote(mac_text(card.mac))} run over"
        report.add((*path, "mac"), what, "the last three bytes count up")


def counted(card: _N, offset: int, choose_mac: Callable[[str], Mac]) -> _N:
    """``card`` of instance ``offset`` (from 0); ``choose_mac(name)`` where the file gives none."""
    mac = choose_mac(card.name) if card.mac == NO_MAC else Mac(_plus(card.mac, offset))
    if not offset:
        return replace(card, mac=mac)
    addresses = tuple(
        Address(IpAddress(_plus(address.ip, offset)), address.prefix_length)
        for address in card.addresses
    )
    return replace(card, mac=mac, addresses=addresses)


def explicit_macs(file: TopologyFile) -> Iterator[Mac]:
    """Every MAC address that the file itself gives away, so that no default takes it."""
    for machine in chain((file.hosts or {}).values(), (file.routers or {}).values()):
        if machine is not None:
            yield from _counted_macs(machine.nics.values(), machine.count)
            yield from _counted_macs(machine.vlans.values(), machine.count)
    for vm in (file.vms or {}).values():
        yield from _counted_macs(vm.vnics, vm.count)
        yield from _counted_macs(vm.vlans.values(), vm.count)


def _counted_macs(cards: Iterable[NicFile | None], count: int | None) -> Iterator[Mac]:
    for card in cards:
        if card is not None and card.mac is not None:
            for offset in range(count or 1):
                yield Mac(_plus(card.mac, offset))


def _plus(value: bytes, offset: int) -> bytes:
    return (int.from_bytes(value, "big") + offset).to_bytes(len(value), "big")
