"""The prompt: cmd2 with the registry's commands, a script instead of a terminal."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

pytest.importorskip("cmd2")

from vnet.lab.lab import Lab
from vnet.shell.context import ShellContext
from vnet.shell.interactive import PromptShell


def session(script: str, topology: str = "two-hosts") -> tuple[PromptShell, str]:
    """Type ``script`` and return the shell with what it printed to its output."""
    out = io.StringIO()
    prompt = PromptShell(
        ShellContext(Lab.load(f"@{topology}")), stdin=io.StringIO(script), stdout=out
    )
    assert prompt.session() == 0
    return prompt, out.getvalue()


def test_lines_are_commands_until_quit() -> None:
    prompt, out = session("time\nvm1 ping vm2 -c 1\nwait 1s\nquit\ntime\n")
    assert out.splitlines()[:7] == [
        "0s, no event pending",
        "PING vm2 (10.0.0.2) 56(84) bytes of data.",
        "64 bytes from vm2 (10.0.0.2): icmp_seq=1 ttl=64 time=4.00 ms",
        "",
        "--- vm2 ping statistics ---",
        "1 packets transmitted, 1 received, 0% packet loss, time 0ms",
        "rtt min/avg/max/mdev = 4.002/4.002/4.002/0.000 ms",
    ]
    assert len(out.splitlines()) == 8
    assert prompt.prompt == "vnet two-hosts 1.004s> "


def test_the_end_of_the_input_ends_with_0() -> None:
    _, out = session("time\n")
    assert out == "0s, no event pending\n"


def test_an_error_is_a_line_and_the_session_goes_on(capsys: pytest.CaptureFixture[str]) -> None:
    _, out = session("tyme\nvm9 ip addr\ntime\n")
    assert out == "0s, no event pending\n"
    assert capsys.readouterr().err.splitlines() == [
        "there is no command or node 'tyme' (did you mean 'time'?)",
        "there is no command or node 'vm9' (did you mean 'vm2'?)",
    ]


def test_packets_keep_their_quotes() -> None:
    _, out = session('trace vm1 IP(dst="10.0.0.2") / ICMP()\n')
    assert "10.0.0.1 → 10.0.0.2 ICMP echo request" in out


def test_output_can_be_redirected(tmp_path: Path) -> None:
    target = tmp_path / "nodes.txt"
    _, out = session(f"nodes > {target}\n")
    assert out == ""
    assert target.read_text().startswith("NODE  KIND")


@pytest.mark.parametrize("line", ["shell ls", "!ls", "run_script x", "edit x", "set debug true"])
def test_the_prompt_controls_the_lab_and_nothing_else(
    line: str, capsys: pytest.CaptureFixture[str]
) -> None:
    _, out = session(f"{line}\n")
    assert out == ""
    assert capsys.readouterr().err.startswith("there is no command or node")


def test_ctrl_c_ends_the_command_only(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupted(_lab: Lab, _duration: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Lab, "advance", interrupted)
    _, out = session("wait 1s\ntime\n")
    assert out == "0s, no event pending\n"
    assert capsys.readouterr().err == "interrupted; the lab stands where it was\n"


def test_completion_comes_from_the_registry() -> None:
    prompt, _ = session("")
    assert [str(word) for word in prompt._complete("v", "ping v", 5, 6)] == ["vm1", "vm2"]
