"""Florence-2: says in its own words what a picture shows, names things in it, and finds what a text names."""

import math
from collections.abc import Iterator
from contextlib import contextmanager
from copy import copy
from dataclasses import dataclass
from itertools import groupby, pairwise
from typing import TYPE_CHECKING, Any

from aigen.models.weights import Contents
from aigen.types.seen import Detection, ImageDescription
from aigen.vision import colours, hub, sentences

if TYPE_CHECKING:
    from PIL.Image import Image

    from aigen.vision.hub import Loaded

CAPTION, DETAILS, OBJECTS, PLACES = "<CAPTION>", "<DETAILED_CAPTION>", "<OD>", "<CAPTION_TO_PHRASE_GROUNDING>"
# At most so many tokens are written: a few sentences, or the names and places of about eighty things.
_SENTENCES, _THINGS = 128, 512
# As its makers have it write: so many wordings are weighed against each other, until as many are complete.
_WRITING = {"num_beams": 3, "early_stopping": True, "do_sample": False}


@dataclass(frozen=True)
class Florence:
    """Florence-2, or one that was trained further: the name that it goes by, and what its folder holds.

    It gives no scores. Those of its detections are how probable it found the words of the name when it wrote them, the
    mean of them: low where it could as well have written something else. Nobody has measured how often it is right at
    which score.
    """

    name: str
    contents: Contents
    label: str = "Florence-2, a network that says in words what it sees"

    def see(self, picture: "Image") -> ImageDescription:
        """What a picture shows in its own words, and the things that it names."""
        with self._looking(picture) as look:
            caption, details, objects = look.say(CAPTION), look.say(DETAILS), look.find(OBJECTS)
        mostly = colours.names(picture)
        said = (
            f"In the words of {self.name}: {details.rstrip(' .')}." if details else f"{self.name} had no words for it."
        )
        return ImageDescription(
            width=picture.width,
            height=picture.height,
            objects=objects,
            caption=_as_prompt(caption),
            colours=mostly,
            description=f"{said} The picture is mostly {sentences.listed(mostly)}." if mostly else said,
            model=self.name,
        )

    def find(self, picture: "Image", text: str) -> tuple[Detection, ...]:
        """Where in a picture the things are that a text names ("a red car and two dogs"), the surest first.

        It takes the text for true, and finds places also for what the picture does not show.
        """
        words = " ".join(text.replace("<", " ").replace(">", " ").split())  # nothing that it would take for a task
        if not words:
            return ()
        with self._looking(picture) as look:
            return look.find(PLACES, words)

    @contextmanager
    def _looking(self, picture: "Image") -> Iterator["_Look"]:
        loaded = hub.prepare(self.contents, self.name, "Florence2Processor", half=True)
        with hub.running(loaded, self.name):
            pixels = loaded.prepare(text=CAPTION, images=picture)["pixel_values"]
            yield _Look(loaded, picture, loaded.network.get_image_features(pixels).pooler_output)


@dataclass(frozen=True)
class _Look:
    """One look at a picture.

    What was seen of it (`features`) serves all questions: seeing takes longer than answering.
    """

    loaded: "Loaded"
    picture: "Image"
    features: Any

    def say(self, task: str) -> str:
        """The answer in words."""
        written, _ = self._write(self._read(task), _SENTENCES)
        return " ".join(self.loaded.processor.decode(written, skip_special_tokens=True).split())

    def find(self, task: str, text: str = "") -> tuple[Detection, ...]:
        """The answer in places."""
        written, chances = self._write(self._read(task + text), _THINGS)
        found = []
        for tokens, score in _things(self.loaded.processor.tokenizer.convert_ids_to_tokens(written), chances):
            answer = self.loaded.processor.post_process_generation(
                text=self.loaded.processor.decode(written[tokens], skip_special_tokens=False),
                task=task,
                image_size=self.picture.size,
            )[task]
            found += [(name, score, box) for name, box in zip(answer["labels"], answer["bboxes"], strict=True)]
        return hub.detections(found, *self.picture.size)

    def _read(self, question: str) -> dict[str, Any]:
        """The question and the picture as the network has read them."""
        network = self.loaded.network
        asked = self.loaded.prepare(text=question, images=self.picture)
        words = network.get_input_embeddings()(asked["input_ids"])
        places = (asked["input_ids"] == network.config.image_token_id).unsqueeze(-1)
        words = words.masked_scatter(places, self.features.to(words.dtype))
        read = network.get_encoder()(inputs_embeds=words, attention_mask=asked["attention_mask"])
        return {"encoder_outputs": read, "attention_mask": asked["attention_mask"]}

    def _write(self, read: dict[str, Any], longest: int) -> tuple[list[int], list[float]]:
        """The tokens of the answer, and how probable each was after those before it."""
        network = self.loaded.network
        # It changes what it is given.
        given = {**read, "encoder_outputs": copy(read["encoder_outputs"])}
        written = network.generate(**given, **_WRITING, max_new_tokens=longest)
        told = network(**read, decoder_input_ids=written[:, :-1]).logits[0].float().log_softmax(-1)
        chances = told.gather(1, written[0, 1:, None])[:, 0].exp()
        return written[0, 1:].tolist(), chances.tolist()


def _things(tokens: list[str], chances: list[float]) -> Iterator[tuple[slice, float]]:
    """Where each thing stands in an answer, its name and then its places, and the mean probability of its name."""
    runs = [(place, list(run)) for place, run in groupby(range(len(tokens)), lambda at: tokens[at].startswith("<loc_"))]
    for (_, name), (place, places) in pairwise(runs):
        if place:
            sure = [chances[at] for at in name if tokens[at] not in ("<s>", "</s>", "<pad>")] or [0.0]
            yield slice(name[0], places[-1] + 1), math.fsum(sure) / len(sure)


def _as_prompt(sentence: str) -> str:
    """A sentence as a few words in the middle of others: "A red bus." becomes "a red bus"."""
    words = sentence.rstrip(" .")
    return words if words[1:2].isupper() else words[:1].lower() + words[1:]
