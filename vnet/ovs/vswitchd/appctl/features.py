"""``dpif/...-dp-features``: what translations make use of in the datapath."""

from __future__ import annotations

import re
from collections.abc import Sequence

from vnet.ovs.flow.hash_order import hash_table_order
from vnet.ovs.flow.hashing import hash_bytes
from vnet.ovs.ofproto.features import BOOT_FEATURES, TITLES, Features
from vnet.ovs.vswitchd.appctl.command import bridge_named
from vnet.ovs.vswitchd.reconcile import Vswitchd

_INTEGER = re.compile(r"\s*[-+]?[0-9]+")


def show(vswitchd: Vswitchd, words: Sequence[str]) -> str:
    """``dpif/show-dp-features bridge``."""
    bridge_named(vswitchd, words[0])
    features = vswitchd.backer.features
    lines = []
    for name, title in TITLES.items():
        value = features[name]
        if isinstance(value, bool):
            shown = "Yes" if value else "No"
        else:
            shown = str(value)
        lines.append(f"{title}: {shown}")
    return "\n".join(lines)


def change(vswitchd: Vswitchd, words: Sequence[str]) -> str:
    """``dpif/set-dp-features bridge [feature [value]]``: shows where nothing is to be set.

    What is wrong is a reply like any other.
    """
    bridge_named(vswitchd, words[0])
    features = vswitchd.backer.features
    match words[1:]:
        case []:
            names = list(TITLES)
            order = hash_table_order(hash_bytes(name.encode(), 0) for name in names)
            return "\n".join(_shown(features, names[position]) for position in order)
        case [name, *_] if name not in TITLES:
            return "Unexpected support field"
        case [name]:
            return _shown(features, name)
        case [name, value, *_]:
            wrong = _set(features, name, value)
            if not wrong:
                vswitchd.backer.features_changed()
            return wrong
    raise AssertionError("every number of words has its case")


def _shown(features: Features, name: str) -> str:
    now, then = _text(features[name]), _text(BOOT_FEATURES[name])
    return f"{name} ({TITLES[name]}) : [run time]:{now}, [boot time]:{then}"


def _text(value: bool | int) -> str:
    return str(value).lower()


def _set(features: Features, name: str, value: str) -> str:
    """Set a feature. Returns what is wrong."""
    if isinstance(BOOT_FEATURES[name], bool):
        wanted = value.lower()
        if wanted not in ("true", "false"):
            return "Boolean value expected"
        features.set(name, wanted == "true")
        return ""
    if not _INTEGER.fullmatch(value):
        return "Integer number expected"
    if int(value) < 0:
        return "Negative number not expected"
    try:
        features.set(name, int(value))
    except ValueError:
        return "Can not set value beyond the datapath capability"
    return ""
