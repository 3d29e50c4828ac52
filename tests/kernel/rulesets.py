"""Random rules for a router of three networks, as iptables-restore(8) reads them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from vnet.base.chance import Stream


@dataclass(frozen=True)
class Words:
    """What a family of addresses is called in rules, and which addresses there are.

    ``networks`` are those of the ports, ``hosts`` stations and addresses of the machine, ``pools``
    ranges that sources may be changed to, ``targets`` where packets may be sent instead.
    """

    networks: tuple[str, ...]
    hosts: tuple[str, ...]
    pools: tuple[str, ...]
    targets: tuple[str, ...]
    maps: tuple[str, ...]
    rejections: tuple[str, ...]
    icmp: str
    icmp_option: str
    icmp_types: tuple[str, ...]
    with_port: str
    """An address with a port behind it, as in ``{}:{}``."""


IPV4 = Words(
    networks=("10.0.1.0/24", "10.0.2.0/24", "10.0.3.0/24", "10.0.0.0/16", "10.0.2.128/25"),
    hosts=("10.0.1.11", "10.0.2.11", "10.0.2.12", "10.0.3.11", "10.0.1.1", "10.0.2.1"),
    pools=("10.0.2.200", "10.0.3.200", "10.0.2.1", "10.0.3.1"),
    targets=("10.0.2.11", "10.0.2.12", "10.0.3.11", "10.0.1.11", "10.0.1.1"),
    maps=("10.0.2.0/24", "10.0.3.0/24", "10.0.2.8/29"),
    rejections=(
        *("icmp-net-unreachable", "icmp-host-unreachable", "icmp-port-unreachable"),
        *("icmp-proto-unreachable", "icmp-net-prohibited", "icmp-host-prohibited"),
        "icmp-admin-prohibited",
    ),
    icmp="icmp",
    icmp_option="--icmp-type",
    icmp_types=("8", "0", "3", "3/4", "3/3", "11", "any"),
    with_port="{}:{}",
)
IPV6 = Words(
    networks=("fd00:1::/64", "fd00:2::/64", "fd00:3::/64", "fd00::/16", "fd00:2::80/121"),
    hosts=("fd00:1::b", "fd00:2::b", "fd00:2::c", "fd00:3::b", "fd00:1::1", "fd00:2::1"),
    pools=("fd00:2::c8", "fd00:3::c8", "fd00:2::1", "fd00:3::1"),
    targets=("fd00:2::b", "fd00:2::c", "fd00:3::b", "fd00:1::b", "fd00:1::1"),
    maps=("fd00:2::/64", "fd00:3::/64", "fd00:2::8/125"),
    rejections=(
        *("icmp6-no-route", "icmp6-adm-prohibited", "icmp6-addr-unreachable"),
        *("icmp6-port-unreachable", "icmp6-policy-fail", "icmp6-reject-route"),
    ),
    icmp="ipv6-icmp",
    icmp_option="--icmpv6-type",
    icmp_types=("128", "129", "1", "2", "1/4", "3"),
    with_port="[{}]:{}",
)

RANGES = ((1024, 65_535), (5000, 5003), (61_000, 61_100), (600, 600), (300, 310))
"""Where rules may put ports."""

LIBVIRT = """*nat
:PREROUTING ACCEPT [0:0]
:INPUT ACCEPT [0:0]
:OUTPUT ACCEPT [0:0]
:POSTROUTING ACCEPT [0:0]
-A PREROUTING -d 10.0.3.1 -p tcp --dport 8080 -j DNAT --to-destination 10.0.1.11:80
-A PREROUTING -d 10.0.3.1 -p udp --dport 53 -j DNAT --to-destination 10.0.1.21
-A POSTROUTING -s 10.0.1.0/24 -d 224.0.0.0/24 -j RETURN
-A POSTROUTING -s 10.0.1.0/24 -d 255.255.255.255/32 -j RETURN
-A POSTROUTING -s 10.0.1.0/24 ! -d 10.0.1.0/24 -p tcp -j MASQUERADE --to-ports 1024-65535
-A POSTROUTING -s 10.0.1.0/24 ! -d 10.0.1.0/24 -p udp -j MASQUERADE --to-ports 1024-65535
-A POSTROUTING -s 10.0.1.0/24 ! -d 10.0.1.0/24 -j MASQUERADE
COMMIT
*filter
:INPUT ACCEPT [0:0]
:FORWARD ACCEPT [0:0]
:OUTPUT ACCEPT [0:0]
-A FORWARD -d 10.0.1.11 -p tcp --dport 80 -j ACCEPT
-A FORWARD -d 10.0.1.21 -p udp --dport 53 -j ACCEPT
-A FORWARD -i br0 -o br0 -j ACCEPT
-A FORWARD -d 10.0.1.0/24 -o br0 -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A FORWARD -o br0 -j REJECT --reject-with icmp-port-unreachable
-A FORWARD -s 10.0.1.0/24 -i br0 -j ACCEPT
-A FORWARD -i br0 -j REJECT --reject-with icmp-port-unreachable
COMMIT
"""
"""A network of libvirt's with two of its guests' ports forwarded."""

_PORTS = ("7", "53", "80", "8080", "500", "1024:65535", "0:1023", "40000:40003")
_STATES = ("NEW", "ESTABLISHED", "RELATED,ESTABLISHED", "INVALID", "UNTRACKED", "DNAT", "SNAT")
_FLAGS = ("SYN,ACK,FIN,RST SYN", "RST RST", "ALL NONE", "SYN,FIN SYN,FIN", "ACK ACK")
_ENTERED = ("PREROUTING", "INPUT", "FORWARD")
_LEFT = ("FORWARD", "OUTPUT", "POSTROUTING")
_CHAINS = {
    "raw": ("PREROUTING", "OUTPUT"),
    "mangle": ("PREROUTING", "INPUT", "FORWARD", "OUTPUT", "POSTROUTING"),
    "nat": ("PREROUTING", "INPUT", "OUTPUT", "POSTROUTING"),
    "filter": ("INPUT", "FORWARD", "OUTPUT"),
}
_LIKELY = {"raw": 0.3, "mangle": 0.5, "nat": 0.9, "filter": 0.9}
_USERS = {"filter": ("web", "checks"), "mangle": ("marks",)}


class Rules:
    """One random set of rules. ``devices`` are the names that they may look at.

    Those of ``bridged`` packets may also look at ports of a bridge.
    """

    def __init__(
        self, words: Words, devices: tuple[str, ...], chance: Stream, *, bridged: bool = False
    ) -> None:
        self._bridged = bridged
        self._words = words
        self._devices = devices
        self._chance = chance

    def text(self) -> str:
        return "".join(f"{line}\n" for line in self._lines())

    def _lines(self) -> Iterator[str]:
        chance = self._chance
        for table, chains in _CHAINS.items():
            if chance.random() > _LIKELY[table]:
                continue
            yield f"*{table}"
            for chain in chains:
                drops = table == "filter" and chance.random() < 0.15
                yield f":{chain} {'DROP' if drops else 'ACCEPT'} [0:0]"
            users = _USERS.get(table, ())
            yield from (f":{user} - [0:0]" for user in users)
            for depth, user in enumerate(users):
                for _ in range(chance.randrange(1, 4)):
                    yield self._of_user(table, user, users[depth + 1 :])
            for chain in chains:
                for _ in range(chance.randrange(4 if table != "nat" else 6)):
                    yield self._rule(table, chain, users)
            yield "COMMIT"

    def _of_user(self, table: str, chain: str, deeper: tuple[str, ...]) -> str:
        """A rule that may stand in any hook's way."""
        targets = ["-j RETURN", "-j ACCEPT", "-j LOG", "-j MARK --set-mark 7"]
        targets += [] if table == "mangle" else ["-j DROP"]
        targets += [f"-j {name}" for name in deeper] + [f"-g {name}" for name in deeper]
        matches = " ".join(filter(None, (self._addresses(), self._protocol(), self._state())))
        target = self._chance.choice([t for t in targets if table == "mangle" or "MARK" not in t])
        return f"-A {chain} {matches} {target}"

    def _rule(self, table: str, chain: str, users: tuple[str, ...]) -> str:
        chance = self._chance
        protocol = self._protocol()
        target = self._target(table, chain, protocol, users)
        if "--to-ports" in target or "tcp-reset" in target or self._has_port(target):
            if not protocol.startswith(("-p tcp", "-p udp")):
                protocol = chance.choice(("-p tcp", "-p udp"))
            if "tcp-reset" in target:
                protocol = "-p tcp"
        if "TCPMSS" in target:
            protocol = "-p tcp -m tcp --tcp-flags SYN,RST SYN"
        parts = [self._device(chain), self._addresses(), protocol]
        parts += [] if table in ("raw", "nat") else [self._state(), self._mark()]
        parts += [self._rare()]
        if chance.random() < (0.5 if table == "nat" else 0.2):
            parts = [protocol]
        return f"-A {chain} " + " ".join(filter(None, (*parts, target)))

    # -- what is looked at

    def _device(self, chain: str) -> str:
        chance = self._chance
        entered = chain in _ENTERED and (chain not in _LEFT or chance.random() < 0.5)
        option = "-i" if entered else "-o"
        if chance.random() < 0.5:
            return ""
        return f"{self._not(0.15)}{option} {chance.choice((*self._devices, 'p+'))}"

    def _addresses(self) -> str:
        chance = self._chance
        places = (*self._words.networks, *self._words.hosts)
        return " ".join(
            f"{self._not(0.2)}{option} {chance.choice(places)}"
            for option in ("-s", "-d")
            if chance.random() < 0.3
        )

    def _protocol(self) -> str:
        chance, words = self._chance, self._words
        luck = chance.random()
        if luck < 0.35:
            return ""
        if luck < 0.45:
            kind = f"{self._not(0.2)}{words.icmp_option} {chance.choice(words.icmp_types)}"
            return f"-p {words.icmp} -m {words.icmp.removeprefix('ipv6-')}{_SIX[words.icmp]} {kind}"
        if luck < 0.5:
            return f"! -p {chance.choice(('tcp', 'udp', words.icmp))}"
        protocol = chance.choice(("tcp", "udp"))
        if luck < 0.6:
            return f"-p {protocol}"
        if luck < 0.7:
            option = chance.choice(("--dports", "--sports", "--ports"))
            return f"-p {protocol} -m multiport {option} 7,80,40000:40002"
        if protocol == "tcp" and luck < 0.8:
            return f"-p tcp -m tcp {self._not(0.1)}--tcp-flags {chance.choice(_FLAGS)}"
        option = chance.choice(("--dport", "--dport", "--sport"))
        return f"-p {protocol} -m {protocol} {self._not(0.1)}{option} {chance.choice(_PORTS)}"

    def _state(self) -> str:
        chance = self._chance
        luck = chance.random()
        if luck < 0.7:
            return ""
        if luck < 0.75:
            return f"-m state --state {chance.choice(_STATES[:5])}"
        if luck < 0.8:
            direction = chance.choice(("ORIGINAL", "REPLY"))
            return f"-m conntrack --ctdir {direction}"
        return f"-m conntrack {self._not(0.15)}--ctstate {chance.choice(_STATES)}"

    def _mark(self) -> str:
        chance = self._chance
        if chance.random() > 0.1:
            return ""
        kind = chance.choice(("mark", "connmark"))
        return f"-m {kind} {self._not(0.2)}--mark {chance.choice(('0x1', '0x7', '0x1/0x3'))}"

    def _rare(self) -> str:
        chance = self._chance
        if chance.random() > 0.1:
            return ""
        if self._bridged and chance.random() < 0.6:
            option = chance.choice(("--physdev-in p1", "--physdev-is-bridged", "--physdev-is-in"))
            return f"-m physdev {self._not(0.2)}{option}"
        rare = ['-m comment --comment "look here"', "-m addrtype --dst-type LOCAL"]
        rare += ["-m limit --limit 1/hour --limit-burst 3", "-m length --length 0:100"]
        return chance.choice(rare)

    def _not(self, likely: float) -> str:
        return "! " if self._chance.random() < likely else ""

    # -- what is done

    def _target(self, table: str, chain: str, protocol: str, users: tuple[str, ...]) -> str:
        makers: dict[str, Callable[[str, str, tuple[str, ...]], str]] = {
            "raw": self._raw,
            "mangle": self._mangle,
            "nat": self._nat,
            "filter": self._filter,
        }
        return makers[table](chain, protocol, users)

    def _raw(self, _chain: str, _protocol: str, _users: tuple[str, ...]) -> str:
        return self._chance.choice(("-j CT --notrack", "-j NOTRACK", "-j ACCEPT", "-j CT --zone 3"))

    def _mangle(self, chain: str, _protocol: str, users: tuple[str, ...]) -> str:
        chance = self._chance
        targets = ["-j MARK --set-mark 1", "-j MARK --or-mark 6", "-j MARK --set-xmark 0x2/0xf"]
        targets += ["-j CONNMARK --save-mark", "-j CONNMARK --restore-mark", "-j ACCEPT"]
        targets += ["-j CONNMARK --set-mark 1", "", *(f"-j {user}" for user in users)]
        if chain in _LEFT:
            targets += ["-j TCPMSS --set-mss 1000", "-j TCPMSS --clamp-mss-to-pmtu"] * 2
        if chance.random() < 0.03:
            return "-j DROP"
        return chance.choice(targets)

    def _filter(self, _chain: str, protocol: str, users: tuple[str, ...]) -> str:
        chance = self._chance
        luck = chance.random()
        if luck < 0.3:
            return "-j ACCEPT"
        if luck < 0.4:
            return "-j DROP"
        if luck < 0.55:
            kinds = ["", *self._words.rejections]
            kinds += ["tcp-reset"] * 4 if protocol.startswith("-p tcp") else []
            kind = chance.choice(kinds)
            return f"-j REJECT --reject-with {kind}" if kind else "-j REJECT"
        if luck < 0.65:
            return chance.choice(("-j LOG", '-j LOG --log-prefix "seen: " --log-level 7', ""))
        if luck < 0.8:
            return f"-j {chance.choice(users)}"
        return "-j RETURN" if luck < 0.85 else "-j ACCEPT"

    def _nat(self, chain: str, _protocol: str, _users: tuple[str, ...]) -> str:
        chance, words = self._chance, self._words
        if chance.random() < 0.08:
            return chance.choice(("-j ACCEPT", "-j RETURN"))
        if chance.random() < 0.12:
            return f"-j NETMAP --to {chance.choice(words.maps)}"
        return self._translation(chain) + chance.choice(_USUALLY_PLAIN)

    def _translation(self, chain: str) -> str:
        chance, words = self._chance, self._words
        if chain in ("PREROUTING", "OUTPUT"):
            if chance.random() < 0.2:
                return "-j REDIRECT" + self._ports()
            return "-j DNAT --to-destination " + self._end(words.targets)
        if chain == "POSTROUTING" and chance.random() < 0.5:
            return "-j MASQUERADE" + self._ports()
        return "-j SNAT --to-source " + self._end(words.pools)

    def _ports(self) -> str:
        return f" --to-ports {self._range()}" if self._chance.random() < 0.5 else ""

    def _range(self) -> str:
        low, high = self._chance.choice(RANGES)
        return str(low) if low == high else f"{low}-{high}"

    def _end(self, addresses: tuple[str, ...]) -> str:
        """An address, and perhaps ports."""
        chance = self._chance
        address = chance.choice(addresses)
        luck = chance.random()
        if luck < 0.6:
            return address
        return self._words.with_port.format(address, chance.choice(("80", "7", self._range())))

    @staticmethod
    def _has_port(target: str) -> bool:
        option, _, value = target.removesuffix(" --random").rpartition(" ")
        return option.endswith(("--to-source", "--to-destination")) and (
            "]:" in value or (value.count(":") == 1)
        )


_USUALLY_PLAIN = ("", "", "", "", "", "", " --random")
_SIX = {"icmp": "", "ipv6-icmp": "6"}
