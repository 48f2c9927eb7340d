#!/usr/bin/env python
"""Django's command line for DeepMedix Review."""

import os
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent


def main() -> None:
    sys.path[:0] = [str(ROOT / "platform"), str(ROOT)]
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "deepmedix_review.config.settings")
    from deepmedix_review.config.embedded import attach_embedded_services, require_installation
    from deepmedix_review.config.processes import CannotStart

    try:
        require_installation()
        attach_embedded_services()
    except CannotStart as error:
        sys.exit(str(error))
    from django.core.management import execute_from_command_line

    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
