import subprocess
import sys

from tests.home import ROOT


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
