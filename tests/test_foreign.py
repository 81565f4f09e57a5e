import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aigen.foreign import read_graph, read_parameters, write_parameters
from aigen.types import Provenance

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
    assert (found.model, found.seed, found.parameters) == (
        "some, model: 2",
        9,
        {"steps": 4, "sampler": "some, model: 2", "size": "16x16"},
    )


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


def test_numbers_that_json_has_not_are_left_out() -> None:
    found = read_graph('{"a": {"inputs": {"seed": 1, "cfg": NaN, "positive": ["b", 0]}}, "b": {"inputs": {}}}', "image")
    assert found == Provenance("image", seed=1)
