"""Bundles: messages that are carried out together, or none of them."""

from __future__ import annotations

from enum import IntEnum, IntFlag

from vnet.base.record import record


class BundleType(IntEnum):
    """What is asked of a bundle, and answered (OFPBCT_*)."""

    OPEN_REQUEST = 0
    OPEN_REPLY = 1
    CLOSE_REQUEST = 2
    CLOSE_REPLY = 3
    COMMIT_REQUEST = 4
    COMMIT_REPLY = 5
    DISCARD_REQUEST = 6
    DISCARD_REPLY = 7


class BundleFlags(IntFlag):
    """OFPBF_*. Others may come in messages."""

    NONE = 0
    ATOMIC = 1
    ORDERED = 2


@record(frozen=True, slots=True)
class BundleControl:
    """OFPT_BUNDLE_CONTROL. ``type`` is a :class:`BundleType`, or a number that is none."""

    bundle_id: int
    type: int
    flags: BundleFlags = BundleFlags.NONE
