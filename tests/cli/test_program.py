"""The program as a user meets it: a real process, its output, its exit code."""

import json
import os
import pty
import re
import shlex
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest

from aigen import __version__
from tests.conftest import (
    SMALL,
    aigen_command,
    files_in,
    kill,
    kill_worker,
    left_in_work,
    run_aigen,
    run_process,
    start_aigen,
    wait_for,
)

CONTENT = Path("generated_content")


def test_an_order_from_prompt_to_files() -> None:
    result = run_process("generate", "a kite", *SMALL, "--user", "ana", "--images", 2, "--videos", 1)
    assert (result.returncode, len(result.stderr.splitlines())) == (0, 8), result.stderr
    lines = result.stdout.splitlines()
    assert lines[0] == "user ana"
    assert re.search(r"^video 1 .*\([0-9]+:[0-9]{2} gone, [0-9]+:[0-9]{2} left\)$", result.stderr, re.MULTILINE)
    assert "Your content is ready: a kite\n2 images and 1 video by storybook, made in " in result.stderr
    assert [re.sub(r"ana/\w{10}-", "ana/…-", line) for line in lines[1:]] == [
        "generated_content/ana/…-image-1.png",
        "generated_content/ana/…-image-2.png",
        "generated_content/ana/…-video-1.mp4",
    ]
    assert all(Path(line).is_file() for line in lines[1:])
    assert left_in_work(CONTENT) == []


def test_json_of_generate_and_status_agree() -> None:
    made = json.loads(run_aigen("generate", "a kite", *SMALL, "--images", 1, "--videos", 1, "--json").stdout)
    assert list(made) == [
        "user_id", "generation_id", "status", "prompt", "model", "images", "videos", "link", "notices",
        "cost",
    ]  # fmt: skip
    assert (made["status"], made["model"], made["prompt"]) == ("Completed", "storybook", "a kite")
    assert re.fullmatch(r"[a-z0-9]{4}(-[a-z0-9]{4}){4}", made["user_id"])
    assert [notice["state"] for notice in made["notices"]] == ["sent"]
    (order,) = json.loads(run_aigen("status", made["user_id"], "--json").stdout)
    assert order["generation_id"] == made["generation_id"]
    assert (order["images"], order["videos"]) == (made["images"], made["videos"])
    assert all(Path(path).is_file() for path in made["images"] + made["videos"])
    assert run_aigen("status", "nobody", "--json").stdout == "[]\n"


def test_five_and_five_by_default() -> None:
    made = json.loads(run_aigen("generate", "a kite", "--size", "32x32", "--json").stdout)
    assert (len(made["images"]), len(made["videos"])) == (5, 5)


@pytest.mark.system
def test_same_seed_same_bytes_for_another_user_and_order() -> None:
    for user in ("ana", "bob"):
        assert run_aigen("generate", "a kite", *SMALL, "--user", user, "--images", 2, "--videos", 2).returncode == 0
    files = files_in(CONTENT)
    assert {name: data for name, data in files.items() if name.startswith("ana/")} == {
        name.replace("bob/", "ana/"): data for name, data in files.items() if name.startswith("bob/")
    }
    assert len(set(files.values())) == 4


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        ([""], "empty"),
        (["   "], "empty"),
        (["x" * 2001], "2001"),
        ([], "prompt"),
        (["a", "--user", "a/b"], "a/b"),
        (["a", "--user", ".."], "'..'"),
        (["a", "--user", "a b"], "a b"),
        (["a", "--user", ""], "user id"),
        (["a", "--user", "x" * 65], "64"),
        (["a", "--images", "0", "--videos", "0"], "at least one"),
        (["a", "--images", "-1"], "-1"),
        (["a", "--videos", "101"], "101"),
        (["a", "--images", "many"], "many"),
        (["a", "--model", "nonesuch"], "storybook"),
        (["a", "--style", "cubist"], "watercolour"),
        (["a", "--size", "15x15"], "16"),
        (["a", "--size", "5000x100"], "4096"),
        (["a", "--size", "big"], "big"),
        (["a", "--seed", "-1"], "-1"),
        (["a", "--notify-at", "25:00"], "25:00"),
        (["a", "--notify-at", "18.30"], "18.30"),
        (["a", "--notify", "pigeon"], "pigeon"),
        (["a", "--notify", "mailto:nobody"], "nobody"),
        (["a", "--notify", "mailto:ana@example.org\nBcc: eve@example.org"], "Bcc"),
        (["a", "--notify", "mailto:ana@example.org"], "AIGEN_SMTP_HOST"),
        (["a", "--notify", "pigeon://coop"], "pigeon"),
        (["a", "--nonesuch"], "--nonesuch"),
        (["two", "cats"], "quotes"),
        (["a", "--content", ""], "--content"),
        (["a", "--plan", "--style", "cubist"], "cubist"),
    ],
)
def test_bad_input_is_one_clear_line_and_nothing_is_written(arguments: list[str], named: str) -> None:
    result = run_aigen("generate", *arguments)
    assert result.returncode == 2
    assert len(result.stderr.splitlines()) == 1
    assert named in result.stderr
    assert result.stdout == ""
    assert not CONTENT.exists()


