"""What options of several commands have in common."""

from __future__ import annotations

import click

SEED = click.IntRange(0, 2**63 - 1)

PCAP_FORMAT = click.Choice(["pcapng", "pcap"])
