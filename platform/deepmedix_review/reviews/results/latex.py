"""The table of a figure as LaTeX, to be put into a paper: booktabs, with what it is and rests on above."""

from collections.abc import Iterator, Sequence

from deepmedix_review.reviews.results.figures import Cell, Figure
from rl_feedback.latex_text import NEEDS, escaped

# Of a table that fits the width of a page as it is.
MOST_COLUMNS = 7


def latex_lines(figure: Figure) -> Iterator[str]:
    """A table environment; it needs T1 fonts, booktabs, and graphicx, to bring many columns to the width of
    the text. Numbers stand right, words left. Of a figure without a table the caption stands alone."""
    table = figure.table
    n = f"n: {figure.n}." if figure.n else ""
    about = " ".join(filter(None, (f"{figure.title}.", n, f"Method: {figure.method}.", figure.note)))
    is_wide = len(table.columns) > MOST_COLUMNS
    yield NEEDS
    yield f"\\begin{{table}}\n\\centering\n\\caption{{{escaped(about)}}}\n\\label{{tab:{figure.key}}}\n"
    if not table.columns:
        # LaTeX knows no table without a column.
        yield "\\end{table}\n"
        return
    # The caption touches the rule below it otherwise.
    yield "\\smallskip\n"
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
    """To 3 places; a minus as such, and what would look like 0 and is not, as less."""
    if cell is None:
        return ""
    if isinstance(cell, float):
        if 0 < cell < 0.0005:
            return "$<0.001$"
        return f"${cell:.3f}$" if cell < 0 else f"{cell:.3f}"
    return escaped(str(cell))
