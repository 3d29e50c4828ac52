"""``vnet ovs``, ``vnet up`` and ``vnet down``: what lives outside this process, or after it."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import click

from vnet.base.errors import EXIT_EXPECTATION_FAILED, EXIT_HELD, UsageError, VnetError
from vnet.base.text import escaped
from vnet.cli.durations import duration
from vnet.cli.options import PCAP_FORMAT, SEED
from vnet.cli.reading import topology_of

RUNDIR = click.Path(file_okay=False, readable=False, path_type=Path, resolve_path=True)


class NotUpError(VnetError):
    """A lab that is to be taken down is not up; ``others`` are."""

    exit_code = EXIT_EXPECTATION_FAILED

    def __init__(self, lab: str, others: Iterable[str]) -> None:
        shown = ", ".join(others)
        super().__init__(f"{escaped(lab)} is not up", f"up: {shown}" if shown else "no lab is up")


@click.command()
@click.option("--rundir", type=RUNDIR, required=True, help="Where its sockets and pidfiles go.")
@click.option(
    "--db",
    "database",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Keep the database in this file, made where it is missing [default: in memory].",
)
@click.option(
    "--enable-dummy",
    "dummies",
    is_flag=False,
    flag_value="",
    type=click.Choice(["", "system", "override"]),
    metavar="[=system|override]",
    help="Have devices of type dummy; or have them for those of type system, or of all types.",
)
@click.option("--detach", is_flag=True, help="Return when everything answers.")
@click.option("--log-file", is_flag=True, help="Have a log file of each daemon in the directory.")
def ovs(
    rundir: Path, database: Path | None, dummies: str | None, detach: bool, log_file: bool
) -> int:
    """Run an empty Open vSwitch: ovsdb-server and ovs-vswitchd in one process, without root.

    With OVS_RUNDIR set to the directory, as this says, ovs-vsctl and ovs-appctl find it. Ctrl-C or
    `ovs-appctl exit` ends it.
    """
    from vnet.live.switch.entry import Wanted, be_open_vswitch

    file = None if database is None else str(database)
    be_open_vswitch(Wanted(str(rundir), file, dummies, detach, log_file))
    return EXIT_HELD


@click.command()
@click.argument("file")
@click.option("--kernel", is_flag=True, help="Build it on the Linux kernel of this machine.")
@click.option(
    "--rundir",
    type=RUNDIR,
    help="Where sockets go, in a folder for each host [default: $XDG_RUNTIME_DIR/vnet/<lab>].",
)
@click.option("--detach", is_flag=True, help="Return when everything answers.")
@click.option("--log-file", is_flag=True, help="Have log files in each host's directory.")
@click.option("--no-run", is_flag=True, help="Build only: neither scenario nor captures.")
@click.option("--down", "goes_down", is_flag=True, help="Take it down after the scenario.")
@click.option(
    "--pcap-dir", metavar="DIR", help="Where captures go [default: pcaps/<lab>-live or -kernel]."
)
@click.option("--split", is_flag=True, help="One capture file for each point.")
@click.option("--format", "pcap_format", type=PCAP_FORMAT, default="pcapng", show_default=True)
@click.option("--seed", type=SEED, help="Use another seed than the file's.")
@click.option("--until", metavar="DUR", callback=duration, help="End the scenario after this time.")
@click.option("--json", "as_json", is_flag=True, help="Print the report as JSON.")
def up(
    file: str, kernel: bool, rundir: Path | None, detach: bool, log_file: bool, **options: Any
) -> int:
    """Bring a topology up in real time, and leave it up.

    The scenario is played by the wall clock, and the lab lives on. Each host with Open vSwitch has
    a directory with sockets: with OVS_RUNDIR set to it, as this says, ovs-vsctl and ovs-appctl
    work on that host. Ctrl-C or `vnet down` ends it. No root.

    With --kernel it is built on the Linux kernel, which needs root: hosts, guests, routers and
    switches become network namespaces called vnet-<lab>-<node>; `ip netns exec` gets into them.
    `vnet down --kernel` takes them down.
    """
    if options["pcap_dir"] == "":
        raise click.BadParameter("the name of the folder is empty", param_hint="--pcap-dir")
    if options["no_run"] and options["goes_down"]:
        raise UsageError("--no-run and --down together would do nothing", "leave one out")
    if kernel:
        if rundir is not None or detach or log_file:
            what = "--rundir, --detach and --log-file are for labs without --kernel"
            raise UsageError(what, "leave them out")
        return _up_on_kernel(file, **options)
    return _up_live(file, rundir, detach, log_file, **options)


def _up_live(
    file: str,
    rundir: Path | None,
    detach: bool,
    log_file: bool,
    *,
    no_run: bool,
    goes_down: bool,
    pcap_dir: str | None,
    split: bool,
    pcap_format: str,
    seed: int | None,
    until: int | None,
    as_json: bool,
) -> int:
    topology = topology_of(file)
    from vnet.live.lab.places import directory_of
    from vnet.live.lab.running import captures_held, held, run_lab
    from vnet.live.starting import go_to_background, say_where, told_in_our_words
    from vnet.live.switch.logs import Logs

    directory = directory_of(topology.name) if rundir is None else rundir
    folder = Path(pcap_dir) if pcap_dir is not None else Path("pcaps") / f"{topology.name}-live"
    with told_in_our_words():
        ready = go_to_background(detach, Logs())
        with held(directory, topology.name), captures_held(None if no_run else folder):
            from vnet.live.lab.lab import LiveLab

            lab = LiveLab(
                topology,
                seed=seed,
                pcap_dir=None if no_run else folder,
                split=split,
                pcap_format=pcap_format,
                tell=lambda sentence: click.echo(f"note: {sentence}", err=True),
            )

            def answers(directories: list[Path]) -> None:
                say_where(directories, err=as_json)
                place = f" --rundir {directory}" if rundir is not None else f" {topology.name}"
                click.echo(f"{topology.name} is up; Ctrl-C or vnet down{place} ends it", err=True)
                ready()

            report = run_lab(
                *(lab, directory, answers),
                plays=not no_run,
                until_ns=until,
                stays=not goes_down,
                detached=detach,
                logs_in_files=log_file,
            )
    from vnet.cli import render

    if as_json:
        render.show_json(report)
    elif not no_run:
        render.show(render.report_tables(report, folder=folder))
    return EXIT_HELD if report.held or not goes_down else EXIT_EXPECTATION_FAILED


def _up_on_kernel(
    file: str,
    *,
    no_run: bool,
    goes_down: bool,
    pcap_dir: str | None,
    split: bool,
    pcap_format: str,
    seed: int | None,
    until: int | None,
    as_json: bool,
) -> int:
    from vnet.live.kernel.rights import check_machine

    check_machine()
    topology = topology_of(file)
    from vnet.cli import render
    from vnet.live.kernel.lab import bring_up

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
@click.option("--rundir", type=RUNDIR, help="The one that is up there.")
@click.option("--all", "every", is_flag=True, help="Every lab that is up.")
def down(name: str | None, kernel: bool, rundir: Path | None, every: bool) -> int:
    """Take down what `vnet up` made of the lab NAME, and nothing else.

    NAME may be left out where only one is up. It may be called at any time: after a crash, of
    which it removes what is left, or where nothing is up. A NAME that is not up is an error.
    """
    if every and name is not None:
        raise UsageError("--all and a name are too much", "leave one out")
    if rundir is not None and (kernel or every or name is not None):
        raise UsageError("--rundir says which lab it is", "leave the rest out")
    return _down_on_kernel(name, every) if kernel else _down_live(name, rundir, every)


def _down_live(name: str | None, rundir: Path | None, every: bool) -> int:
    from vnet.live.lab.places import labs_up, places
    from vnet.live.lab.taking_down import clear, found_by_name, take_down, the_only_one

    if rundir is not None:
        found = {escaped(str(rundir)): rundir}
    else:
        one = None if name is None else found_by_name(name)
        labs = [] if one is None else [one]
        if name is None:
            labs = places() if every else the_only_one()
        found = {str(each): each.directory for each in labs}
    for label, directory in found.items():
        if take_down(directory):
            click.echo(f"{label} is down")
        elif clear(directory):
            click.echo(f"{label} had crashed; what it left is removed")
        else:
            raise NotUpError(label, map(str, labs_up()))
    if not found:
        _say_that_none_is_up(name, map(str, labs_up()))
    return EXIT_HELD


def _say_that_none_is_up(name: str | None, others: Iterable[str]) -> None:
    if name is not None:
        raise NotUpError(name, others)
    click.echo("no lab is up")


def _down_on_kernel(name: str | None, every: bool) -> int:
    from vnet.live.kernel.rights import check_machine

    check_machine()
    from vnet.live.kernel.lab import bring_down, the_lab_that_is_up
    from vnet.live.kernel.record import labs_up

    if every:
        names = labs_up()
    else:
        found = name if name is not None else the_lab_that_is_up()
        names = [] if found is None else [found]
    if not names:
        click.echo("no lab is up")
    for each in names:
        notes = bring_down(each)
        if notes is None:
            raise NotUpError(each, labs_up())
        click.echo(f"{each} is down")
        for note in notes or ():
            click.echo(f"note: {note}", err=True)
    return EXIT_HELD
