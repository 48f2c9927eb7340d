"""Named sets of studies in frozen versions; what a filter asks of films and series is found by index."""

import uuid

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models
from django.db.models import F, Q
from django.db.models.functions import Lower

# Open while `frozen_at` is empty, which is within the transaction that writes it; then it stays or goes whole.
FREEZE = """
CREATE FUNCTION studies_refuse_change_of_frozen_version() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'This version is frozen. Make the next version of the collection.'
        USING ERRCODE = 'check_violation', CONSTRAINT = 'a_frozen_version_stays_as_it_is';
END $$;
CREATE TRIGGER a_frozen_version_stays_as_it_is BEFORE UPDATE ON studies_collectionversion FOR EACH ROW
    WHEN (OLD.frozen_at IS NOT NULL) EXECUTE FUNCTION studies_refuse_change_of_frozen_version();
CREATE TRIGGER a_frozen_version_stays_as_it_is BEFORE UPDATE ON studies_collectionmember
    FOR EACH STATEMENT EXECUTE FUNCTION studies_refuse_change_of_frozen_version();

CREATE FUNCTION studies_refuse_addition_to_frozen_version() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT 1 FROM (SELECT DISTINCT version_id FROM added) touched
               JOIN studies_collectionversion version ON version.id = touched.version_id
               WHERE version.frozen_at IS NOT NULL) THEN
        RAISE EXCEPTION 'This version is frozen. Make the next version of the collection.'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'a_frozen_version_stays_as_it_is';
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER a_frozen_version_takes_no_more AFTER INSERT ON studies_collectionmember
    REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION studies_refuse_addition_to_frozen_version();

CREATE FUNCTION studies_refuse_gaps_in_frozen_version() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT 1 FROM (SELECT DISTINCT version_id FROM gone) touched
               WHERE EXISTS (SELECT 1 FROM studies_collectionmember member
                             WHERE member.version_id = touched.version_id)) THEN
        RAISE EXCEPTION 'This version is frozen: it goes whole or stays as it is.'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'a_frozen_version_stays_as_it_is';
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER a_frozen_version_goes_whole AFTER DELETE ON studies_collectionmember
    REFERENCING OLD TABLE AS gone FOR EACH STATEMENT EXECUTE FUNCTION studies_refuse_gaps_in_frozen_version();
"""
THAW = """
DROP TRIGGER a_frozen_version_goes_whole ON studies_collectionmember;
DROP TRIGGER a_frozen_version_takes_no_more ON studies_collectionmember;
DROP TRIGGER a_frozen_version_stays_as_it_is ON studies_collectionmember;
DROP TRIGGER a_frozen_version_stays_as_it_is ON studies_collectionversion;
DROP FUNCTION studies_refuse_gaps_in_frozen_version();
DROP FUNCTION studies_refuse_addition_to_frozen_version();
DROP FUNCTION studies_refuse_change_of_frozen_version();
"""


class Migration(migrations.Migration):
    dependencies = [
        ("studies", "0003_read_study_dates"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddIndex(
            model_name="instance",
            index=models.Index(fields=["view_position"], name="studies_ins_view_po_0e7091_idx"),
        ),
        migrations.AddIndex(
            model_name="series",
            index=models.Index(fields=["modality"], name="studies_ser_modalit_7643b8_idx"),
        ),
        migrations.CreateModel(
            name="Collection",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("uid", models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("name", models.CharField(max_length=120)),
                (
                    "kind",
                    models.CharField(
                        choices=[("picks", "picked by hand"), ("filter", "by a filter")], max_length=6
                    ),
                ),
                (
                    "filter",
                    models.JSONField(
                        blank=True, default=dict, help_text="see collecting.filters; empty for picks"
                    ),
                ),
                ("train_percent", models.PositiveSmallIntegerField(default=70)),
                ("tune_percent", models.PositiveSmallIntegerField(default=10)),
                ("test_percent", models.PositiveSmallIntegerField(default=20)),
                (
                    "last_number",
                    models.PositiveIntegerField(
                        default=0, help_text="of its versions; a deleted one's number is not given again"
                    ),
                ),
                (
                    "created_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(Lower("name"), name="one_collection_per_name"),
                    models.CheckConstraint(
                        condition=Q(train_percent=100 - F("tune_percent") - F("test_percent")),
                        name="shares_of_a_split_come_to_a_hundred",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="CollectionVersion",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("uid", models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("number", models.PositiveIntegerField()),
                ("frozen_at", models.DateTimeField(null=True)),
                ("num_studies", models.PositiveIntegerField(default=0)),
                ("num_patients", models.PositiveIntegerField(default=0)),
                (
                    "studies_sha256",
                    models.CharField(
                        blank=True,
                        help_text="of the studies' uids in order, each on a line of its own",
                        max_length=64,
                    ),
                ),
                ("contents", models.JSONField(blank=True, default=dict)),
                (
                    "collection",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="versions",
                        to="studies.collection",
                    ),
                ),
                (
                    "created_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=["collection", "number"], name="one_version_per_number"),
                ],
            },
        ),
        migrations.CreateModel(
            name="CollectionMember",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "version_id",
                        "study_id",
                        blank=True,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                (
                    "version",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="members",
                        to="studies.collectionversion",
                    ),
                ),
                (
                    "study",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="studies.study",
                    ),
                ),
                (
                    "split",
                    models.CharField(
                        choices=[("train", "Train"), ("tune", "Tune"), ("test", "Test")], max_length=5
                    ),
                ),
            ],
        ),
        migrations.RunSQL(FREEZE, THAW),
    ]
