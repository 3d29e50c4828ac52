"""What is a message of JSON-RPC, in the words of Open vSwitch's log."""

from __future__ import annotations

from typing import Any

import pytest

from vnet.ovs.jsonrpc.errors import JsonRpcError
from vnet.ovs.jsonrpc.message import (
    Kind,
    error_reply,
    notification,
    read_message,
    reply,
    request,
)


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        (request("echo", [], 0), Kind.REQUEST),
        (notification("update", [1]), Kind.NOTIFICATION),
        (reply([], 0), Kind.REPLY),
        (error_reply("no", "x"), Kind.ERROR),
        ({"id": 1, "result": None, "error": "no"}, Kind.ERROR),
    ],
)
def test_a_message_is_known_by_its_members(value: Any, kind: Kind) -> None:
    assert read_message(value).kind is kind


@pytest.mark.parametrize(
    ("value", "sentence"),
    [
        ([], "message is not a JSON object"),
        ({"method": 1}, "method is not a JSON string"),
        ({"method": None, "id": 1}, "method is not a JSON string"),
        ({"method": "m", "params": {}, "id": 1}, '"params" must be JSON array'),
        ({"method": "m", "id": 1}, 'request must have "params"'),
        ({"params": [], "id": 1}, 'request must have "method"'),
        ({}, 'notification must have "method"'),
        ({"result": 1}, 'reply must have "id"'),
        ({"result": 1, "error": 2, "id": 1}, 'reply must not have "error"'),
        ({"error": 1, "params": [], "id": 1}, 'error must not have "params"'),
        ({"method": "m", "params": [], "x": 1}, 'message has unexpected member "x"'),
    ],
)
def test_what_is_no_message_is_refused_in_open_vswitchs_words(value: Any, sentence: str) -> None:
    with pytest.raises(JsonRpcError) as refused:
        read_message(value)
    assert str(refused.value) == sentence
