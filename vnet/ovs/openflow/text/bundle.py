"""Bundles as ``ovs-ofctl`` prints the messages about them."""

from __future__ import annotations

from vnet.ovs.flow.value_text import hex_text
from vnet.ovs.openflow.messages import BundleControl, BundleFlags, BundleType


def bundle_control_text(control: BundleControl) -> str:
    """``bundle_id=0x1 type=OPEN_REQUEST flags=atomic ordered``"""
    known = control.type in tuple(BundleType)
    kind = BundleType(control.type).name if known else str(control.type)
    return f"bundle_id={hex_text(control.bundle_id)} type={kind} {_flags_text(control.flags)}"


def bundle_add_text(bundle_id: int, flags: BundleFlags) -> str:
    """What stands before the message that is added."""
    return f"bundle_id={hex_text(bundle_id)} {_flags_text(flags)}"


def _flags_text(flags: BundleFlags) -> str:
    names = [flag.name.lower() for flag in BundleFlags if flag in flags and flag.name]
    rest = int(flags) & ~sum(BundleFlags)
    return "flags=" + (" ".join([*names, *([hex(rest)] if rest else [])]) or "0")
