"""What programs say of their pictures in JSON: which text it stands in, by what it is known, and what its keys mean.

InvokeAI, SwarmUI, NovelAI, Fooocus, Draw Things and Easy Diffusion each have keys of their own. A library (sd-parsers)
reads three of these, by way of Pillow, whose limit on texts refuses whole pictures; so they are a table here.
"""

import re
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from aigen.media.json_texts import parse_json, read_number
from aigen.types.pipeline import Provenance
from aigen.types.request import Kind

# What values are called here; other keys stay as they are, if their values are plain.
_COMMON = {
    "negative_prompt": "negative_prompt", "negativeprompt": "negative_prompt", "uc": "negative_prompt",
    "Negative Prompt": "negative_prompt", "cfgscale": "cfg_scale", "scale": "cfg_scale", "guidance_scale": "cfg_scale",
    "Guidance Scale": "cfg_scale", "num_inference_steps": "steps", "Steps": "steps", "sampler_name": "sampler",
    "Sampler": "sampler", "Scheduler": "scheduler",
}  # fmt: skip

# An option of a command: a letter, and its value, if that stands with it.
_OPTION = re.compile(r"-([A-Za-z])([\w.]*)")


@dataclass(frozen=True)
class _Program:
    """`places` are the names of texts that may hold its JSON, and `inside` the key of it that holds the values.

    It is known by having all of `needs`.
    """

    places: tuple[str, ...]
    needs: frozenset[str]
    prompt: tuple[str, ...]
    model: tuple[str, ...]
    seed: tuple[str, ...] = ("seed",)
    inside: str | None = None
    size: str | None = None
    skip: frozenset[str] = field(default_factory=frozenset)


_COMMENTS = ("parameters", "UserComment", "comment")
PROGRAMS = {
    "SwarmUI": _Program(
        _COMMENTS, frozenset({"prompt"}), ("prompt",), ("model",), inside="sui_image_params",
    ),
    "InvokeAI": _Program(
        ("invokeai_metadata", "UserComment"), frozenset({"positive_prompt"}), ("positive_prompt",), ("model",),
    ),
    "InvokeAI 2": _Program(
        ("sd-metadata",), frozenset({"prompt"}), ("prompt",), ("model_weights", "model"), inside="image",
    ),
    "Fooocus": _Program(
        (*_COMMENTS, "fooocus"), frozenset({"prompt", "base_model"}), ("prompt",), ("base_model",), size="resolution",
        skip=frozenset({"full_prompt", "full_negative_prompt"}),
    ),
    "Fooocus's log": _Program(
        _COMMENTS, frozenset({"Prompt", "Base Model"}), ("Prompt",), ("Base Model",), ("Seed",), size="Resolution",
    ),
    "NovelAI": _Program(("Comment", *_COMMENTS), frozenset({"uc", "steps"}), ("prompt",), ("model",)),
    "Draw Things": _Program(
        ("xmp:UserComment", "UserComment"), frozenset({"c", "uc"}), ("c",), ("model",), size="size",
        skip=frozenset({"v2", "profile"}),
    ),
    "Easy Diffusion": _Program(
        _COMMENTS, frozenset({"prompt", "use_stable_diffusion_model"}), ("prompt",), ("use_stable_diffusion_model",),
    ),
}  # fmt: skip


def read_programs(texts: Mapping[str, str], kind: Kind) -> Provenance | None:
    """Return what one of these programs says in a file's texts; None if none of them has written it."""
    for program in PROGRAMS.values():
        for values in _candidates(program, texts):
            if program.needs <= set(values):
                return _provenance(program, values, texts, kind)
    return _read_dream(texts.get("Dream") or texts.get("dream") or "", kind)


def _candidates(program: _Program, texts: Mapping[str, str]) -> Iterator[Mapping[str, Any]]:
    """Yield what may be a program's values: the JSON in its texts, and the texts themselves, each a value."""
    for place in program.places:
        found = parse_json(texts.get(place, "")) if texts.get(place, "").lstrip().startswith("{") else None
        if isinstance(found, dict) and isinstance(found.get("Comment"), str):  # NovelAI's texts, in Exif data
            found = parse_json(found["Comment"])
        if program.inside and isinstance(found, dict):
            around, found = found, found.get(program.inside)
            found = {**around, **found} if isinstance(found, dict) else None
        if isinstance(found, dict):
            yield found
    if program.inside is None:
        yield texts


