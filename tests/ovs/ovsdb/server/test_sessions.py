"""What sessions do that no conversation shows: slow clients, databases that come and go, time."""

from __future__ import annotations

from typing import Any

import pytest

from tests.ovs.ovsdb.server.conversations import SCHEMA, call, insert, transact, update, uuid, wait
from tests.ovs.ovsdb.server.peers import Bench, Client, counting_uuids
from vnet.ovs.jsonrpc.errors import JsonRpcError
from vnet.ovs.ovsdb.database import Database
from vnet.ovs.ovsdb.schema import DatabaseSchema
from vnet.ovs.ovsdb.server import monitor_methods, session
from vnet.ovs.ovsdb.server.copying import apply_updates2

NAMES = {"thing": [{"columns": ["name", "size"]}]}


@pytest.fixture
def bench() -> Bench:
    return Bench(SCHEMA)


def test_databases_are_listed_by_name(bench: Bench) -> None:
    assert bench.call("list_dbs")["result"] == ["_Server", "talk"]
    assert bench.call("get_server_id")["result"] == bench.server.uuid


def test_what_is_no_message_ends_the_connection(bench: Bench) -> None:
    with pytest.raises(JsonRpcError, match="method is not a JSON string"):
        bench.say({"method": 1, "params": [], "id": 1})


def test_answers_nobody_asked_for_end_the_connection_but_signs_of_life_do_not(
    bench: Bench,
) -> None:
    bench.say({"id": "echo", "result": [], "error": None})
    assert bench.client().is_connected
    bench.say({"id": 1, "result": [], "error": None})
    assert not bench.client().is_connected


def test_one_who_does_not_read_is_told_later_and_all_at_once(bench: Bench) -> None:
    bench.call("monitor_cond", "talk", "m", NAMES, name="slow")
    slow = bench.client("slow")
    slow.unsent_bytes = 1
    for size in range(5):
        bench.transact(update("x", size=size) if size else insert(1, name="x"))
    bench.transact(insert(2, name="gone"))
    bench.transact({"op": "delete", "table": "thing", "where": [["name", "==", "gone"]]})
    assert slow.take() == []
    slow.unsent_bytes = 0
    slow.session.flush()
    [told] = slow.take()
    assert told["params"] == ["m", {"thing": {uuid(1): {"insert": {"name": "x", "size": 4}}}}]


def test_clients_that_watch_the_same_share_one_text(bench: Bench) -> None:
    names = [f"c{number}" for number in range(5)]
    for name in names:
        bench.call("monitor_cond", "talk", "m", NAMES, name=name)
    [watch] = bench.server.served("talk")._watches.values()
    bench.transact(insert(1, name="x"))
    texts = {bench.client(name).raw[-1] for name in names}
    assert len(texts) == 1
    assert watch.has_followers
    for name in names:
        bench.client(name).session.close()
    assert bench.server.served("talk").n_watches == 0


def test_several_commits_of_one_instant_are_told_as_one(bench: Bench) -> None:
    bench.call("monitor", "talk", "m", NAMES, name="b")
    for number in (1, 2):
        bench.client().session.receive(transact(insert(number, name=str(number))))
    bench.settle()
    [told] = bench.client("b").take()
    assert set(told["params"][1]["thing"]) == {uuid(1), uuid(2)}


def test_a_wait_that_runs_out_of_time_is_answered_then(bench: Bench) -> None:
    assert bench.say(transact(wait("x", 1, timeout=250))) == []
    bench.settle(ms=249)
    assert bench.client().take() == []
    bench.settle(ms=1)
    [answer] = bench.client().take()
    assert answer["result"] == [{"error": "timed out", "details": '"wait" timed out after 250 ms'}]
    assert bench.scheduler.next_event_ns is None


def test_waits_of_a_client_that_goes_are_forgotten_and_its_locks_pass_on(bench: Bench) -> None:
    bench.call("lock", "l")
    bench.call("lock", "l", name="b")
    bench.say(transact(wait("x", 1)))
    bench.client().session.close()
    assert bench.client("b").take()[-1]["method"] == "locked"
    assert len(bench.server.pendings) == 0
    bench.transact(insert(1, name="x", size=1), name="b")
    assert bench.client().take() == []


