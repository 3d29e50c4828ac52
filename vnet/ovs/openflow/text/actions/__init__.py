"""Actions and instructions: their text and their rules."""

from vnet.ovs.openflow.text.actions.checking import (
    CheckedActions,
    check_actions,
    check_consistency,
)
from vnet.ovs.openflow.text.actions.printing import actions_text
from vnet.ovs.openflow.text.actions.reading import (
    ParsedActions,
    parse_actions,
    parse_instructions,
)

__all__ = [
    "CheckedActions",
    "ParsedActions",
    "actions_text",
    "check_actions",
    "check_consistency",
    "parse_actions",
    "parse_instructions",
]
