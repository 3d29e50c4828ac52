"""From a command line to a daemon, and to its end."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Sequence
from typing import NoReturn

from vnet.live.daemon.background import Background, call_process, open_descriptors
from vnet.live.daemon.errors import FatalError
from vnet.live.daemon.getopt import OptionError, read_options
from vnet.live.daemon.log import Console, LogFile, Nowhere, Process, fail, say_on_stderr
from vnet.live.daemon.options import CommonOptions
from vnet.live.daemon.pidfile import Pidfile
from vnet.live.daemon.program import Program
from vnet.live.daemon.running import RunningDaemon
from vnet.live.daemon.signals import EndingSignals, end_as_by
from vnet.ovs.vlog.level import Destination
from vnet.ovs.vlog.vlog import Vlog


def run_program(program: Program, arguments: Sequence[str]) -> NoReturn:
    """Run a daemon to its end, and exit with its status. Nothing of Python's own end is waited
    for: there is nothing left to be done."""
    inherited = open_descriptors()
    call_process(program.name)
    vlog = Vlog(Process(program.name), program.modules)
    vlog.set_sink(Destination.CONSOLE, Console())
    vlog.set_sink(Destination.SYSLOG, Nowhere())
    try:
        status = _run(program, arguments, vlog, inherited)
    except FatalError as fatal:
        fail(vlog, fatal)
        status = 1
    sys.stdout.flush()
    os._exit(status)


def _run(program: Program, arguments: Sequence[str], vlog: Vlog, inherited: list[int]) -> int:
    log_file = LogFile(vlog)
    options = CommonOptions(program.name, vlog, log_file)
    if not _take(program, options, arguments):
        return 0
    if options.user is not None:
        log_file.give_to(options.user.uid, options.user.gid)
        options.user.become()
    background = Background(
        detach=options.detach,
        supervise=options.supervise,
        changes_folder=options.changes_folder,
        inherited=inherited,
        vlog=vlog,
        log_file=log_file,
    )
    background.start()
    pidfile = None
    if options.pidfile is not None:
        log = vlog.module("daemon_unix")
        pidfile = Pidfile(options.pidfile, overwrite=options.overwrite_pidfile, log=log)
        pidfile.create()
    daemon = RunningDaemon(
        *(program.name, program.version, options),
        vlog=vlog,
        log_file=log_file,
        events=program.events,
    )
    daemon.background = background
    signals = EndingSignals(daemon.clock, daemon.exit)
    try:
        program.start(daemon)
        daemon.run()
    except FatalError:
        raise
    except Exception:  # noqa: BLE001 - the rim: nobody above could handle it
        _crash(daemon)
    finally:
        daemon.close()
        if pidfile is not None:
            pidfile.remove()
    if signals.received is not None:
        end_as_by(signals.received)
    return daemon.status


def _take(program: Program, options: CommonOptions, arguments: Sequence[str]) -> bool:
    """Take the options and words; False where they asked for nothing but a text."""
    words: list[str] = []
    try:
        for option, value in read_options(arguments, program.options):
            if option is None:
                words.append(value or "")
            elif option.name == "help":
                sys.stdout.write(program.usage())
                return False
            elif option.name == "version":
                sys.stdout.write(program.version + "\n")
                return False
            elif not options.take(option.name, value):
                program.take_option(option.name, value)
    except OptionError as error:
        raise FatalError(str(error)) from error
    program.take_words(words)
    return True


def _crash(daemon: RunningDaemon) -> NoReturn:
    """Something that must not happen has happened. Say all that is known, and die as a program in
    C dies of it, so that a supervisor starts another."""
    import traceback

    for line in traceback.format_exc().splitlines():
        daemon.vlog.module("util").emer(line)
    if not daemon.is_ready:
        say_on_stderr(daemon.name, "internal failure")
        os._exit(1)
    end_as_by(signal.SIGABRT)
    os._exit(1)
