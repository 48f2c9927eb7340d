import re
import subprocess
import sys

from tests.home import ROOT

PLATFORM = ROOT / "platform/deepmedix_review"


def test_the_platform_folder_holds_the_one_package_and_no_file_of_its_own() -> None:
    inside = sorted(p.name for p in (ROOT / "platform").iterdir() if p.name != "__pycache__")
    assert inside == ["deepmedix_review"]


def test_import_platform_is_the_standard_librarys() -> None:
    shown = subprocess.run(
        [sys.executable, "-c", "import platform; print(platform.__file__, platform.python_version())"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert shown.split()[0].endswith("platform.py")
    assert str(ROOT) not in shown.split()[0] or ".venv" in shown.split()[0]


def test_pages_name_people_by_pseudonym_and_only_accounts_by_user_name() -> None:
    named = re.compile(r"\.username\b")
    pages = (path for path in PLATFORM.rglob("*.html") if named.search(path.read_text("utf-8")))
    # The reading room asks its own reader to log in again, under the name that the login knows.
    assert {path.relative_to(PLATFORM).as_posix() for path in pages} == {
        "accounts/templates/accounts/account_detail.html",
        "accounts/templates/accounts/account_list.html",
        "reviews/templates/reviews/reading.html",
    }
