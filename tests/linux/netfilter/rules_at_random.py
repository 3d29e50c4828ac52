"""Rules of iptables drawn at random: words that a user may type, sound or nearly so."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

Draw = Callable[[Random, int, str], str]

CHAINS = {
    "filter": ("INPUT", "FORWARD", "OUTPUT", "user"),
    "nat": ("PREROUTING", "INPUT", "OUTPUT", "POSTROUTING"),
    "mangle": ("PREROUTING", "INPUT", "FORWARD", "OUTPUT", "POSTROUTING"),
    "raw": ("PREROUTING", "OUTPUT"),
    "security": ("INPUT", "OUTPUT"),
}
_STATES = ("INVALID", "NEW", "ESTABLISHED", "RELATED", "UNTRACKED")
_MASKS4 = ("", "/24", "/16", "/8", "/32", "/25", "/255.255.255.0", "/255.0.255.0", "/0", "/30")
_MASKS6 = ("", "/64", "/128", "/48", "/10", "/0", "/ffff::ffff")
_FLAGS = (
    *("--syn", "--tcp-flags SYN,RST SYN", "--tcp-flags ALL NONE", "--tcp-flags ALL FIN,URG,PSH"),
    *("--tcp-flags SYN SYN", "--tcp-flags ALL ALL", "--tcp-flags SYN,ACK NONE", "--tcp-option 7"),
)
_PORTED = ("tcp", "udp", "sctp")


def rules(seed: int, family: int) -> dict[str, list[str]]:
    """Some lines for each table; chains of users are all called ``user``."""
    random = Random(seed)
    return {
        table: [_rule(random, family, table) for _ in range(random.randint(4, 10))]
        for table in CHAINS
    }


def _not(random: Random) -> str:
    return random.choice(("", "", "! "))


def _some(random: Random, names: tuple[str, ...]) -> str:
    return ",".join(random.sample(names, random.randint(1, len(names))))


def _net(random: Random, family: int) -> str:
    if family == 6:
        text = random.choice(("fe80::1", "2001:db8::5", "::1", "fec0:1:2:3::", "2001:db8:0:1::"))
        return text + random.choice(_MASKS6)
    parts = (random.choice((10, 192, 1, 0, 255, random.randrange(256))) for _ in range(4))
    return ".".join(map(str, parts)) + random.choice(_MASKS4)


def _address(random: Random, family: int) -> str:
    if family == 6:
        return f"2001:db8::{random.randrange(1, 9999):x}"
    return ".".join(str(random.randrange(1, 255)) for _ in range(4))


def _rule(random: Random, family: int, table: str) -> str:
    chain = random.choice(CHAINS[table])
    words = [f"-A {chain}"]
    icmp = "icmp" if family == 4 else "ipv6-icmp"
    protocol = random.choice(("", "tcp", "tcp", "udp", icmp, "sctp", "47", "gre", "6"))
    for letter in "sd":
        if random.random() < 0.3:
            words.append(f"{_not(random)}-{letter} {_net(random, family)}")
    if chain in ("PREROUTING", "INPUT", "FORWARD") and random.random() < 0.3:
        words.append(f"{_not(random)}-i {random.choice(('eth0', 'eth+', 'lo', 'br0'))}")
    if chain in ("POSTROUTING", "OUTPUT", "FORWARD") and random.random() < 0.3:
        words.append(f"{_not(random)}-o {random.choice(('eth0', 'vif+'))}")
    negated = random.random() < 0.05
    if protocol:
        words.append(f"{'! ' if negated else ''}-p {protocol}")
    spoken = "" if negated else {"6": "tcp"}.get(protocol, protocol)
    for _ in range(random.choice((0, 1, 1, 1, 2))):
        words.append(random.choice(_MATCHES)(random, family, spoken))
    words.append(random.choice(_targets(random, family, table, chain, spoken)))
    return " ".join(word for word in words if word)


# -- matches


def _tracked(random: Random, family: int, _: str) -> str:
    no, net = _not(random), _net(random, family)
    states = _some(random, (*_STATES, "SNAT", "DNAT"))
    statuses = _some(random, ("EXPECTED", "SEEN_REPLY", "ASSURED", "CONFIRMED"))
    return "-m conntrack " + random.choice(
        (
            f"{no}--ctstate {states}",
            f"{no}--ctproto {random.choice(('tcp', '17', 'icmp'))} {_not(random)}--ctorigsrc {net}",
            f"--ctdir {random.choice(('ORIGINAL', 'REPLY'))} {no}--ctstatus {statuses} "
            f"{_not(random)}--ctexpire {random.choice(('5', '5:10'))}",
            f"{no}--ctorigdstport {random.choice(('5', '5:10'))} --ctreplsrcport 7 "
            f"--ctrepldst {_address(random, family)}",
        )
    )


def _marked(random: Random, _: int, __: str) -> str:
    kind = random.choice(("mark", "connmark"))
    return f"-m {kind} {_not(random)}--mark {random.randrange(300)}{random.choice(('', '/0xff'))}"


def _said(random: Random, _: int, __: str) -> str:
    words = ("hello", '"a b"', '"it\'s"', "x_y-z", '"q\\"q"', "a.b")
    return f"-m comment --comment {random.choice(words)}"


def _link(random: Random, _: int, __: str) -> str:
    no = _not(random)
    kinds = random.choice(("unicast", "broadcast", "multicast", "otherhost", "bcast"))
    return random.choice(
        (
            f"-m mac {no}--mac-source 0A:11:22:33:44:5{random.randrange(10)}",
            f"-m pkttype {no}--pkt-type {kinds}",
            f"-m physdev {no}--physdev-in vif{random.choice(('1.0', '+'))}",
            f"-m physdev {no}--physdev-in vif1.0 --physdev-is-bridged",
        )
    )


def _rate(random: Random, _: int, __: str) -> str:
    unit = random.choice(("/s", "/m", "/hour", "/day", "/second", ""))
    burst = random.choice(("", f" --limit-burst {random.randrange(30)}"))
    chance = random.choice(("0.5", "0.1", "1", "0.333"))
    return random.choice(
        (
            f"-m limit --limit {random.randint(1, 50)}{unit}{burst}",
            f'-m u32 {_not(random)}--u32 "0>>{random.randrange(32)}&0x3C@4 >>16=010:99,7&&6=1"',
            f"-m statistic --mode random {_not(random)}--probability {chance}",
            f"-m statistic --mode nth {_not(random)}--every 5 --packet {random.randrange(3)}",
        )
    )


def _addressed(random: Random, family: int, _: str) -> str:
    no, side = _not(random), random.choice(("src", "dst"))
    ends = "10.0.0.1-10.0.0.9" if family == 4 else "::1-::9"
    types = _some(random, ("LOCAL", "UNICAST", "BROADCAST", "MULTICAST"))
    return random.choice(
        (f"-m iprange {no}--{side}-range {ends}", f"-m addrtype {no}--{side}-type {types}")
    )


def _numbered(random: Random, family: int, protocol: str) -> str:
    no, name = _not(random), "ttl" if family == 4 else "hl"
    tos = random.choice(("0x10", "16/0x3f", "Minimize-Delay", "Normal-Service", "5/7"))
    dscp = random.choice((" 5", " 0x2e", "-class AF11", "-class EF", "-class CS3"))
    found = [
        f"-m length {no}--length {random.choice(('5', '5:9', ':9', '100:'))}",
        f"-m {name} {no}--{name}-eq 5",
        f"-m {name} --{name}-{random.choice(('lt', 'gt'))} 9",
        f"-m tos {no}--tos {tos}",
        f"-m dscp {no}--dscp{dscp}",
    ]
    if protocol == "tcp":
        found.append(f"-m tcpmss {no}--mss {random.choice(('5', '5:9', ':1000'))}")
    return random.choice(found)


def _ported(random: Random, _: int, protocol: str) -> str:
    if protocol not in _PORTED:
        return ""
    words = []
    ports = ("22", "443", "5353", "1:5", ":1024", "1024:", "53", "65000:65535")
    if random.random() < 0.6:
        words.append(f"{random.choice(('', '', '! '))}--dport {random.choice(ports)}")
    if random.random() < 0.4:
        words.append(f"{_not(random)}--sport {random.choice(('53', '5:9', '1024:', '67'))}")
    if protocol == "tcp" and random.random() < 0.4:
        words.append(_not(random) + random.choice(_FLAGS))
    way = random.choice(("sports", "dports", "ports", "source-ports"))
    listed = f"-m multiport {_not(random)}--{way} {random.choice(('22', '22,80', '22:25,80'))}"
    return random.choice((" ".join(words), " ".join(words), listed))


def _typed(random: Random, family: int, protocol: str) -> str:
    if protocol not in ("icmp", "ipv6-icmp"):
        return ""
    of4 = ("any", "3/4", "host-unreachable", "timestamp-reply", "redirect", "5", "echo-request")
    of6 = ("1/4", "packet-too-big", "neighbour-solicitation", "135", "200", "echo-request")
    name = "icmp" if family == 4 else "icmpv6"
    return f"{_not(random)}--{name}-type {random.choice(of4 if family == 4 else of6)}"


_MATCHES: tuple[Draw, ...] = (
    *(_tracked, _marked, _said, _link, _rate, _addressed, _numbered),
    *(_ported, _ported, _typed),
)


# -- targets


def _targets(random: Random, family: int, table: str, chain: str, protocol: str) -> list[str]:
    level = random.choice(("info", "debug", "3", "warning"))
    found = [
        *("", "-j ACCEPT", "-j RETURN", "-j LOG", "-j user", "-g user"),
        f'-j LOG --log-prefix "p: " --log-level {level}',
        "-j LOG --log-tcp-options --log-ip-options --log-uid --log-tcp-sequence --log-macdecode",
        f"-j MARK --{random.choice(('set', 'or', 'and', 'xor'))}-mark {random.randrange(99)}",
        f"-j MARK --set-xmark {random.randrange(99):#x}/{random.randrange(999):#x}",
        "-j CONNMARK --"
        + random.choice(
            (
                *("save-mark", "restore-mark", "restore-mark --mask 255", "set-mark 5"),
                *("set-xmark 5/7", "and-mark 4", "save-mark --nfmask 15 --ctmask 255"),
            )
        ),
    ]
    if protocol == "tcp":
        found.append("-j TCPMSS --set-mss 1300")
        if chain in ("FORWARD", "OUTPUT", "POSTROUTING"):
            found.append("-j TCPMSS --clamp-mss-to-pmtu")
    if table == "nat":
        return found + 3 * _translating(random, family, chain, protocol)
    return [*found, "-j DROP", *_of_table(random, family, table, protocol)]


def _of_table(random: Random, family: int, table: str, protocol: str) -> list[str]:
    name = ("TTL --ttl" if family == 4 else "HL --hl") + random.choice(("-set 5", "-inc 1"))
    tos = random.choice(("set-tos 0x10", "set-tos Minimize-Delay", "and-tos 7", "set-tos 8/15"))
    reject4 = ("icmp-net-unreachable", "icmp-host-prohibited", "admin-prohib")
    reject6 = ("icmp6-no-route", "icmp6-adm-prohibited", "addr-unreach")
    kind = random.choice(reject4 if family == 4 else reject6)
    if table == "filter":
        reset = ["-j REJECT --reject-with tcp-reset"] if protocol == "tcp" else []
        return ["-j REJECT", f"-j REJECT --reject-with {kind}", *reset]
    if table == "mangle":
        return [f"-j {name}", f"-j TOS --{tos}", "-j DSCP --set-dscp 5"]
    if table == "raw":
        return ["-j CT --notrack", "-j NOTRACK", "-j CT --zone 5", "-j TRACE"]
    return []


def _translating(random: Random, family: int, chain: str, protocol: str) -> list[str]:
    first, last = _address(random, family), _address(random, family)
    with_ports = protocol in ("tcp", "udp")
    to = [first, f"{first}-{last}"]
    if with_ports:
        marks = ("", "") if family == 4 else ("[", "]")
        to += [f"{marks[0]}{first}{marks[1]}:80", f"{marks[0]}{first}-{last}{marks[1]}:80-90"]
    flags = random.choice(("", " --random", " --persistent", " --random --persistent"))
    found = []
    if chain in ("PREROUTING", "OUTPUT"):
        ports = random.choice((" --to-ports 80", " --to-ports 80-90 --random"))
        found += [
            f"-j DNAT --to-destination {random.choice(to)}{flags}",
            f"-j REDIRECT{ports if with_ports else ''}",
            f"-j NETMAP --to {'10.1.0.0/16' if family == 4 else 'fec0::/64'}",
        ]
    else:
        found.append(f"-j SNAT --to-source {random.choice(to)}{flags}")
    if chain == "POSTROUTING":
        ports = random.choice((" --to-ports 80", " --to-ports 1024-65535", " --random-fully"))
        found.append(f"-j MASQUERADE{ports if with_ports else ''}")
    return found
