"""Datapath actions read from text (``odp_actions_from_string``).

Whatever :mod:`~vnet.ovs.dpif.text.actions` prints is read, which is more than Open vSwitch
reads: it prints ``hash``, ``push_mpls``, ``push_eth`` and others one way only.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from math import floor

from vnet.ovs.dpif.actions import (
    AddMpls,
    CheckPktLen,
    Clone,
    CopyTtlIn,
    CopyTtlOut,
    CtClear,
    Drop,
    DropCause,
    Hash,
    HashAlgorithm,
    KeyPart,
    Meter,
    OdpAction,
    OdpActions,
    Output,
    Pad,
    PopEth,
    PopMpls,
    PopNsh,
    PopPbb,
    PopVlan,
    PushEth,
    PushMpls,
    PushPbb,
    PushVlan,
    Recirc,
    Sample,
    Set,
    TnlPop,
    Trunc,
)
from vnet.ovs.dpif.text.actions import DROP
from vnet.ovs.dpif.text.conntrack import scan_ct
from vnet.ovs.dpif.text.kind import PortNumbers, TooLongError
from vnet.ovs.dpif.text.kinds import PBB
from vnet.ovs.dpif.text.nsh import scan_push_nsh
from vnet.ovs.dpif.text.parse_flow import MAX_DEPTH, TOO_LONG, scan_attribute
from vnet.ovs.dpif.text.scan import INTEGER, integer_of, scan_integer, skip_delimiters
from vnet.ovs.dpif.text.single_kinds import PCP, VID
from vnet.ovs.dpif.text.stack_kinds import BOS, LABEL, TC, TTL
from vnet.ovs.dpif.text.tunnel_push import scan_tnl_push
from vnet.ovs.dpif.text.userspace import scan_userspace
from vnet.ovs.flow.address_text import scan_mac
from vnet.ovs.flow.errors import OvsTextError
from vnet.ovs.flow.flow import CFI, Flow
from vnet.ovs.flow.ports import OdpPort
from vnet.ovs.flow.protocol_numbers import ETH_TYPE_VLAN_8021Q

_UINT32_ONES = 0xFFFFFFFF

_DELIMITER_OR_END = re.compile(r"[, \t\r\n]|\Z")
_WORD = re.compile(r"[^, \t\r\n]*")
_NAME = re.compile(r"[a-z_0-9]+")

_ONE_NUMBER = re.compile(rf"\({INTEGER}\)")
_VLAN = re.compile(rf"\((?:tpid={INTEGER},)?vid={INTEGER},pcp={INTEGER}(?:,cfi={INTEGER})?\)")
_LSE = re.compile(
    rf"\(label={INTEGER},tc={INTEGER},ttl={INTEGER},bos={INTEGER},eth_type={INTEGER}\)"
)
_POP_MPLS = re.compile(rf"\(eth_type={INTEGER}\)")
_HASH = re.compile(rf"\((l4|sym_l4|headers)\({INTEGER}\)\)")
_SAMPLE = re.compile(r"\(sample=([0-9]*\.?[0-9]+)%,actions\(")
_CHECK_PKT_LEN = re.compile(rf"\(size={INTEGER},gt\(")

ScannedAction = tuple[OdpAction, int]


def parse_actions(text: str, *, port_numbers: PortNumbers | None = None) -> OdpActions:
    """A list of actions; ports may go by their names where given.

    Raises :class:`OvsTextError` with what ``dpctl/add-flow`` says.
    """
    if text.lower() == DROP:
        return (Drop(DropCause.OK),)
    reader = _Reader(text, port_numbers or {})
    actions = []
    at = skip_delimiters(text, 0)
    while at < len(text):
        try:
            scanned = reader.scan(at)
        except TooLongError as error:
            raise OvsTextError(f"parsing actions ({TOO_LONG})") from error
        if scanned is None or not _DELIMITER_OR_END.match(text, scanned[1]):
            raise OvsTextError("parsing actions (Invalid argument)")
        actions.append(scanned[0])
        at = skip_delimiters(text, scanned[1])
    return tuple(actions)


def _number(digits: str, n_bits: int) -> int:
    return integer_of(digits) & (1 << n_bits) - 1


class _Reader:
    """Reads actions of one text. Each method gets the place behind the action's name."""

    def __init__(self, text: str, port_numbers: PortNumbers) -> None:
        self.text = text
        self.port_numbers = port_numbers
        self.depth = 0

    def scan(self, at: int) -> ScannedAction | None:
        """The action at ``at`` and its end, None if there is none."""
        if self.depth + 1 >= MAX_DEPTH:
            return None
        self.depth += 1
        try:
            return self._scan(at)
        finally:
            self.depth -= 1

    def _scan(self, at: int) -> ScannedAction | None:
        port = scan_integer(self.text, at, 32)
        if port is not None:
            return Output(OdpPort(port[0])), port[1]
        if self.port_numbers:
            word = _WORD.match(self.text, at)
            number = None if word is None else self.port_numbers.get(word[0])
            if word is not None and number is not None:
                return Output(OdpPort(number)), word.end()
        name = _NAME.match(self.text, at)
        method = None if name is None else _METHODS.get(name[0])
        return None if name is None or method is None else method(self, name.end())

    def list_at(self, at: int) -> tuple[OdpActions, int] | None:
        """Actions up to a closing parenthesis, and the place behind it."""
        if self.text[at : at + len(DROP) + 1].lower() == f"{DROP})":
            return (), at + len(DROP) + 1
        actions: list[OdpAction] = []
        while True:
            at = skip_delimiters(self.text, at)
            if self.text.startswith(")", at):
                return tuple(actions), at + 1
            scanned = self.scan(at)
            if scanned is None:
                return None
            actions.append(scanned[0])
            at = scanned[1]

    def set(self, at: int) -> ScannedAction | None:
        """A masked one unless every bit of the part is written."""
        if not self._opens(at):
            return None
        scanned = scan_attribute(self.text, at + 1, self.port_numbers)
        if scanned is None or not self.text.startswith(")", scanned[1]):
            return None
        (key, mask), end = scanned
        kind = key.kind
        part = None if kind is None else _PARTS.get(kind.name)
        if kind is None or part is None:
            return None
        is_masked = part is not KeyPart.TUNNEL and not kind.is_exact(mask.values)
        value_bits, mask_bits = kind.write(key.values), kind.write_masks(mask.values)
        return Set(part, value_bits, mask_bits, is_masked), end + 1

    def _opens(self, at: int) -> bool:
        return self.text.startswith("(", at)

    def push_vlan(self, at: int) -> ScannedAction | None:
        """``push_vlan(vid=1,pcp=0)``"""
        found = _VLAN.match(self.text, at)
        if found is None:
            return None
        tpid, vid, pcp, cfi = found.groups()
        vid_number, pcp_number = integer_of(vid), integer_of(pcp)
        if not 0 <= vid_number <= VID.ones or not 0 <= pcp_number <= PCP.ones:
            return None
        tci = vid_number | pcp_number << PCP.shift
        if cfi is None or integer_of(cfi):
            tci |= CFI
        return PushVlan(_number(tpid, 16) if tpid else ETH_TYPE_VLAN_8021Q, tci), found.end()

    def _lse(self, at: int) -> tuple[int, int, int] | None:
        """A label stack entry, a type, and where they end."""
        found = _LSE.match(self.text, at)
        if found is None:
            return None
        *parts, ethertype = found.groups()
        lse = 0
        for part, digits in zip((LABEL, TC, TTL, BOS), parts, strict=True):
            lse |= (integer_of(digits) & part.ones) << part.shift
        return lse, _number(ethertype, 16), found.end()

    def push_mpls(self, at: int) -> ScannedAction | None:
        """``push_mpls(label=16,tc=0,ttl=64,bos=1,eth_type=0x8847)``"""
        scanned = self._lse(at)
        return scanned and (PushMpls(scanned[0], scanned[1]), scanned[2])

    def add_mpls(self, at: int) -> ScannedAction | None:
        """As ``push_mpls``."""
        scanned = self._lse(at)
        return scanned and (AddMpls(scanned[0], scanned[1]), scanned[2])

    def pop_mpls(self, at: int) -> ScannedAction | None:
        """``pop_mpls(eth_type=0x800)``"""
        found = _POP_MPLS.match(self.text, at)
        return found and (PopMpls(_number(found[1], 16)), found.end())

    def push_pbb(self, at: int) -> ScannedAction | None:
        """``push_pbb(isid=100,uca=0,dei=0,pcp=0)``"""
        scanned = PBB.scan(self.text, at + 1, {}) if self._opens(at) else None
        return scanned and (PushPbb(Flow.pbb_tci.of(PBB.write(scanned.values))), scanned.end)

    def push_eth(self, at: int) -> ScannedAction | None:
        """``push_eth(src=...,dst=...)``"""
        text = self.text
        src = scan_mac(text, at + 5) if text.startswith("(src=", at) else None
        if src is None or not text.startswith(",dst=", src[1]):
            return None
        dst = scan_mac(text, src[1] + 5)
        if dst is None or not text.startswith(")", dst[1]):
            return None
        return PushEth(src[0], dst[0]), dst[1] + 1

    def hash(self, at: int) -> ScannedAction | None:
        """``hash(l4(0))``"""
        found = _HASH.match(self.text, at)
        return found and (Hash(HashAlgorithm(found[1]), _number(found[2], 32)), found.end())

    def sample(self, at: int) -> ScannedAction | None:
        """``sample(sample=12.5%,actions(...))``"""
        found = _SAMPLE.match(self.text, at)
        if found is None or float(found[1]) > 100:
            return None
        scanned = self.list_at(found.end())
        if scanned is None or not self.text.startswith(")", scanned[1]):
            return None
        probability = floor(_UINT32_ONES * (float(found[1]) / 100.0) + 0.5)
        return Sample(min(probability, _UINT32_ONES), scanned[0]), scanned[1] + 1

    def clone(self, at: int) -> ScannedAction | None:
        """``clone(...)``"""
        scanned = self.list_at(at + 1) if self._opens(at) else None
        return scanned and (Clone(scanned[0]), scanned[1])

    def check_pkt_len(self, at: int) -> ScannedAction | None:
        """``check_pkt_len(size=1500,gt(...),le(...))``"""
        found = _CHECK_PKT_LEN.match(self.text, at)
        greater = None if found is None else self.list_at(found.end())
        if found is None or greater is None or not self.text.startswith(",le(", greater[1]):
            return None
        less_equal = self.list_at(greater[1] + 4)
        if less_equal is None or not self.text.startswith(")", less_equal[1]):
            return None
        action = CheckPktLen(_number(found[1], 16), greater[0], less_equal[0])
        return action, less_equal[1] + 1

    def ct(self, at: int) -> ScannedAction | None:
        """``ct`` or ``ct(...)``"""
        return scan_ct(self.text, at)

    def userspace(self, at: int) -> ScannedAction | None:
        """``userspace(pid=0,...)``"""
        return scan_userspace(self.text, at + 1) if self._opens(at) else None

    def tnl_push(self, at: int) -> ScannedAction | None:
        """``tnl_push(...)``"""
        return scan_tnl_push(self.text, at)

    def push_nsh(self, at: int) -> ScannedAction | None:
        """``push_nsh(...)``"""
        return scan_push_nsh(self.text, at + 1) if self._opens(at) else None


