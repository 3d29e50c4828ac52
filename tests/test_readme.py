"""What the README shows is what happens."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from vnet import Lab

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")


def block(language: str) -> str:
    found = re.search(rf"```{language}\n(.*?)```", README, re.DOTALL)
    assert found is not None, f"README.md has no {language} block"
    return found.group(1)


def test_the_python_example_runs(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(ROOT)
    exec(compile(block("python"), "README.md", "exec"), {})  # noqa: S102 - our own text
    shown = capsys.readouterr().out
    assert shown.startswith("3 packets transmitted, 3 received, 0% packet loss\n")
    assert "h2:peth0" in shown, "the trace crosses the cable"


def test_the_topology_example_holds() -> None:
    text = block("yaml")
    assert len(text.splitlines()) <= 15
    with Lab.from_text(text) as lab:
        assert lab.run().held


def test_the_command_output_is_what_a_run_prints() -> None:
    with Lab.load("@two-hosts") as lab:
        report = lab.run()
    from vnet.base.units import duration_text

    for outcome in report.steps[:2]:
        assert outcome.title in README
    assert f"{len(report.steps)} steps, all held, {duration_text(report.virtual_ns)}" in README


@pytest.mark.parametrize("name", ["README.md", "ARCHITECTURE.md", "pcaps/golden/README.md"])
def test_files_that_are_named_exist(name: str) -> None:
    """Every path in backquotes that ends like a file is there; in ARCHITECTURE below vnet/."""
    text = (ROOT / name).read_text(encoding="utf-8")
    for path in re.findall(r"`([a-z_./]+\.(?:py|md|yaml|toml))`", text):
        places = (ROOT / path, ROOT / "vnet" / path)
        assert any(place.exists() for place in places), f"{name} names {path}, which is not there"
