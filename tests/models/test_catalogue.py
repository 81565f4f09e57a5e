from inspect import signature
from pathlib import Path

import pytest

from aigen.errors import UsageError
from aigen.models import catalogue, weights
from aigen.models.catalogue import Model
from aigen.types.request import Size


@pytest.mark.parametrize("model", catalogue.models().values(), ids=lambda model: model.name)
def test_the_catalogue_says_what_a_user_wants_to_know(model: Model) -> None:
    assert model.hub
    assert model.title
    assert model.licence
    assert "not known" not in model.licence
    assert model.download
    assert model.memory
    assert 0.5 < model.download < 50
    assert 1 < model.memory < 70
    assert model.steps
    assert model.half
    if model.kinds == ("image",):
        assert model.pipeline in catalogue.classes("image")
        assert model.size in (512, 768, 1024)
        assert model.guidance is not None
        return
    assert model.kinds == ("video",)
    sort = catalogue.video_architectures()[model.pipeline or ""]
    size = Size.parse(model.video or sort.video)
    assert size.width % sort.multiple == size.height % sort.multiple == 0
    frames = model.frames or sort.frames
    assert sort.round_up(frames) == frames <= (model.max_frames or sort.max_frames)


@pytest.mark.parametrize("model", catalogue.seeing().values(), ids=lambda model: model.name)
def test_of_models_that_see_it_says_the_same_and_offers_them_for_no_pictures(model: Model) -> None:
    assert model.hub
    assert model.download
    assert model.memory
    assert "not known" not in model.licence
    assert model.sees
    assert model.listed
    assert model.name not in catalogue.models()
    assert catalogue.find(model.name) == catalogue.find(model.hub) == model
    assert model.pipeline in weights.SEEING


@pytest.mark.system
def test_the_pipelines_of_videos_are_those_of_diffusers() -> None:
    """And they take what they are called with."""
    import diffusers

    for name, sort in catalogue.video_architectures().items():
        for each in filter(None, (name, sort.from_picture)):
            known = signature(getattr(diffusers, each).__call__).parameters
            assert {"num_frames", "num_inference_steps", "callback_on_step_end", "output_type"} <= set(known)
            assert ("image" in known) == (each == sort.from_picture or sort.starts_from == "picture")
            assert ("prompt" in known) == (each != "StableVideoDiffusionPipeline")


def test_a_number_of_frames_is_rounded_up_to_one_that_can_be_made() -> None:
    sorts = catalogue.video_architectures()
    assert [sorts["WanPipeline"].round_up(count) for count in (1, 2, 5, 6, 80, 81)] == [1, 5, 5, 9, 81, 81]
    assert sorts["LTXPipeline"].round_up(96) == 97
    assert sorts["AnimateDiffPipeline"].round_up(15) == 15


@pytest.mark.system
def test_the_pipelines_are_those_of_diffusers() -> None:
    import diffusers
    from diffusers.pipelines.auto_pipeline import AUTO_IMAGE2IMAGE_PIPELINES_MAPPING, AUTO_TEXT2IMAGE_PIPELINES_MAPPING

    known = {each.__name__ for each in AUTO_TEXT2IMAGE_PIPELINES_MAPPING.values()}
    assert catalogue.classes("image") - known == {"SanaSprintPipeline"}  # which diffusers has, but not in its table
    assert hasattr(diffusers, "SanaSprintPipeline")
    guided = {
        each.__name__
        for name, each in AUTO_TEXT2IMAGE_PIPELINES_MAPPING.items()
        if name in AUTO_IMAGE2IMAGE_PIPELINES_MAPPING
    }
    references = {"Flux2Pipeline", "Flux2KleinPipeline"}  # they take pictures as references, several for one
    assert catalogue.classes("guided") == guided & catalogue.classes("image") - references


def test_a_model_goes_by_its_short_name_its_hub_id_any_hub_id_or_a_folder(tmp_path: Path) -> None:
    assert catalogue.find("sd-turbo").hub == "stabilityai/sd-turbo"
    assert catalogue.find("stabilityai/sd-turbo") == catalogue.find("sd-turbo")
    assert catalogue.find("somebody/some-model").hub == "somebody/some-model"
    (tmp_path / "mine").mkdir()
    found = catalogue.find("./mine")
    assert (found.name, found.folder, found.listed) == (str(tmp_path / "mine"), tmp_path / "mine", False)


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("sd-tubo", "did you mean sd-turbo?"),
        ("storybok", "did you mean storybook?"),
        ("zzz", "choose from storybook, sdxl-turbo"),
        ("florence2", "did you mean florence-2?"),
        ("./nowhere", "no such folder"),
        ("/nowhere", "no such folder"),
        ("model.safetensors", "is a file"),
        ("a/b/c", "is not known"),
        ("-x/y", "is not known"),
        ("ünlisted/model", "is not known"),
        ("~nobody/x", "no such folder"),
        ("x" * 300, "is not known"),
        ("nul\0", "is not known"),
        ("", "is not known"),
    ],
)
def test_another_name_is_refused_with_the_nearest(tmp_path: Path, name: str, told: str) -> None:
    (tmp_path / "model.safetensors").touch()
    with pytest.raises(UsageError, match=r"^model ") as refused:
        catalogue.find(name, ["storybook"])
    assert told in str(refused.value)


def test_of_a_folder_others_see_only_its_own_name() -> None:
    assert catalogue.display_name("/home/ana/models/mine") == "mine"
    assert catalogue.display_name("C:\\Users\\ana\\mine") == "mine"
    assert catalogue.display_name("stabilityai/sd-turbo") == "stabilityai/sd-turbo"
