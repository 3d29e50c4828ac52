"""What the README shows is what happens."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from vnet import Lab
from vnet.lab.shipped import shipped
from vnet.wire.pcapng import read_pcapng

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")


def block(language: str, behind: str = "# vnet") -> str:
    """The first block of a language behind a line that ends so."""
    _before, found, after = README.partition(f"{behind}\n")
    assert found, f"README.md has no line {behind}"
    match = re.search(rf"```{language}\n(.*?)```", after, re.DOTALL)
    assert match is not None, f"README.md has no {language} block behind {behind}"
    return match.group(1)


def test_the_python_example_runs(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(ROOT)
    exec(compile(block("python"), "README.md", "exec"), {})  # noqa: S102 - our own text
    shown = capsys.readouterr().out
    assert shown.startswith("3 packets transmitted, 3 received, 0% packet loss\n")
    assert "h2:peth0" in shown, "the trace crosses the cable"


def test_the_example_of_flows_runs(capsys: pytest.CaptureFixture[str]) -> None:
    text = block("python", "## Writing flows")
    exec(compile(text, "README.md", "exec"), {})  # noqa: S102 - our own text
    shown = capsys.readouterr().out
    assert re.search(r"n_packets=1, .*icmp,nw_src=10\.0\.0\.2 actions=drop\n", shown)
    assert "recirc_id(0),in_port(vnet1)" in shown
    assert "Datapath actions: drop" in shown


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


def test_the_example_of_a_test_passes_once_for_each_seed(
    pytester: pytest.Pytester, inner_pytest: Callable[..., pytest.RunResult]
) -> None:
    text = block("python", "## In your tests")
    assert len(text.splitlines()) <= 10
    pytester.makepyfile(text)
    inner_pytest().assert_outcomes(passed=3)


def test_the_example_with_a_wrong_expectation_blames_no_frame(
    pytester: pytest.Pytester, inner_pytest: Callable[..., pytest.RunResult]
) -> None:
    wrong = block("python", "## In your tests").replace("len(asked) == 1", "len(asked) == 2")
    pytester.makepyfile(test_it=wrong)
    result = inner_pytest()
    result.assert_outcomes(failed=3)
    shown = result.stdout.str()
    for seed in (1, 2, 3):
        test = f"test_it.py::test_the_second_ping_needs_no_arp[seed={seed}]"
        assert f"lab two-vms, seed {seed}, " in shown
        assert f"again:     pytest '{test}'" in shown
    assert shown.count("No frame died.") == 3
    captures = [Path(path) for path in re.findall(r"captured:  (.*)", shown)]
    assert len(set(captures)) == 3
    for path in captures:
        with path.open("rb") as stream:
            assert len(list(read_pcapng(stream))) == 2 * (2 + 4)


def test_the_failure_shown_is_the_one_that_comes(
    pytester: pytest.Pytester, inner_pytest: Callable[..., pytest.RunResult]
) -> None:
    example = block("", "tells how the last frame died. With `@two-hosts` and").splitlines()
    narrow = shipped()["two-hosts"].read_text(encoding="utf-8")
    narrow = narrow.replace("name: two-hosts", "name: narrow")
    narrow = narrow.replace("    latency: 1ms", "    latency: 1ms\n    mtu: 1400")
    (pytester.path / "narrow.yaml").write_text(narrow, encoding="utf-8")
    statement = example[0].removeprefix(">").strip()
    pytester.makepyfile(
        test_large=f"""
        def test_large_pings_arrive(vnet_lab):
            lab = vnet_lab("narrow.yaml")
            {statement}
        """
    )
    result = inner_pytest()
    result.assert_outcomes(failed=1)
    shown = result.outlines
    (place,) = (line for line in example if line.startswith("captured:"))
    for line in example:
        assert line in shown or line in ("…", place)
    (real,) = (line for line in shown if line.startswith("captured:"))
    assert real.partition("pytest-0")[2] == place.partition("pytest-0")[2]
    assert shown.index(real) + 9 == shown.index(example[-1]) + 1, "nothing is left out in between"
    with Path(real.split()[1]).open("rb") as stream:
        frames = [packet for packet in read_pcapng(stream) if len(packet.data) == 1514]
    # Two pings were seen at three points each before the cable lost them.
    assert len(frames) == 6
    assert {"dropped: link-mtu: the frame is larger than the link's mtu"} <= {
        packet.comment for packet in frames
    }


@pytest.mark.parametrize("name", ["README.md", "ARCHITECTURE.md", "pcaps/golden/README.md"])
def test_files_that_are_named_exist(name: str) -> None:
    """Every path in backquotes that ends like a file is there; in ARCHITECTURE below vnet/."""
    text = (ROOT / name).read_text(encoding="utf-8")
    for path in re.findall(r"`([a-z_./]+\.(?:py|md|yaml|toml))`", text):
        places = (ROOT / path, ROOT / "vnet" / path)
        assert any(place.exists() for place in places), f"{name} names {path}, which is not there"


def test_every_shipped_topology_is_named() -> None:
    assert {name for name in shipped() if f"`@{name}`" in README} == set(shipped())
