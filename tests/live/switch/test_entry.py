"""Words of ``vnet ovs`` that need no command line, and those that do."""

from __future__ import annotations

from pathlib import Path

import pytest

from vnet.live.switch.entry import Wanted, read_plain


def test_plain_words_say_what_they_say(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path)
    words = [f"--rundir={tmp_path}/link/run", "--db", f"{tmp_path}/x.db", "--detach", "--log-file"]
    run = f"{tmp_path}/run"
    assert read_plain(words) == Wanted(run, f"{tmp_path}/x.db", None, True, True)
    assert read_plain(["--rundir", run, "--enable-dummy"]) == Wanted(run, None, "")
    assert read_plain(["--enable-dummy=override", "--rundir", run]) == Wanted(
        run, dummies="override"
    )


@pytest.mark.parametrize(
    "words",
    [
        "",
        "--help",
        "--rundir",
        "--rundir={tmp}/run extra",
        "--rundir={tmp}/run --db",
        "--rundir={tmp}/run --enable-dummy=all",
        "--rundir={tmp}/file",
        "--rundir={tmp}/run --db={tmp}",
        "--rundir --detach",
    ],
)
def test_what_is_to_be_explained_or_refused_is_the_command_lines(
    words: str, tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    assert read_plain(words.format(tmp=tmp_path).split()) is None
