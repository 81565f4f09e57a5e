"""What other programs write into pictures, as they write it."""

import io
import json
import struct
import zlib
from pathlib import Path

import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from aigen.media import provenance
from aigen.media.foreign import read_parameters
from aigen.media.programs import read_programs
from aigen.types.pipeline import Provenance
from tests.conftest import run_aigen

FOX, BLURRY = "a fox in the snow", "blurry"
SWARM = {
    "sui_image_params": {
        "prompt": FOX, "negativeprompt": BLURRY, "model": "Flux/flux1-dev", "seed": 7, "steps": 25, "cfgscale": 1.5,
        "width": 512, "height": 768, "sampler": "euler", "scheduler": "normal", "nopreviews": True,
    },
    "sui_extra_data": {"date": "2026-08-07"},
}  # fmt: skip
INVOKE = {
    "app_version": "5.4.2", "generation_mode": "txt2img", "positive_prompt": FOX, "negative_prompt": BLURRY,
    "width": 512, "height": 768, "seed": 7, "cfg_scale": 1.5, "steps": 25, "scheduler": "euler",
    "model": {"key": "x", "name": "Dream", "base": "sd-1"}, "loras": [],
}  # fmt: skip
INVOKE_2 = {
    "model": "stable diffusion", "model_weights": "Dream", "app_id": "invoke-ai/InvokeAI",
    "image": {"prompt": [{"prompt": FOX, "weight": 1.0}], "steps": 25, "cfg_scale": 1.5, "sampler": "euler",
              "width": 512, "height": 768, "seed": 7, "type": "txt2img"},
}  # fmt: skip
FOOOCUS = {
    "prompt": FOX, "negative_prompt": BLURRY, "base_model": "Dream", "seed": "7", "steps": 25, "guidance_scale": 1.5,
    "resolution": "(512, 768)", "sampler": "euler", "scheduler": "karras", "full_prompt": [FOX, "more"],
    "metadata_scheme": "fooocus", "version": "Fooocus v2.5.5",
}  # fmt: skip
NOVEL = {"steps": 25, "height": 768, "width": 512, "scale": 1.5, "seed": 7, "sampler": "euler", "uc": BLURRY,
         "prompt": FOX}  # fmt: skip
DRAW = {"c": FOX, "uc": BLURRY, "seed": 7, "steps": 25, "scale": 1.5, "sampler": "euler", "model": "Dream",
        "size": "512x768", "v2": {"aestheticScore": 6}}  # fmt: skip
EASY = {"prompt": FOX, "negative_prompt": BLURRY, "seed": 7, "use_stable_diffusion_model": "Dream", "width": 512,
        "height": 768, "num_inference_steps": 25, "guidance_scale": 1.5, "sampler_name": "euler"}  # fmt: skip
XMP = (
    "<x:xmpmeta><rdf:Description><xmp:CreatorTool>Draw Things</xmp:CreatorTool><exif:UserComment><rdf:Alt>"
    '<rdf:li xml:lang="x-default">{}</rdf:li></rdf:Alt></exif:UserComment></rdf:Description></x:xmpmeta>'
)


def png(**texts: str) -> bytes:
    info, data = PngInfo(), io.BytesIO()
    for name, text in texts.items():
        info.add_itxt(name.replace("__", "-"), text)
    Image.new("RGB", (32, 32)).save(data, "PNG", pnginfo=info)
    return data.getvalue()


def with_comment(form: str, comment: str, **tags: str) -> bytes:
    """A JPEG or WebP with a user comment in Exif data."""
    exif, data = Image.Exif(), io.BytesIO()
    if comment:
        exif.get_ifd(0x8769)[0x9286] = b"UNICODE\0" + comment.encode("utf-16-be")
    for tag, text in tags.items():
        exif[{"Make": 0x010F, "Model": 0x0110}[tag]] = text
    Image.new("RGB", (32, 32)).save(data, form, exif=exif)
    return data.getvalue()


def xmp_of(values: object) -> str:
    return XMP.format(json.dumps(values).replace("&", "&amp;").replace('"', "&quot;"))


