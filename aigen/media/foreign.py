"""What other programs write into their files: the text of AUTOMATIC1111's web UI,
which we write too, and ComfyUI's graph.

The text (the PNG chunk `parameters`) is the one that most programs and galleries read. Its last line holds the settings
and opens with `Steps:`; a line that opens with `Negative prompt:` separates the two prompts. ComfyUI stores the graph
that was run (the chunk `prompt`): nodes by id, whose inputs are values or links `[id, output]` to other nodes.
"""

import json
import re
from dataclasses import dataclass
from typing import Any

from aigen.media.json_texts import parse_json, read_number
from aigen.types.pipeline import Provenance
from aigen.types.request import Kind

_NEGATIVE = "Negative prompt:"
# The line of the settings, wherever it is; the name of a setting, a value in quotes, and what else a value is.
_STEPS = re.compile(r"^[ \t]*Steps:[ \t]*\d+[ \t]*(?:,|$)", re.MULTILINE)
_STEPS_WITHIN = re.compile(r"\s(?=Steps: \d+, \w[\w \-/]{0,60}: )")
_NAME = re.compile(r"[\s,]*(\w[\w \-/]{0,60}):[ \t]*")
_QUOTED, _PLAIN = re.compile(r'"(?:\\.|[^\\"])*"'), re.compile(r"[^,\n]*")
# What other programs write below the settings.
_LINE = re.compile(r"(\w[\w \-]{0,60}):[ \t]*(.*)", re.DOTALL)
# AUTOMATIC1111's web UI


def write_parameters(provenance: Provenance) -> str:
    """The text that says what AUTOMATIC1111's web UI would say. Readers want `Steps`, `Sampler` and `Seed`."""
    # Readers look for the negative prompt also within lines, and the format knows no NUL.
    prompt = (provenance.prompt or "").replace(_NEGATIVE, "Negative prompt :").replace("\0", " ")
    parameters = provenance.parameters
    settings = {
        "Steps": parameters.get("steps", 1),
        "Sampler": parameters.get("sampler", provenance.model),
        "CFG scale": parameters.get("guidance"),
        "Denoising strength": parameters.get("strength"),
        "Seed": provenance.seed,
        "Size": parameters.get("size"),
        "Model": provenance.model,
        "Style": parameters.get("style"),
        "Number": parameters.get("number"),
    }
    told = ", ".join(f"{name}: {_quoted(str(value))}" for name, value in settings.items() if value is not None)
    negative = parameters.get("negative_prompt")
    kept_out = f"\n{_NEGATIVE} {str(negative).replace(chr(0), ' ')}" if negative else ""
    return f"{prompt}{kept_out}\n{told}"


def _quoted(value: str) -> str:
    return json.dumps(value, ensure_ascii=False) if re.search('[,:"\n]', value) else value


def read_parameters(text: str, kind: Kind) -> Provenance | None:
    """What a text of this form says; None when it is of another."""
    text = text.replace("\0", "").strip("\ufeff \t\r\n").replace("\r\n", "\n")
    place = max((match.start() for match in _STEPS.finditer(text)), default=None)
    if place is None:  # some programs write it all into one line
        within = [match.end() for match in _STEPS_WITHIN.finditer(text)]
        if not within:
            return None
        place = within[-1]
    before, (settings, _, behind) = text[:place].rstrip(), text[place:].strip().partition("\n")
    parameters = _read_settings(settings)
    prompt, *negative = re.split(rf"(?:^|(?<=\n))[ \t]*{_NEGATIVE}" if "\n" in text else _NEGATIVE, before, maxsplit=1)
    below, beside = _read_below(behind)
    told = negative[0].strip() if negative else below
    parameters |= ({"negative_prompt": told} if told else {}) | beside
    seed, model = parameters.pop("seed", None), parameters.pop("model", None)
    return Provenance(
        kind=kind,
        prompt=prompt.strip() or None,
        model=str(model) if model is not None else None,
        seed=seed if isinstance(seed, int) else None,
        parameters=parameters,
    )


def _read_settings(text: str) -> dict[str, Any]:
    """Return the settings of a line; a value that is JSON is taken whole, with the commas in it."""
    found: dict[str, Any] = {}
    decoder, at = json.JSONDecoder(), 0
    while match := _NAME.match(text, at):
        at = match.end()
        value = _PLAIN.match(text, at)
        if quoted := _QUOTED.match(text, at):
            value = quoted
        elif text[at : at + 1] in ("{", "["):
            try:
                _, end = decoder.raw_decode(text, at)
                found[_key(match[1])] = text[at:end]
                at = end
                continue
            except (ValueError, RecursionError):
                pass
        assert value
        found[_key(match[1])] = _value(value[0].strip())
        at = value.end()
        if at < len(text) and text[at] != ",":  # something behind a value in quotes
            at = (text.find(",", at) + 1) or len(text)
    return found


