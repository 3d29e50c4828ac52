"""The same command lines to our daemons and to the real ones: the same words, the same codes."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from typing import NamedTuple

import pytest

from tests.live.daemon.daemons import Daemons

pytestmark = pytest.mark.ovs

VSWITCHD_LINES = [
    ("--version",),
    ("-V",),
    ("--help",),
    ("-h",),
    ("--foo",),
    ("--unix",),
    ("--unixctl",),
    ("--help=3",),
    ("--no",),
    ("--dis",),
    ("--s",),
    ("-Z",),
    ("-p",),
    ("a", "b"),
    ("a", "--detach", "b"),
    ("-vfoo",),
    ("-vconsole:file",),
    ("-vbridge:vlog",),
    ("-vPATTERN:foo:x",),
    ("-vPATTERN",),
    ("-vFACILITY:none",),
    ("--verbose=info:dbg",),
    ("--log-file=/nonexistent/x",),
    ("-vPATTERN:console:%c %p %m", "--log-file=/nonexistent/x"),
    ("--dpdk",),
    ("--pidfile=/nonexistent/x",),
    ("--user=nobody-at-all",),
]
OVSDB_SERVER_LINES = [
    ("--version",),
    ("--foo",),
    ("--re",),
    ("--remote",),
    ("--sync",),
    ("--no",),
    ("-vfoo",),
]


class Told(NamedTuple):
    """How a daemon ended, and what it said, but for times and its folder's name."""

    status: int
    stdout: str
    stderr: str


def in_any_folder(daemons: Daemons, status: int, *texts: str) -> Told:
    time = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")
    out, err = (time.sub("TIME", text).replace(str(daemons.folder), "FOLDER") for text in texts)
    return Told(status, out, err)


class OurLines:
    """Our daemons, told one line after the other."""

    def __init__(self, daemons: Daemons) -> None:
        self._daemons = daemons
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.live.daemon.lines"],
            env=daemons.environment,
            cwd=daemons.folder,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def told(self, *line: str) -> Told:
        asked, answers = self.process.stdin, self.process.stdout
        assert asked is not None
        assert answers is not None
        asked.write(json.dumps(line) + "\n")
        asked.flush()
        return in_any_folder(self._daemons, *json.loads(answers.readline()))


@pytest.fixture(scope="module")
def ours(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OurLines]:
    lines = OurLines(Daemons(tmp_path_factory.mktemp("ours"), ours=True))
    with lines.process:
        yield lines


def told_by_the_real_one(real: Daemons, *line: str) -> Told:
    done = real.run(*line)
    return in_any_folder(real, done.returncode, done.stdout, done.stderr)


@pytest.mark.parametrize("line", VSWITCHD_LINES, ids=" ".join)
def test_ovs_vswitchd_says_the_same(ours: OurLines, real: Daemons, line: tuple[str, ...]) -> None:
    assert ours.told("ovs-vswitchd", *line) == told_by_the_real_one(real, "ovs-vswitchd", *line)


@pytest.mark.parametrize("line", OVSDB_SERVER_LINES, ids=" ".join)
def test_ovsdb_server_says_the_same(ours: OurLines, real: Daemons, line: tuple[str, ...]) -> None:
    assert ours.told("ovsdb-server", *line) == told_by_the_real_one(real, "ovsdb-server", *line)


ASKED = [
    ("version",),
    ("nope",),
    ("vlog/list",),
    ("vlog/list-pattern",),
    ("vlog/set", "foo"),
    ("vlog/set", "bridge:file:warn", "console:dbg"),
    ("vlog/set", "PATTERN:ANY:%c|%p|%m"),
    ("vlog/set", "PATTERN:file: %D: x"),
    ("vlog/set", "pattern"),
    ("vlog/disable-rate-limit", "bridge", "VLOG"),
    ("vlog/disable-rate-limit", "nobody"),
    ("vlog/enable-rate-limit", "any"),
    ("vlog/list", "x"),
    ("vlog/reopen",),
    ("vlog/close",),
    ("version", "x", "y"),
]


def test_both_answer_the_same_about_their_logs(daemons: Daemons, real: Daemons) -> None:
    for one in (daemons, real):
        one.start("ovsdb-server", "--no-dbs")
    for words in ASKED:
        ours, theirs = (
            [
                (done.returncode, done.stdout, done.stderr)
                for asked in (words, ("vlog/list",), ("vlog/list-pattern",))
                for done in (one.appctl("ovsdb-server", *asked),)
            ]
            for one in (daemons, real)
        )
        assert ours == theirs, words
