"""The classifier: the best rule, by no more bits than it takes, and never by fewer."""

from __future__ import annotations

from dataclasses import dataclass

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.examples import examples
from vnet.ovs.flow.flow import Bits, Flow
from vnet.ovs.flow.match import Match
from vnet.ovs.ofproto.classifier.classifier import Classifier
from vnet.ovs.ofproto.rules.rule import Rule
from vnet.ovs.openflow.ofpacts import Conjunction

IPV4 = 0x0800
ARP = 0x0806


def rule(
    priority: int = 0, *parts: tuple[Bits, int, int], conjunctions: tuple[Conjunction, ...] = ()
) -> Rule:
    """A rule that matches each member under a mask."""
    value = mask = 0
    for bits, want, under in parts:
        value |= (want & under) << bits.shift
        mask |= under << bits.shift
    return Rule(0, priority, Match(value, mask), (), 0, conjunctions=conjunctions)


def exactly(bits: Bits, value: int) -> tuple[Bits, int, int]:
    return bits, value, bits.ones


def prefix(bits: Bits, value: int, length: int) -> tuple[Bits, int, int]:
    return bits, value, bits.ones & ~(bits.ones >> length)


def classifier_of(*rules: Rule) -> Classifier:
    classifier = Classifier()
    for each in rules:
        classifier.insert(each)
    return classifier


def packet(**members: int) -> Flow:
    flow = Flow()
    for name, value in members.items():
        setattr(flow, name, value)
    return flow


def looked_at(classifier: Classifier, flow: Flow) -> tuple[Rule | None, Flow]:
    wc = Flow()
    return classifier.lookup(flow, wc), wc


# -- un-wildcarding, stage by stage


def test_a_stage_that_no_rule_agrees_with_ends_the_search_of_a_subtable() -> None:
    classifier = classifier_of(
        rule(2, exactly(Flow.in_port, 1), exactly(Flow.dl_src, 5), exactly(Flow.tp_dst, 80)),
        rule(1),
    )
    assert looked_at(classifier, packet(in_port=2))[1] == Flow(Flow.in_port.mask)
    found, wc = looked_at(classifier, packet(in_port=1, dl_src=4, tp_dst=80))
    assert found is not None
    assert found.priority == 1
    assert wc == Flow(Flow.in_port.mask | Flow.dl_src.mask)


def test_bits_at_any_distance_tell_values_of_a_stage_apart() -> None:
    """Those of these members are 4 * 61 apart, where Python's hash of a number goes round."""
    cfi, low = 1 << 12, 1 << 8
    assert (Flow.vlan_tci.shift + 12 - Flow.dl_src.shift - 8) % 61 == 0
    classifier = classifier_of(
        rule(2, (Flow.dl_src, low, low), (Flow.vlan_tci, 0, cfi), exactly(Flow.nw_src, 1)), rule(1)
    )
    wc = looked_at(classifier, packet(vlan_tci=cfi, nw_src=2))[1]
    assert wc == packet(dl_src=low, vlan_tci=cfi)


def test_a_better_match_saves_the_search_of_what_cannot_beat_it() -> None:
    classifier = classifier_of(rule(2, exactly(Flow.in_port, 1)), rule(1, exactly(Flow.dl_src, 5)))
    assert looked_at(classifier, packet(in_port=1))[1] == Flow(Flow.in_port.mask)


def test_a_prefix_trie_shows_by_a_few_bits_that_no_host_route_matches() -> None:
    ip = exactly(Flow.dl_type, IPV4)
    classifier = classifier_of(
        rule(2, ip, prefix(Flow.nw_dst, 0x0A010203, 32)),
        rule(1, ip, prefix(Flow.nw_dst, 0x0A000000, 8)),
    )
    found, wc = looked_at(classifier, packet(dl_type=IPV4, nw_dst=0x0A800001))
    assert found is not None
    assert found.priority == 1
    assert wc.nw_dst == 0xFF800000
    assert wc.dl_type == 0xFFFF


def test_a_trie_of_addresses_says_nothing_about_packets_without_them() -> None:
    classifier = classifier_of(rule(1, exactly(Flow.nw_dst, 0x0A010203)))
    arp = packet(dl_type=ARP, nw_dst=0x0B000000)
    assert looked_at(classifier, arp)[1].nw_dst == 0xFFFFFFFF


def test_the_ports_trie_keeps_the_bits_of_ports_few() -> None:
    classifier = classifier_of(rule(1, exactly(Flow.dl_type, IPV4), exactly(Flow.tp_src, 0x8001)))
    wc = looked_at(classifier, packet(dl_type=IPV4, tp_src=0x0001))[1]
    assert wc.tp_src == 0x8000


