"""The spelling of steps that look at the rules and connections of a machine."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from vnet.linux.netfilter.tables import TABLES
from vnet.topology.schema.fields import Name
from vnet.topology.schema.parts import Part

_TABLES = ", ".join(sorted(TABLES))


class RulesFile(Part):
    """Reads what rules of iptables have counted."""

    machine: Name = Field(..., description="VM, host or router.")
    table: Literal["raw", "mangle", "nat", "filter", "security"] = Field(
        default="filter", description=f"A table: {_TABLES}."
    )
    chain: Name | None = Field(default=None, description="A chain of it; left out, all.")
    rule: Annotated[int, Field(ge=1)] | None = Field(
        default=None, description="The number of a rule of the chain; left out, all."
    )
    ipv6: bool = Field(default=False, description="Those of ip6tables(8).")


class ConntrackFile(Part):
    """Looks at the connections that a machine keeps track of."""

    machine: Name = Field(..., description="VM, host or router.")
    args: str = Field(
        default="",
        description="Which of them, in words of conntrack(8); with -D or -F they are deleted.",
        examples=["-p tcp --dport 80", "-s 10.0.0.1 --src-nat", "-D -p udp"],
    )
