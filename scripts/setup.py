"""Make `.venv` and the front-end files match what the repository pins. Standard library only: it goes first.

What could go wrong: a half-made environment that looks finished. So each stage leaves a stamp only after it succeeded,
and the stamp is the digest of everything the stage was made from: a second run compares digests and stops there.
"""
# ruff: noqa: S603, T201  (it runs the programs named here, and its output is for the person who typed `make setup`)

import importlib.util
import shutil
import subprocess
import sys
from pathlib import Path

import frontend

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
REQUIREMENTS = ROOT / "requirements"
PYTHON = VENV / "bin" / "python"
UV = VENV / "bin" / "uv"
STAMP = VENV / "troth-setup.stamp"
PINNED = (REQUIREMENTS / "dev.txt", REQUIREMENTS / "uv.txt")
NO_VENV = (
    "This Python cannot make virtual environments (its ensurepip is missing).\n"
    "  hint: on Debian or Ubuntu, `apt install python3-venv`; or have uv or virtualenv on the PATH."
)


def main() -> int:
    try:
        make_environment()
        install_packages()
        frontend.bring_up_to_date()
    except subprocess.CalledProcessError as failure:
        print(f"make setup stopped: `{shown(failure.cmd)}` failed; its own message is above.", file=sys.stderr)
        return 1
    except (SetupError, frontend.FrontendError) as problem:
        print(problem, file=sys.stderr)
        return 1
    print("ready: .venv/bin/troth")
    return 0


class SetupError(Exception):
    """Something the machine lacks; the message says what to install."""


def make_environment() -> None:
    if not PYTHON.exists():
        say(f"making .venv with Python {sys.version.split()[0]}")
        shutil.rmtree(VENV, ignore_errors=True)
        run(*venv_command(), VENV)
    if not UV.exists():
        say("installing uv into it")
        run(*first_installer(), "--quiet", "--require-hashes", "-r", REQUIREMENTS / "uv.txt")


def venv_command() -> tuple[str, ...]:
    """The first way to make an environment that this machine has."""
    if importlib.util.find_spec("ensurepip"):
        return (sys.executable, "-m", "venv")
    if shutil.which("virtualenv"):
        return ("virtualenv", "--quiet", "--python", sys.executable)
    if shutil.which("uv"):
        return ("uv", "venv", "--quiet", "--python", sys.executable)
    raise SetupError(NO_VENV)


def first_installer() -> tuple[str | Path, ...]:
    """Whatever can put uv into the fresh environment: its own pip, or the machine's uv."""
    if (VENV / "bin" / "pip").exists():
        return (PYTHON, "-m", "pip", "--disable-pip-version-check", "install")
    if shutil.which("uv"):
        return ("uv", "pip", "install", "--python", PYTHON)
    raise SetupError("The environment in .venv is unfinished.\n  hint: `make clean`, then `make setup` again.")


def install_packages() -> None:
    wanted = frontend.digest(*PINNED, ROOT / "pyproject.toml")
    if STAMP.exists() and STAMP.read_text() == wanted:
        return
    STAMP.unlink(missing_ok=True)
    say("installing the packages that requirements/dev.txt pins")
    progress = () if sys.stderr.isatty() else ("--quiet",)
    run(UV, "pip", "sync", "--compile-bytecode", *progress, "--python", PYTHON, "--require-hashes", *PINNED)
    say("installing troth itself, editable")
    run(UV, "pip", "install", "--quiet", "--python", PYTHON, "--no-deps", "--editable", ROOT)
    STAMP.write_text(wanted)


def run(*command: str | Path) -> None:
    subprocess.run([str(part) for part in command], check=True, cwd=ROOT)


def shown(command: list[str | Path]) -> str:
    return " ".join(str(part).replace(f"{ROOT}/", "") for part in command)


def say(step: str) -> None:
    print(f"  {step}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
