"""What has been chosen where there are several ways to do the same."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(slots=True)
class Choices:
    """Which code carries out actions, and which one looks up (``odp-execute/...``,
    ``dpif-netdev/subtable-lookup-...``). They are remembered, and make no difference here."""

    action_code: str = "scalar"
    priorities: dict[str, int] = field(default_factory=lambda: {"autovalidator": 0, "generic": 1})
