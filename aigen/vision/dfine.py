"""D-FINE: finds things of the 80 sorts of COCO in a picture, or of those that it was trained further on."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from aigen.models.weights import Contents
from aigen.types.seen import ImageDescription
from aigen.vision import colours, hub, sentences

if TYPE_CHECKING:
    from PIL.Image import Image

# What it is less sure of is left out: one thing too many is worse than one that nobody mentions.
LEAST = 0.6


@dataclass(frozen=True)
class DFine:
    """D-FINE by the name that it goes by, and what its folder holds."""

    name: str
    contents: Contents
    label: str = "D-FINE, a network that finds things"

    def see(self, picture: "Image") -> ImageDescription:
        """The things in a picture, described as the built-in networks do."""
        # In float32 always: in half precision others saw it lose all boxes, and it is so small that nothing is gained.
        loaded = hub.prepare(self.contents, self.name, "AutoImageProcessor", half=False)
        with hub.running(loaded, self.name):
            told = loaded.processor.post_process_object_detection(
                loaded.network(**loaded.prepare(images=picture)),
                threshold=LEAST,
                target_sizes=[(picture.height, picture.width)],
            )[0]
            names = loaded.network.config.id2label
            found = [
                (names[kind], score, box)
                for kind, score, box in zip(
                    told["labels"].tolist(), told["scores"].tolist(), told["boxes"].tolist(), strict=True
                )
            ]
        objects = hub.detections(found, picture.width, picture.height)
        mostly = colours.names(picture)
        said = sentences.compose(objects, picture.size, colours=mostly)
        return ImageDescription(
            width=picture.width,
            height=picture.height,
            objects=objects,
            caption=said.caption,
            colours=mostly,
            description=said.description,
            model=self.name,
        )
