"""Actions as bytes: what each version of OpenFlow makes of them, and what is refused."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from tests.ovs.action_strategies import instructions
from vnet.ovs.openflow.errors import OpenFlowError
from vnet.ovs.openflow.ofpacts import Ofpacts
from vnet.ovs.openflow.text.actions import actions_text, parse_instructions
from vnet.ovs.openflow.version import OpenFlowVersion
from vnet.ovs.openflow.wire.actions import (
    as_sent,
    decode_actions,
    decode_instructions,
    encode_instructions,
)

OF10, OF13 = OpenFlowVersion.OF10, OpenFlowVersion.OF13


@pytest.mark.parametrize(
    ("version", "text", "said"),
    [
        (OF10, "output:1", "0000 0008 0001 0000"),
        (OF13, "output:1,goto_table:3", "0004001800000000 0000001000000001 00000000 00000000"
         " 0001 0008 03 000000"),
        (OF10, "goto_table:3", "ffff 0010 00002320 000e fff8 03 000000"),
    ],
)  # fmt: skip
def test_an_action_is_written_as_each_version_says_it(
    version: OpenFlowVersion, text: str, said: str
) -> None:
    assert encode_instructions(parse_instructions(text).actions, version) == bytes.fromhex(said)


@settings(max_examples=100)
@given(instructions(), st.sampled_from(OpenFlowVersion))
def test_what_arrives_is_what_the_version_can_say(
    actions: Ofpacts, version: OpenFlowVersion
) -> None:
    try:
        said = encode_instructions(actions, version)
        received = decode_instructions(said, version)
    except OpenFlowError:
        with pytest.raises(OpenFlowError):
            as_sent(actions, version)
        assume(False)
    assert actions_text(received) == actions_text(as_sent(actions, version))
    assert encode_instructions(received, version) == said


@settings(max_examples=200)
@given(st.binary(max_size=120), st.sampled_from(OpenFlowVersion))
def test_bytes_that_make_no_sense_are_refused(data: bytes, version: OpenFlowVersion) -> None:
    for decode in (decode_actions, decode_instructions):
        with suppress(OpenFlowError):
            decode(data, version)
