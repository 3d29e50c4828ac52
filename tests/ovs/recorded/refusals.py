"""Why a command was refused, without what a client puts around it."""

from __future__ import annotations

import re

_ERROR_CODE = re.compile(r"\b(?:OFP|NX(?!M_|OXM_))[A-Z0-9]*_[A-Z0-9_]+\b")
_ERROR_MESSAGE = re.compile(r"\b(?:OFPT_ERROR|NXT?_[A-Z_]+)\b")


def refusal_of(text: str) -> str:
    """The code of an OpenFlow error, or the last sentence of a program."""
    codes = [code for code in _ERROR_CODE.findall(text) if not _ERROR_MESSAGE.match(code)]
    if codes:
        return str(codes[0])
    lines = [line for line in text.strip().splitlines() if line]
    return re.sub(r"^ovs-\w+: ", "", lines[-1]) if lines else ""
