"""``vnet import-host``: this machine's own network as a topology."""

from __future__ import annotations

from pathlib import Path

import click

from vnet.base.errors import EXIT_HELD, StorageError, UsageError


@click.command("import-host")
@click.option(
    "-o",
    "--output",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="Where the topology goes, a new file; without it, to standard output.",
)
@click.option("--netns", metavar="NAME", help="Read this network namespace (as root).")
@click.option("-f", "--force", is_flag=True, help="Write over a file that is there.")
def import_host(output: Path | None, netns: str | None, force: bool) -> int:
    """Write this machine's network down as a topology file.

    Cards, VLANs, bridges with their ports and settings, addresses, routes, rules and sysctls that
    differ from a lab's are read by rtnetlink, for which nobody needs to be root. Tap devices and
    veths on bridges become virtual machines. What a topology cannot say is told on standard error,
    and in comments of the file.
    """
    from vnet.live.importing.document import imported
    from vnet.live.importing.netlink import read_machine

    if output is not None and output.exists() and not force:
        raise UsageError(f"{output} is there already", "--force writes over it")
    found = imported(read_machine(netns))
    if output is None:
        click.echo(found.text, nl=False)
    else:
        try:
            output.write_text(found.text, encoding="utf-8")
        except OSError as error:
            raise StorageError(f"cannot write {output}: {error.strerror}") from None
    for note in found.notes:
        click.echo(note, err=True)
    if output is not None:
        click.echo(f"{output} is written; try: vnet check {output}", err=True)
    return EXIT_HELD
