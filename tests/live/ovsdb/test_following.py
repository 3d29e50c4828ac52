"""Backups and relays: of ours by ours, and crosswise with the real server."""

from __future__ import annotations

import pytest

from tests.live.ovsdb.servers import Servers
from tests.live.processes import wait_until, wait_until_gone

pytestmark = pytest.mark.ovs


@pytest.fixture(params=["of ours", "of the real one", "by the real one"])
def pair(request: pytest.FixtureRequest) -> tuple[Servers, Servers]:
    """Who is followed, and who follows."""
    names = {
        "of ours": ("other", "ours"),
        "of the real one": ("real", "ours"),
        "by the real one": ("ours", "real"),
    }[request.param]
    active, follower = (request.getfixturevalue(name) for name in names)
    return active, follower


def bridges(servers: Servers) -> list[str]:
    return servers.values("Bridge", "name")


def test_a_backup_has_what_the_active_server_has_and_may_only_be_looked_at(
    pair: tuple[Servers, Servers],
) -> None:
    active, backup = pair
    active.serve()
    active.vsctl("add-br", "br0", "--", "add-port", "br0", "p1", "tag=5")
    backup.serve(f"--sync-from={active.remote}")
    wait_until(lambda: bridges(backup) == ["br0"])
    active.vsctl("add-br", "br1", "--", "set", "bridge", "br1", "other_config:a=b")
    active.vsctl("del-port", "p1")
    wait_until(lambda: backup.values("Port", "name") == ["br0", "br1"])
    assert bridges(backup) == ["br0", "br1"]
    assert backup.values("Bridge", "other_config") == [["map", [["a", "b"]]], ["map", []]]
    refused = backup.try_client("ovs-vsctl", "--no-wait", f"--db={backup.remote}", "add-br", "x")
    assert "not allowed when database server is in read only mode" in refused.stderr
    status, _ = backup.ask("ovsdb-server/sync-status")
    assert status == f"state: backup\nreplicating: {active.remote}\ndatabase: Open_vSwitch\n"
    backup.ask("ovsdb-server/disconnect-active-ovsdb-server")
    backup.vsctl("add-br", "x")
    assert bridges(backup) == ["br0", "br1", "x"]


def test_excluded_tables_are_not_copied(ours: Servers, other: Servers) -> None:
    other.serve()
    other.vsctl("add-br", "br0")
    ours.serve(f"--sync-from={other.remote}", "--sync-exclude-tables=Open_vSwitch:Open_vSwitch")
    status = "ovsdb-server/sync-status"
    wait_until(lambda: "replicating" in ours.ask(status)[0])
    assert "exclude: Open_vSwitch:Open_vSwitch" in ours.ask(status)[0]
    rows = ours.transact({"op": "select", "table": "Open_vSwitch", "where": [], "columns": []})
    assert rows == [{"rows": []}]


def test_a_server_does_not_follow_itself(ours: Servers) -> None:
    ours.serve()
    ours.ask("ovsdb-server/set-active-ovsdb-server", ours.remote)
    ours.ask("ovsdb-server/connect-active-ovsdb-server")
    wait_until(lambda: ours.ask("ovsdb-server/sync-status")[0] == "state: active\n")
    assert "Self replicating is not allowed" in ours.log("ovsdb-server")


def test_a_relay_shows_what_its_server_has_and_hands_on_what_is_changed(
    pair: tuple[Servers, Servers],
) -> None:
    source, relay = pair
    source.serve()
    source.vsctl("add-br", "br0")
    relay.create()
    relay.serve(f"relay:Open_vSwitch:{source.remote}", "-vjsonrpc:file:dbg")
    wait_until(lambda: bridges(relay) == ["br0"])
    relay.vsctl("add-br", "br1", "--", "set", "bridge", "br1", "other_config:a=b")
    assert bridges(source) == ["br0", "br1"]
    wait_until(lambda: bridges(relay) == ["br0", "br1"])
    assert 'received notification, method="update3"' in relay.log("ovsdb-server")
    assert relay.values("Database", "model", "_Server") == ["relay", "standalone"]
    pid = source.pid("ovsdb-server")
    source.ask("exit")
    wait_until_gone(pid)
    assert bridges(relay) == ["br0", "br1"]
    source.serve()
    source.vsctl("del-br", "br0")
    wait_until(lambda: bridges(relay) == ["br1"])
    assert relay.values("Database", "connected", "_Server") == [True]


def test_an_active_server_that_is_none_is_refused_and_this_one_goes_on(ours: Servers) -> None:
    ours.serve()
    ours.ask("ovsdb-server/set-active-ovsdb-server", "nowhere")
    _, error = ours.ask("ovsdb-server/connect-active-ovsdb-server")
    assert "nowhere: Address family not supported by protocol" in error
    ours.vsctl("init")
