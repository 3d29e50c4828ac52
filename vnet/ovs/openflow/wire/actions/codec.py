"""Lists of actions, to bytes and back."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from vnet.ovs.openflow.errors import OpenFlowError
from vnet.ovs.openflow.ofpacts import (
    ClearActions,
    Clone,
    Ct,
    GotoTable,
    Meter,
    Ofpact,
    Ofpacts,
    SetField,
    WriteActions,
    WriteMetadata,
)
from vnet.ovs.openflow.version import OpenFlowVersion
from vnet.ovs.openflow.wire.actions import (
    choice,
    controller,
    encap,
    fields,
    header,
    learn,
    metadata,
    moves,
    mpls,
    nat,
    nests,
    openflow_full,
    output,
    tables,
    vlan,
)
from vnet.ovs.openflow.wire.actions.form import (
    ALIGNMENT_BYTES,
    EXPERIMENTER_TYPE,
    EXTENSION,
    HEADER,
    OF10,
    OF12,
    OF15,
    STANDARD,
    VENDORS,
    Decode,
    Encode,
    Form,
)
from vnet.ovs.openflow.wire.actions.older import older_actions
from vnet.ovs.openflow.wire.actions.reading import Reading
from vnet.ovs.openflow.wire.actions.refusals import note_bad_action, refusal

_FAMILIES = (
    output.FAMILY,
    controller.FAMILY,
    choice.FAMILY,
    vlan.FAMILY,
    header.FAMILY,
    mpls.FAMILY,
    moves.FAMILY,
    encap.FAMILY,
    metadata.FAMILY,
    tables.FAMILY,
    learn.FAMILY,
    nat.FAMILY,
)


# -- reading


class _Place(NamedTuple):
    """What is known of an action by its number."""

    name: str
    least_bytes: int
    greatest_bytes: int
    body_start: int
    decode: Decode


_Places = dict[tuple[int, int], _Place]
"""By vendor and type, of one version."""


def _places(forms: Iterable[Form]) -> tuple[_Places, ...]:
    """For each version, at its number."""
    places: tuple[_Places, ...] = tuple({} for _ in range(max(OpenFlowVersion) + 1))
    for form in forms:
        for version, number in form.numbers.items():
            place = _Place(
                form.name, *form.length_range(version), form.body_start(version), form.decode
            )
            places[version][number] = place
    return places


_FORMS = [*(form for family in _FAMILIES for form in family.forms), *fields.FORMS, *nests.FORMS]
_PLACES = _places(_FORMS)
_FULL_PLACES = _places((*_FORMS, *openflow_full.FAMILY.forms))
"""What is known to who speaks OpenFlow whole."""


def decode_list(data: bytes, reading: Reading) -> Ofpacts:
    """The actions of ``data``, to its end. Raises :class:`OpenFlowError`."""
    actions = []
    offset, end = 0, len(data)
    places = (_FULL_PLACES if reading.openflow_full else _PLACES)[reading.version]
    try:
        while offset < end:
            kind, length, vendor, subtype = _head(data, offset, end)
            place = places.get((vendor, subtype if vendor else kind))
            if place is None:
                raise _unknown(vendor, subtype if vendor else kind, reading.version)
            _, least_bytes, greatest_bytes, body_start, decode = place
            following = offset + length
            if (
                following > end
                or not least_bytes <= length <= greatest_bytes
                or length % ALIGNMENT_BYTES
            ):
                raise _wrong_length(place, length, end - offset)
            actions.append(decode(data[offset + body_start : following], reading))
            offset = following
    except OpenFlowError as error:
        note_bad_action(error, data, offset)
        raise
    return tuple(actions)


def _head(data: bytes, offset: int, end: int) -> tuple[int, int, int, int]:
    """Type, length, vendor and subtype of the action at ``offset``."""
    if end - offset < ALIGNMENT_BYTES:
        raise OpenFlowError("OFPBAC_BAD_LEN")
    kind, length = HEADER.unpack_from(data, offset)
    if kind != EXPERIMENTER_TYPE:
        return kind, length, STANDARD, 0
    vendor = int.from_bytes(data[offset + HEADER.size : offset + ALIGNMENT_BYTES], "big")
    if vendor not in VENDORS:
        text = f"OpenFlow action has unknown vendor {vendor:#x}"
        raise refusal("OFPBAC_BAD_VENDOR", text)
    if end - offset < 2 * ALIGNMENT_BYTES:
        raise OpenFlowError("OFPBAC_BAD_LEN")
    return EXTENSION.unpack_from(data, offset)


def _unknown(vendor: int, kind: int, version: OpenFlowVersion) -> OpenFlowError:
    shown = f"{vendor:#x}" if vendor else "0"
    text = f"unknown OpenFlow1{version - 1} action for vendor {shown} and type {kind}"
    return refusal("OFPBAC_BAD_VENDOR_TYPE" if vendor else "OFPBAC_BAD_TYPE", text)


def _wrong_length(place: _Place, length: int, n_left: int) -> OpenFlowError:
    if length > n_left:
        what = f"exceeds action buffer length {n_left}"
    elif not place.least_bytes <= length <= place.greatest_bytes:
        what = f"not in valid range [{place.least_bytes},{place.greatest_bytes}]"
    else:
        what = f"is not a multiple of {ALIGNMENT_BYTES}"
    return refusal("OFPBAC_BAD_LEN", f"OpenFlow action {place.name} length {length} {what}")


# -- writing


def encode_list(actions: Ofpacts, version: OpenFlowVersion) -> bytes:
    """Actions, one after the other. Raises :class:`OpenFlowError` for what cannot be said."""
    return b"".join([_ENCODERS[type(action)](action, version) for action in actions])


def _encode_set_field(action: SetField, version: OpenFlowVersion) -> bytes:
    if version < OF15:
        if action.is_load or action.form > 1:
            return fields.encode_loads(action, version)
        if version < OF12:
            older = older_actions(action, version)
            return encode_list(older, version) if older else fields.encode_loads(action, version)
        if action.mask != action.field.ones:
            return fields.encode_loads(action, version)
    return fields.encode_set_field(action, version)


def _encode_instruction(action: Ofpact, version: OpenFlowVersion) -> bytes:
    """An instruction where only actions may stand. OpenFlow 1.0 has actions for some, and leaves
    out the others.
    """
    match action:
        case Meter():
            return tables.encode_meter(action, version)
        case _ if version > OF10:
            raise OpenFlowError("OFPBIC_UNSUP_INST")
        case GotoTable():
            return tables.resubmit_for_goto(action, version)
        case WriteMetadata():
            return tables.metadata_action(action, version)
        case _:
            return b""


_INSTRUCTIONS = (Meter, ClearActions, WriteActions, WriteMetadata, GotoTable)


def _encode_ct(action: Ct, version: OpenFlowVersion) -> bytes:
    return nests.encode_ct(action, encode_list(action.actions, version), version)


def _encode_clone(action: Clone, version: OpenFlowVersion) -> bytes:
    return nests.encode_clone(encode_list(action.actions, version), version)


_ENCODERS: dict[type[Ofpact], Encode] = {
    kind: encode
    for family in (*_FAMILIES, openflow_full.FAMILY)
    for kind, encode in family.encoders.items()
}
_ENCODERS |= {SetField: _encode_set_field, Ct: _encode_ct, Clone: _encode_clone}
_ENCODERS |= dict.fromkeys(_INSTRUCTIONS, _encode_instruction)
