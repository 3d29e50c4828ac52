"""The reference page of drop reasons, and that nothing is missing from it."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from vnet.base.errors import UsageError
from vnet.lab.reasons import every_reason, explained_word, markdown

ROOT = Path(__file__).parents[2]
DECLARED = re.compile(r'\bdrop_reason\(\s*"([^"]+)"')
ANY_CALL = re.compile(r"(?<!def )\bdrop_reason\(")


def words_in_the_source() -> list[str]:
    """The word of every declaration, none of which may hide behind a variable."""
    words = []
    for path in sorted((ROOT / "vnet").rglob("*.py")):
        text = path.read_text(encoding="utf-8")
        found = DECLARED.findall(text)
        assert len(found) == len(ANY_CALL.findall(text)), f"{path}: a word that is no literal"
        words += found
    return words


def test_the_page_is_what_is_generated() -> None:
    """After a change: ``vnet drops --markdown > docs/drops.md``."""
    assert (ROOT / "docs" / "drops.md").read_text(encoding="utf-8") == markdown()


def test_every_reason_of_the_source_is_in_the_page() -> None:
    words = words_in_the_source()
    assert len(words) > 40
    assert sorted(words) == [reason.word for reason in every_reason()]
    page = markdown()
    for word in words:
        assert page.count(f"| `{word}` |") == 1


def test_the_page_needs_no_other_imports() -> None:
    """A fresh Python, in which no lab was ever loaded, writes the same page."""
    code = "from vnet.lab.reasons import markdown; print(markdown(), end='')"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, encoding="utf-8"
    )
    assert done.stdout == markdown()


def test_causes_and_cures_are_sentences_without_an_end() -> None:
    """They stand in tables and behind colons."""
    for reason in every_reason():
        assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", reason.word)
        for text in (reason.cause, reason.cure):
            assert text
            assert not text.endswith(".")
            assert "\n" not in text


def test_one_reason_is_explained() -> None:
    reason = next(reason for reason in every_reason() if reason.word == "ttl-exceeded")
    text = f"ttl-exceeded: {reason.cause}\n  cure: {reason.cure}"
    assert explained_word("ttl-exceeded") == text
    assert "routine" in explained_word("other-host")


def test_a_part_of_names_finds_all_that_have_it() -> None:
    head, *found = explained_word("mtu").split("\n\n")
    assert head == "no drop reason is called 'mtu'; with it in their name there are:"
    words = [text.partition(":")[0] for text in found]
    assert {"link-mtu", "bridge-port-mtu"} <= set(words)
    assert all("mtu" in word.split("-") for word in words)


def test_an_unknown_word_gets_the_nearest() -> None:
    with pytest.raises(UsageError, match=r"no drop reason 'ttl-exceded' \(did you mean 'ttl-exc"):
        explained_word("ttl-exceded")
