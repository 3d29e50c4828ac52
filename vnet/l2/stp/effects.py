"""What a bridge has to do after it was told of something."""

from __future__ import annotations

from typing import NamedTuple

from vnet.l2.stp.port import StpPort, StpState
from vnet.wire.bpdu import Bpdu


class SentBpdu(NamedTuple):
    """A BPDU to send; ``state`` is the port's when it was made, which may have changed since."""

    port: StpPort
    bpdu: Bpdu
    state: StpState


class StpEffects(NamedTuple):
    """What has to be done: BPDUs to send, ports with a new state, stations to forget.

    ``n_detected`` is how often the bridge itself has seen the topology change.
    """

    sent: list[SentBpdu]
    changed: list[StpPort]
    must_flush: bool
    n_detected: int
