"""Says in words beside the tables that leave what each one is, on how much it rests, and how it was made."""

import textwrap
from collections.abc import Mapping, Sequence

from deepmedix_review.common.dates import say_moment
from deepmedix_review.reviews.models import ReaderStudy
from deepmedix_review.reviews.results.dashboard import Dashboard
from deepmedix_review.reviews.results.figures import Figure
from deepmedix_review.reviews.results.rows_about import RowFile
from rl_feedback.counting import counted

_COUNTS = (
    "Readers stand under their pseudonyms. An amendment counts in place of what it amends. Controls, hidden "
    "repeats, training and calibration cases count nowhere but under Progress and Reliability. For research, "
    "not for diagnosis."
)


def readme_of(
    reader_study: ReaderStudy,
    dashboard: Dashboard,
    *,
    named: Mapping[str, Figure],
    by_row: Sequence[RowFile],
    manifest: str,
) -> str:
    """`named` are the figures that leave as a file, by its name; `by_row` what leaves beside them."""
    files = {figure.key: name for name, figure in named.items()}
    parts = [
        f"Results of the reader study “{reader_study.title}”\n{reader_study.uid}",
        _wrapped(
            f"Computed {say_moment(dashboard.computed_at, to_the_second=True)}, from "
            f"{counted(dashboard.num_readings, 'signed reading')}, of which {dashboard.num_counting} "
            f"{'counts' if dashboard.num_counting == 1 else 'count'} as first readings of data. {_COUNTS}"
        ),
        _wrapped(
            "Tables are CSV in UTF-8, their columns named in the first line. A cell that a spreadsheet would "
            f"take for a formula has a leading apostrophe. `sha256sum --check {manifest}` says whether every "
            "file is as it left."
        ),
    ]
    parts.append(
        "\n".join(
            [
                *("In short", "========"),
                *([_wrapped(dashboard.caveat)] if dashboard.caveat else []),
                *(_wrapped(f"{line.name}: {line.said}") for line in dashboard.head),
            ]
        )
    )
    if dashboard.cautions:
        parts.append(
            "\n".join(
                [
                    *("Look at these readers before they are believed", "=" * 46),
                    *(_wrapped(f"{one.reader} {'; '.join(one.says)}.") for one in dashboard.cautions),
                ]
            )
        )
    for section in dashboard.sections:
        parts.append(f"{section.title}\n{'=' * len(section.title)}")
        parts += [_about(figure, file=files.get(figure.key)) for figure in section.figures]
    parts.append("Row by row\n==========")
    parts += [
        "\n".join([one.name, _wrapped(one.about, "  "), _wrapped(f"Columns: {', '.join(one.columns)}", "  ")])
        for one in by_row
    ]
    return "\n\n".join(parts) + "\n"


def _about(figure: Figure, *, file: str | None) -> str:
    said = {
        "Found": ", ".join(filter(None, (figure.value, figure.interval))),
        "Note": figure.note,
        "n": figure.n,
        "Method": figure.method,
        "Columns": ", ".join(figure.table.columns) if file else "",
    }
    heading = f"{file or 'no file yet'}\n  {figure.title}"
    return "\n".join([heading, *(_wrapped(f"{word}: {text}", "  ") for word, text in said.items() if text)])


def _wrapped(text: str, indent: str = "") -> str:
    more = f"{indent}  " if indent else ""
    return textwrap.fill(text, 100, initial_indent=indent, subsequent_indent=more, break_on_hyphens=False)
