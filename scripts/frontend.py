"""Fetch the pinned front-end files with npm and copy the few that the pages need.

npm checks every download against the integrity hashes in `frontend/package-lock.json` and runs no package scripts.
The files go to `src/troth/web/static/vendor/`, ignored by git, packed in the wheel; axe-core, which only tests use,
goes to `frontend/build/`.
"""
# ruff: noqa: S603, T201  (it runs npm and uv, and its output is for the person who typed `make setup`)

import hashlib
import shutil
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FRONTEND = ROOT / "frontend"
MODULES = FRONTEND / "node_modules"
VENDOR = ROOT / "src" / "troth" / "web" / "static" / "vendor"
BUILD = FRONTEND / "build"
STAMP = BUILD / "frontend.stamp"
BIN = ROOT / ".venv" / "bin"
NODE_REQUIREMENTS = ROOT / "requirements" / "node.txt"

# Beside each file goes its licence, because the wheel hands both on.
SHIPPED = {
    "pico.min.css": "@picocss/pico/css/pico.min.css",
    "pico.LICENSE.txt": "@picocss/pico/LICENSE.md",
}
FOR_TESTS = {"axe.min.js": "axe-core/axe.min.js"}
HINT = (
    "npm could not fetch the front-end files; its own message is above.\n"
    "  hint: check that this machine reaches an npm registry (`npm ping`) and that `npm --version` is 8 or newer;\n"
    "  a proxy or mirror is set in your own ~/.npmrc. Then run `make setup` again."
)


class FrontendError(Exception):
    """The files could not be fetched; the message says what to try."""


def bring_up_to_date() -> None:
    wanted = digest(FRONTEND / "package.json", FRONTEND / "package-lock.json", Path(__file__))
    if is_current(wanted):
        return
    print("  fetching the front-end files", flush=True)
    STAMP.unlink(missing_ok=True)
    try:
        fetch(npm())
    except (OSError, subprocess.CalledProcessError) as failure:
        raise FrontendError(f"{failure}\n{HINT}") from failure
    copy(SHIPPED, VENDOR)
    copy(FOR_TESTS, BUILD)
    STAMP.write_text(wanted)


def is_current(wanted: str) -> bool:
    copied = [*(VENDOR / name for name in SHIPPED), *(BUILD / name for name in FOR_TESTS)]
    return STAMP.exists() and STAMP.read_text() == wanted and all(file.exists() for file in copied)


def npm() -> str:
    """The machine's npm, or one from a Python package when there is none."""
    found = shutil.which("npm")
    if found:
        return found
    if not (BIN / "npm").exists():
        print("  this machine has no npm: installing one into .venv", flush=True)
        install = ["pip", "install", "--quiet", "--python", str(BIN / "python"), "--require-hashes"]
        subprocess.run([str(BIN / "uv"), *install, "-r", str(NODE_REQUIREMENTS)], check=True)
    return str(BIN / "npm")


def fetch(npm_program: str) -> None:
    quiet = ["--no-audit", "--no-fund", "--no-progress", "--loglevel=error"]
    subprocess.run([npm_program, "ci", "--ignore-scripts", *quiet], cwd=FRONTEND, check=True, stdout=subprocess.DEVNULL)


def copy(files: dict[str, str], target: Path) -> None:
    """Replace the folder, so that a file no longer listed is not shipped by accident."""
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir(parents=True)
    for name, source in files.items():
        shutil.copyfile(MODULES / source, target / name)


def digest(*files: Path) -> str:
    """SHA-256 over the contents, in order."""
    return hashlib.sha256(b"\0".join(file.read_bytes() for file in files)).hexdigest()


if __name__ == "__main__":
    bring_up_to_date()
