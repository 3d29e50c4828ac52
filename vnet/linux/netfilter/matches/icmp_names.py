"""Types and codes of ICMP by their names, as iptables has them."""

from __future__ import annotations

from typing import NamedTuple

from vnet.linux.netfilter.xtables.errors import XtablesError
from vnet.linux.netfilter.xtables.values import take_number

ANY_TYPE = 255


class Kind(NamedTuple):
    """A type, and which of its codes."""

    type: int
    first_code: int = 0
    last_code: int = 255


def _kinds(text: str) -> list[tuple[str, Kind]]:
    """Lines of ``TYPE NAME[|ALSO] [CODE=NAME ...]``."""
    found = []
    for line in text.splitlines():
        number, names, *codes = line.split()
        found += [(name, Kind(int(number))) for name in names.split("|")]
        for entry in codes:
            code, _, name = entry.partition("=")
            found.append((name, Kind(int(number), int(code), int(code))))
    return found


ICMP_KINDS = _kinds("""\
255 any
0 echo-reply|pong
3 destination-unreachable 0=network-unreachable 1=host-unreachable 2=protocol-unreachable \
3=port-unreachable 4=fragmentation-needed 5=source-route-failed 6=network-unknown 7=host-unknown \
9=network-prohibited 10=host-prohibited 11=TOS-network-unreachable 12=TOS-host-unreachable \
13=communication-prohibited 14=host-precedence-violation 15=precedence-cutoff
4 source-quench
5 redirect 0=network-redirect 1=host-redirect 2=TOS-network-redirect 3=TOS-host-redirect
8 echo-request|ping
9 router-advertisement
10 router-solicitation
11 time-exceeded|ttl-exceeded 0=ttl-zero-during-transit 1=ttl-zero-during-reassembly
12 parameter-problem 0=ip-header-bad 1=required-option-missing
13 timestamp-request
14 timestamp-reply
17 address-mask-request
18 address-mask-reply""")

ICMPV6_KINDS = _kinds("""\
1 destination-unreachable 0=no-route 1=communication-prohibited 2=beyond-scope \
3=address-unreachable 4=port-unreachable 5=failed-policy 6=reject-route
2 packet-too-big
3 time-exceeded|ttl-exceeded 0=ttl-zero-during-transit 1=ttl-zero-during-reassembly
4 parameter-problem 0=bad-header 1=unknown-header-type 2=unknown-option
128 echo-request|ping
129 echo-reply|pong
133 router-solicitation
134 router-advertisement
135 neighbour-solicitation|neighbor-solicitation
136 neighbour-advertisement|neighbor-advertisement
137 redirect""")


def read_kind(text: str, kinds: list[tuple[str, Kind]], protocol: str) -> Kind:
    """A name, which may be cut short, or numbers: ``3``, ``3/1``, ``3/1:4``."""
    meant = [(name, kind) for name, kind in kinds if name.lower().startswith(text.lower())]
    if len(meant) > 1:
        raise XtablesError(
            f"Ambiguous {protocol} type `{text}': `{meant[0][0]}' or `{meant[1][0]}'?"
        )
    return meant[0][1] if meant else _numbers(text, protocol)


def _numbers(text: str, protocol: str) -> Kind:
    types = _range(text)
    if types is None:
        raise XtablesError(f"Unknown {protocol} type `{text}'")
    first, last, rest = types
    codes: tuple[int, int] = (0, 255)
    if rest.startswith("/"):
        found = _range(rest[1:])
        if found is None:
            raise XtablesError(f"Unknown {protocol} code `{text}'")
        codes, rest = found[:2], found[2]
    if rest:
        raise XtablesError(f"unknown character {rest[0]}")
    if first != last:
        raise XtablesError(f"{protocol} type range not supported")
    return Kind(first, *codes)


def _range(text: str) -> tuple[int, int, str] | None:
    taken = take_number(text, 255)
    if taken is None:
        return None
    first, rest = taken
    if not rest.startswith(":"):
        return first, first, rest
    taken = take_number(rest[1:], 255)
    return None if taken is None else (first, *taken)


def name_of(kind: Kind, kinds: list[tuple[str, Kind]]) -> str | None:
    """The first name of a type with these codes."""
    return next((name for name, known in kinds if known == kind), None)
