"""``iptables`` and its kin, ``nft`` and ``conntrack`` on a node."""

from __future__ import annotations

from pathlib import Path

from vnet.base.errors import StorageError, UsageError
from vnet.linux.netfilter.tools import NetfilterTools, printed
from vnet.shell.context import ShellContext, Words
from vnet.shell.options import Arguments
from vnet.shell.output import Output
from vnet.shell.registry import Group, NodeUse, command

_TABLES = ("nat", "filter", "mangle", "raw", "security")


def _run(context: ShellContext, program: str, words: tuple[str, ...], text: str = "") -> Output:
    node, *rest = words
    return printed(NetfilterTools(context.namespace(node)).run(program, rest, text)).rstrip("\n")


@command(
    "iptables",
    "[-t TABLE] -A|-I|-D|-R|-C|-L|-S|-F|-Z|-N|-X|-P|-E [CHAIN] ...",
    "rules for packets of IPv4, as iptables(8) has them",
    group=Group.NODE,
    node=NodeUse.PREFIX,
    words=(1, None),
    examples=[
        "vm1 iptables -A INPUT -p icmp --icmp-type echo-request -j ACCEPT",
        "vm1 iptables -t nat -A POSTROUTING -o eth0 -j MASQUERADE",
        "vm1 iptables -t nat -L -n -v",
        "vm1 iptables -S",
        "vm1 iptables -F",
    ],
    completes=[Words(), Words(*_TABLES, "INPUT", "FORWARD", "OUTPUT")],
)
def iptables(context: ShellContext, arguments: Arguments) -> Output:
    """Tables are raw, mangle, nat, filter and security."""
    return _run(context, "iptables", arguments.words)


@command(
    "ip6tables",
    "[-t TABLE] -A|-I|-D|-R|-C|-L|-S|-F|-Z|-N|-X|-P|-E [CHAIN] ...",
    "rules for packets of IPv6",
    group=Group.NODE,
    node=NodeUse.PREFIX,
    words=(1, None),
    examples=["vm1 ip6tables -A INPUT -p tcp --dport 22 -j ACCEPT", "vm1 ip6tables -L -n"],
    completes=[Words(), Words(*_TABLES, "INPUT", "FORWARD", "OUTPUT")],
)
def ip6tables(context: ShellContext, arguments: Arguments) -> Output:
    """What iptables is for IPv4."""
    return _run(context, "ip6tables", arguments.words)


@command(
    "iptables-save",
    "[-c] [-t TABLE]",
    "the rules as a text that iptables-restore reads",
    group=Group.NODE,
    node=NodeUse.PREFIX,
    words=(1, None),
    examples=["vm1 iptables-save", "vm1 iptables-save -c -t nat"],
    completes=[Words(), Words(*_TABLES)],
)
def iptables_save(context: ShellContext, arguments: Arguments) -> Output:
    """With -c what rules have counted is saved, too."""
    return _run(context, "iptables-save", arguments.words)


@command(
    "ip6tables-save",
    "[-c] [-t TABLE]",
    "the same of IPv6",
    group=Group.NODE,
    node=NodeUse.PREFIX,
    words=(1, None),
    examples=["vm1 ip6tables-save"],
    completes=[Words(), Words(*_TABLES)],
)
def ip6tables_save(context: ShellContext, arguments: Arguments) -> Output:
    """What iptables-save is for IPv4."""
    return _run(context, "ip6tables-save", arguments.words)


@command(
    "iptables-restore",
    "[-c] [-n] [-t] [-T TABLE] FILE",
    "rules from a file that iptables-save has written",
    group=Group.NODE,
    node=NodeUse.PREFIX,
    words=(1, None),
    examples=["vm1 iptables-restore /dev/null"],
    completes=[Words()],
)
def iptables_restore(context: ShellContext, arguments: Arguments) -> Output:
    """Each table of the file takes the place of the one that was there; with -n its rules come
    behind those that are there. -t only tries."""
    return _restore(context, "iptables-restore", arguments.words)


@command(
    "ip6tables-restore",
    "[-c] [-n] [-t] [-T TABLE] FILE",
    "the same of IPv6",
    group=Group.NODE,
    node=NodeUse.PREFIX,
    words=(1, None),
    examples=["vm1 ip6tables-restore /dev/null"],
    completes=[Words()],
)
def ip6tables_restore(context: ShellContext, arguments: Arguments) -> Output:
    """What iptables-restore is for IPv4."""
    return _restore(context, "ip6tables-restore", arguments.words)


def _restore(context: ShellContext, program: str, words: tuple[str, ...]) -> Output:
    *options, name = words
    if not options or name.startswith("-"):
        raise UsageError(f"{program}: something is missing", f"say which file: {program} FILE")
    try:
        text = Path(name).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise StorageError(f"cannot read {name}: {error}") from None
    return _run(context, program, tuple(options), text)


@command(
    "nft",
    "list ruleset | tables | table [FAMILY] NAME | chains | chain [FAMILY] TABLE NAME",
    "the same rules in nft's words",
    group=Group.NODE,
    node=NodeUse.PREFIX,
    words=(1, None),
    examples=["vm1 nft list ruleset", "vm1 nft list tables"],
    completes=[
        Words(),
        Words("list"),
        Words("ruleset", "tables", "table", "chains", "chain"),
        Words("ip", "ip6"),
        Words(*_TABLES),
    ],
)
def nft(context: ShellContext, arguments: Arguments) -> Output:
    """It shows what iptables has made; to change rules use iptables."""
    return _run(context, "nft", arguments.words)


@command(
    "conntrack",
    "-L|-G|-D|-F|-C [-f FAMILY] [-p PROTOCOL] [-s IP] [-d IP] [--dport PORT] [-o extended,id] ...",
    "the connections that a machine keeps track of",
    group=Group.NODE,
    node=NodeUse.PREFIX,
    words=(1, None),
    examples=[
        "vm1 conntrack -L",
        "vm1 conntrack -L -p tcp --state ESTABLISHED",
        "vm1 conntrack -C",
    ],
    completes=[Words()],
)
def conntrack(context: ShellContext, arguments: Arguments) -> Output:
    """A machine keeps track once a rule asks for it: any of table nat, -m conntrack, -j CT."""
    return _run(context, "conntrack", arguments.words)
