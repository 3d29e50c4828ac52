"""``vnet``: run, check and start topologies from the command line.

Exit codes: 0 all held, 1 an expectation failed, 2 bad input or usage, 3 input/output or
internal failure, 130 interrupted. Commands import what they need when they run, so that
``vnet --version`` and completion answer at once.
"""

from __future__ import annotations

import io
import sys
from pathlib import Path

import click

from vnet import __version__
from vnet.base.errors import (
    EXIT_BAD_INPUT,
    EXIT_EXPECTATION_FAILED,
    EXIT_HELD,
    UsageError,
)
from vnet.base.text import printable
from vnet.cli import live
from vnet.cli.daemons import ovs_vswitchd, ovsdb_server
from vnet.cli.durations import duration
from vnet.cli.failing import told
from vnet.cli.import_host import import_host
from vnet.cli.options import PCAP_FORMAT, SEED
from vnet.cli.pcap import pcap
from vnet.cli.reading import topology_of


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="vnet")
def cli() -> None:
    """A virtual data centre in one process: real frames, virtual time, no root.

    FILE is a topology file, or @NAME for one that comes with vnet (see `vnet topologies`).
    """


cli.add_command(pcap)
cli.add_command(import_host)
cli.add_command(ovs_vswitchd)
cli.add_command(ovsdb_server)


@cli.command()
@click.argument("file")
@click.option("--pcap-dir", metavar="DIR", help="Where captures go [default: pcaps/<lab name>].")
@click.option("--split", is_flag=True, help="One capture file for each point.")
@click.option(
    "--format",
    "pcap_format",
    type=PCAP_FORMAT,
    default="pcapng",
    show_default=True,
    help="pcap holds one interface a file, so it implies --split.",
)
@click.option("--seed", type=SEED, help="Use another seed than the file's.")
@click.option("--until", metavar="DUR", callback=duration, help="Stop at this virtual time.")
@click.option("--json", "as_json", is_flag=True, help="Print the report as JSON.")
@click.option("-v", "--verbose", is_flag=True, help="Show each host's start-up and every drop.")
@click.option(
    "--ovs-netlink",
    is_flag=True,
    help="Comment captured frames with what they had Open vSwitch's datapath ask.",
)
def run(
    file: str,
    pcap_dir: str | None,
    split: bool,
    pcap_format: str,
    seed: int | None,
    until: int | None,
    as_json: bool,
    verbose: bool,
    ovs_netlink: bool,
) -> int:
    """Run a topology's scenario and write its captures."""
    if pcap_dir == "":
        raise click.BadParameter("the name of the folder is empty", param_hint="--pcap-dir")
    topology = topology_of(file)
    from vnet.cli import render
    from vnet.cli.progress import virtual_time_bar
    from vnet.lab.lab import Lab

    folder = Path(pcap_dir) if pcap_dir is not None else Path("pcaps") / topology.name
    lab = Lab(
        topology,
        seed=seed,
        pcap_dir=folder,
        split=split,
        pcap_format=pcap_format,
        ovs_netlink=ovs_netlink,
    )
    with lab:
        if verbose and not as_json:
            render.show(render.script_steps(lab.network.script_steps))
        lab.when_frames_circle(lambda storm: click.echo(render.storm_note(storm), err=True))
        with virtual_time_bar(lab, until):
            lab.run(until)
    report = lab.close()
    if as_json:
        render.show_json(report)
    else:
        render.show(render.report_tables(report, verbose=verbose, folder=folder))
    return EXIT_HELD if report.held else EXIT_EXPECTATION_FAILED


@cli.command()
@click.argument("file")
def check(file: str) -> int:
    """Validate a topology file without running it; every problem is named at once."""
    topology = topology_of(file)
    from vnet.cli import render
    from vnet.lab.graph import build_graph
    from vnet.lab.scenario import check_packets

    check_packets(topology)
    render.show(render.check_summary(file, topology, build_graph(topology)))
    return EXIT_HELD


@cli.command()
@click.argument("file")
@click.option("--all", "every", is_flag=True, help="Draw each instance of a template by itself.")
def graph(file: str, every: bool) -> int:
    """Print a topology as a Mermaid flowchart, to be drawn by GitHub or an editor.

    All that a template made is one box, marked with their number.
    """
    topology = topology_of(file)
    from vnet.lab.graph import build_graph, folded, mermaid

    whole = build_graph(topology)
    click.echo(mermaid(whole if every else folded(whole, topology.templates)))
    return EXIT_HELD


