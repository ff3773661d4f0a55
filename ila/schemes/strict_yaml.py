"""Strict reading of YAML: every scalar stays text, nothing is guessed, and each key knows its line.

Refused: duplicate keys (the last would silently win), anchors and aliases, tags, several documents, empty values.
The plain word `null` is the only scalar with a meaning; a quoted one is text.
"""

from dataclasses import dataclass
from typing import Any

import yaml

Path = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Document:
    """Plain mappings, lists, texts and None, with the line (from 1) of every key and item by its path."""

    content: Any
    lines: dict[Path, int]

    def line_of(self, path: Path) -> int:
        """Return the line of a path, or of the nearest thing around it that the file has."""
        while path and path not in self.lines:
            path = path[:-1]
        return self.lines.get(path, 1)


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing wrong in a file: where, and why. `path` names the keys that lead there."""

    line: int
    path: Path
    reason: str


def written_key(path: Path) -> str:
    """Return a path as people read it, with items counted from 1 and a comma before; nothing for the file itself.

    >>> written_key(("needs", 0, "values"))
    ', needs[1].values'
    """
    key = "".join(f"[{part + 1}]" if isinstance(part, int) else f".{part}" for part in path).lstrip(".")
    return f", {key}" if key else ""


class _TextLoader(yaml.BaseLoader):
    """Composes nodes only; scalars are read by `_read`, never by YAML's own guesses."""


def read(text: str) -> tuple[Document | None, list[Fault]]:
    """Return the document and its faults; no document where the text is not YAML at all."""
    try:
        faults = [
            Fault(token.start_mark.line + 1, (), f"{word} are refused; write the value out where it is used")
            for token in yaml.scan(text, Loader=_TextLoader)
            for kind, word in _REFUSED_TOKENS.items()
            if isinstance(token, kind)
        ]
        if faults:
            return None, faults
        nodes = list(yaml.compose_all(text, Loader=_TextLoader))
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        return None, [Fault(line, (), f"not readable as YAML: {error.problem}")]
    except yaml.YAMLError as error:
        return None, [Fault(1, (), f"not readable as YAML: {' '.join(str(error).split())}")]
    if len(nodes) != 1:
        return None, [Fault(1, (), f"one document is expected, not {len(nodes)}")]
    lines: dict[Path, int] = {}
    content = _read(nodes[0], (), lines, faults)
    return Document(content, lines), faults


_REFUSED_TOKENS: dict[type[yaml.Token], str] = {
    yaml.AnchorToken: "anchors",
    yaml.AliasToken: "aliases",
    yaml.TagToken: "tags",
}


def _read(node: yaml.Node, path: Path, lines: dict[Path, int], faults: list[Fault]) -> Any:
    lines.setdefault(path, node.start_mark.line + 1)
    match node:
        case yaml.ScalarNode():
            if node.style is None and node.value == "null":
                return None
            if node.style is None and node.value == "":
                faults.append(Fault(lines[path], path, "is empty; write a value or remove the key"))
            return node.value
        case yaml.SequenceNode():
            return [_read(item, (*path, index), lines, faults) for index, item in enumerate(node.value)]
        case yaml.MappingNode():
            return _mapping(node, path, lines, faults)
        case _:
            raise AssertionError(f"unexpected node {node}")


def _mapping(node: yaml.MappingNode, path: Path, lines: dict[Path, int], faults: list[Fault]) -> dict[str, Any]:
    content: dict[str, Any] = {}
    for key_node, value_node in node.value:
        line = key_node.start_mark.line + 1
        if not isinstance(key_node, yaml.ScalarNode):
            faults.append(Fault(line, path, "a key must be one word"))
            continue
        key = key_node.value
        if key in content:
            first = lines[(*path, key)]
            faults.append(Fault(line, (*path, key), f"duplicate key; it stands on line {first} already"))
            continue
        lines[(*path, key)] = line
        content[key] = _read(value_node, (*path, key), lines, faults)
    return content
