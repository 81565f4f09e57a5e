import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aigen.media.foreign import read_graph, read_parameters, write_parameters
from aigen.types.pipeline import Provenance

WEB_UI = """a castle on a hill, (sunset:1.2)
second line
Negative prompt: blurry, low quality
Steps: 20, Sampler: Euler a, Schedule type: Automatic, CFG scale: 7.5, Seed: 42, Size: 512x768, Model hash: abc, \
Model: dream, Lora hashes: "one: 1, two: 2", Version: v1.10.1"""


def test_the_text_of_the_web_ui_is_read() -> None:
    found = read_parameters(WEB_UI, "image")
    assert found == Provenance(
        kind="image",
        prompt="a castle on a hill, (sunset:1.2)\nsecond line",
        model="dream",
        seed=42,
        parameters={
            "steps": 20,
            "sampler": "Euler a",
            "schedule_type": "Automatic",
            "cfg_scale": 7.5,
            "size": "512x768",
            "model_hash": "abc",
            "lora_hashes": "one: 1, two: 2",
            "version": "v1.10.1",
            "negative_prompt": "blurry, low quality",
        },
    )


@pytest.mark.parametrize("text", ["", "\n", "only a prompt", "prompt\nSampler: x, Seed: 1"])
def test_a_text_without_settings_says_nothing(text: str) -> None:
    assert read_parameters(text, "image") is None


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_what_is_written_is_read(prompt: str) -> None:
    written = write_parameters(Provenance("image", prompt, "some, model: 2", 9, None, {"size": "16x16", "steps": 4}))
    found = read_parameters(written, "image")
    assert found is not None
    assert (found.prompt or "") == prompt.replace("Negative prompt:", "Negative prompt :").replace("\0", " ").strip()
    assert (found.model, found.seed) == ("some, model: 2", 9)
    assert found.parameters == {"steps": 4, "sampler": "some, model: 2", "size": "16x16"}


def test_a_negative_prompt_stands_on_lines_of_its_own() -> None:
    found = read_parameters(
        'a sign saying "Negative prompt: stop"\nNegative prompt: blurry,\ndark\nSteps: 20, Seed: 1', "image"
    )
    assert found is not None
    assert found.prompt == 'a sign saying "Negative prompt: stop"'
    assert found.parameters["negative_prompt"] == "blurry,\ndark"


@pytest.mark.parametrize(
    "text", ["a" * 200_000, f"Steps: 1, {' ' * 200_000}x", f"Steps: {'a' * 200_000}", 'Steps: 1, a: "' * 20_000]
)
def test_long_texts_are_read_at_once(text: str) -> None:
    """They took minutes when the pattern could begin a name anywhere; this is far from any limit of time."""
    read_parameters(text, "image")


@given(st.text())
def test_any_text_can_be_read(text: str) -> None:
    read_parameters(text, "image")
    read_parameters(f"{text}\nSteps: {text}", "image")
    read_graph(text, "image")


def graph(**nodes: Any) -> str:
    return json.dumps({name: {"class_type": "X", "inputs": inputs} for name, inputs in nodes.items()})


USUAL = {
    "sampler": {
        "seed": 2**60, "steps": 30, "cfg": 5.5, "sampler_name": "euler", "scheduler": "karras", "denoise": 1,
        "model": ["lora", 0], "positive": ["control", 0], "negative": ["control", 1], "latent_image": ["empty", 0],
    },
    "lora": {"lora_name": "ink", "model": ["checkpoint", 0], "clip": ["checkpoint", 1]},
    "checkpoint": {"ckpt_name": "xl.safetensors"},
    "control": {"negative": ["no", 0], "positive": ["yes", 0], "strength": 1.0},
    "yes": {"text": "a castle", "clip": ["lora", 1]},
    "no": {"text": "blurry", "clip": ["lora", 1]},
    "empty": {"width": 640, "height": 480, "batch_size": 1},
    "decode": {"samples": ["sampler", 0], "vae": ["checkpoint", 2]},
}  # fmt: skip


def test_a_graph_with_a_sampler_is_read() -> None:
    assert read_graph(graph(**USUAL), "image") == Provenance(
        kind="image",
        prompt="a castle",
        model="xl.safetensors",
        seed=2**60,
        parameters={
            "steps": 30,
            "cfg": 5.5,
            "sampler_name": "euler",
            "scheduler": "karras",
            "denoise": 1,
            "negative_prompt": "blurry",
            "size": "640x480",
        },
    )


