"""What the log of JSON-RPC says of messages, where somebody wants to see them."""

from __future__ import annotations

import json

from vnet.ovs.jsonrpc.encode import encode_text
from vnet.ovs.jsonrpc.errors import JsonRpcError
from vnet.ovs.jsonrpc.message import Message, read_message
from vnet.ovs.ovsdb.json_text import Json
from vnet.ovs.vlog.level import Level
from vnet.ovs.vlog.vlog import LogModule, Vlog


class RpcLog:
    """The module ``jsonrpc``, for one connection."""

    def __init__(self, vlog: Vlog, name: str) -> None:
        self._log: LogModule = vlog.module("jsonrpc")
        self._limit = self._log.limit(5, 5)
        self._name = name

    @property
    def is_wanted(self) -> bool:
        """Whether messages are logged at all."""
        return self._log.is_enabled(Level.DBG)

    def received(self, value: Json) -> None:
        """A message has come."""
        if self.is_wanted:
            try:
                message = read_message(value)
            except JsonRpcError:
                return  # It is told as a bad one.
            self._say("received", message)

    def sent(self, data: bytes) -> None:
        """A message goes out."""
        if self.is_wanted:
            self._say("send", read_message(json.loads(data.decode("utf-8", "surrogateescape"))))

    def bad(self, error: JsonRpcError, *, is_json: bool) -> None:
        """Something has come that is no message."""
        what = "received bad JSON-RPC message" if is_json else "error parsing stream"
        self._log.warn(f"{self._name}: {what}: {error}", self._limit)

    def fault(self, fault: Exception) -> None:
        """A message could not be dealt with, in a way that nobody thought of."""
        self._log.fault(f"{self._name}: failed on a message", fault)

    def _say(self, title: str, message: Message) -> None:
        members = "".join(f", {name}={encode_text(value)}" for name, value in message.describe())
        self._log.dbg(f"{self._name}: {title} {message.kind.value}{members}")
