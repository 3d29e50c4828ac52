"""Words with quotes around them, as iptables-save writes and iptables-restore reads them."""

from __future__ import annotations

import re

from vnet.linux.netfilter.xtables.errors import XtablesError

_NEEDS_NO_QUOTES = re.compile(r"[-_0-9a-zA-Z]+")
_MOST_CHARACTERS = 1023


def quoted(text: str) -> str:
    """A word that is one word again when it is read."""
    if _NEEDS_NO_QUOTES.fullmatch(text):
        return text
    return '"' + re.sub(r"([\"\\'])", r"\\\1", text) + '"'


def split_words(line: str) -> list[tuple[str, int]]:
    """The words of a line of rules, each with the column (from 0) where it begins.

    Inside of quotes a backslash makes the next character one like any other. Quotes that nobody
    closes reach to the end of the line.
    """
    words: list[tuple[str, int]] = []
    letters: list[str] = []
    start = 0
    in_quotes = escaped = False
    for column, letter in enumerate(line):
        if not letters and not in_quotes:
            start = column
        if in_quotes:
            if escaped or letter not in '\\"':
                letters.append(letter)
                escaped = False
            elif letter == "\\":
                escaped = True
            else:
                in_quotes = False
                words.append(("".join(letters), start))
                letters = []
        elif letter == '"':
            in_quotes = True
        elif letter in " \t\n":
            if letters:
                words.append(("".join(letters), start))
                letters = []
        else:
            letters.append(letter)
        if len(letters) > _MOST_CHARACTERS:
            raise XtablesError("Parameter too long!")
    if letters:
        words.append(("".join(letters), start))
    return words
