import pytest
from django.test import Client


@pytest.mark.django_db
def test_health_says_ok_without_a_login_while_the_database_answers(client: Client) -> None:
    answer = client.get("/healthz")
    assert answer.status_code == 200
    assert answer.json() == {"status": "ok"}
