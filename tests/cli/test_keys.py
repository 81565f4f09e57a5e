"""Keys of providers: stored in a keyring or a file, never taken from arguments, never shown."""

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import keyring
import pytest
from keyring.backend import KeyringBackend
from keyring.errors import KeyringLocked, PasswordDeleteError

from aigen import pipelines
from aigen.cli import models as cli_models
from aigen.errors import UsageError
from aigen.pipelines.hosted.pipeline import Hosted
from aigen.settings import read_settings, settings_file
from tests.conftest import run_aigen
from tests.pipelines.hosted.stand_in import KEY, STAND_INS, Reply, standing_in


class Memory(KeyringBackend):
    """A keyring for tests."""

    priority = 1  # type: ignore[assignment]

    def __init__(self) -> None:
        super().__init__()
        self.kept: dict[tuple[str, str], str] = {}
        self.asked, self.locked = 0, False

    def get_password(self, service: str, username: str) -> str | None:
        self.asked += 1
        if self.locked:
            raise KeyringLocked("Failed to unlock the collection!")
        return self.kept.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        if self.locked:
            raise KeyringLocked("Failed to unlock the collection!")
        self.kept[service, username] = password

    def delete_password(self, service: str, username: str) -> None:
        if (service, username) not in self.kept:
            raise PasswordDeleteError("not found")
        del self.kept[service, username]


@pytest.fixture
def memory(monkeypatch: pytest.MonkeyPatch) -> Iterator[Memory]:
    before = keyring.get_keyring()
    found = Memory()
    keyring.set_keyring(found)
    yield found
    keyring.set_keyring(before)


def listed() -> dict[str, dict[str, str | None]]:
    return {each["provider"]: each for each in json.loads(run_aigen("keys", "--json").stdout)}


def test_a_key_is_kept_by_the_keyring(memory: Memory) -> None:
    done = run_aigen("keys", "set", "runway", stdin=f"{KEY}\n")
    assert (done.returncode, "in the system keyring" in done.stderr) == (0, True)
    assert memory.kept == {("aigen", "RUNWAYML_API_SECRET"): KEY}
    assert KEY not in settings_file().read_text() + done.stderr
    shown = run_aigen("keys", "list")
    assert f"runway       …{KEY[-4:]}  RUNWAYML_API_SECRET in the system keyring\n" in shown.stdout
    assert "openai       no key: aigen keys set openai\n" in shown.stdout
    with standing_in("runway", Path("stand-in")) as server:
        run_aigen("keys", "set", "runway", "--base-url", server.address, stdin=KEY)
        order = ("generate", "a kite", "--videos", "1", "--images", "0", "--model", "runway", "--yes", "--user", "ana")
        done = run_aigen(*order, environment={"AIGEN_HOSTED_POLL": "0.003"})
        assert (done.returncode, len(server.sales)) == (0, 1), done.stderr
    removed = run_aigen("keys", "remove", "runway")
    assert (removed.returncode, memory.kept) == (0, {})
    assert listed()["runway"]["setting"] is None
    assert run_aigen("keys", "remove", "runway").returncode == 2


def test_without_a_keyring_a_key_is_kept_in_a_file_of_the_user_alone() -> None:
    file = settings_file()
    file.parent.mkdir(parents=True)
    file.write_text('AIGEN_MODEL = "storybook"\n\n[prices]\n"runway:gen4.5" = 0.1\n')
    file.chmod(0o644)
    done = run_aigen("keys", "set", "openai", stdin=KEY)
    assert (done.returncode, str(file) in done.stderr) == (0, True)
    assert file.stat().st_mode & 0o777 == 0o600
    settings = read_settings({}, Path(), file)
    assert settings.read("OPENAI_API_KEY") == KEY
    assert (settings.model, settings.prices) == ("storybook", {"runway:gen4.5": 0.1})
    assert listed()["openai"]["source"] == str(file)
    assert run_aigen("keys", "remove", "openai").returncode == 0
    assert KEY not in file.read_text()


def test_a_key_moves_to_the_keyring_with_its_base_url(memory: Memory) -> None:
    file = settings_file()
    file.parent.mkdir(parents=True)
    file.write_text(f'OPENAI_API_KEY = "{KEY}"\nOPENAI_BASE_URL = "https://example.org/v1"\n')
    assert run_aigen("keys", "set", "openai", stdin="another-key-that-is-long").returncode == 0
    assert KEY not in file.read_text()
    assert memory.kept["aigen", "OPENAI_BASE_URL"] == "https://example.org/v1"
    assert listed()["openai"]["base_url"] == "https://example.org/v1"


