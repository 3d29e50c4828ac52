"""The two daemons as processes: how they start, what they leave open, how they end."""

from __future__ import annotations

import os
import re
import select
import signal
import stat
import subprocess
from pathlib import Path

import pytest

from tests.live.daemon.daemons import Daemons
from tests.live.processes import PATIENCE_S, wait_until, wait_until_gone
from vnet.live.daemon.pidfile import read_owner

pytestmark = pytest.mark.ovs

PROGRAM = "ovs-vswitchd"


@pytest.fixture(autouse=True)
def database(daemons: Daemons, real: Daemons) -> None:
    """A switch is ready when it has done what its database says: so there must be one."""
    real.create_database()
    real.start("ovsdb-server", "--remote=punix:db.sock")
    daemons.database = f"unix:{real.folder}/db.sock"


def test_it_returns_when_it_answers_and_its_pidfile_is_locked_by_it(daemons: Daemons) -> None:
    pid = daemons.start(PROGRAM)
    assert read_owner(str(daemons.folder / f"{PROGRAM}.pid")) == pid
    assert stat.S_IMODE((daemons.folder / f"{PROGRAM}.{pid}.ctl").stat().st_mode) == 0o600
    assert daemons.appctl(PROGRAM, "version").stdout == "ovs-vswitchd (Open vSwitch) 3.1.0\n"


@pytest.mark.parametrize("words", [("exit",), ("exit", "--cleanup")])
def test_after_exit_nothing_is_left(daemons: Daemons, words: tuple[str, ...]) -> None:
    pid = daemons.start(PROGRAM)
    assert daemons.appctl(PROGRAM, *words).returncode == 0
    wait_until_gone(pid)
    assert os.listdir(daemons.folder) == []


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_signal_ends_it_in_good_order_and_shows(daemons: Daemons, number: signal.Signals) -> None:
    process = subprocess.Popen(
        daemons.command(PROGRAM, "--pidfile", "-vconsole:off"),
        env=daemons.environment,
        cwd=daemons.folder,
    )
    control = daemons.folder / f"{PROGRAM}.{process.pid}.ctl"
    wait_until(control.exists)
    process.send_signal(number)
    assert process.wait(PATIENCE_S) == -number
    assert os.listdir(daemons.folder) == []


def test_a_second_daemon_in_the_same_place_says_so_and_leaves_the_first_alone(
    daemons: Daemons,
) -> None:
    pid = daemons.start(PROGRAM)
    before = sorted(os.listdir(daemons.folder))
    done = daemons.run(PROGRAM, "--detach", "--pidfile")
    path = daemons.folder / f"{PROGRAM}.pid"
    assert done.returncode == 1
    assert done.stderr == f"{PROGRAM}: {path}: already running as pid {pid}, aborting\n"
    assert sorted(os.listdir(daemons.folder)) == before
    assert daemons.appctl(PROGRAM, "version").returncode == 0


def test_the_pidfile_of_a_dead_daemon_is_taken_over(daemons: Daemons) -> None:
    first = daemons.start(PROGRAM)
    os.kill(first, signal.SIGKILL)
    wait_until_gone(first)
    assert daemons.start(PROGRAM) != first


def test_a_pidfile_may_be_overwritten_where_that_is_asked_for(daemons: Daemons) -> None:
    first = daemons.start("ovsdb-server", "--no-dbs")
    second = daemons.start("ovsdb-server", "--no-dbs", "--overwrite-pidfile")
    assert first != second
    assert read_owner(str(daemons.folder / "ovsdb-server.pid")) == second
    os.kill(first, signal.SIGKILL)


def test_a_daemon_that_cannot_start_returns_its_error_and_leaves_none_behind(
    daemons: Daemons,
) -> None:
    done = daemons.run(PROGRAM, "--detach", "--pidfile", "--unixctl=/nonexistent/x")
    assert done.returncode == 1
    assert done.stderr.endswith(
        f"{PROGRAM}: /nonexistent/x: could not initialize control socket "
        "(No such file or directory)\n"
    )
    assert os.listdir(daemons.folder) == []


