"""``dpctl/parse-actions`` and ``dpctl/normalize-actions``: datapath actions as text."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

from vnet.ovs.dpif.actions import OdpAction, OdpActions, Output, PopVlan, PushVlan
from vnet.ovs.dpif.text.actions import actions_text
from vnet.ovs.dpif.text.flows import parse_key, shown_key
from vnet.ovs.dpif.text.parse_actions import parse_actions
from vnet.ovs.flow.errors import OvsTextError
from vnet.ovs.flow.flow import N_VLANS, Flow
from vnet.ovs.flow.protocol_numbers import (
    ETH_TYPE_MPLS,
    ETH_TYPE_MPLS_MCAST,
    ETH_TYPE_VLAN_8021Q,
)
from vnet.ovs.vswitchd.appctl.dpctl.call import DpctlCall, DpctlError, Errno

_PORT = re.compile(r"([^=]{1,15})=\s*([-+]?[0-9]+)")
_VID = 0x0FFF
_PCP_SHIFT = 13


def parse(call: DpctlCall) -> None:
    """``parse-actions actions...``: each as it is understood."""
    for text in call.words:
        call.say(actions_text(_parsed(text, {})))


def normalize(call: DpctlCall) -> None:
    """``normalize-actions flow actions [name=number...]``: what leaves with which tags, so that
    two ways to do the same look the same."""
    flow_words, actions_words, *port_words = call.words
    ports = dict(_port(word) for word in port_words)
    try:
        call.say(f"input flow: {shown_key(flow_words, ports)}")
    except OvsTextError as error:
        raise DpctlError(f"odp_flow_key_from_string ({error.what})", Errno.EINVAL) from error
    try:
        flow = Flow(parse_key(flow_words, port_numbers=ports))
    except OvsTextError:
        raise DpctlError("odp_flow_key_to_flow failed (reason unknown)", Errno.EPERM) from None
    actions = _parsed(actions_words, ports)
    if call.verbosity:
        call.say(f"input actions: {actions_text(actions)}")
    mpls = _mpls_text(flow)
    for tagged in _by_tags(flow, actions):
        call.put(f"{tagged.text}{mpls}{actions_text(_sorted_outputs(tagged.actions))}")


def _parsed(text: str, ports: dict[str, int]) -> OdpActions:
    try:
        return parse_actions(text, port_numbers=ports)
    except OvsTextError as error:
        raise DpctlError("odp_actions_from_string", Errno.EINVAL) from error


def _port(word: str) -> tuple[str, int]:
    found = _PORT.match(word)
    if found is None:
        raise DpctlError(f"{word}: expected NAME=NUMBER")
    return found[1], int(found[2])


Tag = tuple[int, int]
"""TPID and TCI."""


@dataclass(slots=True)
class _Tagged:
    """What is done with a packet while it has these tags, the outer one first."""

    tags: tuple[Tag, ...]
    actions: list[OdpAction]

    @property
    def text(self) -> str:
        """The tags as they are shown."""
        return "".join(map(_tag_text, self.tags)) or "no vlan: "


def _by_tags(flow: Flow, actions: OdpActions) -> list[_Tagged]:
    """The actions in parts, by the tags that the packet has, without those that change them."""
    both = (flow.vlan_tpid, flow.vlan_tci), (flow.vlan1_tpid, flow.vlan1_tci)
    tags = tuple(tag for tag in both if tag[1])
    parts: dict[tuple[Tag, ...], _Tagged] = {}
    for action in actions:
        if isinstance(action, PopVlan):
            tags = tags[1:]
        elif isinstance(action, PushVlan):
            tags = ((action.tpid, action.tci), *tags)[:N_VLANS]
        else:
            parts.setdefault(tags, _Tagged(tags, [])).actions.append(action)
    return [parts[tags] for tags in sorted(parts)]


def _tag_text(tag: Tag) -> str:
    tpid, tci = tag
    shown = "" if tpid == ETH_TYPE_VLAN_8021Q else f"tpid=0x{tpid:04x},"
    return f"vlan({shown}vid={tci & _VID},pcp={tci >> _PCP_SHIFT}): "


def _mpls_text(flow: Flow) -> str:
    if flow.dl_type not in (ETH_TYPE_MPLS, ETH_TYPE_MPLS_MCAST):
        return "no mpls: "
    lse = Flow.mpls_lse[0].of(flow.key)
    return f"mpls(label={lse >> 12},tc={lse >> 9 & 7},ttl={lse & 0xFF}): "


def _sorted_outputs(actions: Sequence[OdpAction]) -> OdpActions:
    """Outputs that follow each other, by their ports: their order makes no difference."""
    shown: list[OdpAction] = []
    for is_output, found in groupby(actions, lambda action: isinstance(action, Output)):
        run = list(found)
        shown += sorted(run, key=_port_of) if is_output else run
    return tuple(shown)


def _port_of(action: OdpAction) -> int:
    assert isinstance(action, Output)
    return action.port
