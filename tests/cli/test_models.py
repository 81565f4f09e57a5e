"""`aigen models` as a user meets it: the program in a process of its own, the hub a stand-in."""

import json
from pathlib import Path

import pytest

from aigen.models import catalogue
from tests.conftest import run_aigen, run_process
from tests.hub import Hub, serve
from tests.model_folders import repositories, write_decoder, write_model
from tests.tiny_vision import write_seeing


def listed() -> dict[str, dict[str, object]]:
    result = run_aigen("models", "--json")
    assert result.returncode == 0
    return {entry["name"]: entry for entry in json.loads(result.stdout)}


def test_every_model_is_listed_with_what_a_user_wants_to_know() -> None:
    found = listed()
    local = [name for name, model in found.items() if not model["hosted"]]
    assert local[:3] == ["storybook", "motion", "narrator"]
    assert sorted(local[3:]) == sorted((*catalogue.models(), *catalogue.seeing()))
    assert found["storybook"]["here"]
    sd_turbo = found["sd-turbo"]
    assert sd_turbo["download"] == 2.6
    assert "Stability AI" in str(sd_turbo["licence"])
    assert sd_turbo["here"] is False
    text = run_aigen("models", "list").stdout
    assert all(name in text for name in found)
    assert "gated: needs HF_TOKEN" in text
    assert "sees pictures: aigen describe" in text
    assert max(map(len, text.splitlines())) <= 120


@pytest.mark.system
def test_a_model_is_pulled_listed_preferred_and_removed(tmp_path: Path) -> None:
    with serve(Hub(repositories(tmp_path))) as hub:
        pulled = run_process("models", "pull", "sd-turbo", environment=hub.environment)
    assert pulled.returncode == 0, pulled.stderr
    assert Path(pulled.stdout.strip()).is_dir()
    assert "commercial use free below 1 M USD" in pulled.stderr
    assert "100 %" in pulled.stderr
    assert listed()["sd-turbo"]["here"]

    used = run_aigen("models", "use", "sd-turbo")
    assert used.returncode == 0
    assert "sd-turbo makes images from now on" in used.stderr
    settings = tmp_path / "configuration" / "aigen" / "settings.toml"
    assert settings.read_text() == 'AIGEN_MODEL = "sd-turbo"\n'
    assert listed()["sd-turbo"]["default"]

    removed = run_aigen("models", "remove", "sd-turbo")
    assert removed.returncode == 0
    assert "are free again" in removed.stderr
    assert "it is still your default: choose another" in removed.stderr
    doctor = run_aigen("doctor")
    assert doctor.returncode == 1
    assert "wrong  images          model 'sd-turbo' is not here" in doctor.stdout
    assert not listed()["sd-turbo"]["here"]
    refused = run_aigen("generate", "a kite", "--images", "1", "--videos", "0")
    assert (refused.returncode, len(refused.stderr.splitlines())) == (2, 1)
    assert "get it with aigen models pull sd-turbo" in refused.stderr
    assert not (tmp_path / "generated_content").exists()


def test_what_else_stands_in_the_settings_stays_and_what_comes_first_is_told(tmp_path: Path) -> None:
    settings = tmp_path / "configuration" / "aigen" / "settings.toml"
    settings.parent.mkdir(parents=True)
    settings.write_text('# mine\nAIGEN_SMTP_HOST = "mail"  # of the house\nAIGEN_MODEL = "sd-turbo"\n')
    used = run_aigen("models", "use", "storybook", environment={"AIGEN_MODEL": "sdxl"})
    assert used.returncode == 0
    assert "storybook makes images and videos from now on" in used.stderr
    assert "AIGEN_MODEL in the environment says sdxl, and that comes first" in used.stderr
    assert settings.read_text() == '# mine\nAIGEN_SMTP_HOST = "mail"  # of the house\nAIGEN_MODEL = "storybook"\n'
    settings.write_text("no TOML at all")
    refused = run_aigen("models", "use", "storybook")
    assert (refused.returncode, len(refused.stderr.splitlines())) == (2, 1)
    assert settings.read_text() == "no TOML at all"


def test_a_model_is_taken_from_a_folder_and_its_tiny_decoder_too(tmp_path: Path) -> None:
    source = write_model(tmp_path / "stick")
    assert run_aigen("models", "pull", "sd-turbo", "--from", source).returncode == 0
    decoder = write_decoder(tmp_path / "decoder")
    taken = run_aigen("models", "pull", "madebyollin/taesd", "--from", decoder)
    assert taken.returncode == 0, taken.stderr
    assert "--fast uses it" in taken.stderr
    found = listed()
    assert found["sd-turbo"]["here"]
    assert found["madebyollin/taesd"]["title"] == "tiny decoder, for --fast"


