"""``dpif-netdev/...`` and ``odp-execute/...``: who forwards frames, and with what machine code.

Here that is always the main thread and plain code, as in Open vSwitch with the dummy datapath on
a processor without special instructions. What may be chosen is remembered and shown. Ports of type
``dummy-pmd`` are told of as if a thread of their own, on the first core, polled all their queues.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise

from vnet.ovs.dpif.dpif import Dpif
from vnet.ovs.flow.errors import OvsTextError
from vnet.ovs.netdev.dummy import DummyDevice
from vnet.ovs.vswitchd.appctl.command import datapaths
from vnet.ovs.vswitchd.reconcile import Vswitchd

_NUMBER = re.compile(r"\s*([-+]?[0-9]+)")
_NO_DATAPATH = "please specify an existing datapath"
_LOG_USAGE = (
    "Usage: ovs-appctl dpif-netdev/pmd-perf-log-set [on|off] [-b before] [-a after] [-e|-ne] "
    "[-us usec] [-q qlen]"
)

_POLLING_CORE = 0

_SHOWN_S = 60
_STEP_S = 5
"""``pmd-rxq-show`` looks back this long at most, in whole steps."""

_PARSERS = ("autovalidator", "scalar", "study")
_STUDIED_PACKETS = 128
_ACTION_CODES = ("scalar", "autovalidator")
_MOST_PRIORITY = 255


# -- what the threads did


def show_stats(vswitchd: Vswitchd, words: Sequence[str]) -> str:
    """``dpif-netdev/pmd-stats-show [-pmd core] [dp]``."""
    dpif = _any_datapath(vswitchd)
    if _core(words) is not None:
        return ""
    stats = dpif.stats()
    n_passes = stats.n_hit + stats.n_missed + stats.n_lost
    n_packets = n_passes - stats.n_recirculated
    per_packet = n_passes / n_packets if n_packets else 0
    lines = [
        f"packets received: {n_packets}",
        f"packet recirculations: {stats.n_recirculated}",
        f"avg. datapath passes per packet: {per_packet:.2f}",
        "phwol hits: 0",
        "mfex opt hits: 0",
        "simple match hits: 0",
        "emc hits: 0",
        "smc hits: 0",
        f"megaflow hits: {stats.n_hit}",
        f"avg. subtable lookups per megaflow hit: {1 if stats.n_hit else 0:.2f}",
        f"miss with success upcall: {stats.n_missed}",
        f"miss with failed upcall: {stats.n_lost}",
        f"avg. packets per output batch: {1 if n_packets else 0:.2f}",
    ]
    return "\n".join(["main thread:", *(f"  {line}" for line in lines)])


def clear_stats(vswitchd: Vswitchd, words: Sequence[str]) -> str:
    """``dpif-netdev/pmd-stats-clear [-pmd core] [dp]``."""
    dpif = _any_datapath(vswitchd)
    if _core(words) is None:
        dpif.clear_stats()
    return ""


def show_performance(vswitchd: Vswitchd, _words: Sequence[str]) -> str:
    """``dpif-netdev/pmd-perf-show``: of threads that poll, of which there are none."""
    _any_datapath(vswitchd)
    return ""


def set_performance_log(_vswitchd: Vswitchd, words: Sequence[str]) -> str:
    """``dpif-netdev/pmd-perf-log-set``: what is to be logged of threads that poll."""
    waiting = list(words)
    while waiting:
        match waiting.pop(0):
            case "on" | "off" | "-e" | "-ne":
                continue
            case "-b" | "-a" | "-us" | "-q" if waiting and _NUMBER.match(waiting[0]):
                waiting.pop(0)
            case _:
                raise OvsTextError(_LOG_USAGE)
    return ""


def show_queues(vswitchd: Vswitchd, words: Sequence[str]) -> str:
    """``dpif-netdev/pmd-rxq-show [-pmd core] [-secs secs] [dp]``."""
    core = _core(words)
    shown_s = _SHOWN_S
    for option, value in pairwise(words):
        found = _NUMBER.match(value)
        if option == "-secs" and found is not None and 0 < int(found[1]) < _SHOWN_S:
            shown_s = -(-int(found[1]) // _STEP_S) * _STEP_S
    lines = [] if core is not None else [f"Displaying last {shown_s} seconds pmd usage %"]
    devices = _polled(vswitchd)
    if devices and core in (None, _POLLING_CORE):
        lines += [f"pmd thread numa_id 0 core_id {_POLLING_CORE}:", "  isolated : false"]
        lines += [
            f"  port: {device.name:<16}  queue-id: {queue:2} (enabled)   pmd usage: NOT AVAIL"
            for device in devices
            for queue in range(device.n_rx_queues)
        ]
        lines.append("  overhead: NOT AVAIL")
    return "\n".join(lines)


def _polled(vswitchd: Vswitchd) -> list[DummyDevice]:
    """The devices that a thread of their own would poll, by name."""
    ports = [port for dpif in datapaths(vswitchd) for port in dpif.ports()]
    devices = [port.device for port in ports if isinstance(port.device, DummyDevice)]
    found = [device for device in devices if device.netdev_type == "dummy-pmd"]
    return sorted(found, key=lambda device: device.name)


def _pmds(vswitchd: Vswitchd) -> str:
    """The cores with threads that poll."""
    return str(_POLLING_CORE) if _polled(vswitchd) else "none"


def rebalance_queues(vswitchd: Vswitchd, words: Sequence[str]) -> str:
    """``dpif-netdev/pmd-rxq-rebalance [dp]``."""
    _datapath_named(vswitchd, words)
    return "pmd rxq rebalance requested."


def show_bonds(vswitchd: Vswitchd, words: Sequence[str]) -> str:
    """``dpif-netdev/bond-show [dp]``: no bond is balanced in the datapath."""
    _datapath_named(vswitchd, words)
    return ""


def _any_datapath(vswitchd: Vswitchd) -> Dpif:
    found = datapaths(vswitchd)
    if not found:
        raise OvsTextError(_NO_DATAPATH)
    return found[0]


def _datapath_named(vswitchd: Vswitchd, words: Sequence[str]) -> Dpif:
    dpif = _any_datapath(vswitchd)
    if words and words[0] != dpif.name:
        raise OvsTextError(_NO_DATAPATH)
    return dpif


def _core(words: Sequence[str]) -> int | None:
    """Which core's thread is asked for; None: no certain one's."""
    for option, value in pairwise(words):
        found = _NUMBER.match(value)
        if option == "-pmd" and found is not None:
            return int(found[1])
    return None


# -- machine code to choose from


def show_input_code(vswitchd: Vswitchd, _words: Sequence[str]) -> str:
    """``dpif-netdev/dpif-impl-get``."""
    return f"Available DPIF implementations:\n  dpif_scalar (pmds: {_pmds(vswitchd)})"


def set_input_code(_vswitchd: Vswitchd, words: Sequence[str]) -> str:
    """``dpif-netdev/dpif-impl-set dpif_implementation_name``."""
    name = words[0]
    if name != "dpif_scalar":
        unknown = f"Unknown DPIF implementation {name}"
        raise OvsTextError(f"DPIF implementation not available: {unknown}.")
    return f"DPIF implementation set to {name}."


def show_parsers(vswitchd: Vswitchd, _words: Sequence[str]) -> str:
    """``dpif-netdev/miniflow-parser-get``."""
    lines = [
        f"  {name} (available: True pmds: {_pmds(vswitchd) if name == 'scalar' else 'none'})"
        for name in _PARSERS
    ]
    return "\n".join(["Available MFEX implementations:", *lines])


def set_parser(_vswitchd: Vswitchd, words: Sequence[str]) -> str:
    """``dpif-netdev/miniflow-parser-set [-pmd core] miniflow_implementation_name [count]``."""
    unchanged = "Error: miniflow extract parser not changed, PMD thread"
    rest = list(words)
    if rest[0] == "-pmd":
        if len(rest) == 1:
            raise OvsTextError("Error: -pmd option requires a thread id argument.")
        core = rest[1]
        if not _NUMBER.fullmatch(core):
            wrong = f"passed is not valid: '{core}'. Pass a valid pmd thread ID."
        else:
            wrong = f"{core} not in use, pass a valid pmd thread ID."
        raise OvsTextError(f"{unchanged} {wrong}")
    name, *counts = rest
    if counts and name != "study":
        raise OvsTextError(f"Error: unknown argument {counts[0]}.")
    if counts and (not counts[0].isdecimal() or not int(counts[0])):
        raise OvsTextError(f"Error: invalid study_pkt_cnt value: {counts[0]}.")
    if name not in _PARSERS:
        raise OvsTextError(f"Error: unknown miniflow extract implementation {name}.")
    studying = f", studying {(*counts, _STUDIED_PACKETS)[0]} packets" if name == "study" else ""
    return f"Miniflow extract implementation set to {name}{studying}."


def show_lookups(vswitchd: Vswitchd, _words: Sequence[str]) -> str:
    """``dpif-netdev/subtable-lookup-info-get``."""
    priorities = vswitchd.choices.priorities
    lines = [f"  {name} (Use count: 0, Priority: {rank})" for name, rank in priorities.items()]
    return "\n".join(["Available dpcls implementations:", *lines])


def set_lookup(vswitchd: Vswitchd, words: Sequence[str]) -> str:
    """``dpif-netdev/subtable-lookup-prio-set [lookup_func] [prio]``."""
    name, text = words
    found = _NUMBER.match(text)
    priority = int(found[1]) if found else 0
    if not 0 <= priority <= _MOST_PRIORITY:
        raise OvsTextError("error converting priority, use integer in range 0-255")
    if name not in vswitchd.choices.priorities:
        raise OvsTextError("error, subtable lookup function not found")
    vswitchd.choices.priorities[name] = priority
    return "Lookup priority change affected 0 dpcls ports and 0 subtables."


def show_action_code(vswitchd: Vswitchd, _words: Sequence[str]) -> str:
    """``odp-execute/action-impl-show``."""
    lines = [
        f"  {name} (available: Yes, active: {_yes(name == vswitchd.choices.action_code)})"
        for name in _ACTION_CODES
    ]
    return "\n".join(["Available Actions implementations:", *lines])


def set_action_code(vswitchd: Vswitchd, words: Sequence[str]) -> str:
    """``odp-execute/action-impl-set name``."""
    name = words[0]
    if name not in _ACTION_CODES:
        raise OvsTextError(f"Error: unknown action implementation, {name}, specified!")
    vswitchd.choices.action_code = name
    return f"Action implementation set to {name}."


def _yes(is_so: bool) -> str:
    return "Yes" if is_so else "No"
