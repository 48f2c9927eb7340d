"""What croissant.json says of an export of readings: its tables as records, and how they came to be."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from deepmedix_review.exports.archive import (
    models_in,
    num_masked_in,
    profiles_in,
    sources_in,
    told_of_text,
)
from deepmedix_review.exports.counted_readings import CountedReadings, count_readings, readers_per_case
from deepmedix_review.exports.models import (
    COCO,
    CSV,
    GSPS,
    JSONL,
    PARQUET,
    PICTURES,
    SR,
    TABULAR,
    Export,
    WrittenFile,
)
from deepmedix_review.exports.own_code import said_code
from deepmedix_review.exports.pictures import FOLDER, PICTURES_TABLE
from deepmedix_review.exports.pseudonyms import object_uid
from deepmedix_review.exports.said import PLATFORM, said_left_out
from deepmedix_review.exports.scope import ALL_ROLES, GROUPS, Scope
from deepmedix_review.exports.table_parts import Kind, Table
from deepmedix_review.reviews.models import ReaderStudy
from deepmedix_review.studies.intake.profiles import CLEAN_PIXEL_DATA
from rl_feedback import croissant
from rl_feedback.counting import counted
from rl_feedback.croissant import (
    DataFile,
    DataFiles,
    Described,
    Field,
    RecordSet,
    croissant_of,
    said_readers,
)

FORMS = {
    CSV: croissant.CSV,
    JSONL: croissant.JSON_LINES,
    PARQUET: croissant.PARQUET,
    COCO: croissant.JSON,
    SR: croissant.TAR,
    GSPS: croissant.TAR,
}
# Records are told of one file of each table: the one from which a program reads most exactly.
EXACTNESS = (PARQUET, JSONL, CSV)
KINDS = {
    Kind.TEXT: croissant.Kind.TEXT,
    Kind.WORDS: croissant.Kind.TEXT,
    Kind.WHOLE: croissant.Kind.WHOLE,
    Kind.NUMBER: croissant.Kind.NUMBER,
    Kind.YES_NO: croissant.Kind.YES_NO,
    Kind.MOMENT: croissant.Kind.MOMENT,
}
# What a design shows, as `shows` of a reader study says it.
SHOWN = {
    ReaderStudy.Shows.ONE: "one output",
    ReaderStudy.Shows.TWO_SAMPLES: "two outputs of one model version side by side",
    ReaderStudy.Shows.TWO_VERSIONS: "an output of each of two model versions side by side",
    ReaderStudy.Shows.ONE_OF_TWO: "one output, of one of two model versions by draw",
}

# A file of an export with its table and its format.
Written = tuple[Table, str, WrittenFile]


def croissant_of_readings(
    export: Export, scope: Scope, written: Sequence[Written], *, texts: Mapping[str, str]
) -> str:
    """`texts` lie beside the files; nothing in it depends on when it was written, or by whom."""
    exact = _exact(written)
    files = [
        DataFile(
            one.name,
            FORMS[form],
            one.sha256,
            one.num_bytes,
            f"{counted(one.num_rows, 'row')}: {table.about}",
            same_as=exact[_stem(one)].name
            if form in TABULAR and exact[_stem(one)].name != one.name
            else None,
        )
        for table, form, one in written
        if form != PICTURES
    ]
    for name, text in texts.items():
        told = told_of_text(text)
        files.append(DataFile(name, croissant.TEXT, told["sha256"], told["bytes"], "what each column says"))
    return croissant_of(
        _described(export, scope),
        files=files,
        record_sets=[
            RecordSet(
                _stem(one),
                table.about,
                one.name,
                [Field(column.name, column.about, KINDS[column.kind]) for column in table.columns],
            )
            for table, form, one in written
            # Of a table without a row some forms hold nothing that could be read.
            if form in TABULAR and exact[_stem(one)].name == one.name and one.num_rows
        ],
        file_sets=list(_pictures(written)),
    )


def _pictures(written: Sequence[Written]) -> Iterator[DataFiles]:
    """Of each folder."""
    num_of: Counter[str] = Counter()
    for _, form, one in written:
        if form == PICTURES:
            num_of[f"{one.name.partition('/')[0]}/{FOLDER}"] += one.num_rows
    for name, num in num_of.items():
        about = f"{counted(num, 'picture')}: {PICTURES_TABLE.about}"
        yield DataFiles(name, croissant.PNG, f"{name}/*.png", about)


def _exact(written: Sequence[Written]) -> Mapping[str, WrittenFile]:
    found: dict[str, WrittenFile] = {}
    for wanted in EXACTNESS:
        for _, form, one in written:
            if form == wanted:
                found.setdefault(_stem(one), one)
    return found


def _stem(one: WrittenFile) -> str:
    return one.name.rpartition(".")[0]


def _described(export: Export, scope: Scope) -> Described:
    every, data = count_readings(scope, ALL_ROLES), count_readings(scope, GROUPS[0].roles)
    readers = counted(every.num_readers, "reader")
    models, sources = models_in(scope), sources_in(scope)
    return Described(
        name=f"Readings of models' outputs on chest films, signed up to {export.as_of.date().isoformat()}",
        about=f"What {readers} signed on outputs of models that reason with regions: "
        f"{counted(every.num_readings, 'reading')} of {counted(every.num_cases, 'case')}. For research, not "
        "for diagnosis.",
        url=f"urn:oid:{object_uid(scope.secret, 'data set')}",
        moment=export.as_of.isoformat(),
        data_use=export.data_use,
        made_by=f"{readers} on {PLATFORM}, named by pseudonyms of this export alone",
        licences=[
            *(f"Films of {one.name}: {one.licence}" for one in sources),
            *(f"Outputs of {one.name} ({one}): {one.licence}" for one in models),
        ],
        keywords=("chest X-ray", "reader study", "reasoning with regions"),
        responsible={
            "dataCollection": " ".join(_collected(scope)),
            "dataCollectionTimeframe": [
                moment.isoformat() for moment in (every.first_signed, every.last_signed) if moment
            ],
            "dataCollectionMissingData": said_left_out(export.left_out),
            "dataCollectionRawData": f"{counted(every.num_studies, 'imaging study', 'imaging studies')} of "
            f"{counted(every.num_patients, 'patient')}, and what "
            f"{counted(len(models), 'version of a model', 'versions of models')} wrote of them.",
            "dataPreprocessingProtocol": list(_preprocessed(export, scope)),
            "dataAnnotationProtocol": " ".join(_protocol(scope)),
            "dataAnnotationPlatform": f"{PLATFORM} {said_code()['version']}",
            "dataAnnotationAnalysis": [
                "Each value is one reader's own, as it was signed; none is averaged.",
                f"Among the readings of data: {counted(data.num_repeats, 'hidden repeat')}, "
                f"{counted(data.num_adjudications, 'adjudication')}, "
                f"{counted(data.num_amendments, 'amendment')}.",
            ],
            "dataReleaseMaintenancePlan": "The same request gives the same data, whatever is signed or "
            "amended later; a film that was withdrawn since is left out then.",
            "personalSensitiveInformation": list(_sensitive(export)),
            "dataBiases": list(_biases(data)),
            "dataLimitations": ["There is no truth in it beside what readers said."],
            "dataUseCases": [export.data_use],
            "annotationsPerItem": _per_item(scope),
            "annotatorDemographics": [f"{readers}. Of who they are the platform records nothing."],
            "machineAnnotationTools": [f"{one.name} ({one}), sha256 {one.sha256}" for one in models],
        },
    )


def _collected(scope: Scope) -> Iterator[str]:
    for group in GROUPS:
        found = count_readings(scope, group.roles)
        if found.num_readings:
            yield (
                f"In {group.folder}/ ({group.about}): {counted(found.num_readings, 'reading')} of "
                f"{counted(found.num_cases, 'case')} by {counted(found.num_readers, 'reader')}."
            )


def _protocol(scope: Scope) -> Iterator[str]:
    for study in ReaderStudy.objects.filter(pk__in=scope.studies).order_by("pk"):
        asked = sorted({(key, version) for one, _, key, version in scope.asked if one == study.pk})
        yield (
            f"Reader study {study.uid}: a reader sees {SHOWN[ReaderStudy.Shows(study.shows)]} and is asked "
            + ", ".join(f"{key} v{version}" for key, version in asked)
            + "."
        )
    yield "The criteria and what each value means are in the table criteria."


def _preprocessed(export: Export, scope: Scope) -> Iterator[str]:
    for one in profiles_in(scope):
        codes = ", ".join(option.code for option in one.options)
        yield f"Films came in by the profile {one.name} of de-identification (DICOM PS3.15: {codes})."
    if num := num_masked_in(scope):
        films = "one film" if num == 1 else f"{num} films"
        yield f"On {films} text in the pixels was overwritten (DICOM PS3.15: {CLEAN_PIXEL_DATA.code})."
    if PICTURES in export.formats:
        yield "Pictures are films in 8 bits of grey, at their first window, in their own size."
    yield "Readers, readings and patients have names of this export alone."
    yield "Answers in words to criteria that ask for a text are not in it, nor notes and rewrites."
    if CSV in export.formats:
        yield "In CSV, what a spreadsheet would take for a formula has an apostrophe before it."


def _sensitive(export: Export) -> Iterator[str]:
    yield "Impressions and missed findings are in the readers' own words."
    yield "Films and outputs have keyed UIDs, by which two exports can be linked."
    if PICTURES in export.formats:
        yield "Pictures are films of patients' chests."
    if {SR, GSPS} & set(export.formats):
        yield "DICOM objects name the patient as the platform's films do."


def _biases(data: CountedReadings) -> Iterator[str]:
    """Of readings of data."""
    if not data.num_readings:
        return
    num = counted(data.num_readings, "reading")
    yield f"In {data.num_first_reads:,} of {num} the film was read alone before an output was shown."
    yield f"In {data.num_of_two:,} of {num} two outputs stood side by side, on sides dealt to each reader."
    yield f"One reader signed {data.most_by_one:,} of {num}, more than any other or as many."


def _per_item(scope: Scope) -> str:
    found = readers_per_case(scope, GROUPS[0].roles)
    return f"Of cases of data, by first readings: {said_readers(found)}" if found else ""
