"""Expressions over the columns of a table: which rows to take (``where``), and columns that are
computed.

An expression compares columns with values and with each other, and may use arithmetic and logic:
``"block > 1 and group == 'a'"``, ``"t_response - t_onset"``, ``"response is not missing"``. Names
that are not plain words stand in backticks; names with dots or brackets also without. Nothing else
is ever run.
"""

from __future__ import annotations

import ast
import difflib
import re
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from incongruent.data import doors
from incongruent.data.codings import CONGRUENT, INCONGRUENT, Coding
from incongruent.data.files.cells import beside_text, comparable
from incongruent.data.trials import Array
from incongruent.data.values import DataError, absent, column_of, listed

ALLOWED = (
    *(
        ast.Expression,
        ast.Compare,
        ast.BoolOp,
        ast.UnaryOp,
        ast.BinOp,
        ast.Name,
        ast.Constant,
        ast.List,
        ast.Tuple,
        ast.Load,
    ),
    *(
        ast.And,
        ast.Or,
        ast.Not,
        ast.USub,
        ast.Add,
        ast.Sub,
        ast.Mult,
        ast.Div,
        ast.FloorDiv,
        ast.Mod,
    ),
    *(ast.Eq, ast.NotEq, ast.Lt, ast.LtE, ast.Gt, ast.GtE, ast.In, ast.NotIn),
)
MISSING_WORD = "missing"
"""What ``is`` and ``is not`` may compare with."""


@dataclass(frozen=True)
class Expression:
    """An expression that may be computed.

    Attributes:
        text: as pandas computes it, with a placeholder for each column.
        columns: the column for each placeholder.
        missing: the column for each placeholder that says where a column is missing.
    """

    text: str
    columns: Mapping[str, str]
    missing: Mapping[str, str]


class ExpressionError(Exception):
    """What is wrong with an expression, in words."""


def choose(table: pd.DataFrame, where: str | None) -> tuple[pd.DataFrame, list[str]]:
    """The rows for which ``where`` holds, and a sentence about them.

    Raises:
        DataError: when the filter is not understood or holds for no row.
    """
    if where is None:
        return table, []
    try:
        mask = evaluate(where, table)
        if mask.shape != (len(table),) or mask.dtype != bool:
            raise ExpressionError("it is not true or false for each row")
        if not mask.any():
            raise ExpressionError(f"it holds for none of {len(table)} rows")
    except ExpressionError as error:
        example = "such as 'block > 1 and group == \"a\"' or 'response is not missing'"
        raise DataError(
            f"Expected `where` to choose rows by comparing columns with values, {example}; got"
            f" {where!r}: {error}. The columns are {listed(table.columns, 40)}."
        ) from error
    return table.loc[mask].reset_index(drop=True), [
        f"`where` chose {mask.sum()} of {len(table)} rows: {where.strip()}."
    ]


def with_computed(table: pd.DataFrame, coding: Coding) -> tuple[pd.DataFrame, list[str]]:
    """The table with a column for each role of the coding that is an expression, named by the
    expression, and a sentence about each.

    A computed value is missing where one of the columns that it is computed from is.

    Raises:
        DataError: when such an expression is not understood, or is of the wrong kind for the role.
    """
    notes: list[str] = []
    for role in ("rt", "accuracy", "error", "condition"):
        text = getattr(coding, role)
        if (
            not isinstance(text, str)
            or any(text.casefold() == column.casefold() for column in table.columns)
            or not _computes(text)
        ):
            continue
        try:
            values = _of_role(role, text, table)
        except ExpressionError as error:
            raise DataError(
                f"Expected {doors.coding(**{role: None})} to name a column or to compute one, such"
                f" as 'response == ink'; got {text!r}: {error}. The columns are"
                f" {listed(table.columns, 40)}."
            ) from error
        table = table.assign(**{text: values})
        notes.append(f"The {_WORDS[role]} was computed: {text}.")
    return table, notes


_WORDS = {"rt": "reaction time", "accuracy": "accuracy", "error": "error", "condition": "condition"}


def _computes(text: str) -> bool:
    """True for text with an operator, which no ordinary name has."""
    return re.search(r"[=<>!+*/%-]|\b(is|in|and|or|not)\b", text) is not None


def _of_role(role: str, text: str, table: pd.DataFrame) -> Array:
    expression = parse(text, list(table.columns))
    values = compute(expression, table)
    if values.shape != (len(table),):
        raise ExpressionError("it is not one value for each row")
    if role == "rt" and values.dtype == bool:
        raise ExpressionError("it is true or false, and no time")
    if role != "rt" and values.dtype != bool:
        raise ExpressionError("it is not true or false for each row")
    unknown = np.zeros(len(table), bool)
    for column in expression.columns.values():
        unknown |= absent(column_of(table, column))
    if role == "rt":
        return np.where(unknown, np.nan, values.astype(float))
    words = {"condition": (CONGRUENT, INCONGRUENT)}.get(role, ("1", "0"))
    said = np.where(values, *words).astype(object)
    said[unknown] = None
    return said


def evaluate(text: str, table: pd.DataFrame) -> Array:
    """The value of an expression, (row,) or a scalar's shape ().

    Raises:
        ExpressionError: when it is not understood or cannot be computed.
    """
    return compute(parse(text, list(table.columns)), table)


def compute(expression: Expression, table: pd.DataFrame) -> Array:
    """The value of a parsed expression. Comparisons with a missing value are false, and unequal is
    true.

    Raises:
        ExpressionError: when it cannot be computed.
    """
    # Columns get names made here, so that none can mean anything else to pandas.
    with_text = beside_text(expression.text)
    values = pd.DataFrame(
        {
            name: _plain_column(comparable(column_of(table, column), name in with_text))
            for name, column in expression.columns.items()
        }
    )
    for placeholder, column in expression.missing.items():
        values[placeholder] = absent(column_of(table, column))
    try:
        return np.asarray(values.eval(expression.text, engine="python"))
    except (
        Exception
    ) as error:  # whatever pandas cannot compute, such as text < number, does not fit the data
        raise ExpressionError(f"it cannot be computed ({error})") from error


