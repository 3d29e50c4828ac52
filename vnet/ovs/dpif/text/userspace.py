"""``userspace(...)`` in text, printed and read."""

from __future__ import annotations

import re

from vnet.ovs.dpif.actions import Userspace
from vnet.ovs.dpif.cookies import (
    ControllerCookie,
    Cookie,
    FlowSampleCookie,
    IpfixCookie,
    SflowCookie,
    SlowPath,
    SlowPathCookie,
)
from vnet.ovs.dpif.text.kind import PortNames
from vnet.ovs.dpif.text.scan import INTEGER, integer_of
from vnet.ovs.flow.errors import OvsTextError
from vnet.ovs.flow.flag_text import flags_text, parse_flags
from vnet.ovs.flow.ports import ODPP_NONE, OdpPort
from vnet.ovs.flow.value_text import hex_text

_SLOW_PATH_NAMES = {int(reason): (reason.name or "").lower() for reason in SlowPath}

_CONTROLLER = re.compile(
    r",controller\(reason=([0-9]+),dont_send=([0-9]+),continuation=([0-9]+),recirc_id=([0-9]+)"
    r",rule_cookie=(?:0[xX])?([0-9a-fA-F]+),controller_id=([0-9]+),max_len=([0-9]+)\)"
)
_SLOW_PATH = re.compile(r",slow_path\(([^)]*)\)")
_FLOW_SAMPLE = re.compile(
    rf",flow_sample\(probability={INTEGER},collector_set_id={INTEGER},obs_domain_id={INTEGER}"
    rf",obs_point_id={INTEGER},output_port={INTEGER}(?:,(ingress|egress))?\)"
)
_SFLOW = re.compile(rf",sFlow\(vid={INTEGER},pcp={INTEGER},output={INTEGER}\)")
_IPFIX = re.compile(rf",ipfix\(output_port={INTEGER}\)")
_VID_MASK, _PCP_MASK = 0xFFF, 0b111
_PID = re.compile(rf"pid={INTEGER}")
_END = re.compile(rf"(,actions)?(?:,tunnel_out_port={INTEGER})?\)")


def userspace_text(action: Userspace, names: PortNames) -> str:
    """``userspace(pid=0,controller(...))``"""
    parts = [f"pid={action.pid}", _cookie_text(action.cookie, names)]
    if action.with_actions:
        parts.append("actions")
    if action.tunnel_out_port != ODPP_NONE:
        port = action.tunnel_out_port
        parts.append(f"tunnel_out_port={names.get(port, port)}")
    return f"userspace({','.join(parts)})"


def _cookie_text(cookie: Cookie, names: PortNames) -> str:
    if isinstance(cookie, ControllerCookie):
        return (
            f"controller(reason={cookie.reason},dont_send={cookie.dont_send:d}"
            f",continuation={cookie.continuation:d},recirc_id={cookie.recirc_id}"
            f",rule_cookie={hex_text(cookie.rule_cookie)}"
            f",controller_id={cookie.controller_id},max_len={cookie.max_len_bytes})"
        )
    if isinstance(cookie, SlowPathCookie):
        shown = flags_text(_SLOW_PATH_NAMES, cookie.reason).replace("|", ",")
        return f"slow_path({shown})"
    if isinstance(cookie, SflowCookie):
        return f"sFlow(vid={cookie.vid},pcp={cookie.pcp},output={cookie.output})"
    port = names.get(cookie.output_port, cookie.output_port)
    if isinstance(cookie, IpfixCookie):
        return f"ipfix(output_port={port})"
    direction = f",{cookie.direction}" if cookie.direction else ""
    return (
        f"flow_sample(probability={cookie.probability}"
        f",collector_set_id={cookie.collector_set_id},obs_domain_id={cookie.obs_domain_id}"
        f",obs_point_id={cookie.obs_point_id},output_port={port}{direction})"
    )


def scan_userspace(text: str, at: int) -> tuple[Userspace, int] | None:
    """Read ``userspace(...)`` from behind its opening parenthesis."""
    pid = _PID.match(text, at)
    scanned = None if pid is None else _scan_cookie(text, pid.end())
    if pid is None or scanned is None:
        return None
    cookie, at = scanned
    end = _END.match(text, at)
    if end is None:
        return None
    port = ODPP_NONE if end[2] is None else OdpPort(_uint32(end[2]))
    is_with_actions = end[1] is not None
    return Userspace(cookie, _uint32(pid[1]), port, is_with_actions), end.end()


def _scan_cookie(text: str, at: int) -> tuple[Cookie, int] | None:
    if found := _CONTROLLER.match(text, at):
        reason, dont_send, continuation, recirc_id, rule_cookie, controller_id, max_len = (
            found.groups()
        )
        controller = ControllerCookie(
            reason=int(reason) & 0xFFFF,
            dont_send=bool(int(dont_send) & 0xFF),
            continuation=bool(int(continuation) & 0xFF),
            recirc_id=int(recirc_id) & 0xFFFFFFFF,
            rule_cookie=int(rule_cookie, 16) & (1 << 64) - 1,
            controller_id=int(controller_id) & 0xFFFF,
            max_len_bytes=int(max_len) & 0xFFFF,
        )
        return controller, found.end()
    if found := _SLOW_PATH.match(text, at):
        reasons = _slow_path_reasons(found[1])
        return None if reasons is None else (SlowPathCookie(SlowPath(reasons)), found.end())
    if found := _FLOW_SAMPLE.match(text, at):
        *numbers, direction = found.groups()
        probability, collector_set_id, domain_id, point_id, port = map(_uint32, numbers)
        sample = FlowSampleCookie(
            probability & 0xFFFF,
            collector_set_id,
            domain_id,
            point_id,
            OdpPort(port),
            direction or "",
        )
        return sample, found.end()
    if found := _SFLOW.match(text, at):
        vid, pcp, output = map(_uint32, found.groups())
        return SflowCookie(vid & _VID_MASK, pcp & _PCP_MASK, output), found.end()
    if found := _IPFIX.match(text, at):
        return IpfixCookie(OdpPort(_uint32(found[1]))), found.end()
    return None


def _slow_path_reasons(text: str) -> int | None:
    try:
        reasons, _mask = parse_flags(
            text.replace(",", "|"), _SLOW_PATH_NAMES, "slow_path", sum(_SLOW_PATH_NAMES)
        )
    except OvsTextError:
        return None
    return reasons


def _uint32(digits: str) -> int:
    return integer_of(digits) & 0xFFFFFFFF
