"""Addresses and ports to translate to: ``10.0.0.1-10.0.0.9:80-90``."""

from __future__ import annotations

from dataclasses import replace

from vnet.linux.netfilter.xtables.errors import XtablesError
from vnet.linux.netfilter.xtables.names import service_port
from vnet.linux.netfilter.xtables.option import Given, Word
from vnet.linux.netfilter.xtables.values import address_text, number, pton, take_number
from vnet.tables.conntrack.linux.nat_range import NatRange

_WITH_PORTS = frozenset((6, 17, 132, 33, 1))


def read_ports(word: Word) -> NatRange:
    """``80``, ``80-90`` or, for DNAT, ``80-90/8080``."""
    return _ports(word.text, word.protocol)


def _ports(text: str, protocol: int) -> NatRange:
    if protocol not in _WITH_PORTS:
        raise XtablesError("Need TCP, UDP, SCTP or DCCP with port specification")
    taken = take_number(text, 0xFFFF)
    first, rest = (_service(text), "") if taken is None else taken
    if not rest:
        return NatRange(first_port=first, last_port=first)
    if rest[0] == ":":
        raise XtablesError("Invalid port:port syntax - use dash")
    if rest[0] != "-":
        raise XtablesError(f"Garbage after port value: `{rest}'")
    return _second_port(first, rest[1:])


def _second_port(first: int, text: str) -> NatRange:
    taken = take_number(text, 0xFFFF)
    if taken is None:
        raise XtablesError(f"Port `{text}' not valid")
    last, rest = taken
    if last < first:
        raise XtablesError(f"Port range `{text}' funky")
    if not rest:
        return NatRange(first_port=first, last_port=last)
    if rest[0] != "/":
        raise XtablesError(f"Garbage after port range: `{rest}'")
    base = number(rest[1:], 0xFFFF, 1)
    base = _service(rest[1:]) if base is None else base
    return NatRange(first_port=first, last_port=last, base_port=base)


def _service(text: str) -> int:
    found = service_port(text, None)
    if found is None:
        raise XtablesError(f"Port `{text}' not valid")
    return found


def read_destination(word: Word) -> NatRange:
    """``ADDRESS[-ADDRESS][:PORTS]``, of IPv6 ``[ADDRESS[-ADDRESS]]:PORTS``."""
    addresses, ports = _split(word)
    choice = NatRange() if ports is None else _ports(ports, word.protocol)
    if not addresses:
        return choice
    first, dash, last = addresses.partition("-")
    return replace(
        choice,
        first_address=_address(first, word.family),
        last_address=_address(last if dash else first, word.family),
    )


def _split(word: Word) -> tuple[str, str | None]:
    text = word.text
    if "[" not in text:
        if text.count(":") == 1:
            addresses, _, ports = text.partition(":")
            return addresses, ports
        return text, None
    inside, closed, rest = text.partition("[")[2].partition("]")
    if not closed or word.family == 4:
        raise XtablesError("Invalid address format")
    _, colon, ports = rest.partition(":")
    return inside, ports if colon else None


def _address(text: str, family: int) -> bytes:
    found = pton(text, family)
    if found is None:
        raise XtablesError(f'Bad IP address "{text}"')
    return found


def chosen(given: Given, option: str) -> NatRange:
    """What an option said, with the flags that stand beside it."""
    choice: NatRange = given.get(option, NatRange())
    return replace(
        choice,
        random="random" in given.values,
        random_fully="random-fully" in given.values,
        persistent="persistent" in given.values,
    )


def choice_text(choice: NatRange) -> str:
    """The same in words."""
    text = ""
    if choice.first_address is not None:
        text = address_text(choice.first_address)
        if choice.last_address not in (None, choice.first_address):
            text += f"-{address_text(choice.last_address or b'')}"
        if len(choice.first_address) == 16 and choice.first_port is not None:
            text = f"[{text}]"
    return text + ports_text(choice, ":")


def ports_text(choice: NatRange, before: str = "") -> str:
    """The ports in words, nothing where there are none."""
    if choice.first_port is None:
        return ""
    text = f"{before}{choice.first_port}"
    if choice.last_port not in (None, choice.first_port):
        text += f"-{choice.last_port}"
    return text if choice.base_port is None else f"{text}/{choice.base_port}"


def flag_texts(choice: NatRange) -> list[str]:
    """``random``, ``random-fully``, ``persistent``."""
    flags = (
        ("random", choice.random),
        ("random-fully", choice.random_fully),
        ("persistent", choice.persistent),
    )
    return [name for name, is_set in flags if is_set]
