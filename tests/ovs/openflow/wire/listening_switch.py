"""A switch that notes which flows the real ``ovs-ofctl`` sends, and says no more than it must."""

from __future__ import annotations

import socket
import struct
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

from vnet.ovs.openflow.version import OpenFlowVersion
from vnet.ovs.openflow.wire.message import Message, MessageReader, encode

_FLOW_MOD = 14
_VENDOR, _VENDOR_LENGTH_AT = 4, 40
_NXT_FLOW_MOD = struct.pack("!II", 0x2320, 13)
_FIXED_BYTES = 48
_OF10_BYTES, _OF11_BYTES = 72, 136


def sent_actions(flows: list[str], version: OpenFlowVersion, directory: Path) -> list[bytes]:
    """The bytes of the actions of each flow, as ``ovs-ofctl add-flows`` sends them."""
    file = directory / "flows.txt"
    file.write_text("".join(f"{flow}\n" for flow in flows))
    found: list[bytes] = []
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(directory / "switch"))
        server.listen()
        listener = threading.Thread(target=_serve, args=(server, version, found), daemon=True)
        listener.start()
        options = ("--no-names", "-O", f"OpenFlow1{version - 1}")
        target = f"unix:{directory / 'switch'}"
        command = ["ovs-ofctl", *options, "add-flows", target, str(file)]
        subprocess.run(command, check=True, timeout=60)
        listener.join()
    (directory / "switch").unlink()
    return found


def _serve(server: socket.socket, version: OpenFlowVersion, found: list[bytes]) -> None:
    """One connection, to its end."""
    client, _ = server.accept()
    barrier = 18 if version is OpenFlowVersion.OF10 else 20
    bitmap = struct.pack("!HHI", 1, 8, 1 << version)
    with client:
        client.sendall(encode(version, 0, 1, b"" if version is OpenFlowVersion.OF10 else bitmap))
        for message in _messages(client):
            if message.type == barrier:
                client.sendall(encode(version, barrier + 1, message.xid))
            elif message.type == _FLOW_MOD or message.body[:8] == _NXT_FLOW_MOD:
                found.append(_actions_of(message))


def _messages(client: socket.socket) -> Iterator[Message]:
    reader = MessageReader()
    while data := client.recv(1 << 16):
        reader.take(data)
        while (message := reader.next()) is not None:
            yield message


def _actions_of(message: Message) -> bytes:
    """What follows the match in a flow mod."""
    if message.version == OpenFlowVersion.OF10 and message.type == _FLOW_MOD:
        return message.raw[_OF10_BYTES:]
    if message.version == OpenFlowVersion.OF11:
        return message.raw[_OF11_BYTES:]
    at = _VENDOR_LENGTH_AT if message.type == _VENDOR else _FIXED_BYTES + 2
    (n_bytes,) = struct.unpack_from("!H", message.raw, at)
    return message.raw[_FIXED_BYTES + n_bytes + -n_bytes % 8 :]