def test_in_the_background_it_holds_nothing_of_who_started_it(daemons: Daemons) -> None:
    reading, writing = os.pipe()
    subprocess.run(
        daemons.command(PROGRAM, "--detach", "--pidfile", "-vconsole:off"),
        env=daemons.environment,
        cwd=daemons.folder,
        pass_fds=(writing,),
        check=True,
        timeout=PATIENCE_S,
    )
    os.close(writing)
    assert select.select([reading], [], [], PATIENCE_S)[0] == [reading]
    assert os.read(reading, 1) == b""
    os.close(reading)
    pid = daemons.pid(PROGRAM)
    assert os.getsid(pid) != os.getsid(0)
    assert os.readlink(f"/proc/{pid}/cwd") == "/"
    assert {os.readlink(f"/proc/{pid}/fd/{number}") for number in range(3)} == {"/dev/null"}


def test_its_log_file_reads_as_open_vswitchs(daemons: Daemons) -> None:
    daemons.start(PROGRAM, "--log-file=x.log", "-vunixctl:file:dbg")
    daemons.appctl(PROGRAM, "version")
    lines = (daemons.folder / "x.log").read_text().splitlines()
    form = re.compile(
        r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z\|\d{5}\|[a-z0-9_]+\|(EMER|ERR|WARN|INFO|DBG)\|."
    )
    assert [line for line in lines if form.match(line) is None] == []
    said = [line.split("|", 2)[2] for line in lines]
    assert said[0] == "vlog|INFO|opened log file x.log"
    assert "bridge|INFO|ovs-vswitchd (Open vSwitch) 3.1.0" in said
    assert [line for line in said if line.startswith("unixctl|")] == [
        "unixctl|DBG|received request version[], id=0",
        'unixctl|DBG|replying with success, id=0: "ovs-vswitchd (Open vSwitch) 3.1.0"',
    ]


def test_its_log_file_is_closed_and_opened_again(daemons: Daemons) -> None:
    daemons.start(PROGRAM, "--log-file")
    (daemons.folder / f"{PROGRAM}.log").rename(daemons.folder / "old.log")
    assert daemons.appctl(PROGRAM, "vlog/reopen").returncode == 0
    assert daemons.log(PROGRAM).endswith(f"opened log file {daemons.folder}/{PROGRAM}.log\n")
    assert (daemons.folder / "old.log").read_text().endswith("vlog|INFO|closing log file\n")
    daemons.appctl(PROGRAM, "vlog/close")
    daemons.appctl(PROGRAM, "vlog/set", "dbg")
    assert "unixctl" not in daemons.log(PROGRAM)


def test_a_supervised_daemon_that_crashes_comes_back_and_one_that_is_ended_does_not(
    daemons: Daemons,
) -> None:
    first = daemons.start(PROGRAM, "--monitor", "--log-file")
    os.kill(first, signal.SIGSEGV)
    wait_until(lambda: daemons.pid(PROGRAM) != first)
    second = daemons.pid(PROGRAM)
    assert f"1 crashes: pid {first} died, killed (Segmentation fault" in daemons.log(PROGRAM)
    comm = Path(f"/proc/{second}/comm").read_text()
    supervisor = int(Path(f"/proc/{second}/stat").read_text().rpartition(")")[2].split()[1])
    assert (comm, Path(f"/proc/{supervisor}/comm").read_text()) == (f"{PROGRAM}\n", "monitor\n")
    ready = "bridge|INFO|ovs-vswitchd (Open vSwitch)"
    wait_until(lambda: daemons.log(PROGRAM).count(ready) == 2)
    assert daemons.appctl(PROGRAM, "exit").returncode == 0
    wait_until_gone(second)
    wait_until_gone(supervisor)


def test_nobody_elses_modules_are_imported(daemons: Daemons) -> None:
    foreign = daemons.folder / "python"
    (foreign / "ovs").mkdir(parents=True)
    for name in ("ovs/__init__.py", "selectors.py", "fcntl.py"):
        (foreign / name).write_text("raise SystemExit('a foreign module')")
    daemons.environment["PYTHONPATH"] += f"{os.pathsep}{foreign}"
    daemons.start(PROGRAM)
