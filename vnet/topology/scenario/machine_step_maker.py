"""Steps about one machine: what it is told, and what it says of itself."""

from __future__ import annotations

from typing import Any

from vnet.base.text import quote
from vnet.topology.expansion.sysctls import check_settings
from vnet.topology.model import Endpoint
from vnet.topology.reading.report import Path
from vnet.topology.scenario.admin_steps import IptablesStep, SysctlStep, iptables_words
from vnet.topology.scenario.dhcp_steps import DhcpStep
from vnet.topology.scenario.group_steps import MembershipStep
from vnet.topology.scenario.step_maker import Common, StepMaker
from vnet.topology.steps import CountersStep, Step, TcStep


class MachineStepMaker(StepMaker):
    """Makes them."""

    def make_dhcp(self, given: Any, path: Path, common: Common) -> Step | None:
        if not self.names.machine(given.vm, (*path, "vm")):
            return None
        if given.device is not None:
            end = Endpoint(given.vm, given.device)
            if not self.names.directory.has_device(end, (*path, "device")):
                return None
        return DhcpStep(*common, given.vm, given.action, given.device)

    def make_iptables(self, given: Any, path: Path, common: Common) -> Step | None:
        if not self.names.machine(given.machine, (*path, "machine")):
            return None
        family, here = 6 if given.ipv6 else 4, (*path, "commands")
        commands = iptables_words(given.commands, family, here, self.report)
        return IptablesStep(*common, given.machine, family, commands)

    def make_sysctl(self, given: Any, path: Path, common: Common) -> Step | None:
        known = self.names.machine(given.machine, (*path, "machine"))
        if not known or not check_settings((*path, "set"), given.set, self.report):
            return None
        return SysctlStep(*common, given.machine, dict(given.set))

    def make_rules(self, given: Any, path: Path, common: Common) -> Step | None:
        from vnet.topology.scenario.netfilter_steps import RulesStep

        if not self.names.machine(given.machine, (*path, "machine")):
            return None
        if given.rule is not None and given.chain is None:
            what = "rules are numbered in their chain"
            self.report.add((*path, "rule"), what, "say which 'chain'")
            return None
        family = 6 if given.ipv6 else 4
        return RulesStep(*common, given.machine, family, given.table, given.chain, given.rule)

    def make_conntrack(self, given: Any, path: Path, common: Common) -> Step | None:
        from vnet.topology.scenario.netfilter_steps import ConntrackStep, words_of_conntrack

        known = self.names.machine(given.machine, (*path, "machine"))
        words = words_of_conntrack(given, path, self.report)
        if not known or words is None:
            return None
        return ConntrackStep(*common, given.machine, words)

    def make_counters(self, given: Any, path: Path, common: Common) -> Step | None:
        known = self.has_real_device(given.device, (*path, "device"))
        return CountersStep(*common, given.device) if known else None

    def make_tc(self, given: Any, path: Path, common: Common) -> Step | None:
        # Files without queues do without all that they are made of.
        from vnet.linux.tc.handles import parse_handle
        from vnet.topology.expansion.queues import check_command

        known = self.has_real_device(given.device, (*path, "device"))
        if given.command is not None:
            known &= check_command((*path, "command"), given.command, self.report)
        handle = 0
        if given.handle is not None:
            try:
                handle = parse_handle(given.handle)
                if given.handle.partition(":")[2]:
                    raise ValueError(given.handle)
            except ValueError:
                what = f"{quote(given.handle)} is no handle of a qdisc"
                self.report.add((*path, "handle"), what, "for example '1:'; '1:10' is a class")
                known = False
        return TcStep(*common, given.device, given.command, handle) if known else None

    def make_join(self, given: Any, path: Path, common: Common) -> Step | None:
        name, device = given.machine
        here = (*path, "machine")
        known = self.names.machine(name, here)
        if known and device is not None:
            known = self.has_real_device(Endpoint(name, device), here)
        joins = path[-1] == "join"
        return MembershipStep(*common, name, device, given.group, joins) if known else None

    make_leave = make_join
