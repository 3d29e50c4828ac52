"""Programs of the machine, run to their end."""

from __future__ import annotations

import pytest

from vnet.live.kernel.errors import KernelError
from vnet.live.kernel.programs import has_program, run_program


def test_a_program_is_given_text_and_heard_out() -> None:
    done = run_program(["sh", "-c", "cat; echo bad >&2; exit 3"], "said")
    assert (done.returncode, done.stdout, done.stderr) == (3, "said", "bad\n")


def test_a_program_that_does_not_end_is_given_up() -> None:
    with pytest.raises(KernelError, match=r"^sleep 60: no end after 0\.05 s$"):
        run_program(["sleep", "60"], patience_s=0.05)


def test_a_program_that_is_not_there_is_named() -> None:
    assert has_program("sh")
    assert not has_program("no-such-program")
    with pytest.raises(KernelError, match="no-such-program is not installed"):
        run_program(["no-such-program"])
