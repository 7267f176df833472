"""XML as a stream of small trees: a message of a million entries takes the memory of one.

A document that declares a type, as every attack by entities must, is refused; so is an element
nested or filled beyond what any message has.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from pyexpat import ExpatError, ParserCreate
from typing import IO

from cordon.kernel.errors import BadInput

MOST_DEEP = 64
MOST_TEXT = 1 << 20  # characters of one tree
_CHUNK = 1 << 16


@dataclass(slots=True)
class Tree:
    """An element without its namespace.

    Attributes:
        tag: its local name. line: where it begins, from 1.
    """

    tag: str
    attributes: dict[str, str]
    line: int
    text: str = ""
    children: list[Tree] = field(default_factory=list)

    def all(self, *path: str) -> list[Tree]:
        """Elements under a path of tags."""
        found = [self]
        for tag in path:
            found = [c for t in found for c in t.children if c.tag == tag]
        return found

    def one(self, *path: str) -> Tree | None:
        """The first element under a path of tags."""
        return next(iter(self.all(*path)), None)

    def said(self, *paths: str) -> str:
        """The first text that stands under one of the paths (`A/B/C`), or empty."""
        for path in paths:
            for found in self.all(*path.split("/")):
                if found.text.strip():
                    return found.text.strip()
        return ""


def trees(raw: IO[bytes], tags: Collection[str], name: str) -> Iterator[Tree]:
    """Elements with these tags in the order of the document; none within another.

    Args:
        name: how errors call the file.

    Raises:
        BadInput: it is no XML, breaks off, or declares a document type.
    """
    ready: list[Tree] = []
    open_: list[Tree] = []
    depth, size = 0, 0

    def start(full: str, attributes: dict[str, str]) -> None:
        nonlocal depth, size
        depth += 1
        if depth > MOST_DEEP:
            raise BadInput(f"{name} nests deeper than {MOST_DEEP} elements.")
        tag = full.rpartition("|")[2]
        if not open_ and tag not in tags:
            return
        if not open_:
            size = 0
        made = Tree(tag, attributes, parser.CurrentLineNumber)
        if open_:
            open_[-1].children.append(made)
        open_.append(made)

    def end(_full: str) -> None:
        nonlocal depth
        depth -= 1
        if open_:
            done = open_.pop()
            if not open_:
                ready.append(done)

    def text(said: str) -> None:
        nonlocal size
        if open_:
            size += len(said)
            if size > MOST_TEXT:
                raise BadInput(
                    f"{name}, line {open_[0].line}: an entry holds more than {MOST_TEXT:,} "
                    "characters."
                )
            open_[-1].text += said

    def declared(*_: object) -> None:
        raise BadInput(
            f"{name} declares a document type, which no bank's message does.",
            advice="Ask its sender for the file as the bank gave it.",
        )

    parser = ParserCreate(namespace_separator="|")
    parser.buffer_text = True
    parser.StartElementHandler = start
    parser.EndElementHandler = end
    parser.CharacterDataHandler = text
    parser.StartDoctypeDeclHandler = declared
    try:
        while chunk := raw.read(_CHUNK):
            parser.Parse(chunk, False)
            yield from ready
            ready.clear()
        parser.Parse(b"", True)
    except ExpatError as wrong:
        raise BadInput(
            f"{name} breaks off or is no XML (line {wrong.lineno}).",
            advice="Ask its sender for the whole file.",
        ) from None
    yield from ready
