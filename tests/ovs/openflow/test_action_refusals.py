"""Texts that are no actions are refused with Open vSwitch's own sentences."""

from __future__ import annotations

from pathlib import Path

import pytest

from vnet.ovs.flow.errors import OvsTextError
from vnet.ovs.openflow.text.actions import parse_actions, parse_instructions


def refusals() -> list[tuple[str, str]]:
    """The texts and sentences of ``action_refusals.txt``."""
    path = Path(__file__).with_name("action_refusals.txt")
    lines = [line for line in path.read_text().splitlines() if line and not line.startswith("#")]
    return [
        (text, sentence.strip()) for text, sentence in zip(lines[::2], lines[1::2], strict=True)
    ]


@pytest.mark.parametrize(("text", "sentence"), refusals())
def test_a_wrong_text_is_refused_with_the_sentence_of_ovs(text: str, sentence: str) -> None:
    with pytest.raises(OvsTextError) as refused:
        parse_instructions(text)
    assert refused.value.what.rstrip() == sentence


def test_actions_do_not_nest_without_end() -> None:
    deepest = 99
    assert parse_instructions("clone(" * deepest + ")" * deepest).actions
    with pytest.raises(OvsTextError, match="Action nested too deeply"):
        parse_instructions("clone(" * (deepest + 1) + ")" * (deepest + 1))


@pytest.mark.parametrize("text", ["goto_table:1", "clear_actions", "write_metadata:1"])
def test_instructions_stand_in_flows_only(text: str) -> None:
    name = text.partition(":")[0]
    with pytest.raises(OvsTextError, match=f"{name} instruction not allowed here"):
        parse_actions(text)


def test_a_meter_is_an_action_as_well() -> None:
    assert parse_actions("meter:5").actions == parse_instructions("meter:5").actions