def test_the_rest_of_the_stage_of_the_ports_counts_as_looked_at() -> None:
    classifier = classifier_of(rule(1, exactly(Flow.tp_dst, 80), (Flow.tcp_flags, 2, 2)))
    wc = looked_at(classifier, packet(tp_dst=80, tcp_flags=0x10))[1]
    assert wc == packet(tp_dst=0xFFFF, tcp_flags=2)
    wc = looked_at(classifier, packet(tp_dst=0x8050, tcp_flags=2))[1]
    assert wc == packet(tp_dst=0x8000, tcp_flags=2)


def test_of_subtables_with_one_priority_the_older_is_searched_first() -> None:
    older, younger = rule(1, exactly(Flow.in_port, 1)), rule(1, exactly(Flow.dl_src, 7))
    found, wc = looked_at(classifier_of(older, younger), packet(in_port=1, dl_src=7))
    assert found is older
    assert wc == Flow(Flow.in_port.mask)


# -- conjunctions


def clause(priority: int, conj_id: int, k: int, n: int, *parts: tuple[Bits, int, int]) -> Rule:
    return rule(priority, *parts, conjunctions=(Conjunction(conj_id, k - 1, n),))


def conjunction_of_addresses() -> Classifier:
    return classifier_of(
        clause(10, 1234, 1, 2, exactly(Flow.nw_src, 1)),
        clause(10, 1234, 1, 2, exactly(Flow.nw_src, 2)),
        clause(10, 1234, 2, 2, exactly(Flow.nw_dst, 8)),
        clause(10, 1234, 2, 2, exactly(Flow.nw_dst, 9)),
        rule(10, exactly(Flow.conj_id, 1234)),
        rule(5, exactly(Flow.in_port, 1)),
    )


def test_all_clauses_together_lead_to_the_rule_of_their_number() -> None:
    found, _ = looked_at(conjunction_of_addresses(), packet(nw_src=2, nw_dst=8, in_port=1))
    assert found is not None
    assert found.match.mask == Flow.conj_id.mask


def test_one_clause_alone_leads_nowhere() -> None:
    found, _ = looked_at(conjunction_of_addresses(), packet(nw_src=2, nw_dst=7, in_port=1))
    assert found is not None
    assert found.priority == 5


def test_in_the_shadow_of_a_clause_stands_the_same_match_of_a_lower_priority() -> None:
    hard = rule(4, exactly(Flow.nw_src, 1))
    classifier = classifier_of(clause(10, 1, 1, 2, exactly(Flow.nw_src, 1)), hard, rule(3))
    assert looked_at(classifier, packet(nw_src=1))[0] is hard


def test_behind_a_clause_nothing_answers_to_a_conjunctions_number() -> None:
    shadowed, answer = rule(1), rule(0, exactly(Flow.in_port, 1))
    clauses = clause(2, 1, 1, 2), clause(2, 1, 2, 2, exactly(Flow.regs[0], 0))
    classifier = classifier_of(shadowed, answer, *clauses)
    assert looked_at(classifier, packet(in_port=1))[0] is answer


# -- against brute force


@dataclass(frozen=True)
class Member:
    """A member, values that packets have of it, and masks that rules look through."""

    bits: Bits
    values: tuple[int, ...]
    masks: tuple[int, ...]


MEMBERS = (
    Member(Flow.in_port, (1, 2), (0xFFFFFFFF,)),
    Member(Flow.regs[0], (0, 1, 3), (0xFFFFFFFF, 1)),
    Member(Flow.dl_type, (IPV4, ARP), (0xFFFF,)),
    Member(Flow.nw_dst, (0x0A000001, 0x0A000002, 0x0B000000), (0xFFFFFFFF, 0xFF000000, 0xF0)),
    Member(Flow.nw_src, (0x0A000001, 0x8A000002), (0xFFFFFFFF, 0x80000000)),
    Member(Flow.tp_dst, (80, 81, 443), (0xFFFF, 0xFFF0)),
    Member(Flow.tp_src, (1, 2), (0xFFFF, 1)),
    Member(Flow.tcp_flags, (2, 0x12), (0x10,)),
    Member(Flow.conj_id, (0,), (0xFFFFFFFF,)),
)


@st.composite
def keys(draw: st.DrawFn) -> int:
    key = 0
    for member in MEMBERS:
        key |= draw(st.sampled_from(member.values)) << member.bits.shift
    return key


clauses = st.builds(
    Conjunction, conj_id=st.integers(1, 2), clause=st.integers(0, 1), n_clauses=st.just(2)
)


@st.composite
def rules(draw: st.DrawFn) -> Rule:
    parts = []
    for member in draw(st.lists(st.sampled_from(MEMBERS), max_size=3, unique=True)):
        values = (0, 1, 2) if member.bits.name == "conj_id" else member.values
        parts.append(
            (member.bits, draw(st.sampled_from(values)), draw(st.sampled_from(member.masks)))
        )
    soft = draw(st.one_of(st.just(()), st.tuples(clauses), st.tuples(clauses, clauses)))
    return rule(draw(st.integers(0, 4)), *parts, conjunctions=soft)


