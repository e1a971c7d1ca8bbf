"""Expressions over the columns of a table, such as ``"block > 1 and group == 'a'"``.

An expression compares columns with values and with each other, and may use arithmetic and logic:
``"t_response - t_onset"``, ``"response is not missing"``. Names that are not plain words are
written in backticks; names with dots or brackets also without. Nothing else is ever run.
"""

from __future__ import annotations

import ast
import difflib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from incongruent.data.files.cells import beside_text, comparable
from incongruent.data.trials import Array
from incongruent.data.values import absent, column_of, listed

_VALUES = (ast.Expression, ast.Name, ast.Constant, ast.List, ast.Tuple, ast.Load)
_OPERATIONS = (ast.Compare, ast.BoolOp, ast.UnaryOp, ast.BinOp)
_LOGIC = (ast.And, ast.Or, ast.Not)
_ARITHMETIC = (ast.USub, ast.Add, ast.Sub, ast.Mult, ast.Div, ast.FloorDiv, ast.Mod)
_COMPARISONS = (ast.Eq, ast.NotEq, ast.Lt, ast.LtE, ast.Gt, ast.GtE, ast.In, ast.NotIn)
ALLOWED = (*_VALUES, *_OPERATIONS, *_LOGIC, *_ARITHMETIC, *_COMPARISONS)
"""The parts of Python that an expression may have."""
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


def evaluate(text: str, table: pd.DataFrame) -> Array:
    """The value of an expression: one for each row, (row,), or a single one, ().

    Raises:
        ExpressionError: when it is not understood or cannot be computed.
    """
    return compute(parse(text, list(table.columns)), table)


# --- computing ------------------------------------------------------------------------------------


def compute(expression: Expression, table: pd.DataFrame) -> Array:
    """The value of a parsed expression.

    Comparisons with a missing value are false, except that a missing value is unequal to any other.

    Raises:
        ExpressionError: when it cannot be computed.
    """
    values = _placed(expression, table)
    try:
        return np.asarray(values.eval(expression.text, engine="python"))
    except Exception as error:  # pandas raises all kinds, such as for text < number
        raise ExpressionError(f"it cannot be computed ({error})") from error


def _placed(expression: Expression, table: pd.DataFrame) -> pd.DataFrame:
    """The columns of an expression under their placeholders, which mean nothing else to pandas."""
    with_text = beside_text(expression.text)
    values = {
        placeholder: _plain_column(comparable(column_of(table, column), placeholder in with_text))
        for placeholder, column in expression.columns.items()
    }
    missing = {
        placeholder: absent(column_of(table, column))
        for placeholder, column in expression.missing.items()
    }
    return pd.DataFrame(values).assign(**missing)


def _plain_column(column: pd.Series) -> pd.Series:
    """A column of a plain numpy type, so that comparisons with a missing value are false."""
    if column.dtype == object or isinstance(column.dtype, pd.CategoricalDtype):
        return _as_objects(column)
    if not isinstance(column.dtype, pd.api.extensions.ExtensionDtype):
        return column
    plain_type = _plain_type(column)
    return _as_objects(column) if plain_type is object else column.astype(plain_type)


def _plain_type(column: pd.Series) -> type:
    """The numpy type for a column with a type of pandas or arrow."""
    complete = not column.isna().any()
    if pd.api.types.is_bool_dtype(column.dtype):
        return bool if complete else object
    if pd.api.types.is_numeric_dtype(column.dtype):
        return np.int64 if complete and pd.api.types.is_integer_dtype(column.dtype) else float
    return object


def _as_objects(column: pd.Series) -> pd.Series:
    """A column of objects, None where a value is missing."""
    return column.astype(object).where(column.notna(), None)


# --- parsing --------------------------------------------------------------------------------------


def parse(text: str, columns: list[str]) -> Expression:
    """The expression with a placeholder for each column.

    Raises:
        ExpressionError: when it cannot be read, uses anything but comparisons, logic and
            arithmetic, or names a column that is not there.
    """
    python, quoted = _as_python(text)
    names = _Names(columns, quoted)
    try:
        tree = names.visit(ast.parse(python, mode="eval"))
        refused = next(_refused(tree), None)
        rewritten = ast.unparse(tree)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise ExpressionError(f"it cannot be read ({error})") from error
    _check_allowed(refused, columns)
    _check_known(names.absent, columns)
    return Expression(rewritten, names.columns, names.missing)


