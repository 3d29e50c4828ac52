"""What the rows of a configuration have in common, and how their settings by name are read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field, fields

from vnet.base.record import record
from vnet.ovs.flow.tokens import c_decimal


def setting_number(settings: Mapping[str, str], name: str, default: int) -> int:
    """A decimal number of ``other_config``; ``default`` where it is missing or no number."""
    number = c_decimal(settings.get(name, ""))
    return default if number is None else number


def setting_truth(settings: Mapping[str, str], name: str, default: bool) -> bool:
    """A truth value of ``other_config``; any word but the opposite means ``default``."""
    word = settings.get(name, "").lower()
    return word == "true" if not default else word != "false"


@record(frozen=True, slots=True)
class Row:
    """A row of the configuration. What its columns may hold is the database's to say.

    ``identity`` stays what it is while a row is changed: of two rows with the same columns the
    database still knows which is which.
    """

    identity: object = field(default_factory=object, kw_only=True, compare=False, repr=False)


def columns_of(row_type: type[Row]) -> list[str]:
    """The names of the columns of a table."""
    return [member.name for member in fields(row_type) if member.name != "identity"]
