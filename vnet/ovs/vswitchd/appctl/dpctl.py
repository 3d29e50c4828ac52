"""``dpctl/...`` and ``dpif/...``: the datapath, and what of it belongs to which bridge."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from vnet.ovs.dpif.dpif import Dpif
from vnet.ovs.dpif.text.flows import bridge_dump_line, dump_line
from vnet.ovs.dpif.text.show import datapath_text, port_kind, show_datapath
from vnet.ovs.flow.errors import OvsTextError
from vnet.ovs.ofproto.names import datapath_names
from vnet.ovs.ofproto.ofproto import Ofproto
from vnet.ovs.vswitchd.appctl.command import bridge_named
from vnet.ovs.vswitchd.reconcile import Vswitchd

_ZONE = re.compile("zone=([0-9]{1,5})")


class _Options(NamedTuple):
    """What is said before the words."""

    verbose: bool
    names: bool
    words: Sequence[str]


def dump_flows(vswitchd: Vswitchd, words: Sequence[str]) -> str:
    """``dpctl/dump-flows [-m] [--names | --no-names] [dp]``."""
    options = _options(words)
    dpif = _datapath(vswitchd, options.words)
    heading = ["flow-dump from the main thread:"] if dpif.stats().n_flows else []
    return "\n".join([*heading, *_flow_lines(vswitchd, options)])


def dump_bridge_flows(vswitchd: Vswitchd, words: Sequence[str]) -> str:
    """``dpif/dump-flows [-m] [--names | --no-names] bridge``: what came in by that bridge."""
    *before, name = words
    known = [word for word in before if word in ("-m", "--names", "--no-names")]
    bridge = bridge_named(vswitchd, name)
    return "\n".join(_flow_lines(vswitchd, _options(known), bridge))


def show(vswitchd: Vswitchd, words: Sequence[str]) -> str:
    """``dpctl/show [dp]``."""
    dpif = vswitchd.backer.dpif
    unknown = [word for word in _options(words).words if not _names(dpif, word)]
    if unknown:
        why = "failed (Address family not supported by protocol)"
        raise OvsTextError("\n".join(f"opening datapath {word} {why}" for word in unknown))
    return "\n".join(show_datapath(dpif))


def dump_conntrack(vswitchd: Vswitchd, words: Sequence[str]) -> str:
    """``dpctl/dump-conntrack [dp] [zone=N]``."""
    words, zone = _zone(_options(words).words)
    return "\n".join(_datapath(vswitchd, words).ct_dump(zone))


def flush_conntrack(vswitchd: Vswitchd, words: Sequence[str]) -> str:
    """``dpctl/flush-conntrack [dp] [zone=N]``."""
    words, zone = _zone(_options(words).words)
    if words and not _names(vswitchd.backer.dpif, words[0]):
        raise OvsTextError("invalid arguments (Invalid argument)")
    vswitchd.backer.dpif.ct_flush(zone)
    return ""


def show_bridges(vswitchd: Vswitchd, _words: Sequence[str]) -> str:
    """``dpif/show``: bridges and ports by name, with both numbers of each port."""
    dpif = vswitchd.backer.dpif
    stats = dpif.stats()
    kinds = {port.number: port_kind(dpif, port) for port in dpif.ports()}
    lines = [f"{datapath_text(dpif)}: hit:{stats.n_hit} missed:{stats.n_missed}"]
    for name, bridge in sorted(vswitchd.bridges.items()):
        lines.append(f"  {name}:")
        for port in sorted(bridge.ports.values(), key=lambda port: port.name):
            number = "none" if port.odp_port is None else port.odp_port
            kind = f"patch: peer={port.peer}"
            if port.odp_port is not None:
                kind = kinds[port.odp_port]
            lines.append(f"    {port.name} {port.number}/{number}: ({kind})")
    return "\n".join(lines)


def _options(words: Sequence[str]) -> _Options:
    verbose, names = False, None
    rest = list(words)
    while rest and rest[0].startswith("-") and len(rest[0]) > 1:
        word = rest.pop(0)
        match word:
            case "-m" | "--more":
                verbose = True
            case "--names" | "--no-names":
                names = word == "--names"
            case _:
                shown = word if word.startswith("--") else word[:2]
                raise OvsTextError(f"Unrecognized option {shown}")
    return _Options(verbose, verbose if names is None else names, rest)


def _datapath(vswitchd: Vswitchd, words: Sequence[str]) -> Dpif:
    """The one datapath, which the word, if there is one, names."""
    dpif = vswitchd.backer.dpif
    if len(words) == 1 and not _names(dpif, words[0]):
        raise OvsTextError("datapath not found (Invalid argument)")
    return dpif


def _names(dpif: Dpif, word: str) -> bool:
    return word in (dpif.name, datapath_text(dpif))


def _zone(words: Sequence[str]) -> tuple[Sequence[str], int | None]:
    found = _ZONE.fullmatch(words[-1]) if words else None
    return (words, None) if found is None else (words[:-1], int(found[1]) & 0xFFFF)


def _flow_lines(
    vswitchd: Vswitchd, options: _Options, bridge: Ofproto | None = None
) -> Iterator[str]:
    """The flows of the datapath, or those that came in by a bridge, each way as it is shown."""
    backer = vswitchd.backer
    dpif = backer.dpif
    port_names = datapath_names(dpif) if options.names else None
    line_of = dump_line if bridge is None else bridge_dump_line
    for flow in dpif.flows():
        ingress = backer.ingress(flow.key)
        if bridge is None or (ingress is not None and ingress[0] is bridge):
            yield line_of(
                flow,
                backer.scheduler.now_ns,
                port_names=port_names,
                verbose=options.verbose,
                vlan_limit=dpif.vlan_limit,
            )
