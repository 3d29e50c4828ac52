"""Random matches mean to ``ovs-ofctl`` what they mean here, in print and in refusal."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.examples import examples
from tests.ovs.flow.match_sending import match_as_sent
from tests.ovs.flow.match_texts import match_texts
from vnet.ovs.flow.errors import OvsTextError
from vnet.ovs.flow.match import Match, MatchBuilder
from vnet.ovs.flow.match_parse import finish_match, parse_match_part
from vnet.ovs.flow.match_text import match_text
from vnet.ovs.flow.protocols import P_OF10_NXM, P_OF10_STD, P_OF11_STD, P_OF13_OXM, P_OF15_OXM
from vnet.ovs.flow.tokens import key_values
from vnet.ovs.openflow.errors import OpenFlowError

pytestmark = [
    pytest.mark.ovs,
    pytest.mark.skipif(shutil.which("ovs-ofctl") is None, reason="ovs-ofctl is not installed"),
]

_MESSAGE = re.compile(r"^(?:OFPT|NXT)_FLOW_MOD .*?\(xid=\w+\): (?:ADD )?(.*)$", re.MULTILINE)
_PRINTED = re.compile(r"(?:priority=65535,?)?(.*?) ?actions=drop")

WAYS: dict[str, tuple[int, tuple[str, ...]]] = {
    "OpenFlow 1.5": (P_OF15_OXM, ("-OOpenFlow15",)),
    "OpenFlow 1.3": (P_OF13_OXM, ("-OOpenFlow13",)),
    "OpenFlow 1.1": (P_OF11_STD, ("-OOpenFlow11",)),
    "NXM": (P_OF10_NXM, ("-OOpenFlow10", "-Fnxm")),
    "OpenFlow 1.0": (P_OF10_STD, ("-OOpenFlow10", "-Fopenflow10")),
}
"""The protocol, and how to make ``ovs-ofctl`` use it."""


def read(text: str) -> tuple[Match, int] | str:
    """A match and the protocols that can express it, or what is wrong with it."""
    builder = MatchBuilder()
    try:
        for name, value in key_values(text):
            assert parse_match_part(builder, name, value)
    except OvsTextError as wrong:
        return wrong.what
    return finish_match(builder), builder.usable


def ours(protocol: int, match: Match) -> str:
    """What a switch sees of a match, as ``parse-flows`` shows it."""
    try:
        return match_text(match_as_sent(match, protocol))
    except OpenFlowError as refused:
        return f"***decode error: {refused.name}***"


def theirs(options: tuple[str, ...], file: Path) -> list[str]:
    """What ``ovs-ofctl parse-flows`` shows of each match of a file."""
    result = subprocess.run(
        ["ovs-ofctl", "-voff", *options, "parse-flows", str(file)],
        capture_output=True,
        text=True,
        check=True,
    )
    shown = []
    for message in _MESSAGE.findall(result.stdout):
        found = _PRINTED.fullmatch(message)
        shown.append(message if found is None else found[1])
    return shown


@pytest.fixture(scope="module")
def texts() -> list[str]:
    """The same few hundred matches in every run."""
    gathered: list[str] = []

    @settings(
        max_examples=examples(300),
        derandomize=True,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(match_texts())
    def gather(text: str) -> None:
        gathered.append(text)

    gather()
    return gathered


@pytest.mark.parametrize("way", WAYS)
def test_a_match_is_sent_and_printed_as_by_ovs_ofctl(
    way: str, texts: list[str], tmp_path: Path
) -> None:
    protocol, options = WAYS[way]
    expected: list[tuple[str, str]] = []
    for text in texts:
        result = read(text)
        if not isinstance(result, str) and result[1] & protocol:
            expected.append((text, ours(protocol, result[0])))
    file = tmp_path / "flows"
    file.write_text("".join(f"{text},actions=drop\n" for text, _ in expected))
    shown = theirs(options, file)
    assert list(zip((text for text, _ in expected), shown, strict=True)) == expected


@settings(max_examples=examples(40), derandomize=True, deadline=None, database=None)
@given(match_texts(), st.integers(0, 80), st.sampled_from("0x/:.+-|,[] a"))
def test_a_damaged_match_gets_the_sentence_of_ovs_ofctl(
    text: str, place: int, character: str
) -> None:
    place = min(place, len(text))
    damaged = text[:place] + character + text[place:]
    try:
        result = read(damaged)
    except AssertionError:
        return  # another name, which is none of a match
    line = subprocess.run(
        ["ovs-ofctl", "-voff", "parse-flow", "--", f"{damaged} actions=drop"],
        capture_output=True,
        text=True,
        check=False,
    )
    if isinstance(result, str):
        assert line.stderr.strip() == f"ovs-ofctl: {result}".strip()
    elif result[1]:
        assert line.returncode == 0, line.stderr
