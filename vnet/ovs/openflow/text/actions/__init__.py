"""Actions and instructions: their text, their rules, and their way to a switch."""

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
from vnet.ovs.openflow.text.actions.sending import as_sent, as_sent_outside_flows

__all__ = [
    "CheckedActions",
    "ParsedActions",
    "actions_text",
    "as_sent",
    "as_sent_outside_flows",
    "check_actions",
    "check_consistency",
    "parse_actions",
    "parse_instructions",
]
