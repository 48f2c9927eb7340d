"""The web application as granian or gunicorn serves it."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "deepmedix_review.config.settings")
application = get_wsgi_application()
