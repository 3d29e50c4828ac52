"""A packet's way through a chain and those that it leads to."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from vnet.linux.netfilter.drops import DROP
from vnet.linux.netfilter.following import Seen, note_policy, note_rule, place_of
from vnet.linux.netfilter.iptables.interface import Interface
from vnet.linux.netfilter.iptables.writing import rule_words
from vnet.linux.netfilter.netfilter import Netfilter
from vnet.linux.netfilter.packet import NfPacket
from vnet.linux.netfilter.rule import Header, Rule
from vnet.linux.netfilter.tables import Chain, Table
from vnet.linux.netfilter.verdict import ACCEPT, Action, Verdict, drop
from vnet.linux.netfilter.xtables.extension import Act, Test
from vnet.linux.netfilter.xtables.values import Net
from vnet.netdev.device import NetDevice


class Running:
    """A rule made ready for one machine: its tests, and what it does.

    ``settled`` are those first tests whose answer is the same for each packet of a flow.
    """

    __slots__ = ("act", "goto", "jump", "others", "rule", "settled")

    def __init__(self, netfilter: Netfilter, rule: Rule) -> None:
        description = rule.description
        self.rule = rule
        matches = description.matches
        n_settled = next((n for n, m in enumerate(matches) if not m.is_per_flow), len(matches))
        tests = [match.test(netfilter) for match in matches]
        self.settled = (*_header_tests(description.header), *tests[:n_settled])
        self.others = tuple(tests[n_settled:])
        target = description.target
        self.act: Act | None = None if target is None else target.act(netfilter)
        self.jump = description.jump
        self.goto = description.goto


class Walk:
    """One table's judge at one hook, registered with the machine's netfilter.

    The rules that were made ready stay so while they stand, for some keep count.
    """

    __slots__ = ("_chain", "_chains", "_table")

    LEAVES_TRAIL = True

    def __init__(self, table: Table, chain: Chain, ready: Mapping[Rule, Running]) -> None:
        self._table = table
        self._chain = chain
        self._chains = {
            name: [ready[rule] for rule in other.rules] for name, other in table.chains.items()
        }

    def __call__(self, packet: NfPacket) -> Verdict:
        """What becomes of a packet, and who counts it."""
        chains, rules, place = self._chains, self._chains[self._chain.name], 0
        back: list[tuple[list[Running], int]] = []
        while True:
            if place >= len(rules):
                if not back:
                    return self._by_policy(packet)
                rules, place = back.pop()
                continue
            running = rules[place]
            place += 1
            if not all(test(packet) for test in running.settled):
                continue
            if running.others:
                packet.trail = None
                if not all(test(packet) for test in running.others):
                    continue
            rule = running.rule
            rule.packet_count += 1
            rule.byte_count += len(packet.data)
            if packet.trail is not None:
                packet.trail.append(rule)
            if running.act is not None:
                packet.trail = None
                verdict = self._acted(running.act, rule, packet)
                if verdict is None:
                    continue
                return verdict if verdict.action is not Action.DROP else self._told(rule, verdict)
            jump = running.jump
            if jump == "ACCEPT":
                if packet.meta is not None:
                    note_rule(packet, self._table, rule)
                return ACCEPT
            if jump == "DROP":
                return self._told(rule, _DROPPED)
            if jump == "RETURN":
                if not back:
                    return self._by_policy(packet)
                rules, place = back.pop()
            elif jump:
                if not running.goto:
                    back.append((rules, place))
                rules, place = chains[jump], 0

    def _acted(self, act: Act, rule: Rule, packet: NfPacket) -> Verdict | None:
        """What a target says, which has done its work."""
        if packet.meta is None:
            return act(packet)
        before = Seen.of(packet)
        verdict = act(packet)
        if verdict is None or verdict.action is not Action.DROP:
            note_rule(packet, self._table, rule, before)
        return verdict

    def _by_policy(self, packet: NfPacket) -> Verdict:
        chain = self._chain
        chain.packet_count += 1
        chain.byte_count += len(packet.data)
        if packet.trail is not None:
            packet.trail.append(chain)
        if chain.policy == "ACCEPT":
            if packet.meta is not None:
                note_policy(packet, self._table, chain)
            return ACCEPT
        return drop(DROP, f"table {self._table.name}, chain {chain.name}: policy DROP")

    def _told(self, rule: Rule, verdict: Verdict) -> Verdict:
        """A verdict with the place of the rule that spoke it, for the trace."""
        place = place_of(self._table, rule)
        if place is None:
            return verdict
        assert verdict.reason is not None
        where = f"table {self._table.name}, chain {place.chain}, rule {place.number}"
        told = f"{where}: {rule_words(rule.description)}"
        return drop(verdict.reason, told, *verdict.notes)


_DROPPED = drop(DROP)


def _header_tests(header: Header) -> list[Test]:
    """Tests of all that a header asks for."""
    tests: list[Test] = []
    if header.entered.name or header.is_negated("i"):
        tests.append(_device(header.entered, header.is_negated("i"), _entered))
    if header.leaves.name or header.is_negated("o"):
        tests.append(_device(header.leaves, header.is_negated("o"), _leaves))
    if header.protocol:
        tests.append(_protocol(header.protocol, header.is_negated("p")))
    if not header.source.is_any or header.is_negated("s"):
        tests.append(_address(header.source, header.is_negated("s"), _source))
    if not header.target.is_any or header.is_negated("d"):
        tests.append(_address(header.target, header.is_negated("d"), _target))
    if header.fragment:
        negated = header.is_negated("f")
        tests.append(lambda packet: packet.is_later_fragment is not negated)
    return tests


def _entered(packet: NfPacket) -> NetDevice | None:
    return packet.entered


def _leaves(packet: NfPacket) -> NetDevice | None:
    return packet.leaves


def _source(packet: NfPacket) -> bytes:
    return packet.source


def _target(packet: NfPacket) -> bytes:
    return packet.target


def _device(
    wanted: Interface, negated: bool, which: Callable[[NfPacket], NetDevice | None]
) -> Test:
    def meant(packet: NfPacket) -> bool:
        device = which(packet)
        return wanted.fits(None if device is None else device.name) is not negated

    return meant


def _protocol(wanted: int, negated: bool) -> Test:
    def meant(packet: NfPacket) -> bool:
        protocol = packet.protocol
        return protocol is not None and (protocol == wanted) is not negated

    return meant


def _address(net: Net, negated: bool, which: Callable[[NfPacket], bytes]) -> Test:
    mask, wanted = int.from_bytes(net.mask, "big"), int.from_bytes(net.address, "big")
    if net.prefix_length == 8 * len(net.mask):
        exact = net.address
        return lambda packet: (which(packet) == exact) is not negated
    return lambda packet: (int.from_bytes(which(packet), "big") & mask == wanted) is not negated
