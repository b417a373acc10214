r"""Markdown as a renderer understands it: its blocks, and their words in one spelling.

Each of Markdown's many spellings of the same comes out alike: ``__a__`` as ``**a**``, a line that is wrapped as one
line, ``<br/>`` as ``<br>``, ``&lt;`` as ``\<``. So what renders the same means the same.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from markdown_it import MarkdownIt
from markdown_it.token import Token

from ownership.exchange.texts import trimmed

_BREAK = re.compile(r"</?br\s*/?>", re.IGNORECASE)
_BOLD_TAG = re.compile(r"</?(?:b|strong)>", re.IGNORECASE)
_OTHER_EMPHASIS = re.compile(
    r"</?(?:em|i|u|s|del|ins|mark|small|code|span|font|sub|sup)(?:\s[^<>]*)?>", re.IGNORECASE
)
_DECIMAL = re.compile("&#[0-9]{1,7};")
_HEXADECIMAL = re.compile("&#[xX]([0-9a-fA-F]{1,6});")
_PUNCTUATION = re.compile(r"[!-/:-@\[-`{-~]")


class _Parser(MarkdownIt):
    """Keeps addresses as they are written. Nothing here is rendered, so none can do harm."""

    def normalizeLink(self, url: str) -> str:
        """The address."""
        return url

    def validateLink(self, url: str) -> bool:
        """Any address is a link's."""
        return True


# Without text_join, escaped characters stay apart from those that are markup.
_parser = _Parser("commonmark").enable("table").disable("text_join")


@dataclass(frozen=True)
class Block:
    """A heading, paragraph, list, table or piece of HTML, with its lines: ``line`` is the first, ``end`` the last."""

    kind: str  # h1 to h6, or the kind of its first token without _open
    line: int
    end: int
    tokens: Sequence[Token]

    @property
    def inline(self) -> Token:
        """The words of a heading or paragraph."""
        return self.tokens[1]

    @property
    def html(self) -> str:
        """A piece of HTML."""
        return self.tokens[0].content

    def parts(self, opening: str) -> Iterator[list[Token]]:
        """The items of a list, or the rows of a table: the words in each."""
        part: list[Token] | None = None
        for token in self.tokens:
            if token.type == opening:
                part = []
            elif token.type == opening.replace("_open", "_close") and part is not None:
                yield part
                part = None
            elif part is not None and token.type in ("inline", "fence", "code_block", "html_block"):
                part.append(token)


def blocks(text: str) -> Iterator[Block]:
    """The document's blocks, in order."""
    tokens = _parser.parse(text)
    start = 0
    for position, token in enumerate(tokens):
        if token.level or token.nesting > 0:
            continue
        part = tokens[start : position + 1]
        start = position + 1
        first = part[0]
        begin, end = first.map or (0, 0)
        kind = first.tag if first.type == "heading_open" else first.type.removesuffix("_open")
        yield Block(kind, begin + 1, end, part)


def line_of(token: Token) -> int:
    """The number of the line on which it begins."""
    return (token.map or (0, 0))[0] + 1


def words(inline: Token, *, bold: str = "", links: bool = True) -> str:
    """The words as ``exports/to_markdown.py`` would spell them, on one line. Emphasis is left out.

    ``bold`` is written where bold text begins and ends. Without ``links``, of a link only its text is kept.
    """
    pieces: list[str] = []
    addresses: list[str | None] = []
    for token in inline.children or ():
        if token.type == "link_open":
            # An address that links to itself is its own text.
            address = str(token.attrs["href"]) if links and token.info != "auto" else None
            addresses.append(address)
            pieces.append("" if address is None else "[")
        elif token.type == "link_close":
            address = addresses.pop()
            pieces.append("" if address is None else f"]({_literal(address)})")
        elif _is_bold(token):
            pieces.append(bold)
        else:
            pieces.append(_spelled(token))
    return trimmed("".join(pieces))


def _is_bold(token: Token) -> bool:
    """Whether bold text begins or ends, in Markdown or in HTML."""
    if token.type == "html_inline":
        return _BOLD_TAG.fullmatch(token.content) is not None
    return token.type in ("strong_open", "strong_close")


def _spelled(token: Token) -> str:
    """A token in the one spelling; empty for emphasis and comments."""
    match token.type:
        case "text":
            return token.content
        case "text_special":
            return _spelled_character(token)
        case "code_inline":
            return _literal(token.content)
        case "image":
            return _literal(f"![{token.content}]({token.attrs['src']})")
        case "softbreak":
            return " "
        case "hardbreak":
            return "<br>"
        case "html_inline" if _BREAK.fullmatch(token.content):
            return "<br>"
        case "html_inline" if _OTHER_EMPHASIS.fullmatch(token.content) or token.content.startswith(
            "<!--"
        ):
            return ""
        case "html_inline":
            return _literal(token.content)
    return ""


def _spelled_character(token: Token) -> str:
    """An escaped character, or a character reference."""
    if token.info == "escape" or _DECIMAL.fullmatch(token.markup):
        return token.markup
    hexadecimal = _HEXADECIMAL.fullmatch(token.markup)
    if hexadecimal:
        return f"&#{int(hexadecimal[1], 16)};"
    return _literal(token.content)


def _literal(text: str) -> str:
    """The text, in which nothing is markup."""
    return _PUNCTUATION.sub(r"\\\g<0>", text)
