"""The keys of quality of service on a port: columns of the tables QoS and Queue."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import Field, PlainValidator, WithJsonSchema

from vnet.base.text import quote
from vnet.topology.schema.ovs_values import SETTINGS, column_reader
from vnet.topology.schema.parts import Part
from vnet.topology.schema.values import RefusedError

MAX_QUEUE = 0xEFFF
"""The highest number of a queue of ``linux-htb``."""

_NUMBERS = ("min-rate", "max-rate", "burst", "priority")


def _settings(table: str) -> PlainValidator:
    """Settings, of which Open vSwitch would pass over numbers that are none in silence."""
    read = column_reader(table, "other_config")

    def judge(value: object) -> object:
        settings = read(value)
        assert isinstance(settings, Mapping)
        for name in _NUMBERS:
            text = settings.get(name, "0")
            if not re.fullmatch("[0-9]{1,19}", text, re.ASCII):
                raise RefusedError(
                    f"{name} wants a whole number, not {quote(text)}",
                    "rates are in bit/s, bursts in bits",
                )
        return settings

    return PlainValidator(judge)


_Dscp = Annotated[
    int | None,
    PlainValidator(column_reader("Queue", "dscp")),
    WithJsonSchema({"type": "integer", "minimum": 0, "maximum": 63}),
]
_QueueConfig = Annotated[
    Mapping[str, str],
    _settings("Queue"),
    WithJsonSchema(SETTINGS),
]
_QosConfig = Annotated[
    Mapping[str, str],
    _settings("QoS"),
    WithJsonSchema(SETTINGS),
]


def _number(key: str) -> int:
    """A key is text, whatever it looks like."""
    if not re.fullmatch("[0-9]{1,5}", key, re.ASCII) or int(key) > MAX_QUEUE:
        raise RefusedError(f"queues have numbers from 0 to {MAX_QUEUE}, not {quote(key)}")
    return int(key)


class QueueFile(Part):
    """One queue of a port."""

    dscp: _Dscp = Field(
        default=None, description="The DSCP that packets get which leave by the queue."
    )
    other_config: _QueueConfig = Field(
        default={},
        description="Rates in bit/s, a burst in bits, and whose turn is sooner (0 first).",
        examples=[{"min-rate": 1_000_000, "max-rate": 5_000_000, "burst": 80_000, "priority": 1}],
    )


class QosFile(Part):
    """How a port shapes what it sends."""

    type: Literal["linux-htb", "linux-noop"] = Field(
        default="linux-htb",
        description="'linux-htb' shares the port's rate among queues; 'linux-noop' does nothing.",
    )
    other_config: _QosConfig = Field(
        default={},
        description="The rate of all queues together, in bit/s.",
        examples=[{"max-rate": 10_000_000}],
    )
    queues: dict[Annotated[int, PlainValidator(_number)], QueueFile | None] = Field(
        default={},
        description="The queues by number; flows choose one with set_queue or enqueue, and "
        "take queue 0 otherwise.",
    )
