"""Actions and instructions as they stand in messages of each version of OpenFlow.

No version has words for all actions. What one lacks, others stand in for: ``load`` is written as
``set_field`` in OpenFlow 1.5, ``goto_table`` as ``resubmit`` in 1.0. So what is decoded need not
be what was encoded; it is what a switch receives. To encode that changes nothing any more.
"""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

from vnet.ovs.openflow.errors import OpenFlowError
from vnet.ovs.openflow.ofpacts import Ofpact, Ofpacts
from vnet.ovs.openflow.text.actions.nesting import MisplacedError, verify_order
from vnet.ovs.openflow.version import OpenFlowVersion
from vnet.ovs.openflow.wire.actions.codec import decode_list, encode_list
from vnet.ovs.openflow.wire.actions.instructions import (
    decode_instruction_list,
    encode_instruction_list,
)
from vnet.ovs.openflow.wire.actions.reading import Reading
from vnet.ovs.openflow.wire.actions.refusals import refusal
from vnet.ovs.openflow.wire.oxm import TunLengths

__all__ = [
    "as_sent",
    "as_sent_outside_flows",
    "decode_actions",
    "decode_instructions",
    "encode_actions",
    "encode_instructions",
]

_ALIGNMENT_BYTES = 8
_CACHED = 4096
"""How many different lists are kept: flows have few, though there may be many flows."""
_MOST_CACHED_BYTES = 1024
_MOST_CACHED_ACTIONS = 128
"""Longer lists are not kept: they would be rare, or meant to fill memory."""


# -- writing


def encode_actions(actions: Ofpacts, version: OpenFlowVersion) -> bytes:
    """Actions where no instructions stand: of a bucket, a packet sent out, or OpenFlow 1.0.

    Raises :class:`OpenFlowError` for what the version cannot say.
    """
    if len(actions) > _MOST_CACHED_ACTIONS:
        return encode_list(actions, version)
    return _cached_list(actions, version)


_cached_list = lru_cache(maxsize=_CACHED)(encode_list)


def encode_instructions(actions: Ofpacts, version: OpenFlowVersion) -> bytes:
    """The actions of a flow: instructions, but for OpenFlow 1.0, which has none."""
    if version is OpenFlowVersion.OF10:
        return encode_actions(actions, version)
    if len(actions) > _MOST_CACHED_ACTIONS:
        return encode_instruction_list(actions, version)
    return _cached_instructions(actions, version)


_cached_instructions = lru_cache(maxsize=_CACHED)(encode_instruction_list)


# -- reading


class _Known(NamedTuple):
    """What may stand in a list besides the actions that may stand everywhere."""

    instructions: bool
    debug: bool
    openflow_full: bool


class _Read(NamedTuple):
    """Actions, and the tunnel options that they name."""

    actions: Ofpacts
    tun_options: frozenset[int]


_NO_OPTIONS: frozenset[int] = frozenset()


def decode_actions(
    data: bytes,
    version: OpenFlowVersion,
    tun_lengths: TunLengths | None = None,
    *,
    allows_debug: bool = True,
    openflow_full: bool = False,
) -> Ofpacts:
    """The actions of ``data``, where no instructions may stand.

    ``tun_lengths`` are the tunnel options that the switch has mapped; None allows any. Without
    ``allows_debug`` nobody knows the actions that are for tests; with ``openflow_full`` those are
    known that Open vSwitch lacks. Raises :class:`OpenFlowError` with the first fault, as Open
    vSwitch finds them.
    """
    known = _Known(False, allows_debug, openflow_full)
    return _decoded(data, version, tun_lengths, known)


def decode_instructions(
    data: bytes,
    version: OpenFlowVersion,
    tun_lengths: TunLengths | None = None,
    *,
    allows_debug: bool = True,
    openflow_full: bool = False,
) -> Ofpacts:
    """The instructions of a flow in ``data``, or in OpenFlow 1.0 its actions; otherwise as
    :func:`decode_actions`.
    """
    known = _Known(True, allows_debug, openflow_full)
    return _decoded(data, version, tun_lengths, known)


def _decoded(
    data: bytes, version: OpenFlowVersion, tun_lengths: TunLengths | None, known: _Known
) -> Ofpacts:
    if len(data) > _MOST_CACHED_BYTES:
        return _read(data, version, tun_lengths, known).actions
    if tun_lengths is None:
        return _cached(data, version, known).actions
    try:
        read = _cached(data, version, known)
    except OpenFlowError:
        pass  # An option that is not mapped may be the first fault.
    else:
        if not read.tun_options:
            return read.actions
    return _read(data, version, tun_lengths, known).actions


@lru_cache(maxsize=_CACHED)
def _cached(data: bytes, version: OpenFlowVersion, known: _Known) -> _Read:
    return _read(data, version, None, known)


def _read(
    data: bytes, version: OpenFlowVersion, tun_lengths: TunLengths | None, known: _Known
) -> _Read:
    reading = Reading(
        version,
        tun_lengths,
        decode_list,
        _verify,
        allows_debug=known.debug,
        openflow_full=known.openflow_full,
    )
    if known.instructions and version > OpenFlowVersion.OF10:
        actions = decode_instruction_list(data, reading)
    else:
        if len(data) % _ALIGNMENT_BYTES:
            text = f"OpenFlow message actions length {len(data)} is not a multiple of 8"
            raise refusal("OFPBRC_BAD_LEN", text)
        actions = decode_list(data, reading)
    _verify(actions, reading, None, may_instruct=known.instructions)
    return _Read(actions, frozenset(reading.tun_options) or _NO_OPTIONS)


def _verify(
    actions: Ofpacts, reading: Reading, outer: type[Ofpact] | None, *, may_instruct: bool = False
) -> None:
    try:
        verify_order(actions, reading.version, may_instruct=may_instruct, outer=outer)
    except MisplacedError as misplaced:
        warning = ("ofp_actions", misplaced.sentence)
        raise OpenFlowError(misplaced.error, misplaced.sentence, warning=warning) from None


# -- there and back


def as_sent(actions: Ofpacts, version: OpenFlowVersion, *, openflow_full: bool = False) -> Ofpacts:
    """What a switch makes of a flow's ``actions``, checked already, sent by ``version``.

    To send them once more changes nothing, so that they are also what a dump shows. Raises
    :class:`OpenFlowError` where they cannot be said, or arrive as something that it refuses.
    """
    said = encode_instructions(actions, version)
    return decode_instructions(said, version, openflow_full=openflow_full)


def as_sent_outside_flows(
    actions: Ofpacts, version: OpenFlowVersion, *, openflow_full: bool = False
) -> Ofpacts:
    """As :func:`as_sent`, where no instructions may stand: in buckets and packet-outs."""
    return decode_actions(encode_actions(actions, version), version, openflow_full=openflow_full)
