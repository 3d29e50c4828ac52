"""``vnet import-host`` as a user types it."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from vnet import Lab
from vnet.cli.main import main

Import = Callable[..., tuple[int, str, str]]


@pytest.fixture
def import_host(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Import:
    """Runs ``vnet import-host ARGUMENTS`` in an empty folder."""
    monkeypatch.chdir(tmp_path)

    def call(*arguments: str) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as ended:
            main(["import-host", *arguments])
        shown = capsys.readouterr()
        assert isinstance(ended.value.code, int)
        return ended.value.code, shown.out, shown.err

    return call


on_linux = pytest.mark.skipif(sys.platform != "linux", reason="reads a Linux machine")


@on_linux
def test_this_machine_is_a_topology_that_loads(import_host: Import, tmp_path: Path) -> None:
    code, out, err = import_host("-o", "lab.yaml")
    assert (code, out) == (0, "")
    assert err.endswith("lab.yaml is written; try: vnet check lab.yaml\n")
    with Lab.load(tmp_path / "lab.yaml") as lab:
        assert len(lab.topology.hosts) == 1


@on_linux
def test_without_a_file_it_is_shown(import_host: Import) -> None:
    code, out, _err = import_host()
    assert code == 0
    with Lab.from_text(out):
        pass


@on_linux
def test_a_file_that_is_there_is_kept(import_host: Import, tmp_path: Path) -> None:
    (tmp_path / "lab.yaml").write_text("mine")
    code, _out, err = import_host("-o", "lab.yaml")
    assert (code, err) == (2, "lab.yaml is there already (--force writes over it)\n")
    assert (tmp_path / "lab.yaml").read_text() == "mine"
    assert import_host("-o", "lab.yaml", "--force")[0] == 0


@on_linux
def test_a_namespace_that_is_not_there_is_named(import_host: Import) -> None:
    code, out, err = import_host("--netns", "no-such-namespace")
    assert (code, out) == (2, "")
    assert err.startswith("there is no network namespace no-such-namespace")


@on_linux
def test_a_folder_that_is_not_there_is_named(import_host: Import) -> None:
    code, _out, err = import_host("-o", "nowhere/lab.yaml")
    assert code == 3
    assert "cannot write nowhere/lab.yaml: No such file or directory" in err


def test_off_linux_there_is_nothing_to_read(
    import_host: Import, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    code, out, err = import_host()
    assert (code, out) == (2, "")
    assert err == "import-host reads a Linux machine, and this is none\n"