FILES = {
    "SwarmUI": png(parameters=json.dumps(SWARM)),
    "SwarmUI in a JPEG": with_comment("JPEG", json.dumps(SWARM)),
    "InvokeAI": png(invokeai_metadata=json.dumps(INVOKE)),
    "InvokeAI 2": png(sd__metadata=json.dumps(INVOKE_2)),
    "InvokeAI 1": png(Dream=f'"{FOX} [{BLURRY}]" -s 25 -S 7 -W 512 -H 768 -C 1.5 -A euler'),
    "Fooocus": png(parameters=json.dumps(FOOOCUS), fooocus_scheme="fooocus"),
    "Fooocus in a WebP": with_comment("WEBP", json.dumps(FOOOCUS)),
    "NovelAI": png(Comment=json.dumps(NOVEL), Description=FOX, Source="Dream", Software="NovelAI", Title="NovelAI"),
    "NovelAI in a WebP": with_comment("WEBP", json.dumps({"Comment": json.dumps(NOVEL), "Source": "Dream"})),
    "Draw Things": png(**{"XML:com.adobe.xmp": xmp_of(DRAW)}),
    "Easy Diffusion": png(**{name: str(value) for name, value in EASY.items()}),
    "Easy Diffusion in a JPEG": with_comment("JPEG", json.dumps(EASY)),
}


@pytest.mark.parametrize("name", FILES)
def test_it_is_read(tmp_path: Path, name: str) -> None:
    (path := tmp_path / "a").write_bytes(FILES[name])
    found = provenance.read(path)
    assert (found.prompt, found.seed, found.is_partly_read) == (FOX, 7, False)
    wanted = {"steps": 25, "cfg_scale": 1.5, "size": "512x768"}
    assert {each: found.parameters.get(each) for each in wanted} == wanted
    assert "euler" in (found.parameters.get("sampler"), found.parameters.get("scheduler"))
    if name != "InvokeAI 2":
        assert found.parameters["negative_prompt"] == BLURRY
    if name != "InvokeAI 1":
        assert found.model in ("Dream", "Flux/flux1-dev") or name == "NovelAI in a WebP"


def test_a_graph_of_comfyui_is_read_from_a_webp(tmp_path: Path) -> None:
    nodes = {
        "3": {"class_type": "KSampler", "inputs": {"seed": 7, "steps": 25, "cfg": 1.5, "sampler_name": "euler",
                                                    "positive": ["6", 0], "negative": ["7", 0], "model": ["4", 0]}},
        "4": {"class_type": "CheckpointLoaderSimple", "inputs": {"ckpt_name": "dream.safetensors"}},
        "6": {"class_type": "CLIPTextEncode", "inputs": {"text": FOX}},
        "7": {"class_type": "CLIPTextEncode", "inputs": {"text": BLURRY}},
    }  # fmt: skip
    data = with_comment("WEBP", "", Make="workflow:" + json.dumps({"nodes": []}), Model="prompt:" + json.dumps(nodes))
    (path := tmp_path / "a.webp").write_bytes(data)
    found = provenance.read(path)
    assert (found.prompt, found.model, found.seed) == (FOX, "dream.safetensors", 7)


UNKNOWN = {
    "a workflow alone": png(workflow=json.dumps({"nodes": []})),
    "JSON of another program": png(thing=json.dumps({"a": 1})),
    "parameters of another form": png(parameters="made with care"),
    "a workflow in a WebP": with_comment("WEBP", "", Make="workflow:{}"),
}


@pytest.mark.parametrize("name", UNKNOWN)
def test_metadata_that_is_not_understood_is_said_to_be_there(tmp_path: Path, name: str) -> None:
    (path := tmp_path / "a.png").write_bytes(UNKNOWN[name])
    assert provenance.read(path) == Provenance("image")
    assert run_aigen("info", path).stdout == f"{path} holds metadata that aigen does not understand\n"


@pytest.mark.parametrize(
    "data", [png(), png(Title="A fox", Software="Paint"), with_comment("JPEG", "nice day", Make="Canon", Model="EOS")]
)
def test_an_ordinary_picture_has_none(tmp_path: Path, data: bytes) -> None:
    (path := tmp_path / "a.png").write_bytes(data)
    assert run_aigen("info", path).stdout == f"{path} does not say what made it\n"


