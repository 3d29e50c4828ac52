"""Our ovs-vsctl answers every command line of the transcripts as the real one did."""

from __future__ import annotations

import shlex

import pytest

from tests.ovs.databases import empty_database
from tests.ovs.private_ovs import IS_INSTALLED
from tests.ovs.vsctl.transcript import (
    Answer,
    in_any_order,
    kept_transcripts,
    real_answers,
    without_uuids,
)
from vnet.ovs.flow.errors import OvsTextError
from vnet.ovs.ovsdb.view import LocalView
from vnet.ovs.vsctl.context import NotYetError
from vnet.ovs.vsctl.run import run_vsctl

KEPT = kept_transcripts()


def our_answer(view: LocalView, words: list[str]) -> Answer:
    try:
        outcome = run_vsctl(view, ["--no-wait", *words])
    except NotYetError:
        return Answer(None)
    except OvsTextError as error:
        return Answer(1, "", without_uuids(f"ovs-vsctl: {error.what}\n"))
    logged = "".join(f"{notice.module}|WARN|{notice.text}\n" for notice in outcome.notices)
    return Answer(outcome.status, without_uuids(outcome.output), without_uuids(logged))


@pytest.mark.parametrize("name", KEPT)
def test_command_lines_are_answered_word_for_word(name: str) -> None:
    view = empty_database()
    for line, answer in KEPT[name]:
        ours = our_answer(view, shlex.split(line))
        logged = "|" in answer.errors
        if ours.status == answer.status == 1 and logged:
            # What was warned of before the fault stands in front of it.
            assert answer.errors.endswith(ours.errors), line
        else:
            assert in_any_order(ours) == in_any_order(answer), line


@pytest.mark.ovs
@pytest.mark.slow
@pytest.mark.skipif(not IS_INSTALLED, reason="Open vSwitch is not installed")
@pytest.mark.parametrize("name", KEPT)
def test_the_transcripts_are_what_the_real_program_says(name: str) -> None:
    for (line, kept), (_, real) in zip(KEPT[name], real_answers(KEPT[name]), strict=True):
        assert in_any_order(real) == in_any_order(kept), line
