"""The queues that a port sends by: how they are set up, and what they have sent."""

from __future__ import annotations

from collections.abc import Mapping

from vnet.sim.qdisc.htb import Htb
from vnet.sim.qdisc.qdisc import QueueStats


class PortQueues:
    """A discipline of kind ``qos_type``. ``settings`` are those of the port as a whole, ``queues``
    those of each queue, as ``qos/show`` lists them: by name, in its order. ``created_ns`` is since
    when there is each queue.
    """

    def __init__(self, qos_type: str, qdisc: Htb) -> None:
        self.qos_type = qos_type
        self.qdisc = qdisc
        self.settings: dict[str, str] = {}
        self.queues: dict[int, dict[str, str]] = {}
        self.created_ns: dict[int, int] = {}

    def configure(
        self, settings: dict[str, str], queues: Mapping[int, dict[str, str]], now_ns: int
    ) -> None:
        """Take over what the discipline was set up with."""
        self.settings = settings
        self.queues = dict(sorted(queues.items()))
        self.created_ns = {queue: self.created_ns.get(queue, now_ns) for queue in self.queues}

    def stats(self) -> dict[int, QueueStats]:
        """What each queue has sent, by its number."""
        return self.qdisc.stats()
