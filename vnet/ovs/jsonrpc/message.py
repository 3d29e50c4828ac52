"""What a JSON value must be to be a message of JSON-RPC 1.0, and how messages are made."""

from __future__ import annotations

from enum import Enum
from typing import Any, NamedTuple

from vnet.base.text import escaped
from vnet.ovs.jsonrpc.errors import JsonRpcError


class Kind(Enum):
    """The four kinds, by the words of the log."""

    REQUEST = "request"
    NOTIFICATION = "notification"
    REPLY = "reply"
    ERROR = "error"


_MEMBERS = {
    Kind.REQUEST: ("method", "params", "id"),
    Kind.NOTIFICATION: ("method", "params"),
    Kind.REPLY: ("result", "id"),
    Kind.ERROR: ("error", "id"),
}
_ALL_MEMBERS = ("method", "params", "result", "error", "id")


class Message(NamedTuple):
    """A message that is in order; what it does not have is ``None``, as JSON's ``null`` is."""

    kind: Kind
    method: str | None
    params: list[Any] | None
    result: Any
    error: Any
    id: Any

    def describe(self) -> list[tuple[str, Any]]:
        """Its members with their names, those it has, in the order of the log."""
        return [
            (name, value) for name in _ALL_MEMBERS if (value := getattr(self, name)) is not None
        ]


def read_message(value: Any) -> Message:
    """The message that a value is; raises :class:`JsonRpcError` with Open vSwitch's sentence."""
    if type(value) is not dict:
        raise JsonRpcError("message is not a JSON object")
    if len(value) == 3 and _is_plain_request(value):
        return Message(
            *(Kind.REQUEST, value["method"], value["params"], None, None),
            value["id"],
        )
    get = value.get
    method, params, result, error = get("method"), get("params"), get("result"), get("error")
    identity = get("id")
    if type(method) is not str and (method is not None or "method" in value):
        raise JsonRpcError("method is not a JSON string")
    if result is not None:
        kind = Kind.REPLY
    elif error is not None:
        kind = Kind.ERROR
    else:
        kind = Kind.NOTIFICATION if identity is None else Kind.REQUEST
    message = Message(kind, method, params, result, error, identity)
    _check(message, value)
    return message


def _is_plain_request(value: dict[str, Any]) -> bool:
    """Whether a message of three members is what almost all messages are."""
    return (
        type(value.get("method")) is str
        and type(value.get("params")) is list
        and value.get("id") is not None
    )


def _check(message: Message, value: dict[str, Any]) -> None:
    for name in value:
        if name not in _ALL_MEMBERS:
            raise JsonRpcError(f'message has unexpected member "{escaped(name)}"')
    if message.params is not None and type(message.params) is not list:
        raise JsonRpcError('"params" must be JSON array')
    wanted = _MEMBERS[message.kind]
    for name in _ALL_MEMBERS:
        is_there = getattr(message, name) is not None
        if is_there != (name in wanted):
            must = "must not" if is_there else "must"
            raise JsonRpcError(f'{message.kind.value} {must} have "{name}"')


def request(method: str, params: list[Any], identity: Any) -> dict[str, Any]:
    """A call that is to be answered."""
    return {"id": identity, "method": method, "params": params}


def notification(method: str, params: list[Any]) -> dict[str, Any]:
    """A call that is not answered."""
    return {"id": None, "method": method, "params": params}


def reply(result: Any, identity: Any) -> dict[str, Any]:
    """The answer to a request."""
    return {"id": identity, "result": result, "error": None}


def error_reply(error: Any, identity: Any) -> dict[str, Any]:
    """The answer to a request that could not be done. Open vSwitch leaves out "result"."""
    return {"id": identity, "error": error}
