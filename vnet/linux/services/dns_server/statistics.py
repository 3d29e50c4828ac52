"""What the server says of itself in class CHAOS (``dig CHAOS TXT version.bind``)."""

from __future__ import annotations

from dataclasses import dataclass

VERSION = "dnsmasq-2.90"


@dataclass(slots=True)
class Statistics:
    """What was counted: ``hits`` from what is known, ``misses`` that were asked elsewhere."""

    hits: int = 0
    misses: int = 0
    insertions: int = 0
    evictions: int = 0
    malformed: int = 0

    def text(self, name: str, cache_names: int) -> str | None:
        """The answer for a name of ``bind``; None where there is none."""
        return {
            "version.bind": VERSION,
            "cachesize.bind": str(cache_names),
            "insertions.bind": str(self.insertions),
            "evictions.bind": str(self.evictions),
            "misses.bind": str(self.misses),
            "hits.bind": str(self.hits),
            "auth.bind": "0",
        }.get(name)
