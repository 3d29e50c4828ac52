"""``bond/...`` and ``lacp/...``: links that are used as one."""

from __future__ import annotations

from collections.abc import Sequence

from vnet.ovs.ofproto.bond import commands
from vnet.ovs.ofproto.dump.bonds import dump_bond_details, dump_bonds
from vnet.ovs.ofproto.dump.lacp import dump_lacp, dump_lacp_stats
from vnet.ovs.vswitchd.reconcile import Vswitchd


def list_bonds(vswitchd: Vswitchd, _words: Sequence[str]) -> str:
    """``bond/list``."""
    return "\n".join(dump_bonds(vswitchd.backer))


def show(vswitchd: Vswitchd, words: Sequence[str]) -> str:
    """``bond/show [port]``."""
    vswitchd.backer.revalidator.push_stats()
    return "\n".join(dump_bond_details(vswitchd.backer, *words))


def set_active_member(vswitchd: Vswitchd, words: Sequence[str]) -> str:
    """``bond/set-active-member port member``."""
    return _settled(vswitchd, commands.set_active_member(vswitchd.backer, *words))


def migrate(vswitchd: Vswitchd, words: Sequence[str]) -> str:
    """``bond/migrate port hash member``."""
    return _settled(vswitchd, commands.migrate(vswitchd.backer, *words))


def enable_member(vswitchd: Vswitchd, words: Sequence[str]) -> str:
    """``bond/enable-member port member``."""
    return _settled(vswitchd, commands.enable_member(vswitchd.backer, *words))


def disable_member(vswitchd: Vswitchd, words: Sequence[str]) -> str:
    """``bond/disable-member port member``."""
    return _settled(vswitchd, commands.disable_member(vswitchd.backer, *words))


def hash_of(_vswitchd: Vswitchd, words: Sequence[str]) -> str:
    """``bond/hash mac [vlan] [basis]``."""
    return commands.bond_hash(*words)


def lacp_show(vswitchd: Vswitchd, words: Sequence[str]) -> str:
    """``lacp/show [port]``."""
    return "\n".join(dump_lacp(vswitchd.backer, *words))


def lacp_show_stats(vswitchd: Vswitchd, words: Sequence[str]) -> str:
    """``lacp/show-stats [port]``."""
    return "\n".join(dump_lacp_stats(vswitchd.backer, *words))


def _settled(vswitchd: Vswitchd, reply: str) -> str:
    """The reply, once what was commanded is in force."""
    vswitchd.backer.revalidator.settle()
    return reply
