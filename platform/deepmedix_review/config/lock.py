"""`make lock`: writes constraints.txt, the exact version of every package that the platform installs.

With `--keep` (`make lock KEEP=yes`) it only adds what pyproject.toml newly asks for: every
other pin stays.
"""

import argparse
import subprocess
import sys

from deepmedix_review.config.home import ROOT

HEADER = """\
# The exact version of every package, for every supported system and Python version.
# Renew with: make lock (then run make test). Bounds and reasons stand in pyproject.toml.
# torch and what its builds bring along are left out: torch is pinned in pyproject.toml and installed first,
# so that a machine keeps the build that fits it (CPU or CUDA).
"""
OF_TORCH = ("torch", "triton", "setuptools")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--keep", action="store_true", help="leave every pin that still fits as it is")
    path = ROOT / "constraints.txt"
    which = ("--constraint", str(path)) if parser.parse_args().keep else ("--upgrade",)
    done = subprocess.run(
        [
            *(sys.executable, "-m", "uv", "pip", "compile", "--quiet", "--universal", *which),
            *("--python-version", "3.11", "--extra", "dev", "--no-annotate", "--no-header"),
            *(f"--no-emit-package={name}" for name in OF_TORCH),
            str(ROOT / "pyproject.toml"),
        ],
        stdout=subprocess.PIPE,
        text=True,
        check=False,
    )
    if done.returncode:
        return done.returncode
    pins = [line for line in done.stdout.splitlines() if not line.startswith(("nvidia-", "cuda-"))]
    path.write_text(HEADER + "\n".join(pins) + "\n", "utf-8")
    print(f"{path}: {len(pins)} versions")
    return 0


if __name__ == "__main__":
    sys.exit(main())
