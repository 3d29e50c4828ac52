"""What a translation says about itself when it is traced: a tree of remarks.

``ofproto/trace`` prints it and the lab's trace shows it. Each node is one line; the kinds say
how it is printed and what may stand below it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum, auto


class NodeKind(Enum):
    """What a line of a trace is about."""

    BRIDGE = auto()  # a packet enters a bridge
    TABLE = auto()  # a rule, or that none matches
    BUCKET = auto()  # a bucket of a group
    THAW = auto()  # what a recirculated packet resumes with
    ACTION = auto()  # one action, as text
    DETAIL = auto()  # something to know about the action above
    WARN = auto()  # something that a user would not expect
    ERROR = auto()  # something that went wrong


@dataclass(slots=True)
class TraceNode:
    """One line, and the lines below it. The text has no prefix of its kind."""

    kind: NodeKind
    text: str
    children: list[TraceNode] = field(default_factory=list)


Trace = list[TraceNode]
