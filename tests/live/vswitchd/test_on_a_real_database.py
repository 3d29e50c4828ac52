"""Our switch on a real ovsdb-server, beside a real switch on another: both write the same."""

from __future__ import annotations

import json
import shlex
import subprocess
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.live.daemon.daemons import Daemons
from tests.live.ports import Reserve
from tests.live.processes import PATIENCE_S, wait_until, wait_until_gone
from tests.live.switch.certificates import Certificates
from tests.ovs.private_ovs import IS_INSTALLED

pytestmark = [
    pytest.mark.ovs,
    pytest.mark.skipif(not IS_INSTALLED, reason="Open vSwitch is not installed"),
]

DUMMY = ("--enable-dummy", "--disable-system", "--disable-system-route")
TABLES = ("Open_vSwitch", "Bridge", "Port", "Interface", "Mirror", "QoS", "Queue")
OTHERWISE = {"iface_types"}
"""Columns that rightly differ: there are no tunnels of some kinds here."""
SPEAKERS = ("bridge|", "netdev|", "netdev_vport|", "ofproto|WARN", "tunnel|")
"""Modules whose messages are the same."""
DRAWN = {"mac_in_use", "datapath_id"}
"""Columns that may hold what was drawn at random."""


class Switch:
    """A switch on a real database of its own."""

    def __init__(self, folder: Path, *, ours: bool, options: Sequence[str] = ()) -> None:
        folder.mkdir()
        self.options = options
        self.server = Daemons(folder, ours=False)
        self.switch = Daemons(folder, ours=ours)
        self.server.create_database()
        self.server.start("ovsdb-server", "--remote=punix:db.sock")
        self.vsctl("--no-wait init")
        self.start()

    def start(self) -> None:
        self.switch.start("ovs-vswitchd", *DUMMY, *self.options, "--log-file")

    def exit(self) -> None:
        """End the switch."""
        pid = self.switch.pid("ovs-vswitchd")
        assert self.switch.appctl("ovs-vswitchd", "exit", "--cleanup").returncode == 0
        wait_until_gone(pid)

    def vsctl(self, line: str) -> tuple[int, str, str]:
        """Run ``ovs-vsctl``; what it says, without what is its folder's own."""
        done = self.run("ovs-vsctl", *shlex.split(line))
        error = done.stderr.replace(str(self.server.folder), "FOLDER")
        return done.returncode, done.stdout, error

    def run(self, *command: str) -> subprocess.CompletedProcess[str]:
        """Run a client, whatever comes of it."""
        return subprocess.run(
            command,
            env=self.server.environment | {"OVS_CTL_TIMEOUT": str(PATIENCE_S)},
            capture_output=True,
            text=True,
            check=False,
        )

    def tables(self) -> dict[str, Any]:
        """What there is in rows by their names, but for references and what is drawn."""
        return {
            f"{table} {row.get('name', '')}": row for table in TABLES for row in self.rows(table)
        }

    def rows(self, table: str) -> Iterator[dict[str, Any]]:
        listed = json.loads(self.vsctl(f"--format=json list {table}")[1])
        for values in listed["data"]:
            row = dict(zip(listed["headings"], values, strict=True))
            yield {
                name: bool(value) if name in DRAWN else value
                for name, value in row.items()
                if name not in OTHERWISE and '"uuid"' not in json.dumps(value)
            }

    def said(self) -> set[str]:
        """What the switch's log says of its configuration, but for what is drawn."""
        lines = (line.split("|", 2)[2] for line in self.switch.log("ovs-vswitchd").splitlines())
        return {line for line in lines if line.startswith(SPEAKERS) and "datapath ID" not in line}


@pytest.fixture
def ours(tmp_path: Path) -> Iterator[Switch]:
    switch = Switch(tmp_path / "ours", ours=True)
    yield switch
    switch.server.end_all()


@pytest.fixture
def theirs(tmp_path: Path) -> Iterator[Switch]:
    switch = Switch(tmp_path / "theirs", ours=False)
    yield switch
    switch.server.end_all()


