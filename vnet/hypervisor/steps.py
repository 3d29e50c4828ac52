"""What a host's start-up scripts did, one line a step, in the words of ip(8) and brctl(8)."""

from __future__ import annotations

from typing import NamedTuple


class ScriptStep(NamedTuple):
    """``script`` is who did it: ``network-bridge``, ``vif-bridge``; ``command`` is what."""

    host: str
    script: str
    command: str

    def __str__(self) -> str:
        return f"{self.host}: {self.script}: {self.command}"