def _provenance(program: _Program, values: Mapping[str, Any], texts: Mapping[str, str], kind: Kind) -> Provenance:
    model = _first(values, program.model)
    if isinstance(model, dict):
        model = model.get("name") or model.get("model_name")
    seed = _number(_first(values, program.seed))
    prompt = _text(_first(values, program.prompt)) or _caption(values) or texts.get("Description")
    named = {*program.prompt, *program.model, *program.seed, "width", "height", program.size or "", *program.skip}
    parameters = {
        _COMMON.get(name, name): _number(value)
        for name, value in values.items()
        if name not in named and isinstance(value, str | int | float) and not isinstance(value, bool) and value != ""
    }
    if size := _size(program, values):
        parameters["size"] = size
    return Provenance(
        kind=kind,
        prompt=prompt or None,
        model=str(model or texts.get("Source") or "") or None,
        seed=seed if isinstance(seed, int) else None,
        parameters=parameters,
    )


def _first(values: Mapping[str, Any], names: tuple[str, ...]) -> Any:
    return next((values[name] for name in names if values.get(name) not in (None, "")), None)


def _text(value: Any) -> str:
    """Return a prompt, which may be a list of weighted ones."""
    if isinstance(value, list):
        parts = [each.get("prompt") if isinstance(each, dict) else each for each in value]
        return " ".join(part for part in parts if isinstance(part, str)).strip()
    return value.strip() if isinstance(value, str) else ""


def _caption(values: Mapping[str, Any]) -> str:
    """Return the prompt of NovelAI's fourth version."""
    found = values.get("v4_prompt")
    caption = found.get("caption") if isinstance(found, dict) else None
    return _text(caption.get("base_caption")) if isinstance(caption, dict) else ""


def _number(value: Any) -> Any:
    found = read_number(value.strip()) if isinstance(value, str) else value
    return value if isinstance(found, str) else found


def _size(program: _Program, values: Mapping[str, Any]) -> str | None:
    width, height = _number(values.get("width")), _number(values.get("height"))
    if isinstance(width, int) and isinstance(height, int):
        return f"{width}x{height}"
    sides = re.findall(r"\d{1,6}", str(values.get(program.size or "", "")))
    return f"{sides[0]}x{sides[1]}" if len(sides) == 2 else None


def _read_dream(text: str, kind: Kind) -> Provenance | None:
    """Return what the command of InvokeAI's first versions says: `"a fox" -s 50 -S 42 -W 512 -H 512 -A k_lms`."""
    try:
        words = shlex.split(text[:100_000])
    except ValueError:  # an apostrophe
        words = text[:100_000].split()
    first = next((place for place, word in enumerate(words) if _OPTION.fullmatch(word)), len(words))
    options: dict[str, str] = {}
    for word, following in zip(words[first:], [*words[first + 1 :], ""], strict=False):
        if match := _OPTION.fullmatch(word):
            options[match[1]] = match[2] or following
    said = " ".join(words[:first])
    if not said or not all(re.fullmatch(r"\d+", options.get(letter, "")) for letter in "sS"):
        return None
    names = {"s": "steps", "C": "cfg_scale", "A": "sampler"}
    parameters = {name: _number(options[letter]) for letter, name in names.items() if letter in options}
    if {"W", "H"} <= set(options):
        parameters["size"] = f"{options['W']}x{options['H']}"
    seed = _number(options["S"])
    prompt, negative = re.sub(r"\[[^\]]*\]", "", said).strip(), re.findall(r"\[([^\]]*)\]", said)
    parameters |= {"negative_prompt": ", ".join(negative)} if negative else {}
    return Provenance(kind, prompt, None, seed if isinstance(seed, int) else None, None, parameters)
