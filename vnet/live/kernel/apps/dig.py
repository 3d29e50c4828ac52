"""dig(1), the program itself, and what it prints read back."""

from __future__ import annotations

import re
from typing import Any

from vnet.base.ids import ip_text
from vnet.base.units import NS_PER_S
from vnet.guest.apps.dns.names import type_text
from vnet.live.kernel.apps.program import LiveProgram
from vnet.live.kernel.machine import LiveMachine
from vnet.topology.scenario.name_steps import DnsStep

_STATUS = re.compile(r"status: (\w+)")
_FLAGS = re.compile(r";; flags: ([a-z ]*);.* ANSWER: (\d+)")
_TIME = re.compile(r";; Query time: (\d+) msec")
_ANSWERS = ";; ANSWER SECTION:\n"
_DATA_COLUMN = 4


class LiveDig(LiveProgram):
    """Asks the DNS server at ``server``, as ``step`` says."""

    def __init__(self, machine: LiveMachine, server: bytes, step: DnsStep) -> None:
        options = [f"+tries={step.tries}", f"+time={max(1, step.timeout_ns // NS_PER_S)}"]
        options += ["+tcp"] if step.tcp else ["+notcp"]
        options += [f"+bufsize={step.size_bytes}"] if step.edns else ["+noedns"]
        where = f"@{ip_text(server)}"
        super().__init__(machine, ["dig", where, step.name, type_text(step.kind), *options])

    def seen(self) -> dict[str, Any]:
        status, flags, time = (p.search(self.text) for p in (_STATUS, _FLAGS, _TIME))
        _, found, rest = self.text.partition(_ANSWERS)
        lines = rest.partition("\n\n")[0].splitlines() if found else []
        data = [" ".join(line.split()[_DATA_COLUMN:]) for line in lines]
        seen: dict[str, Any] = {
            "received": int(status is not None),
            "status": "none" if status is None else status[1],
            "answers": len(data),
            "data": ", ".join(data),
        }
        if flags is not None:
            seen["authoritative"] = "aa" in flags[1].split()
        return seen if time is None else {**seen, "time_ms": int(time[1])}

    def remarks(self) -> list[str]:
        lines = self.text.splitlines()
        return [line.strip("; ") for line in lines if "timed out" in line or "refused" in line]
