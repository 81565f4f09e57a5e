import json
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path

import av
import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from tests.cli.test_program import CONTENT
from tests.conftest import (
    SMALL,
    run_aigen,
    scribble,
)


@pytest.fixture
def made() -> dict[str, Path]:
    """Two images and two videos of ana's: their paths by name."""
    result = run_aigen(
        "generate", "two cats, a kite", *SMALL, "--user", "ana-7", "--images", 2, "--videos", 2, "--style", "poster"
    )
    return {line.split("-", 2)[2]: Path(line) for line in result.stdout.splitlines()[1:]}


def test_info_tells_what_a_file_was_made_from(made: dict[str, Path]) -> None:
    told = json.loads(run_aigen("info", made["image-2.png"], "--json").stdout)
    assert list(told) == ["prompt", "model", "seed", "mark", "parameters"]
    assert [told[name] for name in ("prompt", "model", "seed", "mark")] == [
        "two cats, a kite", "storybook", 8, "algorithmicMedia",
    ]  # fmt: skip
    scene = told["parameters"]["scene"]
    assert [len(thing.pop("boxes")) for thing in scene["objects"]] == [2, 1]
    assert scene == json.loads(run_aigen("generate", "two cats, a kite", "--plan", "--json").stdout)
    assert (told["parameters"]["number"], told["parameters"]["size"]) == (2, "64x48")
    lines = run_aigen("info", made["video-1.mp4"]).stdout.splitlines()
    assert lines[:4] == [
        "prompt    two cats, a kite",
        "model     storybook",
        "seed      7",
        "mark      algorithmicMedia: drawn by a program, not by a trained model",
    ]
    assert "fps       24" in lines
    assert any(line.startswith("scene     setting: ") and "objects: 2 cat, 1 kite" in line for line in lines)


def test_a_file_names_no_user_no_order_and_no_time(made: dict[str, Path]) -> None:
    generation_id = made["image-1.png"].name.split("-")[0]
    for path in made.values():
        data = path.read_bytes()
        for secret in ("ana-7", generation_id, str(CONTENT.absolute()), f"{datetime.now(UTC):%Y-%m-%d}"):
            assert secret.encode() not in data


@pytest.mark.parametrize("name", ["image-2.png", pytest.param("video-2.mp4", marks=pytest.mark.system)])
def test_from_info_makes_the_same_bytes_again(made: dict[str, Path], name: str) -> None:
    result = run_aigen("generate", "--from-info", made[name], "--user", "bob")
    assert result.returncode == 0, result.stderr
    (line,) = result.stdout.splitlines()[1:]
    assert line.endswith(f"-{name}")
    assert Path(line).read_bytes() == made[name].read_bytes()
    assert f"{name.split('.')[0].replace('-', ' ')}: " in result.stderr
    again = run_aigen("generate", "--from-info", line, "--user", "bob", "--seed", 1)
    assert Path(again.stdout.splitlines()[1]).read_bytes() != made[name].read_bytes()


@pytest.mark.system
def test_from_info_with_numbers_makes_more_like_it(made: dict[str, Path]) -> None:
    order = json.loads(run_aigen("generate", "--from-info", made["image-2.png"], "--images", 3, "--json").stdout)
    assert (len(order["images"]), order["videos"], order["prompt"]) == (3, [], "two cats, a kite")
    told = [json.loads(run_aigen("info", path, "--json").stdout) for path in order["images"]]
    assert [one["parameters"]["size"] for one in told] == ["64x48"] * 3
    assert len({one["seed"] for one in told} | {7, 8}) == 5


def test_a_picture_that_says_nothing_is_no_error_but_cannot_be_made_again(tmp_path: Path) -> None:
    path = scribble("image", tmp_path / "a")
    told = run_aigen("info", path)
    assert (told.returncode, told.stdout) == (0, f"{path} does not say what made it\n")
    assert json.loads(run_aigen("info", path, "--json").stdout) == {
        "prompt": None, "model": None, "seed": None, "mark": None, "parameters": {},
    }  # fmt: skip
    for prompt in ([], ["a kite"]):
        refused = run_aigen("generate", *prompt, "--from-info", path)
        assert (refused.returncode, len(refused.stderr.splitlines())) == (2, 1)
        assert "does not say what made it" in refused.stderr


