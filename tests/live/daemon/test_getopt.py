"""Options as GNU reads them."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from vnet.live.daemon.getopt import Argument, Option, OptionError, read_options

OPTIONS = (
    Option("detach"),
    Option("no-chdir"),
    Option("no-self-confinement"),
    Option("log-file", Argument.OPTIONAL),
    Option("unixctl", Argument.REQUIRED),
    Option("verbose", Argument.OPTIONAL, "v"),
    Option("private-key", Argument.REQUIRED, "p"),
    Option("help", short="h"),
)


def read(*arguments: str) -> list[tuple[str, str | None]]:
    return [
        (word.option.name if word.option is not None else "", word.value)
        for word in read_options(arguments, OPTIONS)
    ]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["a", "--detach", "b"], [("", "a"), ("detach", None), ("", "b")]),
        (["--log-file", "x"], [("log-file", None), ("", "x")]),
        (["--log-file=x"], [("log-file", "x")]),
        (["--log-file="], [("log-file", "")]),
        (["--unixctl", "x", "--unix=y"], [("unixctl", "x"), ("unixctl", "y")]),
        (["-v", "-vfile:dbg"], [("verbose", None), ("verbose", "file:dbg")]),
        (["-hv"], [("help", None), ("verbose", None)]),
        (["-pkey", "-p", "key"], [("private-key", "key"), ("private-key", "key")]),
        (["-hpv"], [("help", None), ("private-key", "v")]),
        (["--", "--detach", "-"], [("", "--detach"), ("", "-")]),
        (["-"], [("", "-")]),
    ],
)
def test_options_are_read_as_gnu_reads_them(
    arguments: Sequence[str], words: list[tuple[str, str | None]]
) -> None:
    assert read(*arguments) == words


@pytest.mark.parametrize(
    ("argument", "sentence"),
    [
        ("--foo", "unrecognized option '--foo'"),
        ("--det=1", "option '--detach' doesn't allow an argument"),
        ("--uni", "option '--unixctl' requires an argument"),
        ("--no", "option '--no' is ambiguous; possibilities: '--no-chdir' '--no-self-confinement'"),
        ("-x", "invalid option -- 'x'"),
        ("-hp", "option requires an argument -- 'p'"),
    ],
)
def test_options_that_are_none_are_refused_in_gnus_words(argument: str, sentence: str) -> None:
    with pytest.raises(OptionError) as refused:
        read("a", argument)
    assert str(refused.value) == sentence
