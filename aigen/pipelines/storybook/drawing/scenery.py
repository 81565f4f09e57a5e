"""What the scenes look like: light by time of day, the ground and backdrop of each setting. Tables only."""

from dataclasses import dataclass

from aigen.pipelines.storybook.understanding.plan import Plan, Thing

Colour = tuple[int, int, int]


@dataclass(frozen=True)
class Light:
    """One light for everything in a scene: the sky's colours from top to horizon, and what it does to other colours."""

    sky: tuple[Colour, Colour, Colour]
    tint: tuple[float, float, float]
    disc: Colour
    glow: Colour
    cloud: Colour
    vignette: Colour


LIGHTS = {
    "sunrise": Light(
        ((112, 150, 222), (248, 190, 178), (255, 226, 178)), (1.0, 0.93, 0.88), (255, 244, 214), (255, 224, 170), (255, 226, 214), (40, 24, 60)
    ),
    "day": Light(
        ((64, 146, 236), (138, 198, 250), (214, 238, 255)), (1.0, 1.0, 1.0), (255, 246, 196), (255, 246, 200), (255, 255, 255), (10, 30, 70)
    ),
    "sunset": Light(
        ((70, 54, 130), (222, 100, 118), (255, 206, 132)), (0.98, 0.80, 0.76), (255, 246, 214), (255, 196, 120), (255, 200, 184), (34, 6, 44)
    ),
    "night": Light(
        ((8, 12, 48), (34, 42, 104), (98, 98, 160)), (0.66, 0.68, 0.94), (255, 250, 226), (220, 222, 255), (92, 98, 156), (2, 2, 24)
    ),
}  # fmt: skip


@dataclass(frozen=True)
class Setting:
    """`ground` names the painter; `colour` is the near ground by day; `backdrop` stands behind, `scatter` lies about."""

    ground: str
    colour: Colour
    backdrop: str = ""
    scatter: tuple[str, ...] = ()
    horizon: float = 0.6


SETTINGS = {
    "meadow": Setting("land", (112, 190, 84), "hills", ("tulip", "blossom", "herb", "sunflower"), 0.6),
    "forest": Setting("land", (86, 152, 74), "evergreen-tree deciduous-tree", ("mushroom", "herb"), 0.58),
    "jungle": Setting("land", (58, 140, 72), "palm-tree deciduous-tree", ("herb", "hibiscus", "potted-plant"), 0.56),
    "garden": Setting("land", (124, 200, 96), "deciduous-tree", ("tulip", "rose", "hibiscus", "white-flower", "sunflower"), 0.55),
    "farm": Setting("land", (196, 188, 92), "house-with-garden deciduous-tree", ("sheaf-of-rice", "sheaf-of-rice", "herb"), 0.58),
    "village": Setting("land", (122, 184, 96), "house house-with-garden hut church", ("herb", "tulip"), 0.6),
    "beach": Setting("shore", (242, 216, 156), "", ("spiral-shell", "palm-tree", "umbrella-on-ground"), 0.48),
    "open sea": Setting("water", (38, 118, 196), horizon=0.5),
    "underwater": Setting("deep", (222, 202, 152), "", ("coral", "coral", "spiral-shell", "herb"), 0.84),
    "lake": Setting("water", (60, 140, 190), "evergreen-tree", horizon=0.46),
    "river": Setting("water", (70, 150, 190), "deciduous-tree evergreen-tree", horizon=0.5),
    "desert": Setting("land", (234, 192, 122), "hills", ("cactus", "cactus", "rock"), 0.6),
    "snow": Setting("land", (232, 240, 252), "evergreen-tree", (), 0.6),
    "mountains": Setting("land", (118, 174, 96), "peaks", ("evergreen-tree", "rock", "evergreen-tree"), 0.66),
    "city street": Setting("street", (104, 108, 120), "towers", (), 0.66),
    "skyline": Setting("water", (52, 96, 160), "towers", horizon=0.64),
    "road": Setting("street", (100, 104, 112), "hills", (), 0.62),
    "sky": Setting("air", (150, 204, 250), horizon=1.0),
    "space": Setting("space", (40, 24, 84), horizon=1.0),
    "planet surface": Setting("space", (150, 146, 160), "", ("rock",), 0.7),
    "room": Setting("indoor", (190, 138, 92), "window", ("potted-plant",), 0.68),
    "kitchen table": Setting("indoor", (184, 128, 84), "", (), 0.6),
    "stage": Setting("indoor", (150, 96, 62), "curtains", (), 0.7),
    "studio": Setting("indoor", (214, 222, 236), "", (), 0.66),
}  # fmt: skip

