"""A database seen over a connection: whatever its server says, the connection is what ends."""

from __future__ import annotations

import contextlib
import json
import random
from typing import Any

import pytest

from vnet.ovs.jsonrpc.errors import JsonRpcError
from vnet.ovs.ovsdb.atoms import Uuid
from vnet.ovs.ovsdb.client.remote_view import RemoteView
from vnet.ovs.ovsdb.database import Database
from vnet.ovs.ovsdb.errors import OvsdbError
from vnet.ovs.ovsdb.server.server import Server
from vnet.ovs.ovsdb.shipped import open_vswitch_schema
from vnet.sim.scheduler import Scheduler

CONTENTS: list[Any] = [
    {"op": "insert", "table": "Open_vSwitch", "row": {"bridges": ["named-uuid", "b"]}},
    {"op": "insert", "table": "Bridge", "uuid-name": "b", "row": {"name": "br0"}},
]
JUNK: list[Any] = [None, 0, -1, "", "x", [], {}, True, 1.5, ["uuid", "x"], {"a": 1}, "0" * 36]
KINDS = ("update", "update2", "update3", "locked", "stolen", "monitor_canceled")
SERVER, CONTENT = ["monid", "_Server"], ["monid", "Open_vSwitch"]


class Conversation:
    """A view, a server, and what is on its way between them."""

    name = "client"
    unsent_bytes = 0

    def __init__(self) -> None:
        drawn = random.Random(1)
        self.scheduler = Scheduler()
        self.server = Server(self.scheduler, lambda: Uuid.from_bytes(drawn.randbytes(16)))
        self.database = Database(open_vswitch_schema(), new_uuid=self.server._about.new_uuid)
        self.server.add(self.database)
        self.database.execute(CONTENTS)
        self.asked: list[Any] = []
        self.answers: list[Any] = []
        self.session = self.server.open_session(self, is_read_only=False)
        self.view = RemoteView("Open_vSwitch", self.asked.append, "lock")
        self.view.connected()

    def send(self, data: bytes) -> None:
        self.answers.append(json.loads(data))

    def disconnect(self) -> None:
        raise AssertionError("the view misbehaves")

    def answer(self) -> Any:
        """The next thing that the server says."""
        while self.asked:
            self.session.receive(self.asked.pop(0))
        self.scheduler.run(self.scheduler.now_ns + 1)
        return self.answers.pop(0) if self.answers else None


def spoilt(value: Any, drawn: random.Random, share: float) -> Any:
    """A value of which a part is something else, or missing."""
    if drawn.random() < share:
        return drawn.choice(JUNK)
    if isinstance(value, dict):
        kept = {name: member for name, member in value.items() if drawn.random() > share}
        return {name: spoilt(member, drawn, share) for name, member in kept.items()}
    if isinstance(value, list):
        return [spoilt(member, drawn, share) for member in value if drawn.random() > share]
    return value


def test_a_view_shows_what_its_server_has() -> None:
    conversation = Conversation()
    while (answer := conversation.answer()) is not None:
        conversation.view.receive(answer)
    (bridge,) = conversation.view.rows("Bridge").values()
    assert bridge.columns["name"] == ("br0",)
    assert conversation.view.has_lock


@pytest.mark.parametrize("seed", range(120))
def test_a_server_that_talks_nonsense_is_told_apart_from_a_fault(seed: int) -> None:
    drawn = random.Random(seed)
    conversation = Conversation()
    share = drawn.choice((0.002, 0.01, 0.05, 0.2))
    with contextlib.suppress(OvsdbError, JsonRpcError):
        while (answer := conversation.answer()) is not None:
            if drawn.random() < 0.1:
                params = [drawn.choice((SERVER, CONTENT)), *drawn.choices(JUNK, k=2)]
                unasked = {"id": None, "method": drawn.choice(KINDS), "params": params}
                conversation.view.receive(unasked)
            if answer.get("id") is not None and drawn.random() < 0.1:
                answer = {"id": answer["id"], "error": drawn.choice(JUNK[4:])}
            else:
                identity = answer.pop("id", None)
                answer = spoilt(answer, drawn, share)
                if isinstance(answer, dict):
                    answer["id"] = identity
            conversation.view.receive(answer)


@pytest.mark.parametrize("answer", [{"error": "gone"}, {"result": [False, "0" * 36, {}]}])
def test_an_answer_about_a_database_that_has_gone_meanwhile_is_passed_over(
    answer: dict[str, Any],
) -> None:
    conversation = Conversation()
    view = conversation.view
    while not any(message["method"] == "monitor_cond_since" for message in conversation.asked):
        view.receive(conversation.answer())
    (asked,) = (one for one in conversation.asked if one["method"] == "monitor_cond_since")
    view.receive({"id": None, "method": "monitor_canceled", "params": [CONTENT]})
    view.receive({"id": asked["id"], **answer})
    assert not view.is_ready
