"""A field of a flow: what ovs-fields(7) says about one, and what can be done with it."""

from __future__ import annotations

from collections.abc import Callable
from copy import copy
from enum import Enum
from functools import cache

from vnet.ovs.flow.address_text import prefix_length
from vnet.ovs.flow.errors import OvsTextError
from vnet.ovs.flow.field_access import TunMetadata, access_of, plain_shift
from vnet.ovs.flow.field_headers import EXPERIMENTER_CLASS, Header
from vnet.ovs.flow.field_rules import is_valid
from vnet.ovs.flow.field_table import Row
from vnet.ovs.flow.flow import Flow
from vnet.ovs.flow.names import NO_NAMES, Names
from vnet.ovs.flow.prerequisites import PREDICATES, Prerequisite, ct_match_is_valid
from vnet.ovs.flow.protocols import (
    P_ANY,
    P_NONE,
    P_NXM_OF11_UP,
    P_NXM_OXM_ANY,
)
from vnet.ovs.flow.value_text import FORMATS

_OF_PIPELINE = ("tun_", "reg", "xreg", "xxreg", "metadata", "in_port", "packet_type")
_NOT_OF_PIPELINE = ("tun_ttl", "tun_tos")


class Maskable(Enum):
    """How a match may mask a field."""

    NONE = "no"
    FULLY = "bits"


class Field:
    """One field. Compared by identity: each exists once, in :data:`vnet.ovs.flow.fields.FIELDS` or,
    where Open vSwitch lacks it, in :data:`vnet.ovs.flow.fields.FULL_FIELDS`; tunnel options once
    for each length that they may have (:meth:`mapped`).

    A value is an integer of ``n_bytes`` bytes of which the lower ``n_bits`` count; a mask of
    ``ones`` (all ``8 * n_bytes`` bits) is an exact match, 0 is none.
    """

    __slots__ = (
        "_access",
        "_codec",
        "_prerequisite_test",
        "alias",
        "format_name",
        "get",
        "headers",
        "is_maskable",
        "is_set",
        "is_tun_metadata",
        "is_wild",
        "maskable",
        "n_bits",
        "n_bytes",
        "name",
        "number",
        "ones",
        "plain_shift",
        "prerequisite",
        "put",
        "tracks_prefixes",
        "usable_bitwise",
        "usable_cidr",
        "usable_exact",
        "writable",
        "writable_in_full",
    )

    tracks_prefixes: bool
    """Whether a flow table may keep a trie of its prefixes (Flow_Table:prefixes)."""
    is_tun_metadata: bool
    """Whether it is one of the 64 tunnel options, which have no place until one is mapped."""
    plain_shift: int | None
    """Its lowest bit in a flow, if it is a plain run of them to whoever reads or matches it."""
    get: Callable[[Flow], int]
    """The field's value in a flow that meets the prerequisites (mf_get_value)."""
    put: Callable[[Flow, int], None]
    """Write the field in a flow that meets the prerequisites (mf_set_flow_value)."""
    is_set: Callable[[Flow], bool]
    """Whether a flow has a value other than 0 (mf_is_set)."""
    is_wild: Callable[[Flow], bool]
    """Whether a mask ignores the field (mf_is_all_wild)."""

    def __init__(self, number: int, row: Row, headers: tuple[Header, ...]) -> None:
        self.number = number
        self.name = row.name
        self.alias = "" if row.alias == "-" else row.alias
        self.n_bytes = row.n_bytes
        self.n_bits = row.n_bits
        self.ones = (1 << 8 * row.n_bytes) - 1
        self.maskable = Maskable(row.masking)
        self.is_maskable = self.maskable is Maskable.FULLY
        self.writable = row.access == "rw"
        self.writable_in_full = row.access != "ro"
        self.tracks_prefixes = row.prefix == "prefix"
        self.format_name = row.format.replace("_", " ")
        self.prerequisite = Prerequisite(row.prerequisite.replace("_", " "))
        self.headers = headers
        self.usable_exact, self.usable_cidr, self.usable_bitwise = _usable(row, headers)
        self._codec = FORMATS[row.format](row.name, row.n_bytes)
        self._prerequisite_test = PREDICATES[self.prerequisite]
        self._access = access_of(row.name)
        self.plain_shift = plain_shift(self._access)
        self.is_tun_metadata = isinstance(self._access, TunMetadata)
        self.get = self._access.get
        self.put = self._access.put
        self.is_set = self._access.is_set
        self.is_wild = self._access.is_wild

    def __repr__(self) -> str:
        return f"Field({self.name})"

    def mapped(self, n_bytes: int) -> Field:
        """The tunnel option as a switch has it that has mapped ``n_bytes`` for it: one for each
        length."""
        return _mapped(self, n_bytes)

    @property
    def is_of_pipeline(self) -> bool:
        """Whether it is of a switch's making and not of the packet, and a controller may set it
        of a packet that it sends (mf_is_pipeline_field)."""
        return self.name.startswith(_OF_PIPELINE) and self.name not in _NOT_OF_PIPELINE

    # -- flows

    def put_masked(self, flow: Flow, value: int, mask: int) -> None:
        """Write the bits of ``mask`` (mf_set_flow_value_masked)."""
        self.put(flow, self.get(flow) & ~mask | value & mask)

    def are_prereqs_ok(self, flow: Flow, wc: Flow | None = None) -> bool:
        """Whether a packet's flow meets the prerequisites; what was looked at is set in ``wc``."""
        return self._prerequisite_test(flow, wc)

    def are_match_prereqs_ok(self, flow: Flow, mask: Flow) -> bool:
        """Whether a match, ``flow`` under ``mask``, meets the prerequisites."""
        if self.prerequisite is Prerequisite.CT:
            return ct_match_is_valid(flow, mask)
        return self._prerequisite_test(flow, None)

    def unwildcard(self, wc: Flow, mask: int | None = None) -> None:
        """Set the field's bits, or those of ``mask``, in a mask (mf_mask_field_masked)."""
        self._access.unwildcard(wc, self.ones if mask is None else mask)

    # -- matches

    def set_match(self, flow: Flow, mask: Flow, value: int, value_mask: int) -> int:
        """Make a match, ``flow`` under ``mask``, demand ``value`` under ``value_mask`` (mf_set).

        Returns the protocols that can express it. Tunnel options are the builder's business.
        """
        if value_mask == self.ones:
            self._access.match(flow, mask, value)
            return self.usable_exact
        if value_mask == 0:
            self._access.unmatch(flow, mask)
            return P_ANY
        if not self.is_maskable:
            return P_NONE
        self._access.match_masked(flow, mask, value, value_mask)
        return self.usable_masked(value_mask)

    def usable_masked(self, mask: int) -> int:
        """The protocols that can express a match under this mask."""
        first_word = mask >> max(0, 8 * self.n_bytes - 32)
        if self.usable_bitwise != self.usable_cidr and prefix_length(first_word, 32) is None:
            return self.usable_bitwise
        return self.usable_cidr

    def is_mask_valid(self, mask: int) -> bool:
        """Whether the field can be matched under ``mask``."""
        return self.is_maskable or mask in (0, self.ones)

    def may_be_set(self, openflow_full: bool) -> bool:
        """Whether actions may write the field, on a bridge that speaks OpenFlow whole or not."""
        return self.writable_in_full if openflow_full else self.writable

    def is_value_valid(self, value: int) -> bool:
        """Whether it makes sense to test for ``value``, alone or under a mask."""
        return is_valid(self.name, value)

    # -- text

    def parse_value(self, text: str, names: Names = NO_NAMES) -> tuple[int, int]:
        """The value and mask that ``text`` says; ``*`` is any value (mf_parse)."""
        if text == "*":
            return 0, 0
        value, mask = self._codec.parse(text, names)
        if not self.is_mask_valid(mask):
            raise OvsTextError(f"{text}: invalid mask for field {self.name}")
        return value, mask

    def parse_exact(self, text: str, names: Names = NO_NAMES) -> int:
        """The value that ``text`` says, for places where no mask may stand (mf_parse_value)."""
        value, mask = self.parse_value(text, names)
        if mask != self.ones:
            raise OvsTextError(f"{text}: wildcards not allowed here")
        return value

    def format(self, value: int, mask: int | None = None, names: Names = NO_NAMES) -> str:
        """``VALUE`` or ``VALUE/MASK`` (mf_format); ``ANY`` where the mask is empty."""
        if mask == 0:
            return "ANY"
        return self._codec.text(value, self.ones if mask is None else mask, names)

    # -- headers

    def header(self, of_version: int = 0) -> Header | None:
        """The NXM or OXM header for an OpenFlow version (4 for 1.3), None if it has none.

        With 0, an extension is preferred to anything standard.
        """
        chosen: Header | None = None
        for header in self.headers:
            if chosen is None or of_version >= header.of_version:
                chosen = header
        return chosen

    @property
    def nxm_name(self) -> str:
        """Its name where actions write a part of a field, such as ``NXM_OF_IN_PORT``."""
        header = self.header()
        return self.name if header is None else header.name