def test_a_wrong_order_leaves_an_existing_store_as_it_is() -> None:
    run_aigen("generate", "a kite", "--size", "32x32", "--images", 1, "--videos", 0)
    before = sorted(CONTENT.rglob("*"))
    assert run_aigen("generate", "a", "--style", "cubist").returncode == 2
    assert sorted(CONTENT.rglob("*")) == before
    assert len(json.loads(run_aigen("status", "--json").stdout)) == 1


@pytest.mark.parametrize(
    "command",
    [
        ["resume", "nonesuch99"],
        ["cancel", "nonesuch99"],
        ["users", "delete", "x", "--yes"],
        ["users", "set-password", "x"],
        ["nonsense"],
    ],
)
def test_unknown_names_are_told_in_one_line(command: list[str]) -> None:
    result = run_aigen(*command)
    assert (result.returncode, len(result.stderr.splitlines())) == (2, 1), result.stderr
    assert not CONTENT.exists()


@pytest.mark.system
def test_commands_that_only_look_make_no_folder() -> None:
    for command in (["status"], ["users", "list"], ["resume"], ["doctor"], ["notices", "--retry"]):
        assert run_aigen(*command).returncode == 0
    assert not CONTENT.exists()


def test_a_store_that_is_no_database_is_left_alone() -> None:
    CONTENT.mkdir()
    (CONTENT / "aigen.db").write_text("a letter to my aunt " * 100)
    for command in (["generate", "a kite"], ["status"]):
        result = run_aigen(*command)
        assert (result.returncode, len(result.stderr.splitlines())) == (1, 1)
        assert "aigen.db" in result.stderr
    assert (CONTENT / "aigen.db").read_text() == "a letter to my aunt " * 100


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    result = run_aigen("generate", "a kite", "--content", tmp_path / "file" / "folder")
    assert (result.returncode, len(result.stderr.splitlines())) == (1, 1)
    assert "cannot be written" in result.stderr


@pytest.mark.system
def test_hostile_prompts_are_shown_safely_and_kept_exactly() -> None:
    prompt = "a \x1b[31mred\x1b[0m\ncat \x7f\x9b31m \u202e '; DROP TABLE items; -- [bold]🐋"
    result = run_aigen("generate", prompt, "--user", "ana", "--size", "32x32", "--images", 1, "--videos", 0)
    assert result.returncode == 0
    table = run_aigen("status").stdout
    for shown in (result.stderr, table):
        assert "\x1b" not in shown
        assert "\u202e" not in shown
        assert "\\x1b[31mred" in shown
    as_json = run_aigen("status", "--json").stdout
    assert json.loads(as_json)[0]["prompt"] == prompt
    assert "🐋" in as_json
    assert all(part.isprintable() or part == "\n" for part in as_json)


