"""Says whether this web process can serve: it runs, and it reaches the database."""

from django.contrib.auth.decorators import login_not_required
from django.db import OperationalError, connection
from django.http import HttpRequest, JsonResponse


@login_not_required
def show_health(request: HttpRequest) -> JsonResponse:
    """200 when the database answers, else 503; for load balancers, without any detail."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except OperationalError:
        return JsonResponse({"status": "the database does not answer"}, status=503)
    return JsonResponse({"status": "ok"})
