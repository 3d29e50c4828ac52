"""Runs daemons' command lines, each in a process of its own, without a new Python for each.

It reads a line of JSON, ``[program, word, ...]``, and answers by one: ``[status, stdout, stderr]``.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
from importlib import import_module

from vnet.live.daemon.entry import PROGRAMS, run_daemon


def told(program: str, words: list[str]) -> list[object]:
    """What a daemon says until it ends, which it has to do by itself."""
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        child = os.fork()
        if not child:
            os.dup2(out.fileno(), 1)
            os.dup2(err.fileno(), 2)
            run_daemon(program, words)
        _, status = os.waitpid(child, 0)
        texts = []
        for file in (out, err):
            file.seek(0)
            texts.append(file.read().decode())
    return [os.waitstatus_to_exitcode(status), *texts]


def main() -> None:
    """Until there are no more lines."""
    import_module("vnet.live.daemon.main")
    for module, _program in PROGRAMS.values():
        import_module(module)
    for line in sys.stdin:
        program, *words = json.loads(line)
        sys.stdout.write(json.dumps(told(program, words)) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