def distinct(candidates: list[Rule]) -> list[Rule]:
    """Only the first with each match and priority, as a table has them."""
    return list({(each.match, each.priority): each for each in candidates}.values())


def hard_heads(candidates: list[Rule]) -> list[Rule]:
    """What a conjunction's number is looked up among: of the rules with one match only the best,
    and not even that if it is a clause. Open vSwitch looks at no rule behind it then."""
    best: dict[Match, Rule] = {}
    for each in candidates:
        if each.match not in best or best[each.match].priority < each.priority:
            best[each.match] = each
    return [each for each in best.values() if not each.conjunctions]


def best_by_brute_force(candidates: list[Rule], key: int) -> set[int]:
    """The rules (by id) that may be the answer: those of the best priority that match.

    Empty for none. Clauses of one priority count together if there are as many as are needed.
    """
    matching = [each for each in candidates if each.match.matches(key)]
    for priority in sorted({each.priority for each in matching}, reverse=True):
        level = [each for each in matching if each.priority == priority]
        hard = {id(each) for each in level if not each.conjunctions}
        if hard:
            return hard
        found: set[int] = set()
        for conj_id in (1, 2):
            there = {c.clause for r in level for c in r.conjunctions if c.conj_id == conj_id}
            if len(there) == 2 <= len(level):
                found |= best_by_brute_force(hard_heads(candidates), Flow.conj_id.set(key, conj_id))
        if found:
            return found
    return set()


@settings(max_examples=examples(100))
@given(st.lists(rules(), max_size=14).map(distinct), st.lists(keys(), min_size=1, max_size=4))
def test_finds_what_brute_force_finds(candidates: list[Rule], flows: list[int]) -> None:
    classifier = classifier_of(*candidates)
    for key in flows:
        found = classifier.lookup(Flow(key), None)
        expected = best_by_brute_force(candidates, key)
        assert (id(found) in expected) if expected else found is None


@settings(max_examples=examples(150))
@given(st.lists(rules(), max_size=14).map(distinct), keys(), keys())
def test_a_packet_that_agrees_in_the_bits_looked_at_finds_the_same(
    candidates: list[Rule], key: int, other: int
) -> None:
    classifier = classifier_of(*candidates)
    wc = Flow(Flow.dl_type.mask)  # whoever looks up has seen the EtherType already
    found = classifier.lookup(Flow(key), wc)
    assert classifier.lookup(Flow(key), None) is found
    alike = key & wc.key | other & ~wc.key
    assert classifier.lookup(Flow(alike), None) is found


@given(
    st.lists(rules(), max_size=10).map(distinct),
    st.lists(st.booleans(), min_size=10, max_size=10),
    keys(),
)
def test_rules_that_went_leave_no_trace(
    candidates: list[Rule], stays: list[bool], key: int
) -> None:
    classifier = classifier_of(*candidates)
    kept = [each for each, stay in zip(candidates, stays, strict=False) if stay]
    for each in candidates:
        if each not in kept:
            classifier.remove(each)
    assert len(classifier) == len(kept)
    assert {id(each) for each in classifier} == {id(each) for each in kept}
    found = classifier.lookup(Flow(key), Flow())
    expected = best_by_brute_force(kept, key)
    assert (id(found) in expected) if expected else found is None


def test_when_all_have_gone_nothing_is_left_to_look_at() -> None:
    several = [rule(1, exactly(Flow.nw_dst, n)) for n in range(4)]
    classifier = classifier_of(*several)
    for each in several:
        classifier.remove(each)
    assert looked_at(classifier, packet(dl_type=IPV4)) == (None, Flow())


# -- listing and overlaps


def test_overlap_is_about_packets_that_both_would_match() -> None:
    classifier = classifier_of(rule(5, exactly(Flow.in_port, 1)))
    by_type = rule(5, exactly(Flow.dl_type, IPV4)).match
    other_port = rule(5, exactly(Flow.in_port, 2)).match
    assert classifier.overlaps(by_type, 5)
    assert not classifier.overlaps(by_type, 4)
    assert not classifier.overlaps(other_port, 5)


def test_a_loose_match_selects_what_is_as_narrow_or_narrower() -> None:
    wide, narrow = rule(1), rule(1, exactly(Flow.in_port, 1), exactly(Flow.dl_type, IPV4))
    classifier = classifier_of(wide, narrow)
    assert list(classifier.matching(rule(0, exactly(Flow.in_port, 1)).match)) == [narrow]


def test_subtables_are_listed_by_their_best_rule_and_rules_as_they_came() -> None:
    low = rule(1, exactly(Flow.in_port, 1))
    high = rule(9, exactly(Flow.dl_src, 1))
    second = rule(2, exactly(Flow.in_port, 2))
    assert list(classifier_of(low, high, second)) == [high, low, second]