def test_a_graph_in_parts_is_read() -> None:
    """As Flux is sampled: noise, guidance, steps and prompt each come from nodes of their own."""
    found = read_graph(
        graph(
            sampler={"noise": ["noise", 0], "guider": ["guider", 0], "sampler": ["euler", 0], "sigmas": ["steps", 0]},
            noise={"noise_seed": ["number", 0]},
            number={"value": 77},
            guider={"model": ["unet", 0], "conditioning": ["guidance", 0]},
            guidance={"guidance": 3.5, "conditioning": ["encode", 0]},
            encode={"text": ["words", 0], "clip": ["clip", 0]},
            words={"value": " a castle "},
            clip={"clip_name1": "t5"},
            unet={"unet_name": "flux.safetensors"},
            euler={"sampler_name": "euler"},
            steps={"steps": 4, "scheduler": "simple", "model": ["unet", 0]},
        ),
        "image",
    )
    assert found is not None
    assert (found.prompt, found.model, found.seed) == ("a castle", "flux.safetensors", 77)
    assert found.parameters == {"steps": 4, "cfg": 3.5, "sampler_name": "euler", "scheduler": "simple"}


def changed(**nodes: Any) -> str:
    return graph(**{**USUAL, **nodes})


def test_a_size_of_the_text_encoder_is_not_the_pictures() -> None:
    found = read_graph(changed(yes={"width": 4096, "height": 4096, "text_g": "a castle", "text_l": "x"}), "image")
    assert found is not None
    assert (found.parameters["size"], found.prompt) == ("640x480", "a castle")


def test_a_negative_prompt_that_is_zeroed_out_is_none() -> None:
    nodes = json.loads(changed())
    nodes["zero"] = {"class_type": "ConditioningZeroOut", "inputs": {"conditioning": ["yes", 0]}}
    nodes["sampler"]["inputs"]["negative"] = ["zero", 0]
    found = read_graph(json.dumps(nodes), "image")
    assert found is not None
    assert (found.prompt, "negative_prompt" in found.parameters) == ("a castle", False)


def test_a_text_put_together_from_parts_is_not_told_in_part() -> None:
    joined = {"text1": "a castle", "text2": ["no", 0]}
    found = read_graph(changed(yes={"text": ["joined", 0]}, joined=joined), "image")
    assert found is not None
    assert found.prompt is None


def test_the_prompt_of_a_control_picture_is_not_the_pictures() -> None:
    control = {"image": ["seen", 0], "positive": ["yes", 0], "negative": ["no", 0]}
    found = read_graph(changed(control=control, seen={"prompt": "hands"}), "image")
    assert found is not None
    assert (found.prompt, found.parameters["negative_prompt"]) == ("a castle", "blurry")


def test_a_loader_that_holds_the_prompts_is_read() -> None:
    loader = {"ckpt_name": "xl", "positive": "a castle", "negative": "blurry"}
    sampler = {**USUAL["sampler"], "positive": ["loader", 1], "negative": ["loader", 2], "model": ["loader", 0]}
    found = read_graph(graph(sampler=sampler, loader=loader), "image")
    assert found is not None
    assert (found.prompt, found.model, found.parameters["negative_prompt"]) == ("a castle", "xl", "blurry")


def test_the_sampler_that_begins_counts_not_the_one_that_refines() -> None:
    refining = {**USUAL["sampler"], "seed": 1, "denoise": 0.5, "latent_image": ["larger", 0]}
    larger = {"samples": ["sampler", 0], "width": 2048, "height": 2048}
    text = json.dumps({**json.loads(graph(refining=refining)), **json.loads(changed(larger=larger))})
    found = read_graph(text, "image")
    assert found is not None
    assert (found.seed, found.parameters["denoise"], found.parameters["size"]) == (2**60, 1, "640x480")


def test_a_long_chain_is_read_at_once() -> None:
    chain = {str(place): {"model": [str(place + 1), 0]} for place in range(20_000)}
    found = read_graph(graph(sampler={"seed": 1, "positive": ["0", 0], "model": ["0", 0]}, **chain), "image")
    assert found == Provenance("image", seed=1)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a prompt in words",
        "[]",
        "{}",
        '{"1": 5}',
        '{"1": {"inputs": []}}',
        graph(a={"seed": 1}),
        "[" * 100_000,
    ],
)
def test_what_is_no_graph_with_a_sampler_says_nothing(text: str) -> None:
    assert read_graph(text, "image") is None


def test_a_graph_that_goes_in_circles_or_leads_nowhere_is_read() -> None:
    found = read_graph(
        graph(a={"seed": ["b", 0], "positive": ["b", 0], "model": ["gone", 0]}, b={"x": ["a", 0]}), "image"
    )
    assert found == Provenance("image")


@pytest.mark.parametrize("number", ["NaN", "-Infinity", "1e999"])
def test_numbers_that_json_has_not_are_left_out(number: str) -> None:
    text = '{"a": {"inputs": {"seed": 1, "cfg": 0.5, "positive": ["b", 0]}}, "b": {"inputs": {}}}'.replace(
        "0.5", number
    )
    found = read_graph(text, "image")
    assert found == Provenance("image", seed=1)