def _read_below(text: str) -> tuple[str, dict[str, Any]]:
    """Return the negative prompt below the settings, and the other texts there, such as templates."""
    parts: list[list[str]] = []
    for line in text.split("\n"):
        if _LINE.fullmatch(line.strip()) or not parts:
            parts.append([])
        parts[-1].append(line.strip())
    named = [match for lines in parts if (match := _LINE.fullmatch("\n".join(lines)))]
    told = {_key(match[1]): match[2].strip() for match in named if match[2].strip()}
    return told.pop("negative_prompt", ""), told


def _key(name: str) -> str:
    return name.strip().lower().replace(" ", "_")


def _value(text: str) -> str | int | float:
    if text.startswith('"'):
        return str(parse_json(text) or text)
    return read_number(text)


# ComfyUI


def read_graph(text: str, kind: Kind) -> Provenance | None:
    """What a graph of ComfyUI says of its first sampler; None when it has none. What is not plain is left out."""
    graph = parse_json(text)
    if not isinstance(graph, dict):
        return None
    nodes = {
        name: node["inputs"]
        for name, node in graph.items()
        if isinstance(node, dict) and isinstance(node.get("inputs"), dict)
    }
    # A node that makes nothing of its inputs must not pass their text on.
    nodes |= {name: {} for name in nodes if "ZeroOut" in str(graph[name].get("class_type"))}
    search = _Search(nodes)
    sampler = search.first_sampler()
    if sampler is None:
        return None
    width = search.find(sampler, int, "latent_image", "samples", "latent", "width", "value")
    height = search.find(sampler, int, "latent_image", "samples", "latent", "height", "value")
    parameters = {
        "steps": search.find(sampler, int, "steps", "sigmas", "value"),
        "cfg": search.find(sampler, float, "cfg", "guider", "conditioning", "guidance", "value"),
        "sampler_name": search.find(sampler, str, "sampler_name", "sampler", "value"),
        "scheduler": search.find(sampler, str, "scheduler", "sigmas", "value"),
        "denoise": search.find(sampler, float, "denoise", "sigmas", "value"),
        "negative_prompt": search.text(sampler, "negative", "negative_prompt"),
        "size": f"{width}x{height}" if width and height else None,
    }
    return Provenance(
        kind=kind,
        prompt=search.text(sampler, "positive", "positive_prompt") or search.text(sampler, "conditioning"),
        model=search.find(sampler, str, "guider", "ckpt_name", "unet_name", "model_name", "model", "model1"),
        seed=search.find(sampler, int, "seed", "noise_seed", "noise", "value"),
        parameters={name: value for name, value in parameters.items() if value is not None},
    )


_TEXTS = ("text", "text_g", "t5xxl", "prompt", "value", "string")
_CONDITIONINGS = ("conditioning", "conditioning_1", "conditioning_to")


@dataclass(frozen=True)
class _Search:
    """Looks for values in a graph: `nodes` are the inputs of each node by its id."""

    nodes: dict[str, dict[str, Any]]

    def first_sampler(self) -> str | None:
        """The sampler that is not fed by another, as one that refines is."""
        samplers = [
            name
            for name, inputs in self.nodes.items()
            if {"seed", "noise_seed", "noise"} & set(inputs)
            and {"positive", "guider", "conditioning", "text_embeds"} & set(inputs)
        ]
        for name in samplers:
            fed = self._upstream(
                [self._linked(self.nodes[name].get("latent_image"))], ("latent_image", "samples", "latent")
            )
            if not set(fed) & set(samplers):
                return name
        return samplers[0] if samplers else None

    def find(self, start: str, wanted: type, *names: str) -> Any:
        """The nearest value of one of these names, from a node on through links of the same names."""
        for node in self._upstream([start], names):
            for name in names:
                value = self.nodes[node].get(name)
                if isinstance(value, (int, float) if wanted is float else wanted) and not isinstance(value, bool):
                    return value
        return None

    def text(self, sampler: str, *names: str) -> str | None:
        """The text behind a link of these names, of the sampler or of what guides it."""
        guides = [sampler, *self._upstream([self._linked(self.nodes[sampler].get("guider"))], ())]
        guides += self._upstream([self._linked(self.nodes[sampler].get("text_embeds"))], ())
        for guide in guides:
            for name in names:
                value = self.nodes[guide].get(name)
                start = self._linked(value)
                found = value if isinstance(value, str) else None
                if start:
                    found = self.find(start, str, *names, *_CONDITIONINGS, *_TEXTS)
                if found and found.strip():
                    return found.strip()
        return None

    def _linked(self, value: Any) -> str | None:
        """The node that an input links to, if it is a link."""
        name = str(value[0]) if isinstance(value, list) and len(value) == 2 else None
        return name if name in self.nodes else None

    def _upstream(self, starts: list[str | None], through: tuple[str, ...]) -> list[str]:
        """The nodes from which these ones get inputs of these names, and theirs, nearest first, each once."""
        found = dict.fromkeys(start for start in starts if start)
        waiting = list(found)
        for node in waiting:  # which grows meanwhile
            for name in through:
                link = self._linked(self.nodes[node].get(name))
                if link and link not in found:
                    found[link] = None
                    waiting.append(link)
        return waiting
