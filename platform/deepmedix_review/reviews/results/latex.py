"""The table of a figure as LaTeX, to be put into a paper: booktabs, with what it is and rests on above."""

import re
from collections.abc import Iterator, Mapping, Sequence

from deepmedix_review.reviews.results.figures import Cell, Figure

# Of a table that fits the width of a page as it is.
MOST_COLUMNS = 7
_SIGNS: Mapping[str, str] = {
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    **{sign: f"\\{sign}" for sign in "&%$#_{}"},
}
_SPECIAL = re.compile("|".join(re.escape(sign) for sign in _SIGNS))


def escaped(text: str) -> str:
    r"""As plain text of one line.

    >>> print(escaped("50 % of v_1 & {x}"))
    50 \% of v\_1 \& \{x\}
    """
    return _SPECIAL.sub(lambda found: _SIGNS[found[0]], " ".join(text.split()))


def latex_lines(figure: Figure) -> Iterator[str]:
    """A table environment; it needs the packages booktabs and graphicx, the second to bring many columns to
    the width of the text. Numbers stand right, words left."""
    table = figure.table
    n = f"n: {figure.n}." if figure.n else ""
    about = " ".join(filter(None, (f"{figure.title}.", n, f"Method: {figure.method}.", figure.note)))
    is_wide = len(table.columns) > MOST_COLUMNS
    yield "% Needs \\usepackage{booktabs} and \\usepackage{graphicx}.\n"
    yield f"\\begin{{table}}\n\\centering\n\\caption{{{escaped(about)}}}\n\\label{{tab:{figure.key}}}\n"
    if is_wide:
        yield "\\resizebox{\\textwidth}{!}{%\n"
    sides = [
        "r" if _is_number(row[place] for row in table.rows) else "l" for place in range(len(table.columns))
    ]
    yield f"\\begin{{tabular}}{{{''.join(sides)}}}\n\\toprule\n{_row(table.columns)}\\midrule\n"
    for row in table.rows:
        yield _row(row)
    yield "\\bottomrule\n\\end{tabular}\n"
    yield "}\n\\end{table}\n" if is_wide else "\\end{table}\n"


def _is_number(cells: Iterator[Cell]) -> bool:
    return all(isinstance(cell, int | float | None) for cell in cells)


def _row(cells: Sequence[Cell]) -> str:
    return " & ".join(_written(cell) for cell in cells) + " \\\\\n"


def _written(cell: Cell) -> str:
    """To 3 places; a minus as such."""
    if cell is None:
        return ""
    if isinstance(cell, float):
        return f"${cell:.3f}$" if cell < 0 else f"{cell:.3f}"
    return escaped(str(cell))
