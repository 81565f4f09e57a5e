"""The commands of the README and of docs/ exist, with the options named there, and no command is left out."""

import re
import shlex
from functools import cache
from pathlib import Path

import pytest

from tests.conftest import run_aigen

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text()
PAGES = "\n".join([README, *(page.read_text() for page in sorted((ROOT / "docs").glob("*.md")))])
COMMANDS = sorted(set(re.findall(r"^    (?:.venv/bin/)?(aigen .*)$", PAGES, re.MULTILINE)))
OPTIONS = sorted({(option, line) for line in PAGES.splitlines() for option in re.findall(r"`[^`]*?(--[a-z-]+)", line)})


@cache
def help_of(*command: str) -> str:
    result = run_aigen(*command, "--help")
    assert result.returncode == 0, result.stderr
    return result.stdout


def commands_in(text: str) -> list[str]:
    """The names under the last heading of a help text."""
    return re.findall(r"^  ([a-z-]+)", text.partition("Commands:")[2], re.MULTILINE)


@pytest.mark.parametrize("line", COMMANDS)
def test_a_command_of_the_readme_exists_with_its_options(line: str) -> None:
    words = shlex.split(line, comments=True)[1:]
    path: list[str] = []
    while words and words[0] in commands_in(help_of(*path)):
        path.append(words.pop(0))
    assert path, f"no such command: {line}"
    assert not commands_in(help_of(*path)), f"a command is missing behind: {line}"
    for option in re.findall(r"--[a-z-]+", line):  # also those that its comment names
        assert re.search(rf"{option}\b", help_of(*path)), f"no option {option}: {line}"
    if words and not words[0].startswith("--"):
        assert "Arguments:" in help_of(*path), f"it takes no argument: {line}"


def test_every_command_is_in_the_readme() -> None:
    told = " ".join(COMMANDS)
    for name in commands_in(help_of()):
        for path in [f"{name} {below}" for below in commands_in(help_of(name))] or [name]:
            assert f"aigen {path}" in told


def test_options_named_in_the_text_exist() -> None:
    known = " ".join(help_of(*name.split()) for name in ("", *commands_in(help_of()), "users delete"))
    for option, line in OPTIONS:
        assert option in known, line


def test_make_targets_and_linked_files_exist() -> None:
    targets = re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
    named = re.findall(r"(?:^    |`)make ([a-z-]+)", README, re.MULTILINE)
    assert named
    assert set(named) <= set(targets)
    links = re.findall(r"\]\((?!https://|#)([^)]+)\)", README)
    assert len(links) >= 5
    headings = {re.sub(r"\W+", "-", line.strip("# ").lower()) for line in README.splitlines() if line.startswith("#")}
    assert set(re.findall(r"\]\(#([^)]+)\)", README)) <= headings
    for link in links:
        assert (ROOT / link).exists(), link
