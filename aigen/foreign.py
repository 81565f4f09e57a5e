"""What other programs write into their files: the text of AUTOMATIC1111's web UI, which we write too, and ComfyUI's graph.

The text (the PNG chunk `parameters`) is the one that most programs and galleries read. Its last line holds the settings
and opens with `Steps:`; a line `Negative prompt:` separates the two prompts. ComfyUI stores the graph that was run (the
chunk `prompt`): nodes by id, whose inputs are values or links `[id, output]` to other nodes.
"""

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from aigen.types import Kind, Provenance

_SETTING = re.compile(r'\s*(\w[\w \-/]+):\s*("(?:\\.|[^\\"])+"|[^,]*)(?:,|$)')
_NEGATIVE = "Negative prompt:"
_WHOLE_NUMBER = re.compile(r"-?[0-9]{1,20}")


def write_parameters(provenance: Provenance) -> str:
    """The text that says what AUTOMATIC1111's web UI would say. Readers want `Steps`, `Sampler` and `Seed`."""
    # A prompt must not look like a second negative prompt, and the format knows no NUL.
    prompt = (provenance.prompt or "").replace(_NEGATIVE, "Negative prompt :").replace("\0", " ")
    parameters = provenance.parameters
    settings = {
        "Steps": parameters.get("steps", 1),
        "Sampler": parameters.get("sampler", provenance.model),
        "Seed": provenance.seed,
        "Size": parameters.get("size"),
        "Model": provenance.model,
        "Style": parameters.get("style"),
    }
    told = ", ".join(f"{name}: {_quoted(str(value))}" for name, value in settings.items() if value is not None)
    return f"{prompt}\n{told}"


def _quoted(value: str) -> str:
    return json.dumps(value, ensure_ascii=False) if re.search("[,:\n]", value) else value


def read_parameters(text: str, kind: Kind) -> Provenance | None:
    """What a text of this form says; None when it has no settings."""
    *lines, last = text.strip().splitlines() or [""]
    settings = {name.strip(): _value(value) for name, value in _SETTING.findall(last)}
    if "Steps" not in settings:
        return None
    prompt, _, negative = "\n".join(lines).partition(_NEGATIVE)
    parameters = {name.lower().replace(" ", "_"): value for name, value in settings.items()}
    if negative.strip():
        parameters["negative_prompt"] = negative.strip()
    seed, model = parameters.pop("seed", None), parameters.pop("model", None)
    return Provenance(
        kind=kind,
        prompt=prompt.strip() or None,
        model=str(model) if model is not None else None,
        seed=seed if isinstance(seed, int) else None,
        parameters=parameters,
    )


def _value(text: str) -> str | int | float:
    text = text.strip()
    if text.startswith('"'):
        return str(parse_json(text) or text)
    if _WHOLE_NUMBER.fullmatch(text):
        return int(text)
    return float(text) if re.fullmatch(r"-?[0-9]{1,20}\.[0-9]{1,20}", text) else text


def parse_json(text: str) -> Any:
    """The value that a JSON text stands for; None when it stands for none. A number that JSON has not is None too."""
    try:
        return json.loads(text, parse_constant=lambda name: None)
    except (ValueError, RecursionError):
        return None


def read_graph(text: str, kind: Kind) -> Provenance | None:
    """What a graph of ComfyUI says of its first sampler; None when it has none."""
    graph = parse_json(text)
    if not isinstance(graph, dict):
        return None
    nodes = {name: node["inputs"] for name, node in graph.items() if _has_inputs(node)}
    samplers = [name for name, inputs in nodes.items() if {"seed", "noise_seed", "noise"} & set(inputs)]
    sampler = next((name for name in samplers if _PROMPT_LINKS & set(nodes[name])), None)
    if sampler is None:
        return None
    found = _Search(nodes, sampler)
    parameters = {
        "steps": found.value(int, "steps"),
        "cfg": found.value(float, "cfg", "guidance"),
        "sampler_name": found.value(str, "sampler_name"),
        "scheduler": found.value(str, "scheduler"),
        "denoise": found.value(float, "denoise"),
        "negative_prompt": found.text("negative", avoid="positive"),
    }
    width, height = found.value(int, "width"), found.value(int, "height")
    if width and height:
        parameters["size"] = f"{width}x{height}"
    return Provenance(
        kind=kind,
        prompt=found.text("positive", "conditioning", "text_embeds", avoid="negative"),
        model=found.value(str, "ckpt_name", "unet_name", "model_name", "model"),
        seed=found.value(int, "seed", "noise_seed"),
        parameters={name: value for name, value in parameters.items() if value is not None},
    )


_PROMPT_LINKS = {"positive", "guider", "conditioning", "text_embeds"}
_TEXTS = ("text", "positive_prompt", "prompt", "text_g", "t5xxl", "value", "string")


def _has_inputs(node: Any) -> bool:
    return isinstance(node, dict) and isinstance(node.get("inputs"), dict)


@dataclass(frozen=True)
class _Search:
    """Looks for values in a graph, from its sampler upstream, the nearest first."""

    nodes: dict[str, dict[str, Any]]
    sampler: str

    def value(self, wanted: type, *names: str) -> Any:
        """The nearest value of one of these names; one that is linked in is taken from where the link leads."""
        for inputs in self._upstream([self.sampler]):
            for name in names:
                found = inputs.get(name)
                if link := self._linked(found):
                    found = next((node["value"] for node in self._upstream([link]) if "value" in node), None)
                if _is(found, wanted):
                    return found
        return None

    def text(self, *links: str, avoid: str) -> str | None:
        """The nearest text behind one of these links of the sampler (or of what guides it)."""
        starts = [
            start
            for inputs in self._upstream([self.sampler])
            for link in links
            if (start := self._linked(inputs.get(link)))
        ]
        for inputs in self._upstream(starts[:1], avoid):
            for name in _TEXTS:
                if isinstance(inputs.get(name), str):
                    return str(inputs[name]).strip() or None
        return None

    def _linked(self, value: Any) -> str | None:
        """The node that an input links to, if it is a link."""
        name = str(value[0]) if isinstance(value, list) and len(value) == 2 else None
        return name if name in self.nodes else None

    def _upstream(self, starts: Iterable[str], avoid: str | None = None) -> Iterator[dict[str, Any]]:
        """The inputs of the nodes that lead here, nearest first, each once; not through links named `avoid`."""
        waiting = list(starts)
        for name in waiting:  # which grows meanwhile
            yield self.nodes[name]
            for key, value in self.nodes[name].items():
                link = self._linked(value)
                if link and key != avoid and link not in waiting:
                    waiting.append(link)


def _is(value: Any, wanted: type) -> bool:
    return isinstance(value, (int, float) if wanted is float else wanted) and not isinstance(value, bool)
