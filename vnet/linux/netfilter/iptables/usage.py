"""What iptables says for ``-h``."""

from __future__ import annotations

from vnet.linux.netfilter.xtables.errors import VERSION

_COMMANDS = """\
Usage: {program} -[ACD] chain rule-specification [options]
       {program} -I chain [rulenum] rule-specification [options]
       {program} -R chain rulenum rule-specification [options]
       {program} -D chain rulenum [options]
       {program} -[LS] [chain [rulenum]] [options]
       {program} -[FZ] [chain] [options]
       {program} -[NX] chain
       {program} -E old-chain-name new-chain-name
       {program} -P chain target [options]
       {program} -h (print this help information)
"""


def usage(program: str) -> str:
    """The forms of its commands."""
    return f"{program} v{VERSION}\n\n{_COMMANDS.format(program=program)}"
