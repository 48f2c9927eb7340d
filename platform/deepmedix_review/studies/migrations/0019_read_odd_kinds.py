"""Studies that were held before stand under the kind of their gravest reason, by how it begins."""

import re
from typing import Any

from django.db import migrations

# In the order of gravity.
KINDS = (
    ("name", r"A name is burned into the film\.|Its header says that text is burned"),
    ("identity", r"Its study UID is that of|Another picture came in under"),
    ("same", r"The same picture is stored as"),
    (
        "body_part",
        r"Its body part is|Its header names no body part|Its header speaks of an animal|Its modality",
    ),
    ("polarity", r"Its greys look reversed|Its header contradicts itself on what is white"),
    ("laterality", r"It is stored mirrored"),
    ("view", r"Its view is"),
    ("resolution", r"Its pixels are not square"),
    (
        "encoding",
        r"It is raw data of the detector|It is not stored as a radiograph|It holds \d|Its values are larger",
    ),
    (
        "part",
        r"An admin rejected|S-[0-9a-f]{8}, of which it is a part|an erased study, of which it is a part",
    ),
)


def read_kinds(apps: Any, schema_editor: Any) -> None:
    studies = apps.get_model("studies", "Study").objects.using(schema_editor.connection.alias)
    for study in studies.exclude(held_reasons=[]).filter(held_for="").iterator():
        study.held_for = kind_of(study.held_reasons)
        study.save(update_fields=["held_for"])


def kind_of(reasons: list[str]) -> str:
    for kind, begins in KINDS:
        if any(re.match(begins, reason) for reason in reasons):
            return kind
    return "by_hand"


class Migration(migrations.Migration):
    dependencies = [("studies", "0018_odd_kinds_and_near_pictures")]
    operations = [migrations.RunPython(read_kinds, migrations.RunPython.noop)]
