"""``dpctl/...-flow`` and ``dpctl/...-flows``: what the datapath does without asking."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

from vnet.ovs.dpif.dpif import DatapathFlow, Dpif
from vnet.ovs.dpif.text.flows import (
    NotInstallableError,
    dump_line,
    installable,
    parse_key,
    read_flow,
    refused_ufid_text,
    shown_key,
    ufid_of,
)
from vnet.ovs.dpif.text.parse_actions import parse_actions
from vnet.ovs.dpif.text.stats import stats_text
from vnet.ovs.flow.errors import OvsTextError
from vnet.ovs.flow.match_parse import parse_exact_flow, parse_match
from vnet.ovs.flow.names import Names
from vnet.ovs.flow.ports import OfpPort
from vnet.ovs.ofproto.names import datapath_names
from vnet.ovs.openflow.text.files import Source
from vnet.ovs.vswitchd.appctl.dpctl.call import DpctlCall, DpctlError, Errno
from vnet.ovs.vswitchd.datapath_log import Put

_UFID = re.compile(r"ufid:[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_HERE = frozenset(("ovs", "non-offloaded", "all"))
_TYPES = _HERE | {"tc", "dpdk", "offloaded", "partially-offloaded"}
"""Where flows may be at work. No hardware carries any of these out."""

_MAIN_THREAD = -1
_HEADING = "flow-dump from the main thread:"

Wanted = Callable[[DatapathFlow], bool]


# -- dumps


def dump(call: DpctlCall) -> None:
    """``dump-flows [-m] [--names] [dp] [filter=..] [type=..] [pmd=..]``."""
    said = _take_filters(call)
    dpif = call.datapath(1)
    is_wanted = _filter(dpif, said["filter"]) if "filter" in said else _anything
    types = said.get("type", "all").split(",") if said.get("type") else ["all"]
    unknown = [name for name in types if name not in _TYPES]
    if unknown:
        raise DpctlError(f"Failed to parse type ({unknown[0]})", Errno.EINVAL)
    thread = _number(said["pmd"]) if "pmd" in said else _MAIN_THREAD
    if thread is None:
        raise DpctlError
    if thread != _MAIN_THREAD or not _HERE.intersection(types):
        return
    lines = [_line(call, dpif, flow) for flow in dpif.flows() if is_wanted(flow)]
    if lines and "pmd" not in said:
        call.say(_HEADING)
    call.say(*lines)


def _take_filters(call: DpctlCall) -> dict[str, str]:
    """Take ``filter=..`` and its like from the end of the words."""
    said: dict[str, str] = {}
    while call.words:
        key, equals, value = call.words[-1].partition("=")
        if not equals or key not in ("filter", "type", "pmd") or key in said:
            break
        said[key] = value
        call.words.pop()
    return said


def _number(text: str) -> int | None:
    try:
        return int(text)
    except ValueError:
        return None


def _anything(_flow: DatapathFlow) -> bool:
    return True


def _filter(dpif: Dpif, text: str) -> Wanted:
    """Flows that some frame of a kind could have made: what one does not say may be anything."""
    names = Names({name: OfpPort(number) for number, name in datapath_names(dpif).items()})
    try:
        wanted = parse_exact_flow(text, names).key
        said = parse_match(text, names).mask
    except OvsTextError as error:
        raise DpctlError(f"Failed to parse filter ({error.what})") from error
    return lambda flow: not (flow.key ^ wanted) & flow.mask & said


def _line(call: DpctlCall, dpif: Dpif, flow: DatapathFlow) -> str:
    return dump_line(
        flow,
        call.vswitchd.backer.scheduler.now_ns,
        port_names=datapath_names(dpif) if call.shows_names else None,
        verbose=call.verbosity > 0,
        vlan_limit=dpif.vlan_limit,
    )


def get(call: DpctlCall) -> None:
    """``get-flow [dp] ufid``. As the real one has it, no name at all is no failure."""
    dpif = call.datapath(2)
    try:
        ufid, _rest = _take_ufid(call.last_words(1)[0])
    except DpctlError as error:
        call.complain(error.what, error.why)
        return
    if ufid is None:
        call.complain("parsing flow ufid")
        return
    flow = next(_with_ufid(dpif, ufid), None)
    if flow is None:
        raise DpctlError("getting flow", Errno.ENOENT)
    call.say(_line(call, dpif, flow))


# -- changes


def add(call: DpctlCall) -> None:
    """``add-flow [dp] flow actions``."""
    dpif = call.datapath(3)
    _put(call, dpif, *call.last_words(2), creates=True)


def modify(call: DpctlCall) -> None:
    """``mod-flow [--may-create] [dp] flow actions``."""
    dpif = call.datapath(3)
    _put(call, dpif, *call.last_words(2), creates=call.may_create, modifies=True)


def delete(call: DpctlCall) -> None:
    """``del-flow [dp] flow``."""
    _delete(call, call.datapath(2), call.last_words(1)[0])


def add_all(call: DpctlCall) -> None:
    """``add-flows [dp] file``."""
    _process(call, "add")


def modify_all(call: DpctlCall) -> None:
    """``mod-flows [dp] file``."""
    _process(call, "modify")


def delete_all(call: DpctlCall) -> None:
    """``del-flows [dp] [file]``: without a file every flow."""
    if len(call.words) > 1 or (call.words and call.words[0] not in call.datapaths()):
        _process(call, "delete")
    else:
        call.datapath(1).flow_flush()
        call.vswitchd.backer.revalidator.forget_missing()


def _put(
    call: DpctlCall,
    dpif: Dpif,
    flow: str,
    actions: str,
    *,
    creates: bool = False,
    modifies: bool = False,
) -> None:
    """Install a flow, or change the one that its frames meet."""
    ufid, flow = _take_ufid(flow)
    try:
        attributes = read_flow(flow, _port_numbers(dpif))
        wanted = parse_actions(actions)
    except OvsTextError as error:
        raise DpctlError(error.what) from error
    log = call.vswitchd.datapath_log
    put = Put(ufid or refused_ufid_text(flow), wanted, creates, modifies)
    try:
        key, mask = installable(attributes, dpif.vlan_limit)
    except NotInstallableError as error:
        if log is not None:
            log.refused(error, attributes, put)
        raise DpctlError(error.what) from error
    found = next((each for each in dpif.flows() if not (each.key ^ key) & each.mask), None)
    if found is None and not creates:
        if log is not None:
            log.not_put(attributes, put, Errno.ENOENT)
        raise DpctlError("updating flow table", Errno.ENOENT)
    if found is not None and not modifies:
        raise DpctlError("updating flow table", Errno.EEXIST)
    if found is not None and call.zeroes_statistics:
        raise DpctlError("updating flow table", Errno.EOPNOTSUPP)
    before = None
    if found is not None:
        key, mask, before = found.key, found.mask, found.stats
    try:
        dpif.flow_put(key, mask, wanted, ufid=ufid)
    except ValueError:
        raise DpctlError("updating flow table", Errno.EINVAL) from None
    call.vswitchd.backer.revalidator.expect_others()
    if call.shows_statistics:
        stats = before or dpif.flow_get(key, mask).stats
        call.say(stats_text(stats, call.vswitchd.backer.scheduler.now_ns))


def _delete(call: DpctlCall, dpif: Dpif, text: str) -> None:
    """Remove a flow by its name, or by its whole key: the mask is no part of that."""
    ufid, flow = _take_ufid(text)
    try:
        key = parse_key(flow, port_numbers=_port_numbers(dpif), vlan_limit=dpif.vlan_limit)
    except OvsTextError as error:
        raise DpctlError(error.what, Errno.EINVAL) from error
    if ufid is None:
        found = next((each for each in dpif.flows() if each.key == key), None)
    else:
        found = next(_with_ufid(dpif, ufid), None)
    if found is None:
        if (log := call.vswitchd.datapath_log) is not None:
            shown = shown_key(flow, _port_numbers(dpif))
            log.not_deleted(ufid or refused_ufid_text(flow), shown)
        call.complain("deleting flow", Errno.ENOENT)
        if ufid is None:
            call.say("Perhaps you need to specify a UFID?")
        raise DpctlError
    stats = dpif.flow_del(found.key, found.mask)
    call.vswitchd.backer.revalidator.forget_missing()
    if call.shows_statistics:
        call.say(stats_text(stats, call.vswitchd.backer.scheduler.now_ns))


def _process(call: DpctlCall, default: str) -> None:
    """Carry out a file, line by line. Whatever is wrong is told, and hinders nothing else."""
    dpif = call.datapath(3)
    try:
        source = _source(call.last_words(1)[0])
    except DpctlError as error:
        call.complain(error.what, error.why)
        return
    for number, line in source.lines():
        verb, flow, actions = _line_parts(line, default)
        if not flow or (actions is None) != (verb == "delete"):
            call.complain(f"Failed parsing line number {number}, skipped!")
            continue
        try:
            if actions is None:
                _delete(call, dpif, flow)
            else:
                _put(call, dpif, flow, actions, creates=verb == "add", modifies=verb == "modify")
        except DpctlError as error:
            if error.what:
                call.complain(error.what, error.why)


def _source(name: str) -> Source:
    """A file. A daemon has no standard input to read."""
    if name == "-":
        return Source("")
    try:
        return Source(Path(name).read_text(encoding="utf-8", errors="replace"), name)
    except OSError as error:
        raise DpctlError(f'Opening file "{name}" failed ({error.strerror})') from None


def _line_parts(line: str, default: str) -> tuple[str, str, str | None]:
    """What to do, to which flow, and its actions: ``add in_port(1),eth() 2``."""
    first = re.match(r"\s*([^,\s]*)", line)
    assert first is not None, "every part of the pattern may be empty"
    verbs = [verb for verb in ("add", "delete", "modify") if verb.startswith(first[1])]
    rest = line[first.end() :] if verbs else line
    flow, *actions = rest.split(maxsplit=1) or [""]
    return (verbs or [default])[0], flow, actions[0] if actions else None


# -- names of flows and ports


def _take_ufid(text: str) -> tuple[str | None, str]:
    """The name that a text begins with, if there is one, and what is behind it."""
    if not text.startswith("ufid:"):
        return None, text
    found = _UFID.match(text)
    if found is None:
        raise DpctlError("parsing flow ufid", Errno.EINVAL)
    return found[0].lower(), text[found.end() :]


def _with_ufid(dpif: Dpif, ufid: str) -> Iterator[DatapathFlow]:
    return (flow for flow in dpif.flows() if ufid_of(flow) == ufid)


def _port_numbers(dpif: Dpif) -> dict[str, int]:
    return {name: number for number, name in datapath_names(dpif).items()}
