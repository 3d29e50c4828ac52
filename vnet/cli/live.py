"""``vnet up`` and ``vnet down``: labs outside this process."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from vnet.base.errors import EXIT_EXPECTATION_FAILED, EXIT_HELD, UsageError
from vnet.cli.durations import duration
from vnet.cli.options import PCAP_FORMAT, SEED

_NOT_YET = "labs that live on without --kernel are not built yet"


@click.command()
@click.argument("file")
@click.option("--kernel", is_flag=True, help="Build it on the Linux kernel of this machine.")
@click.option("--no-run", is_flag=True, help="Build only: neither scenario nor captures.")
@click.option("--down", "goes_down", is_flag=True, help="Take it down after the scenario.")
@click.option("--pcap-dir", metavar="DIR", help="Where captures go [default: pcaps/<lab>-kernel].")
@click.option("--split", is_flag=True, help="One capture file for each point.")
@click.option("--format", "pcap_format", type=PCAP_FORMAT, default="pcapng", show_default=True)
@click.option("--seed", type=SEED, help="Use another seed than the file's, for MAC addresses.")
@click.option("--until", metavar="DUR", callback=duration, help="End the scenario after this time.")
@click.option("--json", "as_json", is_flag=True, help="Print the report as JSON.")
def up(
    file: str,
    kernel: bool,
    no_run: bool,
    goes_down: bool,
    pcap_dir: str | None,
    split: bool,
    pcap_format: str,
    seed: int | None,
    until: int | None,
    as_json: bool,
) -> int:
    """Build a topology on the Linux kernel, run its scenario there, and leave it up.

    Needs root. Hosts, guests, routers and switches become network namespaces called
    vnet-<lab>-<node>; `ip netns exec` gets into them. `vnet down --kernel` takes them down.
    """
    if not kernel:
        raise UsageError(_NOT_YET, "vnet up --kernel FILE builds one on the kernel")
    if pcap_dir == "":
        raise click.BadParameter("the name of the folder is empty", param_hint="--pcap-dir")
    if no_run and goes_down:
        raise UsageError("--no-run and --down together would do nothing", "leave one out")
    from vnet.live.kernel.rights import check_machine

    check_machine()
    from vnet.cli import render
    from vnet.lab.shipped import resolve
    from vnet.live.kernel.lab import bring_up
    from vnet.topology.load import load_topology

    topology = load_topology(resolve(file))
    folder = Path(pcap_dir) if pcap_dir is not None else Path("pcaps") / f"{topology.name}-kernel"
    options: dict[str, Any] = {"split": split, "pcap_format": pcap_format, "stays": not goes_down}
    captured = None if no_run else folder
    with bring_up(topology, seed=seed, pcap_dir=captured, **options) as lab:
        try:
            if not no_run:
                lab.play(until)
        except KeyboardInterrupt:
            if not goes_down:
                _say_how_it_ends(topology.name, err=True)
            raise
        finally:
            report = lab.finish()
    for note in lab.notes:
        click.echo(f"note: {note}", err=True)
    if as_json:
        render.show_json(report)
    elif not no_run:
        render.show(render.report_tables(report, folder=folder))
    if not goes_down:
        _say_how_it_ends(topology.name, err=as_json)
    return EXIT_HELD if report.held else EXIT_EXPECTATION_FAILED


def _say_how_it_ends(lab: str, *, err: bool) -> None:
    click.echo(f"{lab} is up; vnet down --kernel {lab} takes it down", err=err)


@click.command()
@click.argument("name", required=False)
@click.option("--kernel", is_flag=True, help="One that was built on the Linux kernel.")
@click.option("--all", "every", is_flag=True, help="Every lab that is up.")
def down(name: str | None, kernel: bool, every: bool) -> int:
    """Take down what `vnet up` made of the lab NAME, and nothing else.

    NAME may be left out where only one is up. It may be called at any time: after a crash, or
    where nothing is up.
    """
    if not kernel:
        raise UsageError(_NOT_YET, "vnet down --kernel takes down one on the kernel")
    from vnet.live.kernel.rights import check_machine

    check_machine()
    from vnet.live.kernel.lab import bring_down, the_lab_that_is_up
    from vnet.live.kernel.record import labs_up

    if every and name is not None:
        raise UsageError("--all and a name are too much", "leave one out")
    if every:
        names = labs_up()
    else:
        found = name if name is not None else the_lab_that_is_up()
        names = [] if found is None else [found]
    if not names:
        click.echo("no lab is up")
    for each in names:
        notes = bring_down(each)
        click.echo(f"{each} is not up" if notes is None else f"{each} is down")
        for note in notes or ():
            click.echo(f"note: {note}", err=True)
    return EXIT_HELD