def test_a_model_that_sees_is_pulled_listed_and_removed(tmp_path: Path) -> None:
    hub = Hub({catalogue.find("florence-2").hub or "": write_seeing(tmp_path / "original")})
    with serve(hub):
        pulled = run_process("models", "pull", "florence-2", environment=hub.environment)
    assert pulled.returncode == 0, pulled.stderr
    assert "Florence-2 base, licence: MIT" in pulled.stderr
    assert "it is here: aigen describe photo.jpg --model florence-2" in pulled.stderr
    found = listed()["florence-2"]
    assert (found["here"], found["sees"], found["kinds"], found["fits"]) == (True, True, [], True)
    text = run_aigen("models")
    assert "images are made by storybook" in text.stderr
    assert "your pictures are looked at by florence-2" in text.stderr
    assert run_aigen("models", "remove", "florence-2").returncode == 0
    assert not listed()["florence-2"]["here"]


def test_a_wrong_folder_takes_nothing_away(tmp_path: Path) -> None:
    assert run_aigen("models", "pull", "sd-turbo", "--from", write_model(tmp_path / "stick")).returncode == 0
    decoder = write_decoder(tmp_path / "decoder")
    refused = run_aigen("models", "pull", "sd-turbo", "--from", decoder)
    assert (refused.returncode, "is no model: its folder has no model_index.json" in refused.stderr) == (2, True)
    assert listed()["sd-turbo"]["here"]
    refused = run_aigen("models", "pull", "madebyollin/taesd", "--from", tmp_path / "stick")
    assert (refused.returncode, "holds no tiny decoder" in refused.stderr) == (2, True)


def test_models_that_are_not_listed_and_the_default_are_shown_too(tmp_path: Path) -> None:
    source = write_model(tmp_path / "stick")
    assert run_aigen("models", "pull", "somebody/theirs", "--from", source).returncode == 0
    assert run_aigen("models", "use", "./stick").returncode == 0
    found = listed()
    assert found["somebody/theirs"]["here"]
    assert (found[str(source)]["here"], found[str(source)]["default"]) == (True, True)
    text = run_aigen("models")
    assert "images are made by stick (your default (AIGEN_MODEL))" in text.stderr
    assert "videos are made by motion (moves over the pictures of stick, which makes no videos)" in text.stderr


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        (["pull", "storybook"], 2, "is built in"),
        (["pull", "sd-tubo"], 2, "did you mean sd-turbo?"),
        (["pull", "./mine"], 2, "is a folder of your own"),
        (["pull", "sd-turbo", "--from", "nowhere"], 2, "is no folder"),
        (["pull", "sd-turbo"], 1, "the hub does not answer"),
        (["remove", "sd-turbo"], 2, "nothing to remove"),
        (["use", "sd-turbo"], 2, "get it with aigen models pull sd-turbo"),
        (["use", "zzz"], 2, "is not known"),
        (["use", "florence-2"], 2, "makes no pictures, it sees them: when it is here, aigen describe"),
        (["remove", "d-fine"], 2, "nothing to remove"),
    ],
)
def test_what_cannot_be_is_one_clear_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], code: int, told: str
) -> None:
    (tmp_path / "mine").mkdir()
    monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", "http://127.0.0.1:9")
    result = run_aigen("models", *arguments)
    line = result.stderr.splitlines()[-1]
    assert (result.returncode, told in line) == (code, True), result.stderr
    assert "Traceback" not in result.stderr


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["--steps", "0"], "steps is 0: give a number from 1 to 200"),
        (["--guidance", "nan"], "guidance is nan: give a number from 0 to 50"),
        (["--guidance", "-1"], "guidance is -1.0"),
        (["--strength", "0.5"], "strength is of no use without a guide"),
        (["--guide", "storybook", "--strength", "0"], "strength is 0.0: give a number from 0.05 to 1"),
        (["--guide", "nobody"], "guide 'nobody' is not known: choose from storybook"),
        (["--negative", "x" * 2001], "the negative prompt has 2001 characters"),
        (["--steps", "3"], "steps means nothing to storybook"),
        (["--fast"], "fast means nothing to storybook"),
        (["--model", "./mine"], "is no model: its folder has no model_index.json"),
        (["--model", "florence-2"], "model 'florence-2' sees pictures and makes none"),
        (["--video-model", "sd-turbo"], "makes no videos: name one that does with --video-model"),
    ],
)
def test_what_no_model_can_do_is_one_clear_line_and_nothing_is_written(
    tmp_path: Path, options: list[str], told: str
) -> None:
    (tmp_path / "mine").mkdir()
    result = run_aigen("generate", "a kite", *options)
    assert (result.returncode, len(result.stderr.splitlines())) == (2, 1), result.stderr
    assert told in result.stderr
    assert not (tmp_path / "generated_content").exists()


@pytest.mark.system
def test_a_damaged_model_is_listed_as_such_and_mended_by_pulling(tmp_path: Path) -> None:
    with serve(Hub(repositories(tmp_path))) as hub:
        assert run_process("models", "pull", "sd-turbo", environment=hub.environment).returncode == 0
        file = next((tmp_path / "hub").rglob("unet/diffusion_pytorch_model.safetensors"))
        file.write_bytes(file.read_bytes()[:-1])
        entry = listed()["sd-turbo"]
        assert entry["here"] is False
        assert "is cut off; get it again: aigen models pull sd-turbo" in str(entry["wrong"])
        assert run_process("models", "pull", "sd-turbo", environment=hub.environment).returncode == 0
    assert listed()["sd-turbo"]["here"]
