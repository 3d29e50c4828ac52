"""Where labs that are up have their sockets, and which directories will do."""

from __future__ import annotations

import os
import stat
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest

from vnet.base.errors import StorageError, UsageError
from vnet.live.lab import places, taking_down
from vnet.live.private_directory import make_private_directory, private_directory


def test_the_runtime_directory_of_the_user_is_the_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    assert places.directory_of("lab") == tmp_path / "vnet/lab"
    for useless in ("", "relative/to/somewhere"):
        monkeypatch.setenv("XDG_RUNTIME_DIR", useless)
        expected = Path(tempfile.gettempdir()) / f"vnet-{os.geteuid()}" / "lab"
        assert places.directory_of("lab") == expected


def test_what_nobody_holds_is_not_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    assert places.labs_up() == []
    (tmp_path / "vnet/crashed").mkdir(parents=True)
    (tmp_path / "vnet/crashed/vnet.pid").write_text("1\n")
    (tmp_path / "vnet/kernel.json").write_text("{}")
    assert places.labs_up() == []


def test_directories_are_made_for_the_user_alone_and_go_again(tmp_path: Path) -> None:
    path = tmp_path / "one/two"
    with private_directory(path):
        for each in (path, path.parent):
            assert stat.S_IMODE(each.stat().st_mode) == 0o700
    assert not path.exists()
    with private_directory(path):
        (path / "left").touch()
    assert path.exists(), "what is in it is somebody's"
    with private_directory(path):
        (path / "left").unlink()
    assert path.exists(), "who had it before has it after"


def test_directories_that_will_not_do_are_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for mode in (0o770, 0o707, 0o777):
        shared = tmp_path / f"{mode:o}"
        shared.mkdir()
        shared.chmod(mode)
        with pytest.raises(UsageError, match="others may write to"):
            make_private_directory(shared)
    with pytest.raises(StorageError, match="Not a directory"):
        make_private_directory(tmp_path / "file/under")
    with pytest.raises(UsageError, match="is no directory"):
        make_private_directory(tmp_path / "file")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give directories away")
def test_a_directory_of_somebody_else_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "theirs"
    path.mkdir(mode=0o700)
    os.chown(path, 12345, 12345)
    with pytest.raises(UsageError, match="belongs to somebody else"):
        make_private_directory(path)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give links away")
def test_a_link_of_somebody_else_is_refused(tmp_path: Path) -> None:
    (tmp_path / "ours").mkdir(mode=0o700)
    link = tmp_path / "link"
    link.symlink_to("ours")
    make_private_directory(link)
    os.chown(link, 12345, 12345, follow_symlinks=False)
    with pytest.raises(UsageError, match="belongs to somebody else"):
        make_private_directory(link)


def test_a_lab_that_ends_by_itself_is_taken_down_and_one_of_somebody_else_is_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / places.PIDFILE).write_text("4711\n")
    monkeypatch.setattr(taking_down, "lock_owner", lambda _descriptor: 4711)
    monkeypatch.setattr(os, "kill", _refusing(ProcessLookupError))
    assert taking_down.take_down(tmp_path)
    monkeypatch.setattr(os, "kill", _refusing(PermissionError))
    with pytest.raises(StorageError, match="4711, which has the lab, is somebody else's"):
        taking_down.take_down(tmp_path)


def _refusing(error: type[OSError]) -> Callable[[int, int], None]:
    def kill(_pid: int, _number: int) -> None:
        raise error

    return kill
