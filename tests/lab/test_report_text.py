"""A report in one line, as ``assert lab.run().held`` shows it."""

from __future__ import annotations

from collections.abc import Callable

from vnet.lab.lab import Lab

LabWith = Callable[..., Lab]

ONE_HOLDS = "  - ping: {from: vm1, to: vm2, count: 1}\n    expect: {received: 1}\n"
ONE_FAILS = "  - ping: {from: vm1, to: 10.0.0.99, count: 1}\n    expect: {received: 1}\n"


def test_a_run_without_steps_holds(lab_with: LabWith) -> None:
    assert repr(lab_with().run("1s")) == "<Report of small at 1s: 0 steps, all held>"


def test_a_run_that_held_says_how_many_steps_it_had(lab_with: LabWith) -> None:
    assert repr(lab_with(ONE_HOLDS).run()).endswith(": 1 step, all held>")
    assert repr(lab_with(ONE_HOLDS * 2).run()).endswith(": 2 steps, all held>")


def test_a_failed_expectation_is_named_with_its_step(lab_with: LabWith) -> None:
    assert repr(lab_with(ONE_HOLDS + ONE_FAILS).run()).endswith(
        ": 1 of 2 NOT held: ping vm1 → 10.0.0.99 ×1: expected received == 1, saw 0>"
    )


def test_steps_that_have_not_come_to_their_end_are_told_apart(lab_with: LabWith) -> None:
    assert repr(lab_with(ONE_FAILS + ONE_HOLDS).run("1s")) == (
        "<Report of small at 1s: 2 of 2 NOT held: ping vm1 → 10.0.0.99 ×1: not yet ended; "
        "ping vm1 → vm2 ×1: not yet begun>"
    )


def test_a_lab_that_was_closed_early_says_so(lab_with: LabWith) -> None:
    lab = lab_with(ONE_FAILS)
    lab.run("1s")
    assert "not finished when the run ended, expected received == 1, saw 0" in repr(lab.close())
