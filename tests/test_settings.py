from pathlib import Path

import pytest

from aigen.content import ContentFolder
from aigen.errors import ContentError, UsageError
from aigen.notify import mail
from aigen.settings import Settings, read_settings


def test_environment_wins_over_dotenv_over_settings_file(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text('AIGEN_MODEL=second\nAIGEN_BASE_URL="http://b"\n')
    file = tmp_path / "settings.toml"
    file.write_text('AIGEN_MODEL = "third"\nAIGEN_BASE_URL = "http://c"\nAIGEN_CONTENT = "elsewhere"\n')
    settings = read_settings({"AIGEN_MODEL": "first"}, tmp_path, file)
    assert settings.model == "first"
    assert settings.read_base_url() == "http://b"
    assert settings.content(None).root == Path.cwd() / "elsewhere"
    assert settings.content(Path("/other")).root == Path("/other")


def test_defaults(tmp_path: Path) -> None:
    settings = read_settings({}, tmp_path, tmp_path / "none.toml")
    assert settings.model is None
    assert settings.content(None).root == tmp_path / "generated_content"


def test_a_broken_settings_file_is_named(tmp_path: Path) -> None:
    file = tmp_path / "settings.toml"
    file.write_text("AIGEN_MODEL = ")
    with pytest.raises(UsageError, match=r"settings\.toml"):
        read_settings({}, tmp_path, file)


def test_a_file_is_no_content_folder(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(UsageError, match="is a file"):
        read_settings({}, tmp_path, tmp_path / "none.toml").content(tmp_path / "file")


def test_a_lock_is_seen_from_outside_and_free_when_released(content: ContentFolder) -> None:
    assert not content.is_locked("order")
    with content.lock("order"):
        assert content.is_locked("order")
    assert not content.is_locked("order")
    content.remove_lock("order")
    assert not content.is_locked("order")


def test_the_content_folder_is_private(content: ContentFolder) -> None:
    content.check_writable()
    assert content.root.stat().st_mode & 0o077 == 0
    assert list((content.root / ".work").iterdir()) == []


def test_removing_a_user_follows_no_link(content: ContentFolder, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "precious").touch()
    content.check_writable()
    content.user("ana").symlink_to(elsewhere)
    with pytest.raises(ContentError, match="is a link"):
        content.remove_user("ana", ["abc"])
    assert (elsewhere / "precious").exists()


def test_settings_of_one_connection_come_from_one_source(tmp_path: Path) -> None:
    """A folder of somebody else must not send the user's password to another server."""
    file = tmp_path / "settings.toml"
    file.write_text('AIGEN_SMTP_HOST = "mail.example.org"\nAIGEN_SMTP_USER = "bot"\nAIGEN_SMTP_PASSWORD = "secret"\n')
    (tmp_path / ".env").write_text("AIGEN_SMTP_HOST=thief.example.org\nAIGEN_SMTP_FROM=a@example.org\n")
    settings = read_settings({}, tmp_path, file)
    with pytest.raises(UsageError, match=r"AIGEN_SMTP_HOST in .*env, AIGEN_SMTP_USER in .*settings.toml"):
        mail.read_server(settings, "mailto:")
    (tmp_path / ".env").write_text("AIGEN_SMTP_FROM=a@example.org\n")
    assert mail.read_server(read_settings({}, tmp_path, file), "mailto:").host == "mail.example.org"


def test_secrets_are_left_out_of_texts() -> None:
    settings = Settings({"OPENAI_API_KEY": "sk-12345", "AIGEN_SMTP_PASSWORD": "hunter2", "AIGEN_MODEL": "storybook"})
    assert settings.redact("sk-12345 of hunter2 by storybook") == "… of … by storybook"
    assert Settings({"A_KEY": "a"}).redact("a day") == "a day"
