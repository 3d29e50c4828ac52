"""Names of protocols and ports, both ways."""

from __future__ import annotations

from vnet.linux.netfilter.xtables.services import SERVICES

_PROTOCOLS = """\
0 ip; 0 hopopt; 1 icmp; 2 igmp; 3 ggp; 4 ipencap; 5 st; 6 tcp; 8 egp; 9 igp; 12 pup; 17 udp; 20 hmp;
22 xns-idp; 27 rdp; 29 iso-tp4; 33 dccp; 36 xtp; 37 ddp; 38 idpr-cmtp; 41 ipv6; 43 ipv6-route;
44 ipv6-frag; 45 idrp; 46 rsvp; 47 gre; 50 esp; 51 ah; 57 skip; 58 ipv6-icmp; 59 ipv6-nonxt;
60 ipv6-opts; 73 rspf; 81 vmtp; 88 eigrp; 89 ospf; 93 ax.25; 94 ipip; 97 etherip; 98 encap; 103 pim;
108 ipcomp; 112 vrrp; 115 l2tp; 124 isis; 132 sctp; 133 fc; 135 mobility-header; 136 udplite;
137 mpls-in-ip; 138 manet; 139 hip; 140 shim6; 141 wesp; 142 rohc; 143 ethernet"""
"""Number and name, as Debian's netbase has them."""

_ALSO = {"all": 0, "icmpv6": 58, "ipv6-mh": 135, "mh": 135}
"""What iptables calls them besides."""

_COMMON = {6: "tcp", 132: "sctp", 17: "udp", 136: "udplite", 1: "icmp", 58: "ipv6-icmp"}
_COMMON |= {50: "esp", 51: "ah", 135: "mobility-header", 0: "all"}
"""Protocols whose names iptables knows by heart."""


def _entries(text: str) -> list[tuple[str, str]]:
    pairs = []
    for entry in text.split(";"):
        number, names = entry.split()
        pairs.append((number, names))
    return pairs


PROTOCOL_NUMBERS = {name: int(number) for number, name in _entries(_PROTOCOLS)} | _ALSO
_PROTOCOL_NAMES = {int(n): name for n, name in reversed(_entries(_PROTOCOLS)) if n != "0"}

_LETTERS = {"t": "tcp", "u": "udp", "s": "sctp", "d": "dccp"}
_PORTS: dict[tuple[str, str], int] = {}
_PORTS_OF_ANY: dict[str, int] = {}
_SERVICES: dict[tuple[int, str], str] = {}
_SERVICES_OF_ANY: dict[int, str] = {}


def _fill() -> None:
    for where, names in _entries(SERVICES):
        digits = where.rstrip("tusd")
        for letter in where[len(digits) :]:
            spoken = _LETTERS[letter]
            for name in names.split(","):
                _PORTS.setdefault((name, spoken), int(digits))
                _PORTS_OF_ANY.setdefault(name, int(digits))
            name = names.partition(",")[0]
            _SERVICES.setdefault((int(digits), spoken), name)
            _SERVICES_OF_ANY.setdefault(int(digits), name)


_fill()


def protocol_name(number: int, *, numeric: bool = False) -> str | None:
    """A protocol's name; ``numeric`` gives those alone that need no look into a list."""
    return _COMMON.get(number) or (None if numeric else _PROTOCOL_NAMES.get(number))


def service_port(name: str, protocol: str | None) -> int | None:
    """The port of a service, for one protocol or for whichever has it."""
    return _PORTS_OF_ANY.get(name) if protocol is None else _PORTS.get((name, protocol))


def service_name(port: int, protocol: str | None) -> str | None:
    """The service at a port."""
    return _SERVICES_OF_ANY.get(port) if protocol is None else _SERVICES.get((port, protocol))


def port_text(port: int, protocol: str | None, *, numeric: bool) -> str:
    """A port as tables show it: the service's name unless numbers are asked for."""
    name = None if numeric else service_name(port, protocol)
    return name or str(port)
