"""One command of iptables, read: what is asked for, and the rules that its words describe."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from typing import Any

from vnet.linux.netfilter.iptables.getopt import Core, Extra, Getopt, Plain, UnknownOptionError
from vnet.linux.netfilter.iptables.interface import Interface, read_interface
from vnet.linux.netfilter.iptables.request import (
    MOST_NAME_CHARACTERS,
    Command,
    check_chain_name,
    check_chain_of,
    check_options_of,
)
from vnet.linux.netfilter.matches.table import find_match, known_match
from vnet.linux.netfilter.rule import Description, Header
from vnet.linux.netfilter.targets.table import VERDICTS, find_target
from vnet.linux.netfilter.xtables import values
from vnet.linux.netfilter.xtables.errors import (
    BadArgumentError,
    OtherFamilyError,
    XtablesError,
)
from vnet.linux.netfilter.xtables.extension import (
    Extension,
    Match,
    Target,
    check_options,
)
from vnet.linux.netfilter.xtables.names import protocol_name
from vnet.linux.netfilter.xtables.option import Given, Option, Word

_MOST_RULES = 2**31 - 1
_NAT_DROPS_NOTHING = (
    '\nThe "nat" table is not intended for filtering, the use of DROP is therefore inhibited.\n\n'
)

_BESIDE = {"L": "Z", "S": "Z", "Z": "LS"}
"""Commands that may stand with another one."""

_NEGATABLE = "sdpiof"
_EXTENSION_HEADERS = frozenset((43, 44, 51, 60))


class _Loaded:
    """An extension whose options have been, or may be, given."""

    def __init__(self, kind: type[Extension]) -> None:
        self.kind = kind
        self.values: dict[str, Any] = {}
        self.negated: set[str] = set()


class CommandReader:
    """Reads one command. ``in_restore`` is a line of iptables-restore's."""

    def __init__(self, family: int, words: Sequence[str], *, in_restore: bool = False) -> None:
        self._family = family
        self._getopt = Getopt(words, self._find)
        self._in_restore = in_restore
        self._command = Command(family)
        self._negated_next = False
        self._matches: list[_Loaded] = []
        self._target: _Loaded | None = None
        self._loaded: list[_Loaded] = []
        self._protocol_word: str | None = None
        self._protocol_used = False
        self._protocol = 0
        self._negated: set[str] = set()
        self._addresses: dict[str, str] = {}
        self._devices = {"i": Interface(), "o": Interface()}
        self._jump = ""
        self._goto = False
        self._table_given = False

    @property
    def at(self) -> int:
        """The word that is being read."""
        return max(self._getopt.at - 1, 0)

    def read(self) -> Command:
        """The command. Raises :class:`XtablesError`."""
        while (found := self._next()) is not None:
            if isinstance(found, Plain):
                self._plain(found.text)
                continue
            if isinstance(found, Core):
                self._core(found.letter, found.value)
            else:
                self._extra(found)
            self._negated_next = False
            if self._command.special:
                return self._command
        self._finish()
        return self._command

    def _next(self) -> Core | Extra | Plain | None:
        """The next option. One that nobody knows has the protocol's match loaded, once."""
        at = self._getopt.at
        try:
            return self._getopt.next()
        except UnknownOptionError:
            if self._protocol_word is None or self._protocol_used:
                raise
            self._protocol_used = True
            kind = self._match_of_protocol()
            if kind is None:
                raise
            self._load_match(kind)
            self._getopt.at = at
            return self._getopt.next()

    def _match_of_protocol(self) -> type[Match] | None:
        word = self._protocol_word or ""
        number = values.number(word, 255)
        numeric = self._command.has("n")
        name = word if number is None else protocol_name(number, numeric=numeric)
        return None if name is None else find_match(name, self._family)

    def _find(self, name: str, *, whole: bool) -> list[tuple[object, Option]]:
        """Who has an option: of the ``whole`` name, or of one that begins so. The last one that
        was loaded comes first."""
        found: list[tuple[object, Option]] = []
        for loaded in reversed(self._loaded):
            for option in loaded.kind.OPTIONS:
                if any(n == name if whole else n.startswith(name) for n in option.names):
                    found.append((loaded, option))
        return found

    # -- words

    def _plain(self, text: str) -> None:
        if text != "!":
            raise BadArgumentError(text)
        if self._negated_next:
            raise XtablesError("multiple consecutive ! not allowed")
        self._negated_next = True

    def _extra(self, extra: Extra) -> None:
        loaded, option = extra.extension, extra.option
        assert isinstance(loaded, _Loaded)
        name = loaded.kind.NAME
        if option.name in loaded.values:
            raise XtablesError(option.once.format(extension=name, name=option.name))
        if self._negated_next:
            if not option.negatable:
                raise XtablesError(option.never_negated.format(extension=name, name=option.name))
            loaded.negated.add(option.name)
        value: Any = True
        if option.read is not None:
            about = self._protocol, "p" in self._negated, self._command.notices
            value = option.read(Word(extra.value, option.name, name, self._family, *about))
        loaded.values[option.name] = value

    def _core(self, letter: str, value: str | None) -> None:
        if letter in "ACDEFILNPRSXZ":
            self._action(letter, value)
        elif letter in "sdpiof" or letter in "jgnxvc0":
            self._option(letter, value)
        elif letter == "m":
            if self._negated_next:
                raise XtablesError("unexpected ! flag before --match")
            self._load_match(known_match(value or "", self._family))
        elif letter == "t":
            self._table(value or "")
        elif letter in "wW":
            self._wait(letter, value)
        elif letter in "46":
            if int(letter) != self._family:
                raise OtherFamilyError
        elif letter in "Vh":
            self._command.special = letter

    def _table(self, name: str) -> None:
        if self._negated_next:
            raise XtablesError("unexpected ! flag before --table")
        if self._in_restore:
            raise XtablesError("The -t option cannot be used in iptables-restore.\n")
        self._command.table = name

    def _wait(self, letter: str, value: str | None) -> None:
        if self._in_restore:
            raise XtablesError(f"You cannot use `-{letter}' from iptables-restore")
        value = value or self._getopt.take_optional()
        if value is not None and values.number(value, values.ALL_32) is None:
            raise XtablesError("wait seconds not numeric")

    # -- commands

    def _action(self, letter: str, value: str | None) -> None:
        command = self._command
        if letter == "N":
            check_chain_name(value or "", self._family)
        if self._negated_next:
            raise XtablesError("unexpected '!' flag")
        if command.actions and command.actions not in _BESIDE.get(letter, ""):
            raise XtablesError(f"Cannot use -{letter} with -{command.actions[0]}")
        command.actions += letter
        take = self._getopt.take_optional
        if letter in "FLSXZ":
            command.chain = value or take() or command.chain
        else:
            command.chain = value
        if letter in "LSZ" or letter == "D":
            word = take()
            command.number = command.number if word is None else _rule_number(word)
        elif letter in "IR":
            word = take()
            if word is None and letter == "R":
                raise XtablesError("-R requires a rule number")
            command.number = 1 if word is None else _rule_number(word)
        elif letter in "EP":
            self._second_word(letter, take())

    def _second_word(self, letter: str, word: str | None) -> None:
        if letter == "E":
            if word is None:
                raise XtablesError("-E requires old-chain-name and new-chain-name")
            self._command.new_name = word
        else:
            if word is None:
                raise XtablesError("-P requires a chain and a policy")
            self._command.policy = word

    # -- options of rules

    def _option(self, letter: str, value: str | None) -> None:
        word = value or ""
        if letter in "io" and not word:
            raise XtablesError("Empty interface is likely to be undesired")
        self._note(letter)
        if letter in "sd":
            self._addresses[letter] = word
        elif letter in "io":
            self._devices[letter] = read_interface(word)
        elif letter == "p":
            self._set_protocol(word)
        elif letter == "f" and self._family == 6:
            raise XtablesError("`-f' is not supported in IPv6, use -m frag instead")
        elif letter in "jg":
            self._set_target(letter, word)
        elif letter == "c":
            self._counters(word)

    def _note(self, letter: str) -> None:
        """An option was given; it may stand once."""
        command, shown = self._command, "j" if letter == "g" else letter
        if shown == "v":
            command.verbosity += 1
        if command.has(shown) and shown != "v":
            raise XtablesError(f"multiple -{shown} flags not allowed")
        if not command.has(shown):
            command.options += shown
        if self._negated_next:
            if letter not in _NEGATABLE:
                raise XtablesError(f"cannot have ! before -{shown}")
            self._negated.add(letter)

    def _set_protocol(self, word: str) -> None:
        self._protocol_word = word.lower()
        self._protocol = values.protocol(self._protocol_word)
        if not self._protocol and "p" in self._negated:
            raise XtablesError("rule would never match protocol")
        if self._family == 6 and self._protocol in _EXTENSION_HEADERS and "p" not in self._negated:
            self._command.notices.append(
                f"Warning: never matched protocol: {self._protocol_word}. "
                "use extension match instead.\n"
            )

    def _set_target(self, letter: str, name: str) -> None:
        if not name:
            raise XtablesError("Invalid target name (too short)")
        if len(name) >= MOST_NAME_CHARACTERS:
            raise XtablesError(
                f"Invalid target name `{name}' ({MOST_NAME_CHARACTERS - 1} chars max)"
            )
        if any(c.isspace() for c in name):
            raise XtablesError(f"Invalid target name `{name}'")
        self._jump, self._goto = name, letter == "g"
        kind = None if self._goto else find_target(name, self._family)
        if kind is not None:
            self._target = _Loaded(kind)
            self._loaded.append(self._target)

    def _counters(self, word: str) -> None:
        packets, comma, octets = word.partition(",")
        if not comma:
            octets = self._getopt.take_optional() or ""
            if not octets:
                raise XtablesError("-c requires packet and byte counter")
        for text, what in ((packets, "packet"), (octets, "byte")):
            if not "0" <= text[:1] <= "9":
                raise XtablesError(f"-c {what} counter not numeric")
        self._command.counters = _leading_number(packets), _leading_number(octets)

    def _load_match(self, kind: type[Match]) -> None:
        loaded = _Loaded(kind)
        self._matches.append(loaded)
        self._loaded.append(loaded)

    # -- when all words are read

    def _finish(self) -> None:
        command = self._command
        if command.table == "nat" and "DROP" in (command.policy, self._jump):
            raise XtablesError(_NAT_DROPS_NOTHING)
        matches = tuple(self._made(loaded) for loaded in self._matches)
        target = None if self._target is None else self._made(self._target)
        if not command.actions:
            raise XtablesError("no command specified")
        if self._negated_next:
            raise XtablesError("nothing appropriate following !")
        headers = self._headers()
        if command.action == "R" and len(headers) != 1:
            raise XtablesError("Replacement rule does not specify a unique address")
        check_options_of(command)
        check_chain_of(command)
        assert target is None or isinstance(target, Target)
        jump = self._jump if target is None else ""
        said = tuple(match for match in matches if not (isinstance(match, Match) and match.is_void))
        command.descriptions = tuple(
            Description(header, said, target, jump, self._goto)  # type: ignore[arg-type]
            for header in headers
        )

    def _made(self, loaded: _Loaded) -> Extension:
        given = Given(loaded.values, frozenset(loaded.negated), self._family, self._protocol)
        if loaded.kind.OPTIONS and any(option.required for option in loaded.kind.OPTIONS):
            check_options(loaded.kind, given)
        made = loaded.kind.read(given)
        check_options(loaded.kind, given)
        return made

    def _headers(self) -> list[Header]:
        both = []
        for letter in "sd":
            text = self._addresses.get(letter)
            nets = [values.any_net(self._family)] if text is None else None
            both.append(nets or list(values.nets(text or "", self._family)))
        if (len(both[0]) > 1 or len(both[1]) > 1) and self._negated & {"s", "d"}:
            raise XtablesError("! not allowed with multiple source or destination IP addresses")
        return [
            Header(
                self._family,
                source,
                target,
                self._devices["i"],
                self._devices["o"],
                self._protocol,
                self._command.has("f"),
                frozenset(self._negated),
            )
            for source, target in product(*both)
        ]


def _rule_number(word: str) -> int:
    found = values.number(word, _MOST_RULES, 1)
    if found is None:
        raise XtablesError(f"Invalid rule number `{word}'")
    return found


def _leading_number(text: str) -> int:
    end = next((at for at, c in enumerate(text) if c not in "0123456789"), len(text))
    return values.decimal(text[:end])


def is_verdict(name: str) -> bool:
    """Whether a jump ends a packet's way through its chain."""
    return name in VERDICTS