@cli.command()
@click.argument("name")
@click.option("--from", "example", default="two-hosts", show_default=True, metavar="EXAMPLE")
def new(name: str, example: str) -> int:
    """Start a topology file NAME.yaml from a shipped EXAMPLE."""
    from vnet.cli.new import create_topology

    path = create_topology(Path(), name, example)
    click.echo(f"{path} is yours, with vnet.schema.json for your editor; try: vnet run {path}")
    return EXIT_HELD


@cli.command()
def doctor() -> int:
    """Show what is here: programs and rights that some features and tests can use."""
    from vnet.cli import render
    from vnet.cli.doctor import examine

    render.show([render.doctor_table(examine())])
    return EXIT_HELD


@cli.command()
@click.argument("word", required=False)
@click.option("--markdown", "as_page", is_flag=True, help="Print the reference page instead.")
def drops(word: str | None, as_page: bool) -> int:
    """List why frames are dropped, with cause and cure; or explain the reason WORD.

    Where no reason is called so, those that have WORD in their name are explained.
    """
    from vnet.lab import reasons

    if as_page:
        if word is not None:
            raise UsageError("the page is of all reasons", "leave out the word, or --markdown")
        click.echo(reasons.markdown(), nl=False)
    elif word is not None:
        click.echo(reasons.explained_word(word))
    else:
        from vnet.cli import render

        render.show([render.reasons_table(reasons.every_reason())])
    return EXIT_HELD


@cli.command()
def openflow() -> int:
    """Print the page of fields and actions that Open vSwitch's switches know (docs/ovs.md)."""
    from vnet.ovs.ofproto.reference import markdown

    click.echo(markdown(), nl=False)
    return EXIT_HELD


@cli.command()
def schema() -> int:
    """Print the JSON Schema of topology files, for editors."""
    import json

    from vnet.topology.schema.topology import json_schema

    click.echo(json.dumps(json_schema(), indent=2, ensure_ascii=False))
    return EXIT_HELD


@cli.command()
def topologies() -> int:
    """List the topologies that come with vnet; run one as `vnet run @NAME`."""
    from vnet.cli import render
    from vnet.lab.shipped import shipped

    render.show([render.topology_table(shipped())])
    return EXIT_HELD


@cli.command()
@click.argument("file")
@click.option("-c", "commands", multiple=True, metavar="CMD", help="Run CMD; repeatable.")
@click.option("--seed", type=SEED, help="Use another seed than the file's.")
def shell(file: str, commands: tuple[str, ...], seed: int | None) -> int:
    """Load a topology and control it from a shell; with -c, run commands and end.

    The first command of -c that fails ends it, with that command's exit code: 2 for what cannot
    be, 1 for what did not hold. Commands from standard input go on after an error, and the session
    ends with 0.
    """
    topology = topology_of(file)
    from vnet.lab.lab import Lab
    from vnet.shell.app import run_shell

    with Lab(topology, seed=seed) as lab:
        return run_shell(lab, commands)


cli.add_command(live.ovs)
cli.add_command(live.up)
cli.add_command(live.down)


@cli.command()
@click.argument("shell_name", metavar="SHELL", type=click.Choice(["bash", "zsh", "fish"]))
def completion(shell_name: str) -> int:
    """Print the completion script for a shell: `eval "$(vnet completion bash)"`."""
    from click.shell_completion import get_completion_class

    kind = get_completion_class(shell_name)
    assert kind is not None
    click.echo(kind(cli, {}, "vnet", "_VNET_COMPLETE").source())
    return EXIT_HELD


def main(arguments: list[str] | None = None) -> None:
    """Run the command line and exit with its code; errors become one clear message."""
    sys.exit(_run(arguments))


def _run(arguments: list[str] | None) -> int:
    try:
        code = cli.main(arguments, prog_name="vnet", standalone_mode=False)
        return code if isinstance(code, int) else EXIT_HELD
    except click.exceptions.Exit as ended:
        return ended.exit_code
    except click.ClickException as error:
        said = io.StringIO()
        error.show(said)
        click.echo(printable(said.getvalue()), err=True, nl=False)
        return EXIT_BAD_INPUT
    except click.Abort:
        return told(KeyboardInterrupt())
    except (Exception, KeyboardInterrupt) as error:  # noqa: BLE001 - the rim: nobody above could
        return told(error)
