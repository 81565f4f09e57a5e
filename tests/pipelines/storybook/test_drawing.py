"""What is drawn: things that stand whole in the light of their scene,
where the boxes say, in every take, style and size.
"""

from dataclasses import replace

import numpy
import pytest
import skia

from aigen.pipelines.storybook import scene as scenes
from aigen.pipelines.storybook.drawing import bodies, layers, pictures
from aigen.pipelines.storybook.drawing.figures import Figure
from aigen.pipelines.storybook.drawing.layers import Layer, View
from aigen.pipelines.storybook.moving.acting import make_player
from aigen.pipelines.storybook.scene import STILL_AT, Scene
from aigen.pipelines.storybook.takes import TAKES
from aigen.pipelines.storybook.understanding.plan import make_plan
from aigen.types.request import Size


def drawn(scene: Scene, time: float = STILL_AT, duration: float = 0.0) -> numpy.ndarray:
    look = scene.look
    pixels = numpy.zeros((int(look.height), int(look.width), 4), numpy.uint8)
    scene.draw(skia.Surface(pixels, colorType=skia.kRGBA_8888_ColorType).getCanvas(), time, duration)
    return pixels[..., :3].astype(int)


def make_scene(prompt: str, number: int = 1, style: str = "plain", size: str = "320x240", seed: int = 7) -> Scene:
    return Scene(make_plan(prompt), style, number, seed, Size.parse(size))


# Boxes


def flattened(scene: Scene) -> list[tuple[int, int, int]]:
    """Empty the scene but for its things, each in a flat colour of its own; the colours are returned."""
    scene.layers, scene.front, scene.screens, scene.overlay, scene.caption = [], [], {}, None, None
    colours = [
        (40 + 31 * place % 200, 250 - 17 * place % 200, 60 + 53 * place % 190) for place in range(len(scene.players))
    ]
    players = []
    for player, colour in zip(scene.players, colours, strict=True):
        figure = player.actor.figure
        alpha = figure.image.toarray(colorType=skia.kRGBA_8888_ColorType)[..., 3] > 100
        flat = numpy.zeros((*alpha.shape, 4), numpy.uint8)
        flat[alpha] = (*colour, 255)
        image = skia.Image.fromarray(flat, colorType=skia.kRGBA_8888_ColorType)
        actor = replace(player.actor, figure=Figure(image, figure.width, figure.height))
        players.append(replace(make_player(scene.look, actor), shadow=None, reflection=None))
    scene.players = players
    return colours


@pytest.mark.parametrize(
    "prompt",
    [
        "a castle", "two dogs and a cat in a room", "a sailboat on the sea", "five balloons over a field",
        "a bird on an elephant",
        "three fish underwater", "a fox wearing a crown", "an astronaut riding a horse", "a car left of a tree",
        "a cat sleeping on a sofa",
    ],
)  # fmt: skip
@pytest.mark.parametrize("duration", [0.0, 4.0])
def test_boxes_agree_with_the_picture(prompt: str, duration: float, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scenes, "draw_behind", lambda *_: None)
    monkeypatch.setattr(scenes, "draw_before", lambda *_: None)
    for number in range(1, len(TAKES) + 1):
        scene = make_scene(prompt, number)
        boxes = [(place, box) for place, found in enumerate(scene.boxes(duration)) for box in found]
        moon = [place for place, thing in enumerate(scene.look.plan.objects) if thing.name == "full-moon"]
        colours = flattened(scene)
        pixels = drawn(scene, duration / 2 if duration else STILL_AT, duration)
        found = []
        for player, colour in zip(scene.players, colours, strict=True):
            rows, columns = numpy.where((numpy.abs(pixels - colour) < 9).all(axis=2))
            if len(rows) > 12:
                seen = columns.min() / 320, rows.min() / 240, (columns.max() + 1) / 320, (rows.max() + 1) / 240
                found.append((player.actor.thing, seen))
        assert len(found) == len([place for place, _ in boxes if place not in moon]), f"take {number}: {prompt}"
        for thing, seen in found:
            (said,) = sorted(
                (box for place, box in boxes if place == thing),
                key=lambda box: sum(abs(a - b) for a, b in zip(box, seen, strict=True)),
            )[:1]
            slack = 0.035 + 0.1 * max(said[2] - said[0], said[3] - said[1])  # it leans, and others stand before it
            for side, (a, b) in enumerate(zip(said, seen, strict=True)):
                outside = a - b if side < 2 else b - a
                assert outside < slack, (
                    f"take {number}: {scene.look.plan.objects[thing].name} is at {seen}, said {said}"
                )
            area = (seen[2] - seen[0]) * (seen[3] - seen[1]) / ((said[2] - said[0]) * (said[3] - said[1]))
            assert area > 0.3, f"take {number}: {scene.look.plan.objects[thing].name} is hardly in its box"