def test_the_order_of_sources_is_environment_dotenv_keyring_file(memory: Memory, tmp_path: Path) -> None:
    file = settings_file()
    run_aigen("keys", "set", "gemini", stdin="key-of-the-keyring")
    file.write_text(file.read_text() + 'GOOGLE_API_KEY = "key-of-the-file"\nGEMINI_API_KEY = "older"\n')
    settings = read_settings({"GEMINI_API_KEY": ""}, tmp_path, file)
    assert settings.first(("GEMINI_API_KEY", "GOOGLE_API_KEY")) == "GEMINI_API_KEY"
    assert settings.read("GEMINI_API_KEY") == "key-of-the-keyring"
    (tmp_path / ".env").write_text("GOOGLE_API_KEY=key-of-the-folder\n")
    settings = read_settings({}, tmp_path, file)
    assert settings.first(("GEMINI_API_KEY", "GOOGLE_API_KEY")) == "GOOGLE_API_KEY"
    settings = read_settings({"GEMINI_API_KEY": "key-of-the-environment"}, tmp_path, file)
    assert settings.read("GEMINI_API_KEY") == "key-of-the-environment"
    done = run_aigen("keys", "set", "gemini", stdin="new-key-of-the-keyring")
    assert "GOOGLE_API_KEY is set in" in done.stderr


def test_a_folder_of_somebody_else_cannot_send_a_stored_key_elsewhere(memory: Memory) -> None:
    run_aigen("keys", "set", "runway", stdin=KEY)
    Path(".env").write_text("RUNWAYML_BASE_URL=http://127.0.0.1:9\n")
    done = run_aigen("generate", "a kite", "--model", "runway", "--yes", "--user", "ana")
    assert done.returncode == 2
    assert "RUNWAYML_API_SECRET in the system keyring, RUNWAYML_BASE_URL in" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "stdin", "told"),
    [
        (("set", "openai", KEY), KEY, "a key is not taken from the command line"),
        (("set", KEY), KEY, "that provider is not known: choose from runway, openai, "),
        (("set", "openai", "--base-url", "https://ana:pw@example.org"), KEY, "a user name or a password in it"),
        (("set", "nobody"), KEY, "provider 'nobody' is not known: choose from runway, openai, "),
        (("set", "openai"), " \n", "no key was given"),
        (("set", "openai"), "two words", "characters that no key has"),
        (("set", "openai", "--base-url", "example.org"), KEY, "--base-url 'example.org' is not usable"),
        (("remove", "openai"), "", "no key of OpenAI is stored"),
    ],
)
def test_what_is_wrong_is_said_in_one_line_and_nothing_is_written(
    arguments: tuple[str, ...], stdin: str, told: str, memory: Memory
) -> None:
    done = run_aigen("keys", *arguments, stdin=stdin)
    assert (done.returncode, done.stdout) == (2, "")
    assert told in done.stderr
    assert KEY not in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert not memory.kept


def test_a_locked_keyring_is_told_and_asked_only_when_its_key_is_needed(memory: Memory) -> None:
    run_aigen("keys", "set", "openai", stdin=KEY)
    memory.locked, memory.asked = True, 0
    done = run_aigen("generate", "a kite", "--images", "1", "--videos", "0", "--user", "ana", "--size", "64x48")
    assert (done.returncode, memory.asked) == (0, 0)
    done = run_aigen("generate", "a kite", "--videos", "0", "--model", "openai", "--yes", "--user", "ana")
    assert done.returncode == 2
    assert "the system keyring cannot be used for OPENAI_API_KEY (Failed to unlock the collection!)" in done.stderr
    assert "unlock it" in (listed()["openai"]["error"] or "")


def test_a_key_that_is_gone_from_the_keyring_is_told(memory: Memory) -> None:
    run_aigen("keys", "set", "openai", stdin=KEY)
    memory.kept.clear()
    done = run_aigen("generate", "a kite", "--videos", "0", "--model", "openai", "--yes", "--user", "ana")
    assert (done.returncode, "not in the system keyring any more" in done.stderr) == (2, True)


def test_a_key_of_the_keyring_is_in_no_message(memory: Memory) -> None:
    run_aigen("keys", "set", "openai", stdin=KEY)
    settings = read_settings({}, Path(), settings_file())
    settings.read("OPENAI_API_KEY")
    assert settings.redact(f"it said {KEY}") == "it said …"
    assert KEY not in repr(settings)


def test_a_key_too_short_to_be_one_makes_no_message_unreadable(memory: Memory) -> None:
    run_aigen("keys", "set", "openai", "--base-url", "http://127.0.0.1:9/v1", stdin="e")
    settings = read_settings({}, Path(), settings_file())
    assert settings.read("OPENAI_API_KEY") == "e"
    settings.read("OPENAI_BASE_URL")
    assert settings.redact("see http://127.0.0.1:9/v1") == "see http://127.0.0.1:9/v1"


def test_a_key_can_be_stored_again_when_the_keyring_has_lost_its_base_url(memory: Memory) -> None:
    run_aigen("keys", "set", "openai", "--base-url", "http://127.0.0.1:9/v1", stdin=KEY)
    memory.kept.clear()
    assert run_aigen("keys", "set", "openai", stdin=KEY).returncode == 0


def test_a_key_of_a_keyring_that_is_not_here_can_be_removed(memory: Memory) -> None:
    run_aigen("keys", "set", "openai", stdin=KEY)
    keyring.set_keyring(keyring.backends.fail.Keyring())
    assert run_aigen("keys", "remove", "openai").returncode == 0
    assert listed()["openai"]["setting"] is None


