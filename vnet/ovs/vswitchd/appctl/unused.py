"""Protocols that are never on here: BFD, CFM (802.1ag), and auto-attach of LLDP.

Nothing is configured to speak them, and they answer as Open vSwitch does where nothing is.
"""

from __future__ import annotations

from collections.abc import Sequence

from vnet.ovs.flow.errors import OvsTextError
from vnet.ovs.vswitchd.appctl.command import Run
from vnet.ovs.vswitchd.reconcile import Vswitchd

_SETTINGS = ("normal", "false", "true")


def show_none(missing: str) -> Run:
    """Shows all of nothing; ``missing`` is said of an interface by its name."""

    def show(_vswitchd: Vswitchd, words: Sequence[str]) -> str:
        if words:
            raise OvsTextError(missing)
        return ""

    return show


def override_none(missing: str) -> Run:
    """``[interface] normal|false|true``: overrides the state of all of nothing."""

    def override(_vswitchd: Vswitchd, words: Sequence[str]) -> str:
        if words[-1].lower() not in _SETTINGS:
            raise OvsTextError("unknown fault string")
        if len(words) > 1:
            raise OvsTextError(missing)
        return "OK"

    return override


def nothing(_vswitchd: Vswitchd, _words: Sequence[str]) -> str:
    """No bridge has anything to show, not even one that does not exist."""
    return ""
