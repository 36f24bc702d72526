"""Tokens with positions, and the names of fields: what the filter and order_by languages share.

**Source**: Oracle REST reference, "(Preview) List experiment runs" (20260430), and MLflow 3.17.2 as recorded
in the golden cases.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from localruns.engine.query import Field
from localruns.errors import BadRequest

# Inside quotes, '' and \' do not end the text, yet stay in it as written. A backslash before the very last
# quote is a plain one ('C:\'). The atomic groups keep all of this linear, whatever the text.
_TOKEN = re.compile(
    r"""
      (?P<space>   \s+ )
    | (?P<single>  '(?>(?:''|\\'|[^'])*)' | '(?>.*\\')(?![^']*') )
    | (?P<double>  "(?>(?:""|\\"|[^"])*)" | "(?>.*\\")(?![^"]*") )
    | (?P<tick>    `(?>(?:``|[^`])*)` )
    | (?P<open>    ['"`].* )
    | (?P<number>  (?>-?(?:[0-9]+(?:\.[0-9]+)?[eE]-?[0-9]+|[0-9]+(?:\.[0-9]*)?|\.[0-9]+))(?![\w.]) )
    | (?P<word>    (?<!\.)(?i:not\ null)\b | \w+ )
    | (?P<sign>    [<>=!~]+ )
    | (?P<mark>    [(),.] )
    | (?P<other>   [^\s\w'"`<>=!~(),.]+ )
    """,
    re.VERBOSE | re.DOTALL,
)
_QUOTED = ("single", "double", "tick")
_RESERVED = ("in", "from", "as", "case", "values", "using")
_SHOWN_CHARACTERS = 40


@dataclass(frozen=True, slots=True)
class Token:
    """A piece of text; `start` counts characters from 0, `glued` says that no space stands before it."""

    kind: str
    text: str
    start: int
    glued: bool

    @property
    def content(self) -> str:
        """The text without its outer quotes; nothing inside is unescaped."""
        return self.text[1:-1] if self.kind in _QUOTED else self.text


def tokens(text: str) -> Iterator[Token]:
    """Yield all tokens but spaces; each character of any text belongs to one."""
    glued = True
    for match in _TOKEN.finditer(text):
        kind = str(match.lastgroup)
        if kind != "space":
            yield Token(kind, match[0], match.start(), glued)
        glued = kind != "space"


class Reader:
    """Walks over the tokens of one parameter's text and words the refusals.

    **Raises** BadRequest at once for lone surrogates, which no store can hold.
    """

    def __init__(self, parameter: str, text: str) -> None:
        self.text = text
        self._parameter = parameter
        self._tokens = tokens(text)
        self._next: deque[Token] = deque()
        self._end = Token("end", "", len(text), False)
        self._clause = 0
        try:
            text.encode()
        except UnicodeEncodeError as error:
            bad = Token("other", text[error.start], error.start, True)
            raise self.refusal("whole Unicode characters", bad) from None

    def peek(self, ahead: int = 0) -> Token:
        """Return the token at the cursor, or one further on, without moving; the last is of kind `end`."""
        while len(self._next) <= ahead:
            self._next.append(next(self._tokens, self._end))
        return self._next[ahead]

    def take(self) -> Token:
        """Return the token at the cursor and move on."""
        self.peek()
        return self._next.popleft()

    def begin_clause(self) -> None:
        """Let refusals quote the text from here on."""
        self._clause = self.peek().start

    def refusal(self, expected: str, token: Token | None = None) -> BadRequest:
        """Return the refusal of `token`, by default the one at the cursor; positions count from 1."""
        token = token or self.peek()
        before = self.text[self._clause : token.start].rstrip()
        after = f" after {_shown(before, tail=True)}" if before else ""
        found = "the end" if token.kind == "end" else _shown(token.text)
        unclosed = ", a quote that is never closed" if token.kind == "open" else ""
        message = f"expected {expected}{after} at character {token.start + 1}, found {found}{unclosed}"
        return BadRequest(
            self._parameter,
            self.text,
            code="InvalidParameter",
            message=f"{self._parameter}: {message}",
            detail=f"{self._parameter}: {message}; the whole text is {_shown(self.text, 2000)}",
        )


def _shown(text: str, size: int = _SHOWN_CHARACTERS, tail: bool = False) -> str:
    """Return the text in quotes, cut to `size` characters, with all that is not printable escaped."""
    if len(text) <= size:
        return repr(text)
    return repr("..." + text[3 - size :] if tail else text[: size - 3] + "...")


@dataclass(frozen=True, slots=True)
class Names:
    """The field names that one language of one dialect knows.

    **Shape**: `prefixes` leads from a written prefix to a bag, or to "" for columns; `columns` from a written
    attribute to a column; `keys` are the kinds of token a key may be; `bare` says whether an attribute may
    stand without prefix; `dotted` whether a key may hold dots without quotes.
    """

    prefixes: Mapping[str, str]
    columns: Mapping[str, str] = field(default_factory=dict)
    keys: tuple[str, ...] = ("word", "double")
    bare: bool = False
    dotted: bool = False


CLOSED_BAGS: Mapping[str, tuple[str, ...]] = {"datasets": ("name", "digest", "context")}


def read_field(reader: Reader, names: Names) -> Field:
    """Take a field: an attribute, or a prefix, a dot and a key, with no space around the dot."""
    bag = _read_prefix(reader, names)
    known = CLOSED_BAGS.get(bag) if bag else names.columns
    token = reader.peek()
    key = _read_key(reader, names)
    if known is not None and key not in known:
        raise reader.refusal(f"one of the names {', '.join(known)}", token)
    return Field(key, bag) if bag else Field(names.columns[key])


def _read_prefix(reader: Reader, names: Names) -> str:
    """Take a prefix and its dot, where there is one; return the bag."""
    token, dot = reader.peek(), reader.peek(1)
    if dot.text == "." and dot.glued:
        if token.kind in ("word", "tick") and token.kind in names.keys and token.content in names.prefixes:
            reader.take()
            _take_dot(reader)
            return names.prefixes[token.content]
        raise reader.refusal(f"one of the prefixes {', '.join(names.prefixes)}")
    if names.bare and token.kind in ("word", "double", "tick"):
        return ""
    raise reader.refusal(f"a field such as {next(iter(names.prefixes))}.name")


def _read_key(reader: Reader, names: Names) -> str:
    """Take a key: quoted text as it is, or bare words joined by dots."""
    if reader.peek().kind != "word":
        return _read_key_part(reader, names.keys)
    parts = [_read_key_part(reader, ("word",))]
    while names.dotted and reader.peek().text == "." and reader.peek().glued:
        _take_dot(reader)
        parts.append(_read_key_part(reader, ("word",)))
    return ".".join(parts)


def _read_key_part(reader: Reader, kinds: tuple[str, ...]) -> str:
    """Take one word or one quoted text.

    **Source**: sqlparse 0.6.1, with which MLflow reads filters, has six words that cannot be bare keys.
    """
    token = reader.peek()
    if token.kind not in kinds:
        raise reader.refusal("a name, in double quotes unless it is of letters, digits and _")
    if token.text.lower() in _RESERVED:
        raise reader.refusal("double quotes around this word of SQL")
    return reader.take().content


def _take_dot(reader: Reader) -> None:
    """Take a dot that the next token touches."""
    reader.take()
    if not reader.peek().glued:
        raise reader.refusal("no space")
