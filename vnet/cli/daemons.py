"""``vnet ovsdb-server`` and ``vnet ovs-vswitchd``, as the list of commands shows them.

They are started before this is imported (``vnet/__main__.py``); their options are their own.
"""

from __future__ import annotations

import click

_AS_THEY_ARE = {"ignore_unknown_options": True, "help_option_names": []}


@click.command("ovs-vswitchd", context_settings=_AS_THEY_ARE)
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def ovs_vswitchd(arguments: tuple[str, ...]) -> None:
    """Be a switch daemon, with the options of ovs-vswitchd(8)."""
    from vnet.live.daemon.entry import run_daemon

    run_daemon("ovs-vswitchd", arguments)


@click.command("ovsdb-server", context_settings=_AS_THEY_ARE)
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def ovsdb_server(arguments: tuple[str, ...]) -> None:
    """Be a database server, with the options of ovsdb-server(1)."""
    from vnet.live.daemon.entry import run_daemon

    run_daemon("ovsdb-server", arguments)