def test_a_token_for_another_server_is_not_sent_to_the_hub(memory: Memory) -> None:
    run_aigen("keys", "set", "huggingface", stdin=KEY)
    settings = read_settings({}, Path(), settings_file())
    assert cli_models._token(settings, needed=False) == KEY
    memory.locked = True
    settings = read_settings({}, Path(), settings_file())
    assert cli_models._token(settings, needed=False) is None
    with pytest.raises(UsageError, match="unlock it"):
        cli_models._token(settings, needed=True)
    memory.locked = False
    run_aigen("keys", "set", "huggingface", "--base-url", "https://example.org", stdin=KEY)
    assert cli_models._token(read_settings({}, Path(), settings_file()), needed=True) is None


@pytest.mark.system
def test_doctor_shows_no_key_that_stands_in_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    def stumble(pipeline: Hosted) -> str:
        raise RuntimeError(f"header 'Bearer {KEY}'\nis odd")

    monkeypatch.setattr(Hosted, "check_key", stumble)
    done = run_aigen("doctor", environment={"OPENAI_API_KEY": KEY})
    assert "note   openai          RuntimeError: header 'Bearer …' is odd\n" in done.stdout


ACCOUNTS = {
    "runway": "2,500 credits ($25.00) left, at most 10,000 credits a month, gen4_image 2 at a time and 50 a day",
    "openai": "OPENAI_API_KEY is accepted; costs money",
    "gemini": "GEMINI_API_KEY is accepted; costs money",
    "huggingface": "the account ana (PRO)",
    "pictory": "12.5 of 120 minutes of video used",
}


@pytest.mark.system
def test_doctor_asks_every_provider_about_its_key() -> None:
    environment: dict[str, str] = {}
    servers = {name: make(Path(name)) for name, make in STAND_INS.items()}
    for server in servers.values():
        environment |= server.environment
    try:
        said = run_aigen("doctor", environment=environment).stdout
    finally:
        for server in servers.values():
            server.close()
    for name, text in ACCOUNTS.items():
        assert text in said, name
    assert all(not server.sales and not server.submissions() for server in servers.values())


@pytest.mark.system
def test_doctor_says_what_is_wrong_with_a_key() -> None:
    with standing_in("runway", Path("runway")) as server:
        wrong = {**server.environment, "RUNWAYML_API_SECRET": "key_of_somebody_else"}
        done = run_aigen("doctor", environment=wrong)
        assert "note   runway          Runway does not accept the key (no such key)" in done.stdout
        assert "-> change RUNWAYML_API_SECRET in the environment" in done.stdout
        done = run_aigen("doctor", environment={**wrong, "AIGEN_MODEL": "runway"})
        assert (done.returncode, "wrong  runway" in done.stdout) == (1, True)
    away = {"RUNWAYML_API_SECRET": KEY, "RUNWAYML_BASE_URL": "http://127.0.0.1:9"}
    assert "note   runway          Runway cannot be reached" in run_aigen("doctor", environment=away).stdout
    with standing_in("openai", Path("openai")) as server:
        server.polls = [Reply(403, b'{"error": {"message": "Missing scopes: api.model.read"}}')]
        done = run_aigen("doctor", environment=server.environment)
        assert "is accepted; its permissions leave out listing models" in done.stdout


def test_a_missing_key_names_the_command_that_stores_it() -> None:
    with pytest.raises(UsageError, match="store it with aigen keys set runway"):
        pipelines.hosted.load("runway", read_settings({}, Path(), settings_file())).check_key()


@pytest.mark.system
def test_the_real_keyring_of_gnome_keeps_a_key(tmp_path: Path) -> None:
    if not shutil.which("gnome-keyring-daemon") or not shutil.which("dbus-run-session"):
        pytest.skip("gnome-keyring or dbus is not installed (Debian: gnome-keyring, dbus-daemon)")
    script = tmp_path / "session.sh"
    aigen = f"{sys.executable} -m aigen"
    script.write_text(f"""
        printf 'password' | gnome-keyring-daemon --unlock --components=secrets >/dev/null 2>&1 &
        for attempt in $(seq 100); do
            {sys.executable} -c 'import keyring; keyring.get_password("aigen", "none")' 2>/dev/null && break; sleep 0.1
        done
        printf '%s' '{KEY}' | {aigen} keys set openai && {aigen} keys list && {aigen} keys remove openai && {aigen} keys
        kill %1
    """)
    environment = {name: value for name, value in os.environ.items() if name != "PYTHON_KEYRING_BACKEND"}
    home = tmp_path / "home"
    home.mkdir()
    began = time.monotonic()
    done = subprocess.run(
        ["dbus-run-session", "--", "bash", str(script)],
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
        env={**environment, "HOME": str(home), "XDG_RUNTIME_DIR": str(home)},
    )
    assert "is stored in the system keyring" in done.stderr, (done.stderr, time.monotonic() - began)
    assert f"openai       …{KEY[-4:]}  OPENAI_API_KEY in the system keyring" in done.stdout
    assert done.stdout.count("openai       no key") == 1
