"""The same command lines to our daemons and to the real ones: the same words, the same codes."""

from __future__ import annotations

import re

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


def told(daemons: Daemons, *line: str) -> tuple[int, str, str]:
    done = daemons.run(*line)
    texts = [
        re.sub(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", "TIME", text).replace(
            str(daemons.folder), "FOLDER"
        )
        for text in (done.stdout, done.stderr)
    ]
    return done.returncode, texts[0], texts[1]


@pytest.mark.parametrize("line", VSWITCHD_LINES, ids=" ".join)
def test_ovs_vswitchd_says_the_same(daemons: Daemons, real: Daemons, line: tuple[str, ...]) -> None:
    assert told(daemons, "ovs-vswitchd", *line) == told(real, "ovs-vswitchd", *line)


@pytest.mark.parametrize("line", OVSDB_SERVER_LINES, ids=" ".join)
def test_ovsdb_server_says_the_same(daemons: Daemons, real: Daemons, line: tuple[str, ...]) -> None:
    assert told(daemons, "ovsdb-server", *line) == told(real, "ovsdb-server", *line)


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
