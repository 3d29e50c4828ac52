"""Whatever is typed: the readers raise nothing but their own errors, and what they accept is saved
as a text that says the same."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.examples import examples
from tests.linux.netfilter.rules_at_random import rules
from vnet.linux.netfilter.conntrack_tool.tool import ConntrackTool
from vnet.linux.netfilter.nft.show import table_text
from vnet.linux.netfilter.nft.tool import Nft
from vnet.linux.netfilter.ruleset import Ruleset
from vnet.linux.netfilter.xtables.errors import XtablesError

_WORDS = st.sampled_from(
    (
        *("-A", "-I", "-D", "-R", "-C", "-L", "-S", "-F", "-Z", "-N", "-X", "-P", "-E", "-t"),
        *("INPUT", "FORWARD", "a", "nat", "filter", "ACCEPT", "DROP", "!", "-p", "tcp", "udp"),
        *("-s", "-d", "10.0.0.0/8", "::1/64", "-i", "eth+", "-m", "-j", "-g", "-f", "-v", "-n"),
        *("conntrack", "--ctstate", "NEW", "multiport", "--dports", "1:5", "--dport", "22"),
        *("--to-destination", "1.2.3.4:5-9", "DNAT", "LOG", "--log-prefix", "mark", "--mark"),
        *("0x1/0xff", "--tcp-flags", "ALL", "NONE", "5", "--syn", "icmp", "--icmp-type", "8"),
        *("limit", "--limit", "5/s", "--", "-", "", "--d", "--help", "-c", "-1", "statistic"),
        *("--mode", "nth", "--every", "--packet", "REJECT", "--reject-with", "tcp-reset", "\x00"),
    )
)
_COMMANDS = st.lists(st.one_of(_WORDS, _WORDS, st.text(max_size=6)), max_size=14)


def _answer(ruleset: Ruleset, words: list[str]) -> XtablesError | None:
    try:
        ruleset.command(words)
    except XtablesError as error:
        return error
    return None


@pytest.mark.slow
@settings(max_examples=examples(300), deadline=None)
@given(st.lists(_COMMANDS, max_size=4), st.sampled_from((4, 6)))
def test_commands_raise_their_own_errors_alone(commands: list[list[str]], family: int) -> None:
    ruleset = Ruleset(family)
    for words in commands:
        answer = _answer(ruleset, words)
        assert answer is None or (answer.told_by("iptables").endswith("\n") and answer.status)
    Nft([ruleset]).run(["list", "ruleset"])
    again = Ruleset(family)
    again.restore(ruleset.save())
    assert again.save() == ruleset.save()


@settings(max_examples=examples(200), deadline=None)
@given(st.lists(st.one_of(st.text(max_size=30), _COMMANDS.map(" ".join)), max_size=8))
def test_texts_raise_their_own_errors_alone(lines: list[str]) -> None:
    ruleset = Ruleset(4)
    with suppress(XtablesError):
        ruleset.restore("*filter\n:a - [0:0]\n" + "\n".join(lines) + "\nCOMMIT\n")


@settings(max_examples=examples(150), deadline=None)
@given(st.lists(st.one_of(_WORDS, st.text(max_size=8)), max_size=8))
def test_the_other_programs_answer_whatever_they_are_asked(words: list[str]) -> None:
    for answer in (Nft([Ruleset(4)]).run(words), ConntrackTool(None, 0).run(words)):
        assert answer.status == 0 or answer.err


@pytest.mark.slow
@settings(max_examples=examples(60), deadline=None)
@given(st.integers(0, 10_000), st.sampled_from((4, 6)))
def test_what_is_saved_is_restored_to_the_same(seed: int, family: int) -> None:
    ruleset = Ruleset(family)
    for name, lines in rules(seed, family).items():
        ruleset.restore(f"*{name}\n:user - [0:0]\nCOMMIT\n", flush=False)
        for line in lines:
            with suppress(XtablesError):
                ruleset.restore(f"*{name}\n{line}\nCOMMIT\n", flush=False)
    again = Ruleset(family)
    again.restore(ruleset.save())
    assert again.save() == ruleset.save()
    for table in ruleset:
        for chain in table.chains.values():
            described = [rule.description for rule in chain.rules]
            found = again.table(table.name).chains[chain.name].rules
            assert [rule.description for rule in found] == described
        assert table_text(table, family)