def test_styles_that_storybook_lacks_are_answered_honestly() -> None:
    result = run_aigen(
        "generate", "a kite", "--style", "photorealistic", "--size", "32x32", "--images", 1, "--videos", 1
    )
    assert result.stderr.count("it draws 'cinematic' instead") == 1


def test_the_plan_is_shown_and_nothing_made() -> None:
    plan = json.loads(run_aigen("generate", "two cats in the snow", "--plan", "--json").stdout)
    assert plan["setting"] == "snow"
    assert plan["objects"][0] | {"name": "cat", "count": 2} == plan["objects"][0]
    assert "2 cat" in run_aigen("generate", "two cats in the snow", "--plan").stdout
    assert not CONTENT.exists()


@pytest.mark.system
def test_the_notice_waits_for_its_time() -> None:
    due = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 5))
    result = run_aigen(
        "generate", "a kite", "--size", "32x32", "--images", 1, "--videos", 0, "--notify-at", due, "--json"
    )
    assert time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()) >= due
    assert "you will be told at" in result.stderr
    assert json.loads(result.stdout)["notices"][0]["state"] == "sent"


def test_no_wait_does_not_wait() -> None:
    result = run_aigen(
        "generate", "a kite", "--size", "32x32", "--images", 1, "--videos", 0, "--notify-at", "2099-01-01T00:00",
        "--no-wait", "--json"
    )  # fmt: skip
    assert json.loads(result.stdout)["notices"][0]["state"] == "ready"


