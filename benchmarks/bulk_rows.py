"""Fills tables with many plausible rows at once, inside the database."""

from typing import Any

from django.db import connection, models


def fill(model: type[models.Model], source: str, /, **expressions: str) -> None:
    """INSERT one row per row of `source`, an SQL row source, `series(1, 1000)` or a SELECT in brackets.

    `expressions` are SQL by column name, over the source's columns; every other column gets its field's
    default, a fresh uuid, the time now, null or the empty text.
    """
    table = connection.ops.quote_name(model._meta.db_table)
    columns, values = [], []
    for field in model._meta.concrete_fields:
        if field.primary_key and field.column not in expressions:
            continue
        column = str(field.column)
        columns.append(connection.ops.quote_name(column))
        values.append(expressions.get(column) or _default(field))
    with connection.cursor() as cursor:
        cursor.execute(f"INSERT INTO {table} ({', '.join(columns)}) SELECT {', '.join(values)} FROM {source}")


def series(first: int, last: int) -> str:
    """One row per whole number, in the column `n`."""
    return f"generate_series({int(first)}, {int(last)}) AS rows(n)"


def settle() -> None:
    """What a database does by itself some minutes after so many rows came in."""
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")


def _default(field: "models.Field[Any, Any]") -> str:
    if isinstance(field, models.UUIDField):
        return "gen_random_uuid()"
    if isinstance(field, models.DateTimeField) and (field.auto_now or field.auto_now_add):
        return "now()"
    if field.has_default() and not isinstance(field, models.JSONField):
        return _literal(field.get_default())
    if field.null:
        return "NULL"
    if isinstance(field, models.JSONField):
        return "'[]'::jsonb" if field.default is list else "'{}'::jsonb"
    return "''"


def _literal(value: object) -> str:
    if value is None:
        return "NULL"
    if isinstance(value, bool | int | float):
        return str(value)
    text = str(value).replace("'", "''")
    return f"'{text}'"