BRIDGE = (
    "add-br br0 -- set bridge br0 datapath_type=dummy fail_mode=secure "
    "other_config:datapath-id=fedcba9876543210 other_config:hwaddr=aa:55:aa:55:00:00"
)
LINES = (
    BRIDGE,
    "add-port br0 p1 -- set interface p1 type=dummy ofport_request=7",
    "add-port br0 p2 -- set interface p2 type=dummy",
    "add-port br0 pa -- set interface pa type=patch options:peer=pb",
    "add-br br1 -- set bridge br1 datapath_type=dummy",
    "add-port br1 pb -- set interface pb type=patch options:peer=pa",
    "add-port br0 lost",
    "add-port br0 odd -- set interface odd type=foo",
    "add-port br0 vx -- set interface vx type=vxlan options:remote_ip=1.2.3.4",
    "add-port br0 vx2 -- set interface vx2 type=vxlan options:remote_ip=1.2.3.4",
    "add-port br0 gr -- set interface gr type=gre",
    "add-port br0 in1 -- set interface in1 type=internal",
    "set interface p1 mtu_request=1400",
    "set interface p1 ofport_request=9",
    "set interface p2 type=internal",
    "set interface lost type=dummy",
    "del-port br0 odd -- del-port br0 gr -- del-port br0 vx2",
    "del-port br0 p1 -- add-port br1 p1 -- set interface p1 type=dummy",
    "del-br br1",
)


@pytest.mark.slow
def test_after_every_change_the_rows_say_what_open_vswitchs_say(
    ours: Switch, theirs: Switch
) -> None:
    for line in LINES:
        assert ours.vsctl(line) == theirs.vsctl(line)
        end_s = time.monotonic() + PATIENCE_S
        while ours.tables() != theirs.tables() and time.monotonic() < end_s:
            time.sleep(0.1)
        assert ours.tables() == theirs.tables(), line
    # Open vSwitch has a thread that writes its log, some time.
    end_s = time.monotonic() + PATIENCE_S
    while ours.said() != theirs.said() and time.monotonic() < end_s:
        time.sleep(0.1)
    assert ours.said() == theirs.said()


def test_it_finds_what_was_there_and_a_server_that_comes_back(ours: Switch) -> None:
    ours.vsctl(BRIDGE)
    ours.exit()
    ours.vsctl("--no-wait add-port br0 p1 -- set interface p1 type=dummy")
    ours.start()
    assert ours.vsctl("get interface p1 ofport") == (0, "1\n", "")
    pid = ours.server.pid("ovsdb-server")
    assert ours.server.appctl("ovsdb-server", "exit").returncode == 0
    wait_until_gone(pid)
    ours.server.start("ovsdb-server", "--remote=punix:db.sock")
    assert ours.vsctl("add-port br0 p2 -- set interface p2 type=dummy") == (0, "", "")
    assert ours.vsctl("get interface p2 ofport") == (0, "2\n", "")


@pytest.mark.slow
@pytest.mark.parametrize("is_ours", [True, False], ids=["ours", "theirs"])
def test_the_ssl_row_counts_for_more_than_options_do(
    tmp_path: Path, reserve_port: Reserve, is_ours: bool
) -> None:
    certificates, port = Certificates(tmp_path), reserve_port()
    switch = Switch(tmp_path / "switch", ours=is_ours, options=certificates.options("foreign"))
    try:
        switch.vsctl(f"{BRIDGE} -- set-controller br0 pssl:{port}:127.0.0.1")
        assert not certificates.is_bridge_at(port, switch.run)
        switch.vsctl(f"set-ssl {' '.join(certificates.row())}")
        assert certificates.is_bridge_at(port, switch.run)
        switch.vsctl("del-ssl")
        assert certificates.is_bridge_at(port, switch.run)
    finally:
        switch.server.end_all()


def test_of_two_switches_on_one_database_the_second_waits_until_the_first_has_gone(
    ours: Switch,
) -> None:
    ours.vsctl(BRIDGE)
    database = f"unix:{ours.server.folder}/db.sock"
    second = subprocess.Popen(
        ours.switch.command(
            *("ovs-vswitchd", *DUMMY, "--unixctl=second.ctl", "--log-file=second.log"),
            *("-vconsole:off", database),
        ),
        env=ours.server.environment,
        cwd=ours.server.folder,
    )
    log = ours.server.folder / "second.log"
    try:
        contended = (
            f"bridge|ERR|another ovs-vswitchd process is running, disabling this process "
            f"(pid {second.pid}) until it goes away\n"
        )
        _wait_for(log, contended)
        ours.exit()
        _wait_for(log, "bridge|INFO|bridge br0: added interface br0 on port 65534")
        assert ours.vsctl("add-port br0 p1 -- set interface p1 type=dummy") == (0, "", "")
    finally:
        second.terminate()
        second.wait(PATIENCE_S)


def _wait_for(log: Path, text: str) -> None:
    wait_until(lambda: log.exists() and text in log.read_text())