def _as_python(text: str) -> tuple[str, dict[str, str]]:
    """The text as Python, and the column for each new name.

    Names in backticks become new plain names, and the signs &, | and ~ become words; quoted text
    does not change.
    """
    quoted: dict[str, str] = {}

    def written(found: re.Match[str]) -> str:
        if found[1] is not None:
            return quoted.setdefault(found[1], f"quoted_name_{len(quoted)}")
        return {"&": " and ", "|": " or ", "~": " not "}.get(found[0], found[0])

    python = re.sub(r"'[^'\n]*'|\"[^\"\n]*\"|`([^`\n]+)`|[&|~]", written, text).strip()
    return python, {name: column for column, name in quoted.items()}


def _refused(tree: ast.AST) -> Iterator[ast.AST]:
    """The parts of an expression that are not allowed."""
    nodes = list(ast.walk(tree))
    yield from (node for node in nodes if not isinstance(node, ALLOWED))
    for node in nodes:
        if isinstance(node, ast.BinOp):
            yield from (side for side in (node.left, node.right) if not _is_countable(side))


def _is_countable(node: ast.AST) -> bool:
    """False for lists and for text, with which there is no arithmetic."""
    if isinstance(node, ast.Constant):
        return isinstance(node.value, int | float)
    return not isinstance(node, ast.List | ast.Tuple)


def _check_allowed(refused: ast.AST | None, columns: Sequence[str]) -> None:
    if refused is not None:
        raise ExpressionError(f"{type(refused).__name__} is not allowed{_hint(refused, columns)}")


def _hint(node: ast.AST, columns: Sequence[str]) -> str:
    """How a name is written, where the node may be meant as one."""
    if not isinstance(node, ast.Attribute | ast.Subscript | ast.Call):
        return ""
    near = difflib.get_close_matches(ast.unparse(node), columns, 1, 0.5)
    return (
        "; a column's name with dots, brackets or spaces stands in backticks, as in"
        f" `{near[0] if near else 'Target.RT'}`"
    )


def _check_known(absent_columns: Sequence[str], columns: Sequence[str]) -> None:
    if absent_columns:
        near = difflib.get_close_matches(absent_columns[0], columns, 1, 0.6)
        raise ExpressionError(
            f"there is no column {listed(absent_columns)}"
            + (f"; did you mean {listed(near)}?" if near else "")
        )


class _Names(ast.NodeTransformer):
    """Puts placeholders in the place of columns, and of ``is missing``.

    Args:
        names: of the columns that there are.
        quoted: the column for each plain name that replaces one in backticks.
    """

    def __init__(self, names: list[str], quoted: Mapping[str, str]) -> None:
        self.names, self.quoted = set(names), quoted
        self.columns: dict[str, str] = {}
        self.missing: dict[str, str] = {}
        self.absent: list[str] = []

    def visit_Name(self, node: ast.Name) -> ast.AST:
        """A plain name is a column."""
        return self._placeholder(self.quoted.get(node.id, node.id), self.columns, "c")

    def visit_Attribute(self, node: ast.Attribute) -> ast.AST:
        """A name with a dot may be a column."""
        return self._placeholder_if_column(node)

    def visit_Subscript(self, node: ast.Subscript) -> ast.AST:
        """A name with brackets may be a column."""
        return self._placeholder_if_column(node)

    def visit_Compare(self, node: ast.Compare) -> ast.AST:
        """A comparison; ``is missing`` asks whether a column has a value."""
        column = self._column(node.left) if _asks_for_missing(node) else None
        if column is None:
            return self.generic_visit(node)
        place = self._placeholder(column, self.missing, "m")
        return place if isinstance(node.ops[0], ast.Is) else ast.UnaryOp(ast.Not(), place)

    def _placeholder_if_column(self, node: ast.Attribute | ast.Subscript) -> ast.AST:
        column = self._column(node)
        return node if column is None else self._placeholder(column, self.columns, "c")

    def _placeholder(self, column: str, places: dict[str, str], letter: str) -> ast.Name:
        """The placeholder of a column, a new one when it has none yet."""
        if column not in self.names:
            self.absent.append(column)
        known = {name: placeholder for placeholder, name in places.items()}
        placeholder = known.get(column, f"{letter}{len(places)}")
        places[placeholder] = column
        return ast.Name(placeholder, ast.Load())

    def _column(self, node: ast.AST) -> str | None:
        """The column that a node names: a word, or a known name with dots or brackets."""
        if isinstance(node, ast.Name):
            return self.quoted.get(node.id, node.id)
        if isinstance(node, ast.Attribute | ast.Subscript):
            written = ast.unparse(node)
            return written if written in self.names else None
        return None


def _asks_for_missing(node: ast.Compare) -> bool:
    """True for ``… is missing`` and ``… is not missing``."""
    right = node.comparators[0]
    is_missing = isinstance(right, ast.Name) and right.id == MISSING_WORD
    return is_missing and len(node.ops) == 1 and isinstance(node.ops[0], ast.Is | ast.IsNot)