def test_one_client_may_have_so_many_of_each_kind_and_no_more(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (session, monitor_methods):
        monkeypatch.setattr(module, "MOST_OF_A_KIND", 3)
    for number in range(3):
        assert bench.say(transact(wait("x", 1), identity=number)) == []
        assert "result" in bench.call("lock", f"l{number}")
        assert "result" in bench.call("monitor", "talk", number, {})
    assert bench.call("transact", "talk", wait("x", 1), identity="w") == {
        "id": "w",
        "error": "more than 3 transactions wait",
    }
    assert bench.call("lock", "more")["error"] == "more than 3 locks"
    assert bench.call("monitor", "talk", "more", {})["error"] == "more than 3 monitors"
    assert "result" in bench.call("lock", "l", name="another")


def test_a_reader_may_look_only(bench: Bench) -> None:
    reader = Client(bench.server, "reader", is_read_only=True)
    reader.session.receive(transact(insert(1, name="x")))
    reader.session.receive(call("lock", "l"))
    changed, locked = reader.take()
    assert changed["result"][0]["error"] == "not allowed"
    assert locked["error"] == "lock and unlock methods not allowed, DB server is read only."


def another_database(name: str) -> Database:
    schema = DatabaseSchema.from_json(SCHEMA | {"name": name})
    return Database(schema, new_uuid=counting_uuids())


def test_databases_that_come_and_go_are_told_to_those_who_follow_and_disconnect_the_others(
    bench: Bench,
) -> None:
    for name in ("aware", "old"):
        bench.call("monitor_cond", "_Server", "s", {"Database": [{"columns": ["name"]}]}, name=name)
    bench.call("set_db_change_aware", True, name="aware")
    bench.server.add(another_database("more"))
    bench.settle()
    [told] = bench.client("aware").take()
    [row] = told["params"][1]["Database"].values()
    assert row == {"insert": {"name": "more"}}
    assert bench.client("aware").is_connected
    assert not bench.client("old").is_connected


def test_monitors_and_waits_of_a_database_that_goes_end(bench: Bench) -> None:
    bench.server.add(another_database("more"))
    bench.call("set_db_change_aware", True)
    bench.call("monitor", "more", "m", {})
    operation = wait("x", 1)
    bench.say(call("transact", "more", operation, identity="w"))
    bench.server.remove("more", "for a test")
    bench.settle()
    told = bench.client().take()
    assert {"id": None, "method": "monitor_canceled", "params": ["m"]} in told
    assert {"id": "w", "error": "canceled"} in told
    assert bench.call("get_schema", "more")["error"]["error"] == "unknown database"


def relay_bench(bench: Bench) -> Any:
    database = another_database("copy")
    served = bench.server.add(database, model="relay")
    served.is_connected = True

    def arrive(number: int, name: str) -> None:
        served.history.name_next(uuid(number))
        apply_updates2(database, {"thing": {uuid(number): {"insert": {"name": name}}}})
        bench.settle()

    return arrive


def test_one_who_comes_back_to_a_relay_is_told_what_it_missed(bench: Bench) -> None:
    arrive = relay_bench(bench)
    arrive(1, "one")
    first = bench.call("monitor_cond_since", "copy", "m", NAMES, uuid(9), name="b")
    assert first["result"][:2] == [False, uuid(1)]
    arrive(2, "two")
    [told] = bench.client("b").take()
    assert told["params"][1] == uuid(2)
    back = bench.call("monitor_cond_since", "copy", "m", NAMES, uuid(1), name="c")
    assert back["result"] == [
        *(True, uuid(2)),
        {"thing": {uuid(2): {"insert": {"name": "two"}}}},
    ]


def test_transactions_on_a_relay_are_carried_out_elsewhere(bench: Bench) -> None:
    relay_bench(bench)
    asked: list[Any] = []
    bench.server.served("copy").forward = lambda operations, done: asked.append((operations, done))
    operation = insert(1, name="x")
    assert bench.say(call("transact", "copy", operation)) == []
    [(operations, done)] = asked
    assert operations == [operation]
    done(None)
    assert bench.client().take() == [{"id": 1, "error": "canceled"}]
    selecting = {"op": "select", "table": "thing", "where": []}
    assert bench.say(call("transact", "copy", selecting))[0]["result"] == [{"rows": []}]
