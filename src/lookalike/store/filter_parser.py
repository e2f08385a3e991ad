"""From the text of a filter to its tree, by recursive descent.

Grammar, keywords in any case::

    expression = conjunction {"or" conjunction}
    conjunction = negation {"and" negation}
    negation = "not" negation | "(" expression ")" | condition
    condition = attribute
              | attribute ("=" | "==" | "!=" | "<>" | "<" | "<=" | ">" | ">=") constant
              | attribute ["not"] "in" "(" constant {"," constant} ")"
              | attribute "between" constant "and" constant
              | attribute "is" ["not"] "null"
              | attribute "has" text
              | attribute ("starts" "with" | "contains") text
    attribute = word | "`" any text, "``" for a backtick "`"
    constant = text | number | "true" | "false"
    text = '"' ... '"' | "'" ... "'"        escapes: \\\\ \\" \\' \\n \\t
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Literal

from lookalike.errors import FilterError
from lookalike.store.filter_nodes import (
    And,
    Attribute,
    Comparison,
    Condition,
    Constant,
    Filter,
    Has,
    Membership,
    Node,
    Not,
    Operator,
    Or,
    Presence,
    TextMatch,
    Truth,
)

MAX_LENGTH = 65_536
"""Characters of an expression."""
MAX_DEPTH = 50
"""Parentheses and ``not`` inside one another."""
MAX_CONDITIONS = 256
"""Questions in one expression: each is a query of the store."""
MAX_CONSTANTS = 5_000
"""Values in one ``in (...)``: databases bound the number of parameters."""

INT64_MAX = 2**63 - 1

_RESERVED = frozenset({"and", "or", "not", "in", "is", "null", "true", "false"})
_SYMBOLS: dict[str, Operator] = {
    "=": "=",
    "==": "=",
    "!=": "!=",
    "<>": "!=",
    "<": "<",
    "<=": "<=",
    ">": ">",
    ">=": ">=",
}
_ESCAPES = {"\\": "\\", '"': '"', "'": "'", "n": "\n", "t": "\t"}
_HINTS = {"&": "write and", "|": "write or", "!": "write not", "[": "lists are written in parentheses"}

_TOKEN = re.compile(
    r"""(?P<space>\s+)
      | (?P<number>-?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)
      | (?P<text>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')
      | (?P<quoted>`(?:[^`]|``)*`)
      | (?P<word>[^\W\d]\w*)
      | (?P<symbol>==|!=|<>|<=|>=|[=<>(),])""",
    re.VERBOSE | re.DOTALL,
)

Kind = Literal["number", "text", "quoted", "word", "symbol", "end"]


@dataclass(frozen=True, slots=True)
class _Token:
    kind: Kind
    text: str
    position: int

    @property
    def keyword(self) -> str:
        """The word in lower case; empty for anything else."""
        return self.text.lower() if self.kind == "word" else ""

    def __str__(self) -> str:
        return "the end" if self.kind == "end" else self.text


def parse(text: str) -> Filter:
    """Read a filter expression.

    Args:
        text: For example ``price < 300 and category in ("Kitchen", "Office") and not in_stock``.

    Returns:
        The tree; whether its attributes exist is for :func:`lookalike.store.filters.check` to say.

    Raises:
        FilterError: If it is not an expression, or a larger one than a person would write.
    """
    if len(text) > MAX_LENGTH:
        raise FilterError(
            f"the filter has {len(text)} characters: at most {MAX_LENGTH} are read", text[:60] + "...", 0
        )
    parser = _Parser(text)
    root = parser.expression(0)
    if parser.next.kind != "end":
        raise parser.failure("expected and, or, or the end")
    return Filter(text, root)


def _tokens(text: str) -> list[_Token]:
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise FilterError("half of a surrogate pair is not a character", ascii(text), error.start) from None
    tokens: list[_Token] = []
    position = 0
    while position < len(text):
        match = _TOKEN.match(text, position)
        if match is None:
            raise FilterError(_unreadable(text[position]), text, position)
        kind = match.lastgroup
        if kind == "number" and text[match.end() : match.end() + 1].isidentifier():
            raise FilterError("a number is followed by a letter: put text in quotes", text, match.end())
        if kind != "space":
            tokens.append(_Token(kind, match.group(), position))  # type: ignore[arg-type]  # names of _TOKEN's groups
        position = match.end()
    tokens.append(_Token("end", "", len(text)))
    return tokens


def _unreadable(character: str) -> str:
    if character in "\"'`":
        return f"the {character} is never closed"
    hint = _HINTS.get(character, "text is written in quotes, an unusual attribute name in `backticks`")
    return f"unexpected {character!r}: {hint}"


