"""Where clients come from: sockets that options, commands and Manager rows name."""

from __future__ import annotations

import errno
import re
import socket

import pytest

from tests.live.ovsdb.servers import Servers
from tests.live.processes import PATIENCE_S, wait_until

pytestmark = pytest.mark.ovs

MANAGERS = "--remote=db:Open_vSwitch,Open_vSwitch,manager_options"


def listening_port(servers: Servers) -> int:
    found = re.findall(
        r"socket_util\|INFO\|0:127.0.0.1: listening on port (\d+)", servers.log("ovsdb-server")
    )
    return int(found[-1])


def test_tcp_is_listened_at_where_an_option_says_so_and_the_log_says_which_port(
    ours: Servers,
) -> None:
    ours.serve("--remote=ptcp:0:127.0.0.1")
    target = f"tcp:127.0.0.1:{listening_port(ours)}"
    assert ours.client("ovsdb-client", "list-dbs", target) == "Open_vSwitch\n_Server\n"


def is_refused(port: int) -> bool:
    with socket.socket() as client:
        return client.connect_ex(("127.0.0.1", port)) == errno.ECONNREFUSED


def test_managers_are_listened_at_while_their_rows_are_there(ours: Servers) -> None:
    ours.serve(MANAGERS)
    ours.vsctl("set-manager", "ptcp:0:127.0.0.1")
    wait_until(lambda: "listening on port" in ours.log("ovsdb-server"))
    port = listening_port(ours)
    with socket.create_connection(("127.0.0.1", port)):
        wait_until(lambda: ours.values("Manager", "is_connected") == [True])
        pairs = [["bound_port", str(port)], ["sec_since_connect", "0"]]
        wanted = [["map", [*pairs, ["sec_since_disconnect", "0"]]]]
        assert ours.values("Manager", "status") == wanted
    ours.vsctl("del-manager")
    wait_until(lambda: is_refused(port))


def test_a_manager_is_gone_to_and_its_row_tells_how_that_went(ours: Servers) -> None:
    ours.serve(MANAGERS)
    with socket.create_server(("127.0.0.1", 0)) as manager:
        manager.settimeout(PATIENCE_S)
        target = f"tcp:127.0.0.1:{manager.getsockname()[1]}"
        unasked = ("--", "set", "manager", target, "inactivity_probe=0")
        ours.vsctl("set-manager", target, *unasked)
        connection, _ = manager.accept()
        with connection:
            connection.settimeout(PATIENCE_S)
            connection.sendall(b'{"id":1,"method":"lock","params":["mine"]}')
            assert b'"locked":true' in connection.recv(4096)
            wait_until(lambda: "mine" in str(ours.values("Manager", "status")))
            [[_, pairs]] = ours.values("Manager", "status")
            assert ["locks_held", "mine"] in pairs
            assert ["state", "ACTIVE"] in pairs


def test_remotes_come_and_go_by_command(ours: Servers) -> None:
    ours.serve()
    ours.ask("ovsdb-server/add-remote", "punix:more.sock")
    target = f"unix:{ours.folder}/more.sock"
    wait_until((ours.folder / "more.sock").exists)
    assert "Open_vSwitch" in ours.client("ovsdb-client", "list-dbs", target)
    ours.ask("ovsdb-server/remove-remote", "punix:more.sock")
    wait_until(lambda: not (ours.folder / "more.sock").exists())


def test_run_ends_the_server_with_its_program(ours: Servers) -> None:
    ours.create()
    command = f"ovsdb-client list-dbs {ours.remote} > dbs; exit 0"
    done = ours.run(
        "ovsdb-server", "-vconsole:off", f"--remote=punix:{ours.socket}", f"--run={command}"
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert (ours.folder / "dbs").read_text() == "Open_vSwitch\n_Server\n"


def test_run_says_how_its_program_failed(ours: Servers, real: Servers) -> None:
    said = []
    for servers in (ours, real):
        servers.create()
        done = servers.run("ovsdb-server", "-vconsole:off", "--run=exit 3")
        said.append((done.returncode, done.stderr))
    assert said[0] == said[1]


@pytest.mark.parametrize(
    "arguments",
    [
        ["nope.db"],
        ["conf.db", "conf.db2"],
        ["conf.db", "--remote=db:x,y,z"],
        ["conf.db", "--remote=db:Open_vSwitch,Bridge,nope"],
        ["relay:x"],
    ],
)
def test_what_keeps_it_from_starting_is_told_as_the_real_one_tells_it(
    arguments: list[str], ours: Servers, real: Servers
) -> None:
    said = []
    for servers in (ours, real):
        servers.create()
        servers.create("conf.db2")
        done = servers.run("ovsdb-server", "-vconsole:off", "--detach", "--no-chdir", *arguments)
        said.append((done.returncode, done.stdout, done.stderr))
    assert said[0] == said[1]
    assert said[0][0] == 1