def _plain_column(column: pd.Series) -> pd.Series:
    """A column of a plain numpy type, whatever frame it comes from, so that comparisons with a
    missing value are false.
    """
    dtype = column.dtype
    if isinstance(dtype, pd.CategoricalDtype):
        column = column.astype(object)
    elif isinstance(dtype, pd.api.extensions.ExtensionDtype):
        if pd.api.types.is_bool_dtype(dtype):
            return (
                column.astype(object).where(column.notna(), None)
                if column.isna().any()
                else column.astype(bool)
            )
        if pd.api.types.is_numeric_dtype(dtype):
            return column.astype(
                "int64"
                if pd.api.types.is_integer_dtype(dtype) and not column.isna().any()
                else float
            )
        column = column.astype(object)
    return column.where(column.notna(), None) if column.dtype == object else column


def parse(text: str, columns: list[str]) -> Expression:
    """The expression with a placeholder for each column; nothing but comparisons, logic and
    arithmetic passes.

    Raises:
        ExpressionError: when it cannot be read, uses what is not allowed, or names a column that is
            not there.
    """
    quoted: dict[str, str] = {}

    def plain(found: re.Match[str]) -> str:
        if found[1] is not None:
            return quoted.setdefault(found[1], f"quoted_name_{len(quoted)}")
        return {"&": " and ", "|": " or ", "~": " not "}.get(found[0], found[0])

    written = re.sub(r"'[^'\n]*'|\"[^\"\n]*\"|`([^`\n]+)`|[&|~]", plain, text).strip()
    try:
        tree = _Names(columns, {name: column for column, name in quoted.items()})
        parsed = tree.visit(ast.parse(written, mode="eval"))
        unknown = [node for node in ast.walk(parsed) if not isinstance(node, ALLOWED)]
        unknown += [
            side
            for node in ast.walk(parsed)
            if isinstance(node, ast.BinOp)
            for side in (node.left, node.right)
            if not _countable(side)
        ]
        rewritten = ast.unparse(parsed)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise ExpressionError(f"it cannot be read ({error})") from error
    if unknown:
        raise ExpressionError(
            f"{type(unknown[0]).__name__} is not allowed{_hint(unknown[0], columns)}"
        )
    if tree.absent:
        near = difflib.get_close_matches(tree.absent[0], columns, 1, 0.6)
        raise ExpressionError(
            f"there is no column {listed(tree.absent)}"
            + (f"; did you mean {listed(near)}?" if near else "")
        )
    return Expression(rewritten, tree.columns, tree.missing)


def _hint(node: ast.AST, columns: list[str]) -> str:
    if not isinstance(node, ast.Attribute | ast.Subscript | ast.Call):
        return ""
    near = difflib.get_close_matches(ast.unparse(node), columns, 1, 0.5)
    return (
        "; a column's name with dots, brackets or spaces stands in backticks, as in"
        f" `{near[0] if near else 'Target.RT'}`"
    )


class _Names(ast.NodeTransformer):
    """Puts placeholders in the place of columns, and of ``is missing``."""

    def __init__(self, names: list[str], quoted: Mapping[str, str]) -> None:
        self.names, self.quoted = set(names), quoted
        self.columns: dict[str, str] = {}
        self.missing: dict[str, str] = {}
        self.absent: list[str] = []

    def _placeholder(self, column: str, places: dict[str, str], letter: str) -> ast.Name:
        if column not in self.names:
            self.absent.append(column)
        known = {name: placeholder for placeholder, name in places.items()}
        placeholder = known.get(column, f"{letter}{len(places)}")
        places[placeholder] = column
        return ast.Name(placeholder, ast.Load())

    def _column(self, node: ast.AST) -> str | None:
        """The column that a node names: a word, or what is written with dots and brackets like one."""
        if isinstance(node, ast.Name):
            return self.quoted.get(node.id, node.id)
        if isinstance(node, ast.Attribute | ast.Subscript):
            written = ast.unparse(node)
            return written if written in self.names else None
        return None

    def visit_Name(self, node: ast.Name) -> ast.AST:
        """A column."""
        return self._placeholder(self.quoted.get(node.id, node.id), self.columns, "c")

    def visit_Attribute(self, node: ast.Attribute) -> ast.AST:
        """A column with a dot in its name."""
        column = self._column(node)
        return node if column is None else self._placeholder(column, self.columns, "c")

    def visit_Subscript(self, node: ast.Subscript) -> ast.AST:
        """A column with brackets in its name."""
        column = self._column(node)
        return node if column is None else self._placeholder(column, self.columns, "c")

    def visit_Compare(self, node: ast.Compare) -> ast.AST:
        """A comparison; ``is missing`` asks whether a column has a value."""
        operator, right = node.ops[0], node.comparators[0]
        column = self._column(node.left)
        asks = (
            len(node.ops) == 1
            and isinstance(operator, ast.Is | ast.IsNot)
            and isinstance(right, ast.Name)
            and right.id == MISSING_WORD
        )
        if not asks or column is None:
            return self.generic_visit(node)
        place = self._placeholder(column, self.missing, "m")
        return place if isinstance(operator, ast.Is) else ast.UnaryOp(ast.Not(), place)


def _countable(node: ast.AST) -> bool:
    return not isinstance(node, ast.List | ast.Tuple) and not (
        isinstance(node, ast.Constant) and not isinstance(node.value, int | float)
    )
