"""Refusals of actions, with what Open vSwitch's log says of them."""

from __future__ import annotations

from vnet.ovs.flow.fields import Field, Subfield
from vnet.ovs.openflow.errors import OpenFlowError

_ROW_BYTES = 16
_HALF_ROW_BYTES = 8
_MOST_WARNINGS = 5


def refusal(name: str, text: str, module: str = "ofp_actions") -> OpenFlowError:
    """The error ``name``, of which the log says ``text``."""
    return OpenFlowError(name, warning=(module, text))


def wrong_range(part: Subfield, n_bits: int, kind: str) -> OpenFlowError:
    """A part of a field, ``source`` or ``destination``, does not lie within its ``n_bits``."""
    name = part.field.name
    if not part.n_bits:
        text = f"zero bit {kind} field {name}"
    elif part.offset >= n_bits:
        text = f"bit offset {part.offset} exceeds {n_bits}-bit width of {kind} field {name}"
    else:
        text = (
            f"bit offset {part.offset} and width {part.n_bits} exceeds {n_bits}-bit width of "
            f"{kind} field {name}"
        )
    return refusal("OFPBAC_BAD_SET_LEN", text, "meta_flow")


def not_writable(field: Field, module: str = "ofp_actions") -> OpenFlowError:
    """The field can only be read."""
    text = f"destination field {field.name} is not writable"
    return refusal("OFPBAC_BAD_SET_ARGUMENT", text, module)


def note_bad_action(error: OpenFlowError, data: bytes, offset: int) -> None:
    """Have the log say as well where in a list the action stands, and show the list. Of lists
    within lists the innermost are enough: a log takes no more at once.
    """
    if len(error.warnings) >= _MOST_WARNINGS:
        return
    text = f"bad action at offset {offset} ({error.name}):\n{_hex_dump(data)}"
    error.warnings.append(("ofp_actions", text))


def _hex_dump(data: bytes) -> str:
    rows = []
    for start in range(0, len(data), _ROW_BYTES):
        row = data[start : start + _ROW_BYTES]
        first, second = row[:_HALF_ROW_BYTES], row[_HALF_ROW_BYTES:]
        rows.append(f"{start:08x}  {first.hex(' ')}-{second.hex(' ')}")
    return "\n".join(rows)
