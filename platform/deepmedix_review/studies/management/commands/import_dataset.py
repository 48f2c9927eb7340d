"""Brings a data set in that others made: films, reports, labels, boxes and splits."""

from argparse import ArgumentParser
from collections import Counter
from collections.abc import Iterator, Mapping
from itertools import chain
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.urls import reverse

from deepmedix_review.accounts.models import User
from deepmedix_review.accounts.selectors import account_named
from deepmedix_review.common.errors import RefusedByRule
from deepmedix_review.studies.batches import start_import
from deepmedix_review.studies.intake.profiles import PROFILE_HELP, PROFILES
from deepmedix_review.studies.known_sets.layouts import LAYOUTS
from deepmedix_review.studies.known_sets.receiving import Received, open_source, receive_study
from deepmedix_review.studies.known_sets.said import Layout, LayoutRefused, Note, Problem, Source, StudySaid
from deepmedix_review.studies.models import ImportBatch, ImportItem, SourceDataset, Study
from deepmedix_review.studies.status_codes import is_disk_full
from rl_feedback.evaluation.xraybench import columns_named

EVERY = 100


class Command(BaseCommand):
    help = (
        "Import a data set as its publishers lay it out, with reports, labels, boxes and splits. The same "
        "again completes what was cut off. Ends with 1 where a row or a film was left."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        told = "; ".join(f"{layout.key}: {layout.about}" for layout in LAYOUTS.values())
        parser.add_argument("layout", choices=list(LAYOUTS), metavar="LAYOUT", help=told)
        parser.add_argument("folder", type=Path, metavar="FOLDER")
        parser.add_argument("--actor", metavar="USERNAME", help="whose import it is, in the audit record")
        parser.add_argument("--profile", choices=list(PROFILES), default="", help=PROFILE_HELP)
        parser.add_argument(
            "--text-free",
            action="store_true",
            help="you answer for it that no name is written on any of these films: nobody has to look first",
        )
        parser.add_argument("--name", help="layout table: what the data set is called")
        parser.add_argument("--licence", help="layout table: under which licence you have it, a sentence")
        parser.add_argument(
            "--credentialed",
            action="store_true",
            help="layout table: nothing that is said of its studies may leave in an export",
        )
        parser.add_argument(
            "--reports-name-nobody",
            action="store_true",
            help="layout table: you answer for it that its reports name nobody; without it they are left",
        )
        parser.add_argument(
            "--column",
            action="append",
            default=[],
            metavar="answer=NAME",
            help="layout xraybench: what a column is called, where it is not found by its usual names",
        )

    def handle(self, *args: Any, layout: str, folder: Path, actor: str | None, **options: Any) -> None:
        chosen = LAYOUTS[layout]
        about = _source(chosen, options)
        columns = _columns(chosen, options)
        keeps_reports = chosen.source is not None or options["reports_name_nobody"]
        try:
            user = account_named(actor) if actor is not None else None
            read = _read(chosen, folder, columns=columns)
            source = open_source(chosen, about, actor=user)
            batch = start_import(actor=user, source=ImportBatch.Source.COMMAND, profile=options["profile"])
        except (RefusedByRule, LayoutRefused) as refusal:
            raise CommandError(str(refusal)) from refusal
        try:
            self._import(
                read,
                source=source,
                batch=batch,
                actor=user,
                is_text_free=options["text_free"],
                keeps_reports=keeps_reports,
            )
        except OSError as error:
            if not is_disk_full(error):
                raise
            raise CommandError(
                "The disk is full. What came in before stays. Free some space, then run it again: it goes on "
                "with what is missing."
            ) from error

    def _import(
        self,
        read: Iterator[StudySaid | Problem | Note],
        *,
        source: SourceDataset,
        batch: ImportBatch,
        actor: User | None,
        is_text_free: bool,
        keeps_reports: bool,
    ) -> None:
        counts: Counter[str] = Counter()
        num_unseen = 0
        for said in read:
            if isinstance(said, Problem):
                counts["problems"] += 1
                self._say(said)
                continue
            if isinstance(said, Note):
                self.stdout.write(said.what)
                continue
            received = receive_study(
                said,
                source=source,
                batch=batch,
                actor=actor,
                is_text_free=is_text_free,
                keeps_reports=keeps_reports,
            )
            counts["with reports"] += bool(said.findings or said.impression or said.report)
            counts.update(self._counted(received))
            num_unseen += any(_is_unseen(item) for _, item in received.items)
            if counts["studies"] % EVERY == 0:
                self.stdout.write(f"{counts['studies']} studies so far, {counts['films']} films read")
        self._sum_up(counts, source=source, num_unseen=num_unseen, keeps_reports=keeps_reports)
        if counts["problems"] or counts[ImportItem.Outcome.REFUSED]:
            raise SystemExit(1)

    def _counted(self, received: Received) -> Counter[str]:
        for image, item in received.items:
            if item.outcome in (ImportItem.Outcome.REFUSED, ImportItem.Outcome.HELD):
                self._say(Problem(image.where, f"{item.outcome}: {item.reason}"))
        for problem in received.problems:
            self._say(problem)
        counts = Counter(str(item.outcome) for _, item in received.items)
        counts["studies"] = 1
        counts["films"] = len(received.items)
        counts["known"] = received.num_known
        counts["references"] = received.is_reference_new
        counts["problems"] = len(received.problems)
        return counts

    def _say(self, problem: Problem) -> None:
        self.stdout.write(f"{problem.where}: {problem.what}")

    def _sum_up(
        self, counts: Counter[str], *, source: SourceDataset, num_unseen: int, keeps_reports: bool
    ) -> None:
        told = ", ".join(f"{counts[outcome]} {outcome}" for outcome in ImportItem.Outcome.values)
        self.stdout.write(
            f"{source.name}: {counts['studies']} studies. Films: {told}, "
            f"{counts['known']} here already. New references: {counts['references']}."
        )
        num_new = counts[ImportItem.Outcome.ACCEPTED] + counts[ImportItem.Outcome.HELD] + counts["references"]
        if counts["studies"] and not num_new:
            self.stdout.write("Nothing new: what could be read of it was here already.")
        if counts["problems"]:
            self.stdout.write(f"Left, as said above: {counts['problems']} rows, pictures or parts of them.")
        if counts["with reports"] and not keeps_reports:
            self.stdout.write(
                f"Left too: reports, of {counts['with reports']} of them. Where you answer for it that "
                "they name nobody, import again with --reports-name-nobody."
            )
        if num_unseen:
            self.stdout.write(
                f"{num_unseen} {'study waits' if num_unseen == 1 else 'studies wait'} to be looked at by an "
                f"admin, on {reverse('study-look')}, before anybody gets them."
            )


def _read(
    layout: Layout, folder: Path, *, columns: Mapping[str, str]
) -> Iterator[StudySaid | Problem | Note]:
    """The first of it is read before anything is stored."""
    if not folder.is_dir():
        raise LayoutRefused(f"There is no folder {folder}.")
    by_columns = layout.read_by_columns if columns else None
    read = by_columns(folder, columns=columns) if by_columns is not None else layout.read(folder)
    first = next(read, None)
    if first is None:
        raise LayoutRefused(f"The tables in {folder} name no study.")
    return chain([first], read)


def _source(layout: Layout, options: dict[str, Any]) -> Source:
    if layout.source is not None:
        given = [
            f"--{name}".replace("_", "-")
            for name in ("name", "licence", "credentialed", "reports_name_nobody")
            if options[name]
        ]
        if given:
            raise CommandError(f"{' and '.join(given)}: only for layout table. {layout.key} has its own.")
        return layout.source
    name, licence = (" ".join((options[part] or "").split()) for part in ("name", "licence"))
    if not name or not licence:
        raise CommandError("Say what the data set is called (--name) and its licence (--licence).")
    if len(name) > 80 or len(licence) > 300 or not (name + licence).isprintable():
        raise CommandError("A name has at most 80 characters, a licence at most 300, on one line.")
    return Source(name, licence, bool(options["credentialed"]))


def _columns(layout: Layout, options: dict[str, Any]) -> dict[str, str]:
    if options["column"] and layout.read_by_columns is None:
        raise CommandError("--column: only for layout xraybench. The columns of others have one name.")
    try:
        return columns_named(options["column"])
    except ValueError as error:
        raise CommandError(str(error)) from error


def _is_unseen(item: ImportItem) -> bool:
    return item.instance is not None and item.instance.study.state == Study.State.UNSEEN
