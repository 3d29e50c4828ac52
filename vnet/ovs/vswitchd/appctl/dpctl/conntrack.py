"""``dpctl/...conntrack`` and ``dpctl/ct-...``: the connection tracker and its limits."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from vnet.ovs.dpif.dpif import Dpif
from vnet.ovs.dpif.requests import Command
from vnet.ovs.dpif.text.flushed import log_flush
from vnet.ovs.flow.tokens import key_values
from vnet.ovs.vswitchd.appctl.dpctl.call import DpctlCall, DpctlError, Errno
from vnet.ovs.vswitchd.appctl.dpctl.tuples import parse_tuples
from vnet.tables.conntrack.flush import flush_matching
from vnet.tables.conntrack.limits import DEFAULT_ZONE
from vnet.tables.conntrack.ovs_policy import OvsPolicy
from vnet.tables.conntrack.tcp import PfTcp
from vnet.tables.conntrack.text import dump_text, limits_text, stats_text

_ZONE = re.compile(r"zone=\s*([-+]?[0-9]+)")
_GREATER = re.compile(r"gt=\s*([-+]?[0-9]+)")
_DECIMAL = re.compile(r"[-+]?[0-9]+")
_UINT16_ONES = 0xFFFF
_UINT32_ONES = 0xFFFF_FFFF
_BUCKETS_IN_ROW = 8


def _now_ns(call: DpctlCall) -> int:
    return call.vswitchd.backer.scheduler.now_ns


def dump(call: DpctlCall) -> None:
    """``dump-conntrack [-m] [-s] [dp] [zone=N]``."""
    zone = _last_number(call, _ZONE)
    tracker = call.datapath(1).tracker
    lines = dump_text(
        tracker,
        _now_ns(call),
        zone,
        stats=call.shows_statistics,
        verbose=call.verbosity > 0,
    )
    call.say(*lines)


def flush(call: DpctlCall) -> None:
    """``flush-conntrack [dp] [zone=N] [ct-orig-tuple] [ct-reply-tuple]``.

    As the real one reads its words, the name of a datapath only passes behind the others.
    """
    words, zone = list(call.words), None
    if words and words[0].startswith("zone="):
        found = _ZONE.match(words.pop(0))
        if found is None:
            raise DpctlError("failed to parse zone", Errno.EINVAL)
        zone = int(found[1]) & _UINT16_ONES
    match = parse_tuples(words[:2])
    if len(words) > 3:
        raise DpctlError("invalid arguments", Errno.EINVAL)
    try:
        dpif = call.datapath(4)
    except DpctlError as error:
        call.complain(error.what, error.why)
        raise DpctlError("Cannot open dpif", Errno.EINVAL) from None
    dpif.tell(Command.CT_DELETE, " ".join(call.words))
    log_flush(call.vswitchd.vlog.module("ct_dpif"), dpif, match, zone)
    if not flush_matching(dpif.tracker, match, _now_ns(call), zone):
        call.vswitchd.vlog.module("conntrack").warn(
            "Must flush tuple using the original pre-NATed tuple"
        )
        raise DpctlError("failed to flush conntrack", Errno.ENOENT)


def show_stats(call: DpctlCall) -> None:
    """``ct-stats-show [dp] [zone=N]``."""
    zone, verbose = None, call.verbosity > 0
    while call.words:
        last = call.words[-1]
        found = _ZONE.match(last)
        if found is not None:
            zone = int(found[1]) & _UINT16_ONES
        elif last.startswith("verbose"):
            verbose = True
        else:
            break
        call.words.pop()
    call.put(stats_text(call.datapath(1).tracker, _now_ns(call), zone, verbose=verbose))


def show_buckets(call: DpctlCall) -> None:
    """``ct-bkts [dp] [gt=N]``: all connections are in one bucket, as in the real datapath."""
    threshold = _last_number(call, _GREATER) or 0
    tracker = call.datapath(1).tracker
    counts = [sum(1 for _ in tracker.conns(_now_ns(call)))]
    call.say(f"Total Buckets: {len(counts)}", f"Current Connections: {sum(counts)}", "")
    if any(counts):
        call.put(_bucket_table(counts, threshold))


def _bucket_table(counts: Sequence[int], threshold: int) -> str:
    rule = f"+{'-' * 11}+{'-' * 41}+"
    rows = [rule, f"|  Buckets  |{'Connections per Buckets':^41}|", rule]
    for first in range(0, len(counts), _BUCKETS_IN_ROW):
        shown = [
            f"{count:5}" if count > threshold else f"{'.':>5}"
            for count in counts[first : first + _BUCKETS_IN_ROW]
        ]
        rows.append(f" {first:3}..{first + _BUCKETS_IN_ROW - 1:3}   | {''.join(shown)}")
    return "\n".join(rows) + "\n\n"


# -- how many there may be


def set_max(call: DpctlCall) -> None:
    """``ct-set-maxconns [dp] maxconns``."""
    tracker = call.datapath(2).tracker
    found = _DECIMAL.match(call.words[-1]) if call.words else None
    if found is None:
        raise DpctlError("maxconns missing or malformed", Errno.EINVAL)
    tracker.store.max_conns = int(found[0]) & _UINT32_ONES
    call.say("setting maxconns successful")


def show_max(call: DpctlCall) -> None:
    """``ct-get-maxconns [dp]``."""
    call.say(str(call.datapath(1).tracker.store.max_conns))


def show_count(call: DpctlCall) -> None:
    """``ct-get-nconns [dp]``."""
    call.say(str(call.datapath(1).tracker.count(_now_ns(call))))


# -- whether sequence numbers are checked


def enable_sequence_check(call: DpctlCall) -> None:
    """``ct-enable-tcp-seq-chk [dp]``."""
    _tcp(call.datapath(2)).checks_sequence = True
    call.say("enabling TCP sequence checking successful")


def disable_sequence_check(call: DpctlCall) -> None:
    """``ct-disable-tcp-seq-chk [dp]``."""
    _tcp(call.datapath(2)).checks_sequence = False
    call.say("disabling TCP sequence checking successful")


def show_sequence_check(call: DpctlCall) -> None:
    """``ct-get-tcp-seq-chk [dp]``."""
    is_checked = _tcp(call.datapath(1)).checks_sequence
    call.say(f"TCP sequence checking: {'enabled' if is_checked else 'disabled'}")


def _tcp(dpif: Dpif) -> PfTcp:
    policy = dpif.tracker.store.policy
    assert isinstance(policy, OvsPolicy), "a datapath tracks connections in Open vSwitch's way"
    return policy.tcp


# -- how many there may be in a zone


def set_limits(call: DpctlCall) -> None:
    """``ct-set-limits [dp] [default=L] [zone=N,limit=L]...``."""
    dpif = call.datapath(None)
    wanted: dict[int, int] = {}
    if call.words and call.words[0].startswith("default="):
        digits = call.words.pop(0).removeprefix("default=")
        found = _DECIMAL.match(digits)
        if found is None:
            raise DpctlError("invalid default limit", Errno.EINVAL)
        wanted[DEFAULT_ZONE] = int(found[0]) & _UINT32_ONES
    for word in call.words:
        zone, limit = _zone_limit(word)
        wanted[zone] = limit
    for zone, limit in wanted.items():
        dpif.tell(Command.CT_LIMIT_SET, f"zone={zone},limit={limit}")
        dpif.tracker.store.limits.set(zone, limit)


def _zone_limit(text: str) -> tuple[int, int]:
    """``zone=5,limit=3``."""
    values: dict[str, int] = {}
    for key, value in key_values(text):
        if not value:
            raise DpctlError(f"field {key} missing value", Errno.EINVAL)
        if key not in ("zone", "limit"):
            raise DpctlError(f"invalid zone limit field: {key}", Errno.EINVAL)
        if not value.isdecimal() or int(value) > (_UINT16_ONES if key == "zone" else _UINT32_ONES):
            raise DpctlError(f"failed to parse field {key}", Errno.EINVAL)
        values[key] = int(value)
    if len(values) != 2:
        raise DpctlError("failed to parse zone limit", Errno.EINVAL)
    return values["zone"], values["limit"]


def delete_limits(call: DpctlCall) -> None:
    """``ct-del-limits [dp] zone=N1[,N2]...``."""
    dpif = call.datapath(2)
    for zone in _zones(call.words[0] if call.words else ""):
        dpif.tell(Command.CT_LIMIT_DEL, f"zone={zone}")
        dpif.tracker.store.limits.delete(zone)


def show_limits(call: DpctlCall) -> None:
    """``ct-get-limits [dp] [zone=N1[,N2]...]``."""
    tracker = call.datapath(2).tracker
    zones = _zones(call.words[0]) if call.words else None
    call.say(limits_text(tracker.store.limits, zones))


def _zones(word: str) -> list[int]:
    if not word.startswith("zone="):
        raise DpctlError(f"invalid argument {word}", Errno.EINVAL)
    return list(_zone_numbers(word.removeprefix("zone=")))


def _zone_numbers(text: str) -> Iterator[int]:
    for digits in filter(None, text.split(",")):
        found = _DECIMAL.match(digits)
        if found is None:
            raise DpctlError("invalid zone", Errno.EINVAL)
        yield int(found[0]) & _UINT16_ONES


def _last_number(call: DpctlCall, pattern: re.Pattern[str]) -> int | None:
    """The 16-bit number that the last word is, which goes; None if it is none."""
    found = pattern.match(call.words[-1]) if call.words else None
    if found is None:
        return None
    call.words.pop()
    return int(found[1]) & _UINT16_ONES
