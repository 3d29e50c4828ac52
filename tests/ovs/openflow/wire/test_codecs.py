"""Every kind of message is read and written to the byte, and rubbish is refused in good order.

``messages.txt`` has messages as Open vSwitch's own tests know them, or as it sent them.
"""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from tests.ovs.openflow.wire.codecs import CODECS
from vnet.ovs.openflow.errors import OpenFlowError
from vnet.ovs.openflow.version import OpenFlowVersion
from vnet.ovs.openflow.wire import kinds
from vnet.ovs.openflow.wire.kind import Kind
from vnet.ovs.openflow.wire.message import Message
from vnet.ovs.openflow.wire.recognition import kind_of

LOSSY = {
    *((kinds.OFPST_TABLE_REPLY, version) for version in (1, 2)),  # cannot be matched: wild, too
    *((kinds.OFPT_TABLE_MOD, version) for version in OpenFlowVersion),  # OVS misreads eviction
    *((kinds.OFPT_GROUP_MOD, version) for version in OpenFlowVersion),  # old actions become new
    *((kinds.OFPST_GROUP_DESC_REPLY, version) for version in OpenFlowVersion),
    *((kinds.OFPT_FLOW_MOD, version) for version in OpenFlowVersion),
    *((kinds.OFPST_FLOW_REPLY, version) for version in OpenFlowVersion),
    (kinds.NXST_FLOW_REPLY, OpenFlowVersion.OF10),
}
"""What says something else once it is written anew, and the same from then on."""
NEVER_SETTLED = (kinds.OFPST_TABLE_REPLY, OpenFlowVersion.OF11)
"""Open vSwitch numbers misses otherwise in what it sends than in what it reads."""

MESSAGES = [
    line.split() for line in (Path(__file__).parent / "messages.txt").read_text().splitlines()
]


def message_of(raw: bytes) -> Message:
    return Message(raw[0], raw[1], int.from_bytes(raw[4:8], "big"), raw)


@pytest.mark.parametrize(("name", "text"), MESSAGES)
def test_a_message_is_read_and_written_to_the_byte(name: str, text: str) -> None:
    raw = bytes.fromhex(text)
    kind, offset = kind_of(message_of(raw))
    assert kind.name.replace(" ", "_") == name
    version = OpenFlowVersion(raw[0])
    value = CODECS[kind].decode(raw[offset:], version)
    assert CODECS[kind].encode(value, version) == raw[offset:]


@pytest.mark.parametrize("kind", CODECS, ids=lambda kind: kind.name)
def test_rubbish_is_refused_or_means_something(kind: Kind) -> None:
    chance = random.Random(kind.name)
    bodies = [
        bytes.fromhex(text)[kind_of(message_of(bytes.fromhex(text)))[1] :]
        for name, text in MESSAGES
        if name == kind.name.replace(" ", "_")
    ]
    for version, form in kind.numberings.items():
        for _ in range(200):
            n_bytes = form.least_bytes + form.step_bytes * chance.randrange(20)
            body = bytearray(chance.choice([bytes(n_bytes), chance.randbytes(n_bytes), *bodies]))
            body = body[:n_bytes].ljust(n_bytes, b"\0")
            for _ in range(chance.randrange(4) if body else 0):
                body[chance.randrange(len(body))] = chance.choice((0, 1, 4, 8, 0xFF))
            try:
                value = CODECS[kind].decode(bytes(body), OpenFlowVersion(version))
            except OpenFlowError:
                continue
            again = written_anew(kind, value, version)
            if (kind, version) in LOSSY:
                value, again = again, written_anew(kind, again, version)
            assert again == value or (kind, version) == NEVER_SETTLED


def written_anew(kind: Kind, value: object, number: int) -> object:
    version = OpenFlowVersion(number)
    return CODECS[kind].decode(CODECS[kind].encode(value, version), version)
