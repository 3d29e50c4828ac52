"""Messages that nobody would send; ``python -m benchmarks.fuzz_openflow`` has more of them."""

from __future__ import annotations

import pytest

from benchmarks.fuzz_openflow import Fuzzer, fuzz
from benchmarks.openflow_samples import samples
from vnet.ovs.openflow.version import OpenFlowVersion
from vnet.ovs.openflow.wire.message import MessageReader, ProtocolError


@pytest.mark.parametrize("seed", [1, 2])
def test_hostile_controllers_cost_nobody_else_anything(seed: int) -> None:
    fuzzer: Fuzzer = fuzz(2000, seed)
    assert fuzzer.n_answers > 1000
    assert fuzzer.n_cut_off > 5


@pytest.mark.parametrize("version", OpenFlowVersion)
def test_what_is_spoilt_is_sound_before(version: OpenFlowVersion) -> None:
    known = samples(version)
    assert len(known) > 100
    reader = MessageReader()
    for raw in known:
        reader.take(raw)
        message = reader.next()
        assert message is not None
        assert message.raw == raw


def test_a_length_that_no_message_has_ends_a_connection() -> None:
    reader = MessageReader()
    reader.take(bytes.fromhex("0402000700000001"))
    with pytest.raises(ProtocolError, match="too-short"):
        reader.next()
