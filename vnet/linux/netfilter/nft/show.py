"""``nft list ...``: tables, chains and rules as nft shows what iptables has made."""

from __future__ import annotations

from vnet.linux.netfilter.hooks import Hook, Priority
from vnet.linux.netfilter.iptables.interface import Interface
from vnet.linux.netfilter.matches.tcp import TcpMatch
from vnet.linux.netfilter.matches.udp import UdpMatch
from vnet.linux.netfilter.rule import Header, Rule
from vnet.linux.netfilter.tables import Chain, Table
from vnet.linux.netfilter.xtables.extension import Match
from vnet.linux.netfilter.xtables.names import protocol_name
from vnet.linux.netfilter.xtables.values import Net

_PRIORITIES = {
    Priority.RAW: "raw",
    Priority.MANGLE: "mangle",
    Priority.FILTER: "filter",
}
_SECURITY = "150"
"""Where iptables hangs the table, which nft would hang at 50."""

_NATIVE = ("limit", "mark", "tcp", "udp")
"""Matches that iptables says in nftables' own words; all others are its extensions still."""

FAMILY_NAMES = {4: "ip", 6: "ip6"}


def handle_text(numbered: Table | Chain | Rule, *, shown: bool) -> str:
    """What ``-a`` has at the end of a line."""
    return f" # handle {numbered.handle}" if shown else ""


def table_text(table: Table, family: int, *, handles: bool = False) -> str:
    """A table with all of its chains."""
    chains = "\n".join(
        chain_text(table, chain, family, handles=handles) for chain in table.chains.values()
    )
    head = f"table {FAMILY_NAMES[family]} {table.name} {{{handle_text(table, shown=handles)}"
    return f"{head}\n{chains}}}\n"


def chain_text(table: Table, chain: Chain, family: int, *, handles: bool = False) -> str:
    """A chain with all of its rules."""
    lines = [f"\tchain {chain.name} {{{handle_text(chain, shown=handles)}"]
    if chain.hook is not None:
        lines.append(f"\t\t{_base(table, chain, chain.hook)}")
    lines += [
        f"\t\t{rule_text(rule, family)}{handle_text(rule, shown=handles)}" for rule in chain.rules
    ]
    return "".join(f"{line}\n" for line in [*lines, "\t}"])


def base_line(table: Table, chain: Chain) -> str | None:
    """What is said of where a chain hangs; None of a user's chain."""
    return None if chain.hook is None else _base(table, chain, chain.hook)


def _base(table: Table, chain: Chain, hook: Hook) -> str:
    kind = "nat" if table.name == "nat" else "filter"
    if table.name == "mangle" and hook is Hook.OUTPUT:
        kind = "route"
    policy = (chain.policy or "").lower()
    return (
        f"type {kind} hook {hook.name.lower()} priority {_priority(table, hook)}; policy {policy};"
    )


def _priority(table: Table, hook: Hook) -> str:
    priority = table.hooks[hook]
    if priority is Priority.SECURITY:
        return _SECURITY
    if hook is Hook.PREROUTING and priority is Priority.NAT_DESTINATION:
        return "dstnat"
    if hook is Hook.POSTROUTING and priority is Priority.NAT_SOURCE:
        return "srcnat"
    return _PRIORITIES.get(priority, str(int(priority)))


def is_managed(table: Table) -> bool:
    """Whether a table has words that nft reads, but could not write."""
    return any(
        rule.description.target is not None
        or any(not is_native(match) for match in rule.description.matches)
        for chain in table.chains.values()
        for rule in chain.rules
    )


def is_native(match: Match) -> bool:
    """Whether iptables says a match in nftables' own words."""
    if match.NAME not in _NATIVE or (isinstance(match, UdpMatch) and not match.IS_NATIVE):
        return False
    if isinstance(match, TcpMatch):
        return bool(match.saved()) and not match.kind
    return not isinstance(match, UdpMatch) or bool(match.saved())


def rule_text(rule: Rule, family: int) -> str:
    """A rule in one line."""
    description = rule.description
    matches = [_match_text(match) for match in description.matches]
    is_told = _names_protocol(description.matches)
    parts = _header_parts(description.header, family, is_told=is_told)
    counter = f"counter packets {rule.packet_count} bytes {rule.byte_count}"
    parts += [*matches, counter]
    target = description.target
    if target is not None:
        parts.append(target.nft() or f"xt target {target.shown_name}")
    elif description.jump:
        parts.append(_jump_text(description.jump, goto=description.goto))
    return " ".join(parts)


def _names_protocol(matches: tuple[Match, ...]) -> bool:
    """Whether the ports of a protocol are asked for before an extension is."""
    for match in matches:
        if not is_native(match):
            return False
        if isinstance(match, TcpMatch | UdpMatch):
            return True
    return False


def _match_text(match: Match) -> str:
    text = match.nft()
    return f"xt match {match.NAME}" if text is None else text


def _jump_text(jump: str, *, goto: bool) -> str:
    if jump in ("ACCEPT", "DROP", "RETURN"):
        return jump.lower()
    return f"{'goto' if goto else 'jump'} {jump}"


def _header_parts(header: Header, family: int, *, is_told: bool) -> list[str]:
    """What a header asks for; ``is_told`` leaves out the protocol, which a match names."""
    parts = _device("iifname", header.entered, header.is_negated("i"))
    parts += _device("oifname", header.leaves, header.is_negated("o"))
    if header.protocol and not (is_told and not header.is_negated("p")):
        name = protocol_name(header.protocol) or str(header.protocol)
        parts.append(f"meta l4proto {'!= ' if header.is_negated('p') else ''}{name}")
    word = FAMILY_NAMES[family]
    for letter, field, net in (("s", "saddr", header.source), ("d", "daddr", header.target)):
        if not net.is_any or header.is_negated(letter):
            parts.append(_net(f"{word} {field}", net, header.is_negated(letter)))
    if header.fragment:
        parts.append(f"ip frag-off & 8191 {'==' if header.is_negated('f') else '!='} 0")
    return parts


def _device(field: str, device: Interface, negated: bool) -> list[str]:
    name = device.name
    if not name or (name == "+" and not negated):
        return []
    if name == "+":
        return [f'{field} "INVAL/D"']
    if name.endswith("+"):
        name = f"{name[:-1]}*"
    elif name.endswith("*"):
        name = f"{name[:-1]}\\*"
    return [f'{field} {"!= " if negated else ""}"{name}"']


def _net(field: str, net: Net, negated: bool) -> str:
    if net.prefix_length is None:
        compared = "!=" if negated else "=="
        return f"{field} & {net.mask_text} {compared} {net.address_text}"
    return f"{field} {'!= ' if negated else ''}{net.shown}"
