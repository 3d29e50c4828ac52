"""docs/controllers.md: what it shows at the prompt is what is said there, to the letter."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from vnet.controller.shipped import shipped_apps
from vnet.lab.lab import Lab
from vnet.shell.app import execute
from vnet.shell.context import ShellContext

PAGE = (Path(__file__).parents[1] / "docs" / "controllers.md").read_text(encoding="utf-8")
SESSIONS = re.findall(r"```\n(vnet controlled-switches 0s> .*?)```", PAGE, re.DOTALL)
PYTHON = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)


@pytest.mark.parametrize("session", SESSIONS, ids=["by hand", "by an app", "looking on"])
def test_a_session_at_the_prompt_is_as_it_is_shown(
    session: str, capsys: pytest.CaptureFixture[str]
) -> None:
    context = ShellContext(Lab.load("@controlled-switches"))
    shown = []
    for line in re.findall(r"^vnet controlled-switches \S+> (.*)$", session, re.MULTILINE):
        prompt = context.prompt
        execute(context, line)
        shown.append(f"{prompt}{line}\n{capsys.readouterr().out}")
    assert "".join(shown) == session


def test_the_app_that_is_shown_is_the_one_that_comes_along() -> None:
    assert PYTHON[0] == shipped_apps()["learning-switch"].read_text(encoding="utf-8")


def test_the_python_example_runs() -> None:
    exec(compile(PYTHON[1], "controllers.md", "exec"), {})  # noqa: S102 - our own text
