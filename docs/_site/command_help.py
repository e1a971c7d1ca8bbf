"""A directive that writes the reference of the command line from the commands' own signatures:
``.. command-help::``.
"""

from __future__ import annotations

import inspect
import typing
from collections.abc import Callable, Iterator
from enum import Enum
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective
from typer.models import ArgumentInfo

from incongruent.cli.commands import app

NAME = "incongruent"
WORDS = {Path: "PATH", str: "TEXT", int: "N", float: "NUMBER"}


def commands() -> Iterator[tuple[str, Callable[..., Any]]]:
    """The words after ``incongruent`` of every command, and its function."""
    for command in app.registered_commands:
        if command.callback is not None:
            yield command.name or command.callback.__name__, command.callback
    for group in app.registered_groups:
        for command in group.typer_instance.registered_commands if group.typer_instance else []:
            if command.callback is not None:
                yield f"{group.name} {command.name or command.callback.__name__}", command.callback


def parameters(function: Callable[..., Any]) -> Iterator[tuple[str, Any, Any, Any]]:
    """Name, type, what typer is told, and default of each parameter."""
    hints = typing.get_type_hints(function, include_extras=True)
    for name, parameter in inspect.signature(function).parameters.items():
        kind, info = typing.get_args(hints[name])
        yield (
            name,
            next((k for k in typing.get_args(kind) if k is not type(None)), kind),
            info,
            parameter.default,
        )


def written(name: str, function: Callable[..., Any]) -> Iterator[str]:
    """The reStructuredText of one command: usage, what it does, its arguments and options."""
    told = list(parameters(function))
    arguments = [entry for entry in told if isinstance(entry[2], ArgumentInfo)]
    usage = " ".join([NAME, name, *(entry[0].upper() for entry in arguments), "[options]"])
    yield from (
        f".. program:: {NAME} {name}",
        "",
        ".. code-block:: text",
        "",
        f"   {usage}",
        "",
        _plain(inspect.getdoc(function) or ""),
        "",
    )
    for entry, _, info, default in arguments:
        yield from (f"{entry.upper()}", f"    {_plain(info.help)}{_otherwise(default)}", "")
    for entry, kind, info, default in told:
        if (entry, kind, info, default) not in arguments:
            yield from (
                f".. option:: {_flags(entry, kind, info)}",
                "",
                f"   {_plain(info.help)}{_otherwise(default)}",
                "",
            )


def _flags(name: str, kind: Any, info: Any) -> str:
    # in Annotated, typer finds the first name there
    declared = [word for word in (info.default, *(info.param_decls or ())) if isinstance(word, str)]
    flags = [
        flag for word in declared or [f"--{name.replace('_', '-')}"] for flag in word.split("/")
    ]
    if kind is bool:
        return ", ".join(flags)
    word = (
        "|".join(member.value for member in kind)
        if isinstance(kind, type) and issubclass(kind, Enum)
        else WORDS.get(kind, "VALUE")
    )
    return ", ".join(f"{flag} {word}" for flag in flags)


def _plain(text: str | None) -> str:
    return " ".join((text or "").split()).replace("*", r"\*").replace("`", "``")


def _otherwise(default: Any) -> str:
    """Whether it has to be given, or what it is when left out."""
    if default is inspect.Parameter.empty:
        return " *Has to be given.*"
    return (
        ""
        if default is None or isinstance(default, bool)
        else f" *Default:* ``{getattr(default, 'value', default)}``."
    )


class CommandHelp(SphinxDirective):
    """One section for each command."""

    def run(self) -> list[nodes.Node]:
        """The sections."""
        sections: list[nodes.Node] = []
        for name, function in commands():
            title = f"{NAME} {name}"
            section = nodes.section(ids=[nodes.make_id(title)], names=[title])
            section += nodes.title(text=title)
            section += self.parse_text_to_nodes("\n".join(written(name, function)))
            sections.append(section)
        return sections


def setup(app: Sphinx) -> dict[str, Any]:
    """Make the directive known."""
    app.add_directive("command-help", CommandHelp)
    return {"parallel_read_safe": True}
