"""Names and paths on the screen: no terminal escape gets there, and no markup is obeyed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from vnet import Lab, VnetError
from vnet.base.errors import StorageError, UsageError
from vnet.base.text import with_port
from vnet.cli.main import main

NASTY = "[red]x\x1b[31m\n\x9b2J\u202e"
SHOWN = r"[red]x\x1b[31m\n\x9b2J\u202e"

PAIR = """\
version: 1
hosts: {h1: {switches: {br0: }}}
vms:
  vm1: {host: h1, vnics: [{ip: 10.0.0.1/24}]}
  vm2: {host: h1, vnics: [{ip: 10.0.0.2/24}]}
captures: ['vm1:eth0']
scenario: [{ping: {from: vm1, to: vm2, count: 1}}]
"""

Vnet = Callable[..., tuple[int | str | None, str, str]]


@pytest.fixture
def vnet(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Vnet:
    monkeypatch.chdir(tmp_path)

    def call(*arguments: str) -> tuple[int | str | None, str, str]:
        with pytest.raises(SystemExit) as ended:
            main(list(arguments))
        shown = capsys.readouterr()
        return ended.value.code, shown.out, shown.err

    return call


def test_a_path_is_shown_escaped_and_unchanged(vnet: Vnet, tmp_path: Path) -> None:
    (tmp_path / f"{NASTY}.yaml").write_text(PAIR)
    code, out, err = vnet("check", f"{NASTY}.yaml")
    assert (code, err) == (0, "")
    assert out.startswith(f"{SHOWN}.yaml: ok: 1 host, 2 VMs")
    code, out, err = vnet("run", f"{NASTY}.yaml", "--pcap-dir", NASTY)
    assert (code, err) == (0, "")
    assert f"captured: {SHOWN}/red-x-31m-2J.pcapng\n" in out
    assert (tmp_path / NASTY / "red-x-31m-2J.pcapng").exists()
    assert b"\x1b[" not in (tmp_path / NASTY / "red-x-31m-2J.pcapng").read_bytes()
    assert all(line.isprintable() for line in out.split("\n"))


@pytest.mark.parametrize(
    "arguments",
    [
        [NASTY],
        ["run", NASTY],
        ["run", f"@{NASTY}"],
        ["run", "lab.yaml", "--format", NASTY],
        ["run", "lab.yaml", "--until", NASTY],
        ["run", "lab.yaml", "--seed", NASTY],
        ["run", "lab.yaml", f"--{NASTY}"],
        ["run", "lab.yaml", "--pcap-dir", f"lab.yaml/{NASTY}"],
        ["run", "lab.yaml", NASTY],
        ["new", NASTY],
        ["new", "x", "--from", NASTY],
        ["graph", NASTY],
        ["completion", NASTY],
        ["shell", "lab.yaml", "-c", NASTY],
        ["shell", "lab.yaml", "-c", f"ping vm1 '{NASTY}'"],
        ["shell", "lab.yaml", "-c", f"ping '{NASTY}' vm1"],
        ["shell", "lab.yaml", "-c", f"on {NASTY} ip addr"],
        ["shell", "lab.yaml", "-c", f"vm1 {NASTY}"],
        ["shell", "lab.yaml", "-c", f"captures {NASTY}"],
        ["shell", "lab.yaml", "-c", f"help '{NASTY}'"],
        ["shell", "lab.yaml", "-c", f"vm1 ip addr show dev '{NASTY}'"],
        ["shell", "lab.yaml", "-c", f"vm1 ip -{NASTY} addr"],
        ["shell", "lab.yaml", "-c", f"vm1 sysctl '{NASTY}'"],
        ["shell", "lab.yaml", "-c", f"wait '{NASTY}'"],
    ],
    ids=ascii,
)
def test_what_was_typed_is_echoed_escaped(vnet: Vnet, tmp_path: Path, arguments: list[str]) -> None:
    (tmp_path / "lab.yaml").write_text(PAIR)
    code, out, err = vnet(*arguments)
    assert code in (2, 3)
    assert "internal failure" not in err
    assert all(line.isprintable() for line in (out + err).split("\n"))
    assert "[red]" in err  # it is the nasty word that the message is about


def test_addresses_are_no_pictures(vnet: Vnet, tmp_path: Path) -> None:
    """Others write ``:100:`` and ``:ab:`` where they mean small pictures."""
    text = PAIR.replace("10.0.0.1/24", "'fd00:100:1234::a/64'")
    text = text.replace("10.0.0.2/24", "'fd00:100:1234::b/64', mac: '52:54:ab:00:ab:02'")
    text = text.replace("to: vm2, count: 1", "to: 'fd00:100:1234::b', count: 1")
    (tmp_path / "pair.yaml").write_text(text)
    code, out, _err = vnet("run", "pair.yaml")
    assert (code, "ping vm1 → fd00:100:1234::b" in out) == (0, True)


def test_a_port_stands_behind_an_address_in_brackets() -> None:
    """RFC 5952 section 6; names and IPv4 addresses have none."""
    assert with_port("fd00::b", 80) == "[fd00::b]:80"
    assert with_port("10.0.0.1", 80) == "10.0.0.1:80"
    assert with_port("www.test", 80) == "www.test:80"


def test_errors_of_the_python_api_hold_no_escapes(tmp_path: Path) -> None:
    with Lab.from_text(PAIR) as lab:
        for call in (
            lab.vm,
            lab.host,
            lab.router,
            lab.machine,
            lab.switch,
            lab.captures.__getitem__,
            lab.vm("vm1").vnic,
            lab.vm("vm1").ping,
            lab.run,
            lab.advance,
        ):
            with pytest.raises(VnetError) as caught:
                call(NASTY)
            assert "[red]x\\x1b[31m" in str(caught.value)
            assert str(caught.value).replace("\n", "").isprintable()
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError) as storage:
        Lab.from_text(PAIR, pcap_dir=tmp_path / "file" / NASTY)
    assert str(storage.value) == (
        f"cannot write {tmp_path}/file/{SHOWN}: Not a directory "
        "(choose another folder for captures)"
    )


def test_every_error_is_made_printable() -> None:
    error = UsageError("no \x1b[2J", "try \x9b")
    assert (error.what, error.hint) == (r"no \x1b[2J", r"try \x9b")
    assert str(error) == r"no \x1b[2J (try \x9b)"