# Takes, sizes, light


def test_no_two_of_five_are_alike() -> None:
    pictures_of = [drawn(make_scene("a fox in a meadow", number, seed=7)) for number in range(1, 6)]
    for place, one in enumerate(pictures_of):
        for other in pictures_of[place + 1 :]:
            assert numpy.abs(one - other).mean() > 12
            assert numpy.abs(one[:60].mean(axis=(0, 1)) - other[:60].mean(axis=(0, 1))).max() > 3, "the same sky"


@pytest.mark.parametrize("size", ["256x256", "256x2048", "2048x256", "720x1280", "1280x720"])
@pytest.mark.parametrize(
    "prompt", ["a fox in a meadow", "two ships on the sea", "a whale underwater", "a rocket in space"]
)
def test_every_size_is_composed(size: str, prompt: str) -> None:
    for number in (1, 4):
        for found in make_scene(prompt, number, size=size).boxes():
            assert found, "nothing to be seen"
            for left, top, right, bottom in found:
                assert min(right - left, bottom - top) > 0.02
                assert left > 0 or right < 1, "from side to side"
                assert top > 0, "cut off above"


def test_time_of_day_lights_everything() -> None:
    day, night = (drawn(make_scene(f"a white rabbit in the snow {time}")) for time in ("at noon", "at night"))
    assert day.mean() > night.mean() + 40
    assert night[..., 2].mean() > night[..., 0].mean() + 10  # blue


def test_windows_are_lit_at_night() -> None:
    def warm(time: str) -> int:
        pixels = drawn(make_scene(f"a house in a village {time}"))
        return int(((pixels[..., 0] > 215) & (pixels[..., 2] < 160) & (pixels[..., 1] > 170)).sum())

    assert warm("at night") > 60 + warm("at noon")


def test_long_shadows_at_sunset() -> None:
    def dark_below(time: str) -> int:
        scene = make_scene(f"a horse in the desert {time}")
        (player,) = scene.players
        assert player.shadow
        return player.shadow.image.height()

    assert dark_below("at sunset") > 2 * dark_below("at noon")


@pytest.mark.parametrize(
    "prompt", ["a black cat sleeping in a storm at night", "a brown dog sleeping at night", "a robot asleep"]
)
def test_whoever_sleeps_can_be_drawn(prompt: str) -> None:
    for number in range(1, 6):
        assert drawn(make_scene(prompt, number, size="640x480")).any()


def test_only_what_is_in_the_water_is_seen_in_part() -> None:
    def share(prompt: str, name: str) -> float:
        (player,) = (player for player in make_scene(prompt, size="640x480").players if player.actor.name == name)
        picture = pictures.cut(name, 96)
        return player.actor.height / player.actor.width / (picture.height() / picture.width())

    assert share("a whale in the sea", "spouting-whale") < 0.85
    assert share("a seal on a boat", "seal") > 0.95
    assert share("a whale above a ship", "spouting-whale") > 0.95
    assert share("a cat sleeping in a meadow", "cat") < 0.8


def test_of_sun_and_moon_both_are_seen() -> None:
    scene = make_scene("the sun and the moon over a field")
    assert [len(found) for found in scene.boxes()] == [1, 1]


def test_edges_of_a_dyed_picture_are_not_dark() -> None:
    plain, yellow = (
        image.toarray(colorType=skia.kRGBA_8888_ColorType).astype(int)
        for image in (pictures.cut("banana", 192), pictures.dyed("banana", "orange", 192))
    )
    edge = (plain[..., 3] > 60) & (plain[..., 3] < 200)
    assert yellow[edge][:, 0].mean() > 0.8 * yellow[plain[..., 3] > 250][:, 0].mean()


# Pictures


@pytest.mark.parametrize(
    "name", sorted(bodies.FACES) + sorted(bodies.ROBOTS) + ["girl", "santa-claus", "astronaut", "person-mage"]
)
def test_faces_get_bodies(name: str) -> None:
    picture = pictures.cut(name, 96)
    alpha = picture.toarray(colorType=skia.kRGBA_8888_ColorType)[..., 3]
    assert picture.height() > picture.width()
    assert (alpha[-4:] > 100).any(), "no feet"
    assert (alpha[int(picture.height() * 0.8)] > 100).sum() > 10, "no body"


@pytest.mark.parametrize("name", ["fireworks", "bridge-at-night", "shooting-star", "umbrella-on-ground"])
def test_pictures_lose_their_own_ground(name: str) -> None:
    alpha = pictures.cut(name, 96).toarray(colorType=skia.kRGBA_8888_ColorType)[..., 3]
    assert (alpha < 20).mean() > 0.2