def test_a_file_of_another_program_is_made_by_the_model_that_is_named(tmp_path: Path) -> None:
    texts = PngInfo()
    texts.add_text("parameters", "a kite\nSteps: 20, Sampler: Euler a, Seed: 42, Size: 32x48, Model: dream")
    with Image.open(scribble("image", tmp_path / "a")) as image:
        image.save(tmp_path / "b.png", pnginfo=texts)
    refused = run_aigen("generate", "--from-info", tmp_path / "b.png")
    assert (refused.returncode, len(refused.stderr.splitlines())) == (2, 1)
    assert "--from-info: model 'dream' is not known: choose from storybook, " in refused.stderr
    assert "(other options win" in refused.stderr
    result = run_aigen("generate", "--from-info", tmp_path / "b.png", "--model", "storybook")
    told = json.loads(run_aigen("info", result.stdout.splitlines()[1], "--json").stdout)
    assert (told["prompt"], told["model"], told["seed"], told["parameters"]["size"]) == (
        "a kite",
        "storybook",
        42,
        "32x48",
    )


@pytest.mark.parametrize("command", [["info"], ["generate", "--from-info"]])
@pytest.mark.parametrize("name", ["nonesuch.png", "folder", "empty.png", "text.png", "cut.png", "cut.mp4"])
def test_what_is_no_whole_file_is_one_clear_line(tmp_path: Path, command: list[str], name: str) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "empty.png").touch()
    (tmp_path / "text.png").write_text("text")
    for whole in (scribble("image", tmp_path / "whole"), scribble("video", tmp_path / "whole")):
        data = whole.read_bytes()
        (tmp_path / f"cut{whole.suffix}").write_bytes(data[: len(data) * 2 // 3])
    result = run_aigen(*command, tmp_path / name)
    assert (result.returncode, result.stdout, len(result.stderr.splitlines())) == (2, "", 1)
    assert name in result.stderr
    assert not CONTENT.exists()


def test_thumbnails_are_made_with_the_items_and_again_when_missing(made: dict[str, Path]) -> None:
    folder = CONTENT / ".thumbs" / "ana-7"
    generation_id = made["image-1.png"].name.split("-")[0]
    names = sorted(path.name for path in folder.iterdir())
    assert names == sorted(f"{path.stem}-{size}.webp" for path in made.values() for size in ("small", "large"))
    for path in (CONTENT / ".thumbs").rglob("*.webp"):
        path.unlink()
    before = made["video-1.mp4"].read_bytes()
    made["video-1.mp4"].unlink()
    assert run_aigen("resume", generation_id).returncode == 0
    assert sorted(path.name for path in folder.iterdir()) == names
    assert made["video-1.mp4"].read_bytes() == before, "a missing file is made again"


@pytest.mark.system
def test_a_video_has_the_length_that_was_asked_for_also_when_made_again() -> None:
    options = ("--images", 0, "--videos", 1, "--user", "ana", *SMALL)
    made = run_aigen("generate", "a boat in a storm at sea", "--duration", 5.5, "--fps", 10, *options)
    assert made.returncode == 0, made.stderr
    path = made.stdout.splitlines()[1]
    with av.open(path) as container:
        frames = [frame.to_ndarray(format="gray") for frame in container.decode(video=0)]
    assert len(frames) == 55
    assert all((one != other).any() for one, other in pairwise(frames))
    told = json.loads(run_aigen("info", path, "--json").stdout)["parameters"]
    assert (told["duration"], told["fps"]) == (5.5, 10)
    again = run_aigen("generate", "--from-info", path, "--user", "ana")
    assert Path(again.stdout.splitlines()[1]).read_bytes() == Path(path).read_bytes()
    like = run_aigen("generate", "--from-info", path, "--duration", 1, "--user", "ana")
    with av.open(like.stdout.splitlines()[1]) as container:
        assert sum(1 for _ in container.decode(video=0)) == 24
