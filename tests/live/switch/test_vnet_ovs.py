"""``vnet ovs``, told by the real ovs-vsctl and ovs-appctl what they have always been told."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import stat
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.live.processes import (
    PATIENCE_S,
    VnetProcess,
    is_alive,
    wait_until,
    wait_until_gone,
)
from tests.ovs.private_ovs import IS_INSTALLED, private_ovs
from vnet.ovs.netdev.framing import framed

pytestmark = [
    pytest.mark.ovs,
    pytest.mark.skipif(not IS_INSTALLED, reason="Open vSwitch is not installed"),
]

FRAME = bytes.fromhex("ffffffffffff020000000001123446464646")
_CONNECTED = "03"
"""In /proc/net/unix."""


class Switch:
    """A detached ``vnet ovs`` and its clients."""

    def __init__(self, folder: Path, *options: str) -> None:
        self.vnet = VnetProcess(folder)
        self.directory = folder / "ovs"
        started = self.vnet.do("ovs", "--rundir", str(self.directory), "--detach", *options)
        assert started.returncode == 0, started.stderr
        assert started.stdout == f"export OVS_RUNDIR={self.directory}\n"
        self.pid = int((self.directory / "ovs-vswitchd.pid").read_text())

    def try_to(self, *command: str) -> subprocess.CompletedProcess[str]:
        """Run a client, whatever comes of it."""
        return subprocess.run(
            command,
            env=self.vnet.environment | {"OVS_RUNDIR": str(self.directory)},
            cwd=self.vnet.folder,
            capture_output=True,
            text=True,
            check=False,
            timeout=PATIENCE_S,
        )

    def do(self, *command: str) -> str:
        """Run a client, which must find nothing wrong."""
        done = self.try_to(*command)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def end(self) -> None:
        if is_alive(self.pid):
            os.kill(self.pid, signal.SIGKILL)


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Switch]]:
    started: list[Switch] = []

    def start_one(*options: str) -> Switch:
        started.append(Switch(tmp_path, *options))
        return started[-1]

    yield start_one
    for switch in started:
        switch.end()


def descriptors(pid: int) -> list[str]:
    """What is open in a process, as /proc shows it."""
    found = []
    for link in Path(f"/proc/{pid}/fd").iterdir():
        with contextlib.suppress(FileNotFoundError):  # closed meanwhile
            found.append(os.readlink(link))
    return found


def callers(pid: int) -> set[str]:
    """The sockets on which a process has taken in somebody, who may have left a moment ago."""
    _heading, *rows = Path("/proc/net/unix").read_text().splitlines()
    taken_in = {
        f"socket:[{inode}]"
        for _, _, _, _, _, state, inode, *path in map(str.split, rows)
        if state == _CONNECTED and path
    }
    return taken_in & set(descriptors(pid))


TWO_PORTS = (
    *("ovs-vsctl", "add-br", "br0", "--", "set", "bridge", "br0", "datapath_type=dummy"),
    *("other-config:hwaddr=aa:55:aa:66:00:00", "other-config:datapath-id=00000000000000aa"),
    *("--", "add-port", "br0", "p1", "--", "set", "interface", "p1", "type=dummy"),
    *("ofport_request=1", "--", "add-port", "br0", "p2"),
    *("--", "set", "interface", "p2", "type=dummy", "ofport_request=2"),
)


def test_clients_find_everything_and_each_answers(start: Callable[..., Switch]) -> None:
    switch = start("--enable-dummy")
    pid = switch.pid
    assert stat.S_IMODE(switch.directory.stat().st_mode) == 0o700
    switch.do(*TWO_PORTS)
    found = {path.name: path for path in switch.directory.iterdir()}
    sockets = [f"ovs-vswitchd.{pid}.ctl", f"ovsdb-server.{pid}.ctl", "db.sock"]
    sockets += ["br0.mgmt", "br0.snoop"]
    assert sorted(found) == sorted([*sockets, "ovs-vswitchd.pid", "ovsdb-server.pid"])
    assert {stat.S_IMODE(found[name].stat().st_mode) for name in sockets} == {0o600}
    for program in ("ovs-vswitchd", "ovsdb-server"):
        assert found[f"{program}.pid"].read_text() == f"{pid}\n"
        told = switch.do("ovs-appctl", "-t", program, "version")
        assert told == f"{program} (Open vSwitch) 3.1.0\n"
    assert switch.do("ovsdb-client", "list-dbs") == "Open_vSwitch\n_Server\n"
    assert switch.do("ovs-vsctl", "get", "interface", "p2", "ofport") == "2\n"
    assert "p1 1/1: (dummy)" in switch.do("ovs-appctl", "dpif/show")
    again = switch.vnet.do("ovs", "--rundir", str(switch.directory), "--detach")
    assert again.returncode == 1
    assert f"already running as pid {pid}" in again.stderr
    assert switch.do("ovs-appctl", "version"), "the first goes on"
    switch.do("ovs-appctl", "exit")
    wait_until_gone(pid)
    assert not switch.directory.exists(), "nothing is left"


def test_each_of_the_two_tells_what_it_keeps_in_memory(start: Callable[..., Switch]) -> None:
    switch = start("--enable-dummy")
    switch.do(*TWO_PORTS)
    told = switch.do("ovs-appctl", "memory/show")
    assert told.endswith(" ports:3 revalidators:1 rules:5\n")
    assert "cells:" in switch.do("ovs-appctl", "-t", "ovsdb-server", "memory/show")


def test_callers_leave_no_descriptor_behind_however_they_go(start: Callable[..., Switch]) -> None:
    switch = start("--enable-dummy")
    switch.do(*TWO_PORTS)
    wait_until(lambda: not callers(switch.pid))
    held = sorted(descriptors(switch.pid))
    for number in range(5):
        switch.do("ovs-vsctl", "set", "bridge", "br0", f"external-ids:n={number}")
        switch.do("ovs-appctl", "dpif/show")
    said = (
        b"",
        b"\x00garbage",
        b'{"id":1,"method":"list-comm',
        b'{"id":1,"method":"lock","params":["a"]}',
    )
    for path in switch.directory.iterdir():
        for text in said if path.is_socket() else ():
            with socket.socket(socket.AF_UNIX) as caller:
                caller.connect(str(path))
                # br0.snoop hangs up at once where no controller is to be listened to.
                with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                    caller.sendall(text)
        if path.is_socket():
            see_the_end(path)
    wait_until(lambda: sorted(descriptors(switch.pid)) == held)
    assert " sessions:" not in switch.do("ovs-appctl", "-t", "ovsdb-server", "memory/show")


def see_the_end(path: Path) -> None:
    """Come after all others, say nothing more, and wait until that has been noticed."""
    with socket.socket(socket.AF_UNIX) as last:
        last.settimeout(PATIENCE_S)
        last.connect(str(path))
        last.shutdown(socket.SHUT_WR)
        with contextlib.suppress(ConnectionResetError):
            while last.recv(1 << 16):
                continue


def test_its_daemons_write_their_logs_where_they_are_asked_to(
    start: Callable[..., Switch],
) -> None:
    switch = start("--log-file", "--enable-dummy")
    switch.do("ovs-vsctl", "add-br", "br0")
    told = (switch.directory / "ovs-vswitchd.log").read_text()
    assert f"|vlog|INFO|opened log file {switch.directory}/ovs-vswitchd.log\n" in told
    assert "|bridge|INFO|bridge br0: added interface br0 on port 65534\n" in told
    assert (switch.directory / "ovsdb-server.log").exists()
    assert switch.do("ovs-appctl", "vlog/reopen") == ""


def test_a_signal_ends_it_in_good_order(tmp_path: Path) -> None:
    vnet = VnetProcess(tmp_path)
    process = vnet.begin("ovs", "--rundir", "here", "--db", "conf.db")
    assert process.stdout is not None
    assert process.stdout.readline() == f"export OVS_RUNDIR={tmp_path}/here\n"
    process.send_signal(signal.SIGTERM)
    _, complaints = process.communicate(timeout=PATIENCE_S)
    assert (process.returncode, complaints) == (0, "")
    assert not (tmp_path / "here").exists()


def test_its_log_is_set_as_that_of_a_detached_daemon(
    start: Callable[..., Switch], tmp_path: Path
) -> None:
    switch = start()
    (tmp_path / "real").mkdir()
    with private_ovs(tmp_path / "real") as real:
        for command in (("vlog/list-pattern",), ("vlog/list",)):
            ours = switch.do("ovs-appctl", *command).splitlines()
            theirs, _ = real.appctl(*command)
            syslog = [line for line in theirs.splitlines() if "SYSLOG" in line]
            kept = [line for line in ours if "SYSLOG" not in line]
            assert kept == [line for line in theirs.splitlines() if line not in syslog]


def test_what_a_killed_one_leaves_goes_with_the_next(start: Callable[..., Switch]) -> None:
    killed = start()
    killed.do("ovs-vsctl", "add-br", "br0")
    os.kill(killed.pid, signal.SIGKILL)
    wait_until_gone(killed.pid)
    (killed.directory / "mine").touch()
    after = start()
    pids = {path.name for path in after.directory.iterdir() if path.suffix == ".ctl"}
    assert pids == {f"{name}.{after.pid}.ctl" for name in ("ovs-vswitchd", "ovsdb-server")}
    assert not (after.directory / "br0.mgmt").exists(), "the database was in memory"
    assert (after.directory / "mine").exists()


def test_a_database_in_a_file_is_there_again_and_the_real_tool_reads_it(
    start: Callable[..., Switch],
) -> None:
    switch = start("--db", "conf.db")
    switch.do("ovs-vsctl", "add-br", "br7")
    switch.do("ovs-appctl", "exit")
    wait_until_gone(switch.pid)
    query = '["Open_vSwitch",{"op":"select","table":"Bridge","where":[],"columns":["name"]}]'
    told = switch.do("ovsdb-tool", "query", "conf.db", query)
    assert '"br7"' in told
    again = Switch.__new__(Switch)
    again.vnet, again.directory = switch.vnet, switch.directory
    done = switch.vnet.do("ovs", "--rundir", str(switch.directory), "--detach", "--db", "conf.db")
    assert done.returncode == 0, done.stderr
    again.pid = int((again.directory / "ovs-vswitchd.pid").read_text())
    assert again.do("ovs-vsctl", "list-br") == "br7\n"
    again.end()


def test_dummy_devices_tell_of_themselves_as_open_vswitch_does(
    start: Callable[..., Switch], tmp_path: Path
) -> None:
    columns = "--columns=name,mac_in_use,mtu,admin_state,link_state,ofport,error,type,statistics"
    lines = (
        TWO_PORTS,
        ("ovs-vsctl", "add-port", "br0", "q7", "--", "set", "interface", "q7", "type=dummy-pmd",
         "options:n_rxq=2", "ofport_request=7"),
        ("ovs-vsctl", "set", "interface", "p2", "mtu_request=1400"),
        ("ovs-vsctl", "wait-until", "interface", "br0", "mtu=1400"),
    )  # fmt: skip
    (tmp_path / "real").mkdir()
    switch = start("--enable-dummy")
    with private_ovs(tmp_path / "real") as ovs:
        for line in lines:
            switch.do(*line)
            ovs.vsctl(*line[1:])
        for name in ("br0", "p1", "p2", "q7"):
            ask = (columns, "list", "interface", name)
            ours, theirs = switch.do("ovs-vsctl", *ask), ovs.vsctl(*ask)
            if name in ("p1", "p2"):
                # Which of those that come together is made first is for a hash to say.
                ours, theirs = (text.split("mtu ", 1)[1] for text in (ours, theirs))
            assert ours == theirs


def test_dummies_stand_in_for_all_types_if_they_are_to(start: Callable[..., Switch]) -> None:
    switch = start("--enable-dummy=override")
    added = ["ovs-vsctl", "add-br", "br0"]
    for name, kind in (
        ("vx1", "vxlan"),
        ("er1", "erspan"),
        ("eth77", "system"),
        ("i1", "internal"),
    ):
        added += ["--", "add-port", "br0", name, "--", "set", "interface", name, f"type={kind}"]
    switch.do(*added)
    shown = switch.do("ovs-appctl", "dpif/show").splitlines()
    kinds = {line.split()[0]: line.partition("(")[2][:-1] for line in shown[2:]}
    assert kinds == {
        "br0": "dummy-internal",
        "er1": "erspan",
        "eth77": "system",
        "i1": "dummy-internal",
        "vx1": "vxlan",
    }
    assert "  port 77: eth77\n" in switch.do("ovs-appctl", "dpctl/show")
    assert "/77: (system)" in switch.do("ovs-appctl", "dpif/show")


def test_frames_come_and_go_by_streams_and_files(start: Callable[..., Switch]) -> None:
    switch = start("--enable-dummy")
    switch.do(*TWO_PORTS)
    folder = switch.vnet.folder
    switch.do(
        *("ovs-vsctl", "set", "interface", "p1", "options:pstream=punix:p1.sock"),
        *("--", "set", "interface", "p2", "options:pstream=punix:p2.sock"),
        *("options:tx_pcap=p2.pcap", "--", "set", "interface", "p1", "options:rxq_pcap=p1.pcap"),
    )
    with socket.socket(socket.AF_UNIX) as one, socket.socket(socket.AF_UNIX) as two:
        wait_until(lambda: not callers(switch.pid))
        for end, name in ((one, "p1"), (two, "p2")):
            end.connect(f"{switch.directory}/{name}.sock")
            end.settimeout(PATIENCE_S)
        # Who is just being taken in hears nothing yet.
        wait_until(lambda: len(callers(switch.pid)) == 2)
        one.sendall(framed(FRAME))
        assert two.recv(100) == framed(FRAME)
        two.sendall(framed(FRAME[::-1]))
    wait_until(lambda: (folder / "p1.pcap").read_bytes().endswith(FRAME))
    wait_until(lambda: (folder / "p2.pcap").read_bytes().endswith(FRAME))


def test_a_device_that_is_not_there_is_told_of(start: Callable[..., Switch]) -> None:
    switch = start()
    switch.do("ovs-vsctl", "add-br", "br0")
    done = switch.try_to("ovs-vsctl", "add-port", "br0", "eth9")
    told = (
        "ovs-vsctl: Error detected while setting up 'eth9': could not open network device eth9 "
        "(No such device).  See ovs-vswitchd log for details."
    )
    assert told in done.stderr
    dummy = switch.try_to(
        *("ovs-vsctl", "add-port", "br0", "p1", "--", "set", "interface", "p1", "type=dummy")
    )
    assert "(Address family not supported by protocol)" in dummy.stderr, "only --enable-dummy"


def test_what_it_cannot_have_is_told(tmp_path: Path) -> None:
    vnet = VnetProcess(tmp_path)
    (tmp_path / "bad.db").write_text("this is no database\n")
    for words, told in (
        (("--db", "no/such.db"), "No such file or directory"),
        (("--db", "bad.db"), "bad.db: "),
        (("--enable-dummy=all",), "'all' is not one of"),
    ):
        done = vnet.do("ovs", "--rundir", "here", *words)
        assert done.returncode in (2, 3), done
        assert told in done.stderr
        assert "internal failure" not in done.stderr
    assert not (tmp_path / "here").exists()


def test_another_switch_on_its_database_waits(start: Callable[..., Switch], tmp_path: Path) -> None:
    switch = start("--enable-dummy")
    (tmp_path / "other").mkdir()
    other = subprocess.Popen(
        [
            *("ovs-vswitchd", "--enable-dummy", "--disable-system", "--disable-system-route"),
            *("--unixctl", f"{tmp_path}/other/ctl", f"--log-file={tmp_path}/other/log"),
            *("-vconsole:off", f"unix:{switch.directory}/db.sock"),
        ],
        env=switch.vnet.environment | {"OVS_RUNDIR": f"{tmp_path}/other"},
    )
    try:
        log = tmp_path / "other/log"
        wait_until(
            lambda: (
                log.exists()
                and "another ovs-vswitchd process is running, disabling this process"
                in log.read_text()
            )
        )
        switch.do(*TWO_PORTS)
        assert switch.do("ovs-vsctl", "get", "interface", "p2", "ofport") == "2\n"
        assert not (tmp_path / "other/br0.mgmt").exists()
    finally:
        other.terminate()
        other.wait(timeout=PATIENCE_S)