@pytest.mark.parametrize(
    "name", sorted(set(pictures.KEPT) - {"airplane-arrival", "airplane-departure", "desert-island"})
)
def test_boats_leave_their_waves(name: str) -> None:
    pixels = pictures.cut(name, 96).toarray(colorType=skia.kRGBA_8888_ColorType)[-2:].astype(int)
    wave = (pixels[..., 3] > 100) & (pixels[..., 2] > pixels[..., 0] + 60) & (pixels[..., 1] > 120)
    assert wave.mean() < 0.6


def test_a_colour_leaves_eyes_and_panes() -> None:
    plain, yellow = (
        image.toarray(colorType=skia.kRGBA_8888_ColorType).astype(int)
        for image in (pictures.cut("automobile", 192), pictures.dyed("automobile", "yellow", 192))
    )
    same = (numpy.abs(plain - yellow).max(axis=2) < 12)[plain[..., 3] > 200]
    assert 0.25 < same.mean() < 0.8, "all of it is dyed, or nothing"
    changed = yellow[(numpy.abs(plain - yellow).max(axis=2) > 60)]
    assert changed[:, 0].mean() > changed[:, 2].mean() + 60


# Layers


def test_a_layer_slides_in_steps_too_small_to_see() -> None:
    """What the shifted tiles show is what sampling between pixels would have shown."""
    pixels = numpy.zeros((60, 200, 4), numpy.uint8)
    pixels[30:, :] = (200, 120, 40, 255)
    pixels[10:30, 40:90] = (20, 200, 250, 255)
    layer = Layer(skia.Image.fromarray(pixels, colorType=skia.kRGBA_8888_ColorType), -20, 0, 1.0)
    for shift in (0.0, 0.25, 3.5, -7.75, 11.25):
        tiles, sampled = (numpy.zeros((60, 160, 4), numpy.uint8) for _ in range(2))
        layer.draw(skia.Surface(tiles).getCanvas(), View(x=-shift), (80, 30), 0.0)
        skia.Surface(sampled).getCanvas().drawImage(
            layer.image, -20 + shift, 0, skia.SamplingOptions(skia.FilterMode.kLinear)
        )
        assert numpy.abs(tiles[:-2].astype(int) - sampled[:-2]).max() <= 3


def test_tiles_leave_out_what_is_empty() -> None:
    pixels = numpy.zeros((300, 640, 4), numpy.uint8)
    pixels[200:] = 255
    pixels[50:60, 5:9] = 255
    tiles = layers._cut_into_tiles(skia.Image.fromarray(pixels, colorType=skia.kRGBA_8888_ColorType))
    area = sum((tile.right - tile.left) * (tile.bottom - tile.top) for tile in tiles)
    assert area < 640 * 101 + 64 * 160
    assert sum((tile.right - tile.left) * (tile.bottom - tile.top) for tile in tiles if tile.opaque) > 640 * 95


# Styles


def test_a_poster_sets_its_title_in_a_band_of_its_own() -> None:
    pixels = drawn(make_scene('a fox saying "Hello"', style="poster", size="480x360"))
    band = pixels[int(360 * 0.84) : 350, 40:440]
    assert (band.min(axis=2) > 215).mean() > 0.6, "paper"
    assert (band.max(axis=2) < 90).mean() > 0.03, "letters"


def test_a_watercolour_has_paper_around_it() -> None:
    pixels = drawn(make_scene("a fox", style="watercolour"))
    for corner in (pixels[:4, :4], pixels[-4:, :4], pixels[:4, -4:], pixels[-4:, -4:]):
        assert corner.min() > 220


def test_cut_paper_has_a_white_edge() -> None:
    plain, cut = (
        make_scene("a red apple on a table", style=style, size="960x720")
        .players[0]
        .actor.figure.image.toarray(colorType=skia.kRGBA_8888_ColorType)
        for style in ("plain", "paper-cut")
    )
    rim = [
        (image[..., :3].min(axis=2) > 190)[(image[..., 3] > 200) & (numpy.roll(image[..., 3], 2, axis=0) < 40)].mean()
        for image in (plain, cut)
    ]
    assert rim[0] < 0.3 < 0.45 < rim[1]


def test_a_poster_is_printed_in_few_shades() -> None:
    plain, printed = (
        make_scene("a red apple on a table", style=style)
        .players[0]
        .actor.figure.image.toarray(colorType=skia.kRGBA_8888_ColorType)
        for style in ("plain", "poster")
    )
    shades = [len(numpy.unique(image[image[..., 3] == 255][:, :3], axis=0)) for image in (plain, printed)]
    assert shades[1] * 3 < shades[0]