def header_bytes(header: Header) -> int:
    """How many bytes precede the value on the wire: experimenters add their identifier."""
    return 8 if header.header_class.number == EXPERIMENTER_CLASS else 4


def has_short_header(field: Field) -> bool:
    """Whether 32 bits can name the field, as old actions must."""
    header = field.header()
    return header is not None and header_bytes(header) == _SHORT_HEADER_BYTES


_SHORT_HEADER_BYTES = 4
_ANY_VERSION = ("dl_vlan", "dl_vlan_pcp")
"""Not in OXM, but every protocol has another field that says the same."""


def _usable(row: Row, headers: tuple[Header, ...]) -> tuple[int, int, int]:
    """The protocols for an exact match, one under a CIDR mask, and one under any mask."""
    of10, of11, oxm = row.of10 != "-", row.of11 != "-", bool(headers)
    if row.name in _ANY_VERSION:
        of10 = of11 = oxm = True
    exact = _protocols(of10, of11, oxm)
    if row.masking == "no":
        return exact, P_NONE, P_NONE
    cidr = _protocols(row.of10 == "CIDR", row.of11 == "bits", oxm)
    return exact, cidr, _protocols(False, row.of11 == "bits", oxm)


def _protocols(of10: bool, of11: bool, oxm: bool) -> int:
    if of10:
        return P_ANY
    if of11:
        return P_NXM_OF11_UP
    return P_NXM_OXM_ANY if oxm else P_NONE


@cache
def _mapped(option: Field, n_bytes: int) -> Field:
    mapped = copy(option)
    mapped.n_bytes, mapped.n_bits = n_bytes, 8 * n_bytes
    mapped.ones = (1 << mapped.n_bits) - 1
    return mapped