WALLS = {
    "room": (244, 222, 196),
    "kitchen table": (198, 222, 214),
    "stage": (58, 20, 40),
    "studio": (236, 240, 248),
}

# How large a thing stands beside an animal of size 1, by its name, else its subgroup.
SCALES = {
    "castle": 2.0, "japanese-castle": 2.0, "place-building": 1.5, "place-religious": 1.6, "place-other": 1.5,
    "place-geographic": 1.8, "transport-ground": 1.2, "transport-air": 1.15, "transport-water": 1.3, "plant-other": 1.4,
    "animal-bug": 0.5, "animal-amphibian": 0.6, "plant-flower": 0.8, "food-fruit": 0.75, "elephant": 1.35, "mammoth": 1.35,
    "giraffe": 1.4, "mouse": 0.5, "rat": 0.5, "whale": 1.5, "spouting-whale": 1.5, "fish": 0.7, "tropical-fish": 0.7,
    "ant": 0.35, "t-rex": 1.5, "sauropod": 1.5, "dragon": 1.4, "rocket": 1.3, "balloon": 0.9, "animal-bird": 0.75,
    "book-paper": 0.8, "ferris-wheel": 2.0, "full-moon": 0.6, "crescent-moon": 0.6, "sun": 0.6, "star": 0.5,
}  # fmt: skip

FLYING = frozenset(
    """
    airplane airplane-departure airplane-arrival small-airplane helicopter rocket flying-saucer satellite parachute
    bat butterfly honeybee bird eagle owl dove parrot dragon balloon kite red-heart star glowing-star comet
    shooting-star ringed-planet cloud rainbow lady-beetle fly mosquito phoenix-bird ghost fireworks sparkler
    person-superhero person-fairy bubbles high-voltage sun-with-face tornado
    """.split()
)
IN_WATER = frozenset(["animal-marine", "transport-water"])
AFLOAT = frozenset("duck swan goose turtle ring-buoy otter beaver hippopotamus crocodile frog lotus".split())
# Pictures that bring their own ground: the part of their height, from the top, that is kept.
KEPT = {"sailboat": 0.8}
# Where one sits on a thing, as a share of its height from the top.
SEATS = {
    "horse": 0.3, "couch-and-lamp": 0.72, "bed": 0.5, "chair": 0.6, "camel": 0.3, "elephant": 0.12, "bicycle": 0.35,
    "motorcycle": 0.4, "skateboard": 0.35, "sailboat": 0.75, "canoe": 0.45, "motor-scooter": 0.4, "sled": 0.5, "toilet": 0.5,
}  # fmt: skip
# The sky's own: drawn by the painter of the sky, not placed as things.
MOONS = frozenset(["full-moon", "full-moon-face", "new-moon-face"])
SUNS = frozenset(["sun", "sun-with-face"])


def is_sky(plan: Plan, thing: Thing) -> bool:
    """Whether a thing is the sun or moon that the painter of the sky draws, since nothing is said of where it is."""
    above = thing.relation is None or thing.relation["kind"] in ("above", "behind")
    placed = any(
        other.relation and other.relation["to"] == thing.name and other.relation["kind"] != "under"
        for other in plan.objects
    )
    plain = thing.count == 1 and thing.color is None and above and not placed
    return plain and thing.name in MOONS | SUNS and SETTINGS[plan.setting].ground not in ("indoor", "deep", "space")


# How much larger or smaller than usual a thing is drawn.
SIZES = {"tiny": 0.42, "small": 0.68, "normal": 1.0, "big": 1.35, "giant": 1.9}
# The colours that can be asked for: what their middle tones become.
COLOURS: dict[str, Colour] = {
    "white": (236, 240, 246), "grey": (140, 146, 156), "black": (52, 52, 62), "red": (222, 40, 48), "orange": (246, 132, 28),
    "yellow": (250, 206, 40), "green": (62, 172, 70), "turquoise": (36, 196, 188), "blue": (44, 108, 232),
    "purple": (140, 70, 206), "pink": (250, 132, 184), "brown": (142, 92, 54), "gold": (226, 176, 46), "silver": (188, 196, 208),
}  # fmt: skip

# Styles that this illustrator has; the others are drawn as the one named.
STYLE_INSTEAD = {"photorealistic": "cinematic", "watercolour": "plain", "paper-cut": "plain", "poster": "dramatic"}
# Saturation and contrast.
GRADES = {"plain": (1.0, 1.0), "night": (1.0, 1.0), "dramatic": (1.12, 1.22), "cinematic": (0.9, 1.12)}
