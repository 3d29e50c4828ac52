"""What a run of ovs-vsctl does beyond its commands: it counts, explains, waits, complains."""

from __future__ import annotations

from typing import Any

import pytest

from tests.ovs.databases import empty_database
from vnet.ovs.flow.errors import OvsTextError
from vnet.ovs.ovsdb.commit import Commit
from vnet.ovs.ovsdb.view import LocalView
from vnet.ovs.vsctl.run import Outcome, run_vsctl


class Switch(LocalView):
    """A database, and one behind it that cannot set up an interface named ``bad``."""

    def __init__(self) -> None:
        super().__init__(empty_database().database)
        self.operations: list[Any] = []

    def transact(self, operations: list[Any], done: Any = None) -> None:
        self.operations = operations
        super().transact(operations, done)

    def vsctl(self, line: str, **options: str) -> Outcome:
        return run_vsctl(self, line.split(), **options)

    def set_up(self, commit: Commit) -> None:
        for uuid, change in commit.changes.get("Interface", {}).items():
            if change.old is None and change.new is not None:
                is_bad = change.new.columns["name"] == ("bad",)
                row = {"ofport": -1, "error": "no such device"} if is_bad else {"ofport": 1}
                where = [["_uuid", "==", ["uuid", uuid]]]
                super().transact(
                    [{"op": "update", "table": "Interface", "where": where, "row": row}]
                )


@pytest.fixture
def switch() -> Switch:
    return Switch()


def test_a_change_is_counted_and_explained(switch: Switch) -> None:
    switch.vsctl("add-br br0")
    assert switch.operations[-1] == {"op": "comment", "comment": "ovs-vsctl: ovs-vsctl add-br br0"}
    switch.vsctl("--no-wait set bridge br0 fail_mode=secure")
    assert switch.vsctl("get open . next_cfg").output == "1\n"


def test_who_only_looks_asks_for_no_transaction(switch: Switch) -> None:
    switch.vsctl("init")
    switch.operations = []
    for line in ("list-br", "show", "init", "list open", "--if del-br x", "add-br b -- del-br b"):
        switch.vsctl(line)
    assert switch.operations == []


def test_what_was_read_must_still_be_so_when_it_is_carried_out(switch: Switch) -> None:
    switch.vsctl("add-br br0")
    switch.vsctl("add-port br0 p1")
    waits = [each for each in switch.operations if each["op"] == "wait"]
    assert {(each["table"], *each["columns"]) for each in waits} == {
        ("Open_vSwitch", "bridges"),
        ("Bridge", "ports"),
        ("Port", "interfaces"),
    }


def test_one_key_of_a_map_leaves_the_others_to_others(switch: Switch) -> None:
    switch.vsctl("add-br br0")
    switch.vsctl("set bridge br0 other_config:a=1")
    assert [each["op"] for each in switch.operations] == [
        *("mutate", "mutate", "select", "comment"),
    ]


def test_a_dry_run_changes_nothing(switch: Switch) -> None:
    switch.vsctl("--dry-run add-br br0")
    assert switch.vsctl("list-br").output == ""


def test_interfaces_that_the_switch_cannot_set_up_are_told(switch: Switch) -> None:
    switch.on_commit(switch.set_up)
    outcome = switch.vsctl("add-br br0 -- add-port br0 bad", log_directory="/logs")
    assert outcome.complaints == (
        "Error detected while setting up 'bad': no such device.  See ovs-vswitchd log for details.",
        'The default log directory is "/logs".',
    )
    assert outcome.status == 0
    assert switch.vsctl("--no-wait add-port br0 p1 -- del-port bad").complaints == ()


def test_a_new_row_is_called_by_the_uuid_that_it_got(switch: Switch) -> None:
    made = switch.vsctl("--id=@q create qos type=linux-htb -- add-br br0 -- set port br0 qos=@q")
    assert made.output.strip() == switch.vsctl("get port br0 qos").output.strip()


def test_nothing_of_a_refused_line_is_done(switch: Switch) -> None:
    switch.vsctl("add-br br0")
    twice = "--id=@b create bridge name=br0 -- add open . bridges @b"
    with pytest.raises(OvsTextError) as refusal:
        switch.vsctl(f"set bridge br0 fail_mode=secure -- {twice}")
    assert refusal.value.what.startswith(
        'transaction error: {"details":"Transaction causes multiple rows in \\"Bridge\\" table'
    )
    assert switch.vsctl("list-br -- get bridge br0 fail_mode").output == "br0\n[]\n"


def test_versions_are_those_of_the_program_and_the_schema(switch: Switch) -> None:
    assert switch.vsctl("--version").output == ("ovs-vsctl (Open vSwitch) 3.1.0\nDB Schema 8.3.1\n")
    assert "  br-to-vlan BRIDGE\n" in switch.vsctl("--help").output
