"""Several kinds of changes at once: ``bundle``."""

from __future__ import annotations

from vnet.ovs.openflow.text.files import parse_bundle
from vnet.ovs.vswitchd.ofctl.command import Call
from vnet.ovs.vswitchd.ofctl.flows import source_of


def send_file(call: Call) -> str:
    """``bundle``: the flows, groups and packets of a file, all or none."""
    mods = parse_bundle(source_of(call), call.names, call.options.allowed)
    return call.send(*mods)
