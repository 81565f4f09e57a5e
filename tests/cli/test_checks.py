import json
from pathlib import Path

import pytest

from tests.cli.test_program import CONTENT
from tests.conftest import (
    run_aigen,
)


def test_doctor_says_what_was_chosen_and_why() -> None:
    result = run_aigen("doctor", "--json")
    findings = {finding["name"]: finding for finding in json.loads(result.stdout)}
    assert result.returncode == 0
    assert "storybook (built in" in findings["images"]["text"]
    assert findings["video encoder"]["state"] == "ok"
    assert "GPU" in findings
    wrong = run_aigen("doctor", environment={"AIGEN_MODEL": "nonesuch"})
    assert (wrong.returncode, "AIGEN_MODEL" in wrong.stdout) == (1, True)


def test_doctor_shows_no_secret() -> None:
    result = run_aigen("doctor", environment={"AIGEN_SMTP_PASSWORD": "hunter2hunter2"})
    assert "AIGEN_SMTP_PASSWORD" in result.stdout
    assert "hunter2" not in result.stdout + result.stderr


@pytest.mark.system
def test_doctor_tells_of_a_refused_store() -> None:
    CONTENT.mkdir()
    (CONTENT / "aigen.db").write_text("a letter to my aunt " * 100)
    result = run_aigen("doctor")
    assert result.returncode == 1
    assert "wrong  store" in result.stdout
    assert "video encoder" in result.stdout


def test_a_settings_file_with_a_secret_that_others_may_read_is_said(tmp_path: Path) -> None:
    file = tmp_path / "configuration" / "aigen" / "settings.toml"
    file.parent.mkdir(parents=True)
    file.write_text('OPENAI_API_KEY = "sk-0123456789"\n')
    file.chmod(0o644)
    told = run_aigen("doctor").stdout
    assert f"others may read {file}, which holds a secret -> chmod 600 {file}" in told
    assert "sk-0123456789" not in told
    file.chmod(0o600)
    assert "others may read" not in run_aigen("doctor").stdout
