"""The entry of the command line: all commands, and errors in a sentence."""

from __future__ import annotations

import sys
import traceback
from typing import NoReturn

import typer
from rich.text import Text

from incongruent.cli.banks import bank_app
from incongruent.cli.check import check
from incongruent.cli.fit import demo, fit
from incongruent.cli.info import info
from incongruent.cli.page import open_app
from incongruent.cli.parts import help_of, plain, print_anything
from incongruent.cli.recover import recover
from incongruent.cli.simulate import simulate
from incongruent.cli.train import train
from incongruent.data.doors import COMMAND_LINE, at_door
from incongruent.posterior.progress import errors

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help=(
        "Amortized Bayesian inference for reaction-time models of conflict tasks. "
        "Exit codes: 0 good, 1 bad data or network, 2 bad usage. --debug shows tracebacks."
    ),
)
app.add_typer(bank_app, name="bank")
app.command(help=help_of(check))(check)
app.command(name="app", help=help_of(open_app))(open_app)
for command in (fit, demo, simulate, train, recover, info):
    app.command(help=help_of(command))(command)

BAD_DATA = (
    "DataError",
    "FileError",
    "LikelihoodError",
    "PriorError",
    "ScopeError",
    "TrainingError",
)
"""Errors about data and networks, by name, since importing the classes takes long."""


def main() -> NoReturn:
    """Run the command line; errors become one sentence, unless --debug is given."""
    print_anything()
    arguments = [argument for argument in sys.argv[1:] if argument != "--debug"]
    try:
        with at_door(COMMAND_LINE):
            app(arguments, prog_name="incongruent")
    except Exception as error:
        if not _is_bad_data(error):
            raise
        if "--debug" in sys.argv:
            traceback.print_exc()
        errors.print(Text.assemble(("error:", "bold red"), f" {plain(_words(error))}"))
        sys.exit(1)
    sys.exit(0)


def _is_bad_data(error: Exception) -> bool:
    """Whether an error is told in a sentence: those of the data, the network and the disk."""
    return isinstance(error, OSError) or any(
        kind.__name__ in BAD_DATA and kind.__module__.startswith("incongruent.")
        for kind in type(error).__mro__
    )


def _words(error: Exception) -> str:
    """What went wrong; an error of scope also says which option goes on."""
    from incongruent.posterior.scope import IN_SHELL, ScopeError

    return error.said(IN_SHELL) if isinstance(error, ScopeError) else str(error)