_Method = Callable[[_Reader, int], ScannedAction | None]


def _number_action(make: Callable[[int], OdpAction]) -> _Method:
    """An action whose only argument is a number of 32 bits."""

    def method(reader: _Reader, at: int) -> ScannedAction | None:
        found = _ONE_NUMBER.match(reader.text, at)
        return found and (make(_number(found[1], 32)), found.end())

    return method


def _plain(action: OdpAction, arguments: str = "") -> _Method:
    """An action without arguments."""

    def method(reader: _Reader, at: int) -> ScannedAction | None:
        return (action, at + len(arguments)) if reader.text.startswith(arguments, at) else None

    return method


_PARTS = {part.value: part for part in KeyPart}

_METHODS: dict[str, _Method] = {
    "set": _Reader.set,
    "push_vlan": _Reader.push_vlan,
    "pop_vlan": _plain(PopVlan()),
    "push_mpls": _Reader.push_mpls,
    "add_mpls": _Reader.add_mpls,
    "pop_mpls": _Reader.pop_mpls,
    "push_eth": _Reader.push_eth,
    "pop_eth": _plain(PopEth()),
    "push_nsh": _Reader.push_nsh,
    "pop_nsh": _plain(PopNsh(), "()"),
    "push_pbb": _Reader.push_pbb,
    "pop_pbb": _plain(PopPbb()),
    "copy_ttl_out": _plain(CopyTtlOut()),
    "copy_ttl_in": _plain(CopyTtlIn()),
    "pad": _plain(Pad()),
    "tnl_push": _Reader.tnl_push,
    "tnl_pop": _number_action(lambda number: TnlPop(OdpPort(number))),
    "recirc": _number_action(Recirc),
    "hash": _Reader.hash,
    "sample": _Reader.sample,
    "ct": _Reader.ct,
    "ct_clear": _plain(CtClear()),
    "trunc": _number_action(Trunc),
    "clone": _Reader.clone,
    "meter": _number_action(Meter),
    "check_pkt_len": _Reader.check_pkt_len,
    "userspace": _Reader.userspace,
    DROP: _plain(Drop(DropCause.OK)),
}