def test_a_workflow_of_several_megabytes_keeps_nothing_from_being_read(tmp_path: Path) -> None:
    text = b"workflow\0\0" + zlib.compress(b"{" + b" " * 5_000_000 + b"}")
    chunk = struct.pack(">I", len(text)) + b"zTXt" + text + struct.pack(">I", zlib.crc32(b"zTXt" + text))
    data = png(parameters=json.dumps(SWARM))
    (path := tmp_path / "a.png").write_bytes(data[:33] + chunk + data[33:])
    assert provenance.read(path).prompt == FOX


STEPS = "Steps: 25, Sampler: DPM++ 2M, CFG scale: 1.5, Seed: 7, Size: 512x768, Model: Dream"
TEXTS = {
    "as usual": f"{FOX}\nNegative prompt: {BLURRY}\n{STEPS}",
    "with Windows line ends": f"{FOX}\r\nNegative prompt: {BLURRY}\r\n{STEPS}\r\n",
    "with a mark of its encoding": f"\ufeff{FOX}\nNegative prompt: {BLURRY}\n{STEPS}\0",
    "with templates": f"{FOX}\nNegative prompt: {BLURRY}\n{STEPS}\nTemplate: a {{fox|cat}}\nof two lines\n"
    "Negative Template: blurry",
    "with JSON below": f'{FOX}\nNegative prompt: {BLURRY}\n{STEPS}\nextraJsonMetaInfo: {{"a": 1}}',
    "with the negative prompt last": f"{FOX}\n{STEPS}\nNegative prompt: {BLURRY}",
    "in one line": f"{FOX} Negative prompt: {BLURRY} {STEPS}",
    "indented": f"  {FOX}\n  Negative prompt: {BLURRY}\n  {STEPS}",
    "with a blank line": f"{FOX}\n\nNegative prompt: {BLURRY}\n\n{STEPS}\n\n",
}


@pytest.mark.parametrize("name", TEXTS)
def test_the_text_of_the_web_ui_is_read_wherever_its_settings_are(name: str) -> None:
    found = read_parameters(TEXTS[name], "image")
    assert found is not None
    assert (found.prompt, found.parameters["negative_prompt"], found.model, found.seed) == (FOX, BLURRY, "Dream", 7)
    assert (found.parameters["steps"], found.parameters["size"]) == (25, "512x768")
    if name == "with templates":
        assert found.parameters["template"] == "a {fox|cat}\nof two lines"
        assert found.parameters["negative_template"] == "blurry"


def test_json_among_the_settings_is_taken_whole() -> None:
    resources = '[{"type":"checkpoint","modelName":"Pony, V6","weight":0.8},{"type":"lora"}]'
    text = (
        f'{FOX}\nSteps: 25, Lora hashes: "a: 1, b: 2", Civitai resources: {resources}, Civitai metadata: {{}}, Seed: 7'
    )
    found = read_parameters(text, "image")
    assert found is not None
    assert found.parameters["civitai_resources"] == resources
    assert (found.parameters["civitai_metadata"], found.parameters["lora_hashes"]) == ("{}", "a: 1, b: 2")
    assert found.seed == 7


def test_a_prompt_of_steps_is_a_prompt() -> None:
    found = read_parameters(f"Steps: 3 of a ladder\n{STEPS}", "image")
    assert found is not None
    assert found.prompt == "Steps: 3 of a ladder"
    assert read_parameters("Steps: 3 of a ladder", "image") is None


@pytest.mark.parametrize(
    "texts",
    [
        {"parameters": "{"}, {"parameters": "[]"}, {"sd-metadata": "{}"}, {"Comment": '{"uc": 1, "steps": {}}'},
        {"invokeai_metadata": '{"positive_prompt": {"a": 1}, "model": [], "seed": "x", "width": []}'},
        {"Dream": '"unclosed -s'}, {"Dream": ""}, {"parameters": '{"sui_image_params": {"prompt": null}}'},
    ],
)  # fmt: skip
def test_odd_metadata_is_read_as_far_as_it_can_be(texts: dict[str, str]) -> None:
    found = read_programs(texts, "image")
    assert found is None or found.seed is None
