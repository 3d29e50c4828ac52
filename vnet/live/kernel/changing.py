"""What steps change of a machine besides its traffic: rules and settings."""

from __future__ import annotations

from typing import Any

from vnet.base.errors import VnetError
from vnet.live.kernel import namespaces, sysctls
from vnet.live.kernel.machine import LiveMachine
from vnet.live.kernel.programs import run_program
from vnet.topology.scenario.admin_steps import IptablesStep, SysctlStep


def change_rules(machine: LiveMachine, step: IptablesStep) -> dict[str, Any]:
    """Run iptables(8) for each command. Raises :class:`VnetError` with what it complains of."""
    program = "iptables" if step.family == 4 else "ip6tables"
    for words in step.commands:
        with namespaces.inside(machine.namespace):
            done = run_program([program, "-w", *words])
        if done.returncode:
            raise VnetError(done.stderr.strip())
    return {"commands": len(step.commands)}


def change_settings(machine: LiveMachine, step: SysctlStep) -> dict[str, Any]:
    """sysctl(8). Raises :class:`VnetError` where the kernel has no such setting, or refuses."""
    with namespaces.inside(machine.namespace):
        for complaint in sysctls.apply(step.values, frozenset(step.values)):
            raise VnetError(complaint)
    return {"settings": len(step.values)}
