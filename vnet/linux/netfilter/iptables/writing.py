"""Rules as iptables-save, ``iptables -S`` and ``iptables -L`` write them."""

from __future__ import annotations

from typing import NamedTuple

from vnet.linux.netfilter.rule import Description, Header, Rule
from vnet.linux.netfilter.tables import Chain, Table
from vnet.linux.netfilter.xtables.names import protocol_name
from vnet.linux.netfilter.xtables.values import Net

_KILO = 1000
_NAMES = {
    "0.0.0.0": "default",
    "127.0.0.0": "loopback",
    "127.0.0.1": "localhost",
    "169.254.0.0": "link-local",
}
"""What is known by name without asking anybody (networks(5))."""

_UNITS = "KMGT"


def rule_words(description: Description) -> str:
    """All that stands behind ``-A CHAIN``."""
    return " ".join((*_meant_words(description), *_target_words(description)))


def _meant_words(description: Description) -> list[str]:
    """Which packets are meant."""
    parts = _header_words(description.header)
    for match in description.matches:
        parts.append(f"-m {match.saved_name} {match.saved()}".rstrip(" "))
    return parts


def _target_words(description: Description) -> list[str]:
    """What becomes of them."""
    target = description.target
    if target is not None:
        return [f"-j {target.saved_name} {target.saved()}".rstrip(" ")]
    return [f"-{'g' if description.goto else 'j'} {description.jump}"] if description.jump else []


def _header_words(header: Header) -> list[str]:
    def mark(letter: str) -> str:
        return "! " if header.is_negated(letter) else ""

    parts = []
    for letter, net in (("s", header.source), ("d", header.target)):
        if not net.is_any or header.is_negated(letter):
            parts.append(f"{mark(letter)}-{letter} {net.saved}")
    for letter, device in (("i", header.entered), ("o", header.leaves)):
        if device.name and (device.name != "+" or header.is_negated(letter)):
            parts.append(f"{mark(letter)}-{letter} {device.name}")
    if header.protocol:
        name = protocol_name(header.protocol) or str(header.protocol)
        parts.append(f"{mark('p')}-p {name}")
    if header.fragment:
        parts.append(f"{mark('f')}-f")
    return parts


def rule_line(chain: str, rule: Rule, *, counters: bool = False) -> str:
    """``-A INPUT ...``, behind its counters where they are asked for."""
    words = rule_words(rule.description)
    line = f"-A {chain} {words}" if words else f"-A {chain}"
    return f"[{rule.packet_count}:{rule.byte_count}] {line}" if counters else line


def specified_line(chain: str, rule: Rule, *, counters: bool) -> str:
    """The same as ``iptables -S`` has it: the counters as an option."""
    counted = [f"-c {rule.packet_count} {rule.byte_count}"] if counters else []
    words = _meant_words(rule.description), counted, _target_words(rule.description)
    return " ".join((f"-A {chain}", *(word for part in words for word in part)))


class View(NamedTuple):
    """How ``iptables -L`` is asked to show: the options -n, -v, -x and --line-numbers."""

    numeric: bool = False
    verbose: bool = False
    exact: bool = False
    line_numbers: bool = False


def listed_chain(table: Table, chain: Chain, view: View, number: int | None = None) -> str:
    """A chain with all of its rules, or one of them without what stands above."""
    lines = [] if number is not None else [_title(table, chain, view), _columns(view)]
    for place, rule in enumerate(chain.rules, 1):
        if number in (None, place):
            lines.append(_row(rule, place, view))
    return "".join(f"{line}\n" for line in lines)


def _title(table: Table, chain: Chain, view: View) -> str:
    if chain.policy is None:
        return f"Chain {chain.name} ({table.count_references(chain.name)} references)"
    if not view.verbose:
        return f"Chain {chain.name} (policy {chain.policy})"
    packets = _count(chain.packet_count, view)
    octets = _count(chain.byte_count, view)
    return f"Chain {chain.name} (policy {chain.policy} {packets} packets, {octets} bytes)"


def described(description: Description) -> str:
    """What ``-v`` prints of a rule that is added, deleted or looked for."""
    header = description.header
    target = description.target
    text = f"{description.jump if target is None else target.shown_name} "
    text += "!" if header.is_negated("p") else " "
    text += f"{protocol_name(header.protocol, numeric=True) or header.protocol} opt "
    text += f"{_fragment(header)} "
    for letter, word, device in (("i", "in", header.entered), ("o", "out", header.leaves)):
        text += f"{word} {'!' if header.is_negated(letter) else ''}{device.name or '*'} "
    text += f"{'!' if header.is_negated('s') else ' '}{header.source.shown} "
    text += f"{'!' if header.is_negated('d') else ' '}-> {header.target.shown}  "
    if description.goto:
        text += "[goto] "
    shown = [extension.shown(numeric=True) for extension in description.extensions]
    return text + "".join(f" {part}" for part in shown if part) + "\n"


def _columns(view: View) -> str:
    text = f"{'num':<4} " if view.line_numbers else ""
    if view.verbose:
        text += f"{'pkts':>8} {'bytes':>10} " if view.exact else f"{'pkts':>5} {'bytes':>5} "
    text += f"{'target':<9}  prot opt"
    if view.verbose:
        text += f" {'in':<6} {'out':<6} "
    return f"{text} {'source':<19}  {'destination':<19} "


def _row(rule: Rule, number: int, view: View) -> str:
    description = rule.description
    header = description.header
    text = f"{number:<4} " if view.line_numbers else ""
    if view.verbose:
        width = 8 if view.exact else 5
        counts = (_count(n, view) for n in (rule.packet_count, rule.byte_count))
        text += "".join(f"{count:>{width}} " for count in counts)
    target = description.target
    text += f"{description.jump if target is None else target.shown_name:<9} "
    text += f"{'!' if header.is_negated('p') else ' '}{_protocol(header.protocol, view):<4} "
    text += f"{_fragment(header)} "
    if view.verbose:
        text += _devices(header, view)
    for letter, net in (("s", header.source), ("d", header.target)):
        mark = "!" if header.is_negated(letter) else " "
        text += f"{mark}{_address(net, view):<19} "
    if description.goto:
        text += "[goto] "
    shown = [extension.shown(numeric=view.numeric) for extension in description.extensions]
    return text + "".join(f" {part}" for part in shown if part)


def _protocol(number: int, view: View) -> str:
    name = None if view.numeric else protocol_name(number)
    return name or str(number)


def _fragment(header: Header) -> str:
    if not header.fragment:
        return "--"
    return "!f" if header.is_negated("f") else "-f"


def _devices(header: Header, view: View) -> str:
    every = "*" if view.numeric else "any"
    names = []
    for letter, device in (("i", header.entered), ("o", header.leaves)):
        names.append(("!" if header.is_negated(letter) else "") + (device.name or every))
    return f" {names[0]:<6} {names[1]:<6} "


def _address(net: Net, view: View) -> str:
    if view.numeric:
        return net.shown
    unspecified = net.is_any if net.family == 4 else not any(net.address)
    if unspecified:
        return "anywhere"
    name = _NAMES.get(net.address_text)
    return net.shown if name is None else net.shown.replace(net.address_text, name, 1)


def _count(number: int, view: View) -> str:
    """A counter, in thousands or more where it would not fit."""
    if view.exact or number <= 99999:
        return str(number)
    for unit in _UNITS:
        number = (number + _KILO // 2) // _KILO
        if number <= 9999 or unit == _UNITS[-1]:
            return f"{number}{unit}"
    raise AssertionError(number)