@pytest.mark.system
def test_users_are_listed_get_a_password_and_are_erased() -> None:
    for user in ("ana", "bob"):
        run_aigen("generate", "a kite", "--size", "32x32", "--images", 1, "--videos", 1, "--user", user)
    assert "not known" in run_aigen("users", "set-password", "eve", stdin="long enough\n").stderr
    assert run_aigen("users", "set-password", "ana", stdin="short\n").returncode == 2
    assert run_aigen("users", "set-password", "ana", stdin="long enough\n").returncode == 0
    users = {user["user_id"]: user for user in json.loads(run_aigen("users", "list", "--json").stdout)}
    assert [users[name]["has_password"] for name in ("ana", "bob")] == [True, False]
    with sqlite3.connect(CONTENT / "aigen.db") as database:
        (stored,) = database.execute("SELECT password_hash FROM users WHERE user_id = 'ana'").fetchone()
    database.close()
    assert stored.startswith("$argon2id$")

    refused = run_aigen("users", "delete", "ana")
    assert (refused.returncode, "--yes" in refused.stderr) == (2, True)
    assert run_aigen("users", "delete", "ana", "--yes").returncode == 0
    assert [path.name for path in sorted(CONTENT.iterdir()) if path.is_dir()] == [".thumbs", ".work", "bob"]
    assert [path.name for path in (CONTENT / ".thumbs").iterdir()] == ["bob"]
    with sqlite3.connect(CONTENT / "aigen.db") as database:
        for (table,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall():
            assert not [row for row in database.execute(f"SELECT * FROM {table}") if "ana" in row], table
    database.close()


def test_version_and_module() -> None:
    assert run_process("--version").stdout == f"aigen {__version__}\n"


def test_a_pipe_that_closes_early_is_no_traceback() -> None:
    run_aigen("generate", "a kite", "--size", "32x32", "--images", 1, "--videos", 0)
    command = " ".join([*aigen_command("status", "--json"), "| head -c 1"])
    result = subprocess.run(["bash", "-c", command], capture_output=True, text=True, timeout=60, check=False)
    assert result.stderr == ""


def test_an_unexpected_error_is_one_line_unless_debug() -> None:
    script = "from aigen import cli; from aigen.orders import placing; placing.prepare = lambda *a: 1 / 0; cli.app()"
    for debug, lines in ((), 1), (("--debug",), 5):
        result = subprocess.run(
            [sys.executable, "-c", script, *debug, "generate", "a kite"],
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        assert result.returncode == 1
        assert "ZeroDivisionError" in result.stderr
        assert (len(result.stderr.splitlines()) == 1) == (lines == 1)


# Workers


def test_a_detached_order_is_made_in_the_background() -> None:
    ordered = run_process("generate", "a kite", *SMALL, "--images", 1, "--videos", 1, "--user", "ana", "--detach")
    assert (ordered.returncode, ordered.stdout) == (0, "user ana\n")
    watched = run_aigen("status", "ana", "--watch", "--json")
    assert (
        json.loads(
            watched.stdout[watched.stdout.rindex("\n[\n") + 1 :] if "\n[\n" in watched.stdout else watched.stdout
        )[0]["status"]
        == "Completed"
    )
    second = run_aigen("worker", "--once")
    assert (second.returncode, len(second.stderr.splitlines())) == (3, 1), (
        "the one that --detach started still waits for work"
    )
    assert kill_worker(CONTENT, signal.SIGKILL) == 1


@pytest.mark.system
def test_a_worker_ends_politely_on_sigterm() -> None:
    run_aigen("generate", "a kite", "--size", "32x32", "--images", 1, "--videos", 0)
    process = start_aigen("worker")
    wait_for(lambda: (CONTENT / ".work" / "worker.lock").exists())
    time.sleep(0.5)
    _, errors = kill(process, signal.SIGTERM)
    assert process.returncode == 130
    assert "Traceback" not in errors


def test_without_a_command_there_is_help() -> None:
    for command in ([], ["users"]):
        result = run_aigen(*command)
        assert (result.returncode, result.stderr) == (0, "")
        assert result.stdout.startswith("Usage: ")
        assert "\nCommands:\n" in result.stdout


def test_debug_shows_more_and_changes_no_exit_code() -> None:
    result = run_aigen("--debug", "generate", "")
    assert result.returncode == 2
    assert "Traceback" in result.stderr


def test_what_is_made_is_private_also_in_a_folder_that_is_not(tmp_path: Path) -> None:
    CONTENT.mkdir(mode=0o755)
    assert run_process("generate", "a kite", "--size", "32x32", "--images", 1, "--videos", 1).returncode == 0
    assert [path for path in CONTENT.rglob("*") if path.stat().st_mode & 0o077] == []


@pytest.mark.system
def test_an_order_is_made_also_when_nobody_reads() -> None:
    order = " ".join(
        map(shlex.quote, aigen_command("generate", "a kite", "--size", "32x32", "--images", 1, "--videos", 1))
    )
    for ending in ("| true", "2>&1 | head -c 1", "2>/dev/full", ">&- 2>&-"):
        subprocess.run(["bash", "-c", f"{order} {ending}"], capture_output=True, timeout=60, check=False)
    orders = json.loads(run_aigen("status", "--json").stdout)
    assert [order["status"] for order in orders] == ["Completed"] * 4


def test_a_worker_loads_nothing_from_the_current_folder() -> None:
    Path("typer.py").write_text("from pathlib import Path; Path('loaded').touch()")
    script = "import sys; sys.path.pop(0); from aigen.cli import app; app()"
    order = ["generate", "a kite", "--size", "32x32", "--images", "1", "--videos", "0", "--detach"]
    subprocess.run([sys.executable, "-c", script, *order], check=True, timeout=60)
    wait_for(lambda: list(CONTENT.glob("*/*.png")))
    assert not Path("loaded").exists()
    kill_worker(CONTENT, signal.SIGKILL)


def test_what_is_missing_is_asked_for_until_it_is_right() -> None:
    leader, follower = pty.openpty()
    process = subprocess.Popen(
        aigen_command("generate", "--size", "32x32", "--images", 1, "--videos", 0),
        stdin=follower,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    os.write(leader, b"   \na kite\ntonite\n\n")
    output, errors = process.communicate(timeout=60)
    os.close(follower)
    os.close(leader)
    assert process.returncode == 0, errors
    assert "the prompt is empty" in errors
    assert "'tonite' is not known" in errors
    assert output.splitlines()[-1].endswith("-image-1.png")
    assert json.loads(run_aigen("status", "--json").stdout)[0]["prompt"] == "a kite"
