"""The keys ``iptables`` and ``ip6tables``: a text of iptables-save, or tables as maps."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import PlainValidator, WithJsonSchema

from vnet.linux.netfilter.tables import TABLES
from vnet.topology.schema.values import RefusedError, kind_of

_RULES: dict[str, Any] = {
    "type": "array",
    "description": "Each rule is words of iptables, or a map of its options by their long names.",
    "items": {"type": ["string", "object"]},
}
_CHAIN: dict[str, Any] = {
    "type": ["array", "object", "null"],
    "items": _RULES["items"],
    "properties": {"policy": {"enum": ["ACCEPT", "DROP"]}, "rules": _RULES},
    "additionalProperties": False,
}
_SCHEMA: dict[str, Any] = {
    "type": ["string", "object"],
    "propertyNames": {"enum": list(TABLES)},
    "additionalProperties": {"type": ["object", "null"], "additionalProperties": _CHAIN},
}


def _judge(value: object) -> object:
    """Text or a map; what is in it is judged with its places."""
    if isinstance(value, str | Mapping):
        return value
    raise RefusedError(
        f"wants rules, not {kind_of(value)}",
        "a text as iptables-save prints it, or tables: 'nat: {POSTROUTING: [-j MASQUERADE]}'",
    )


FirewallRules = Annotated[
    str | Mapping[str, Any] | None, PlainValidator(_judge), WithJsonSchema(_SCHEMA)
]