class _Parser:
    def __init__(self, text: str) -> None:
        self._text = text
        self._tokens = _tokens(text)
        self._index = 0
        self._conditions = 0

    @property
    def next(self) -> _Token:
        return self._tokens[self._index]

    def take(self) -> _Token:
        token = self.next
        self._index += token.kind != "end"
        return token

    def failure(self, expected: str) -> FilterError:
        return FilterError(f"{expected}, got {self.next}", self._text, self.next.position)

    def expression(self, depth: int) -> Node:
        return self._chain("or", depth)

    def _chain(self, word: Literal["and", "or"], depth: int) -> Node:
        """Operands joined by one word; a single operand stands for itself."""
        operands = [self._operand(word, depth)]
        while self.next.keyword == word:
            self.take()
            operands.append(self._operand(word, depth))
        if len(operands) == 1:
            return operands[0]
        return And(tuple(operands)) if word == "and" else Or(tuple(operands))

    def _operand(self, word: Literal["and", "or"], depth: int) -> Node:
        return self._chain("and", depth) if word == "or" else self._negation(depth)

    def _negation(self, depth: int) -> Node:
        if depth > MAX_DEPTH:
            raise FilterError(
                f"parentheses and not may be {MAX_DEPTH} deep: write it flatter",
                self._text,
                self.next.position,
            )
        if self.next.keyword == "not":
            self.take()
            return Not(self._negation(depth + 1))
        if self.next.text == "(" and self.next.kind == "symbol":
            self.take()
            inner = self.expression(depth + 1)
            self._symbol(")")
            return inner
        return self._condition()

    def _symbol(self, text: str) -> None:
        if self.next.kind != "symbol" or self.next.text != text:
            raise self.failure(f"expected {text}")
        self.take()

    def _keyword(self, word: str) -> None:
        if self.next.keyword != word:
            raise self.failure(f"expected {word}")
        self.take()

    def _condition(self) -> Node:
        self._conditions += 1
        if self._conditions > MAX_CONDITIONS:
            raise FilterError(
                f"more than {MAX_CONDITIONS} conditions: ask for many values with in (...)",
                self._text,
                self.next.position,
            )
        attribute = self._attribute()
        token = self.next
        if token.kind == "symbol" and token.text in _SYMBOLS:
            self.take()
            return Comparison(attribute, _SYMBOLS[token.text], self._constant())
        if token.keyword == "between":
            self.take()
            low = Comparison(attribute, ">=", self._constant())
            self._keyword("and")
            return And((low, Comparison(attribute, "<=", self._constant())))
        return self._worded(attribute)

    def _worded(self, attribute: Attribute) -> Condition:
        """The rest of a condition that is written in words."""
        word = self.next.keyword
        if word in ("in", "not"):
            if word == "not":
                self.take()
            self._keyword("in")
            return Membership(attribute, self._constants(), negated=word == "not")
        if word == "is":
            self.take()
            present = self.next.keyword == "not"
            if present:
                self.take()
            self._keyword("null")
            return Presence(attribute, present)
        if word == "has":
            self.take()
            return Has(attribute, self._string())
        if word == "contains":
            self.take()
            return TextMatch(attribute, "contains", self._string())
        if word == "starts":
            self.take()
            self._keyword("with")
            return TextMatch(attribute, "starts with", self._string())
        return Truth(attribute)

    def _attribute(self) -> Attribute:
        token = self.next
        if token.kind == "quoted" and len(token.text) > 2:
            self.take()
            return Attribute(token.text[1:-1].replace("``", "`"), token.position)
        if token.kind in ("text", "number"):
            raise self.failure("expected the name of an attribute on the left, as in price < 300")
        if token.kind != "word" or token.keyword in _RESERVED:
            raise self.failure("expected the name of an attribute")
        self.take()
        return Attribute(token.text, token.position)

    def _constants(self) -> tuple[Constant, ...]:
        self._symbol("(")
        constants = [self._constant()]
        while self.next.kind == "symbol" and self.next.text == ",":
            self.take()
            constants.append(self._constant())
            if len(constants) > MAX_CONSTANTS:
                raise FilterError(f"more than {MAX_CONSTANTS} values", self._text, self.next.position)
        self._symbol(")")
        return tuple(constants)

    def _string(self) -> Constant:
        if self.next.kind != "text":
            raise self.failure("expected text in quotes")
        return self._constant()

    def _constant(self) -> Constant:
        token = self.next
        if token.kind == "text":
            self.take()
            return Constant(self._unescaped(token), token.position)
        if token.kind == "number":
            self.take()
            return Constant(self._number(token), token.position)
        if token.keyword in ("true", "false"):
            self.take()
            return Constant(token.keyword == "true", token.position)
        if token.keyword == "null":
            raise self.failure("nothing compares with null: write is null or is not null")
        raise self.failure("expected a number, text in quotes, true or false")

    def _unescaped(self, token: _Token) -> str:
        def replace(match: re.Match[str]) -> str:
            if match[1] not in _ESCAPES:
                raise FilterError(
                    rf"unknown escape {match[0]}: \\ \" \' \n \t are known",
                    self._text,
                    token.position + 1 + match.start(),
                )
            return _ESCAPES[match[1]]

        return re.sub(r"\\(.)", replace, token.text[1:-1], flags=re.DOTALL)

    def _number(self, token: _Token) -> int | float:
        if token.text.lstrip("-").isdigit() and len(token.text) <= 20:
            whole = int(token.text)
            if -INT64_MAX - 1 <= whole <= INT64_MAX:
                return whole
        number = float(token.text)
        if not math.isfinite(number):
            raise FilterError("the number is too large", self._text, token.position)
        return number
