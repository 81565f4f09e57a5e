"""What the scenes look like: light by time of day, ground and backdrop of each setting,
sizes, and what belongs where.
"""

from dataclasses import dataclass

from aigen.pipelines.storybook import artwork
from aigen.pipelines.storybook.drawing.colours import Colour
from aigen.pipelines.storybook.understanding.plan import Plan, Thing


@dataclass(frozen=True)
class Light:
    """One light for everything in a scene: the sky's colours from top to horizon, and what it does to other colours.

    `shadow` is how long shadows are (1: as long as things are tall) and `rim` how bright their lit edges.
    """

    sky: tuple[Colour, Colour, Colour]
    tint: tuple[float, float, float]
    disc: Colour
    glow: Colour
    cloud: Colour
    vignette: Colour
    shadow: float
    rim: float


LIGHTS = {
    "sunrise": Light(
        ((104, 142, 222), (250, 186, 178), (255, 226, 170)), (1.0, 0.92, 0.87), (255, 244, 214), (255, 220, 160),
        (255, 222, 214),
        (40, 24, 60), 0.62, 0.75,
    ),
    "day": Light(
        ((46, 130, 232), (122, 190, 250), (214, 238, 255)), (1.0, 1.0, 1.0), (255, 248, 206), (255, 248, 210),
        (255, 255, 255),
        (10, 30, 70), 0.2, 0.3,
    ),
    "sunset": Light(
        ((66, 48, 128), (226, 96, 116), (255, 204, 122)), (0.98, 0.78, 0.74), (255, 246, 214), (255, 190, 110),
        (255, 190, 176),
        (34, 6, 44), 0.7, 0.95,
    ),
    "night": Light(
        ((8, 12, 48), (32, 42, 106), (98, 98, 160)), (0.6, 0.64, 0.94), (255, 250, 226), (214, 220, 255), (84, 92, 152),
        (2, 2, 24), 0.4, 0.6,
    ),
}  # fmt: skip


@dataclass(frozen=True)
class Setting:
    """What a setting looks like; each name is a painter's or artwork's.

    `ground` is what sort of place it is: "land", "street", "shore", "water", "deep", "air", "space" or "indoor";
    `colour` is the near ground by day, `wall` what is behind indoors. `far` stands furthest away, `rows` before that
    ("few", "woods" or "houses" of them: `density`), `scatter` lies about, `front` grows right before the camera.
    """

    ground: str
    colour: Colour
    far: str = ""
    rows: tuple[str, ...] = ()
    scatter: tuple[str, ...] = ()
    front: str = ""
    horizon: float = 0.6
    density: str = "few"
    wall: Colour = (236, 232, 226)


SETTINGS = {
    "meadow": Setting("land", (112, 190, 84), "hills", ("deciduous-tree",), ("tulip", "blossom", "herb", "sunflower"),
        "grass", 0.6),
    "forest": Setting("land", (86, 152, 74), "hills", ("evergreen-tree", "deciduous-tree"),
        ("mushroom", "herb", "seedling"), "leaves", 0.58, density="woods"),
    "jungle": Setting("land", (58, 140, 72), "hills", ("palm-tree", "deciduous-tree"),
        ("herb", "hibiscus", "potted-plant"), "leaves", 0.56, density="woods"),
    "garden": Setting("land", (124, 200, 96), "hills", ("deciduous-tree",),
        ("tulip", "rose", "hibiscus", "white-flower", "sunflower"), "grass", 0.55),
    "farm": Setting("land", (208, 190, 92), "hills", ("house-with-garden", "deciduous-tree"),
        ("sheaf-of-rice", "sheaf-of-rice", "herb"), "grass", 0.58, density="houses"),
    "village": Setting("land", (122, 184, 96), "hills", ("house", "house-with-garden", "hut", "church"),
        ("herb", "tulip"), "grass", 0.6, density="houses"),
    "beach": Setting("shore", (246, 218, 158), "", (), ("spiral-shell", "palm-tree", "umbrella-on-ground"), "", 0.46),
    "open sea": Setting("water", (24, 104, 190), horizon=0.5),
    "underwater": Setting("deep", (222, 202, 152), "", (), ("coral", "coral", "spiral-shell", "herb"), "seaweed", 0.84),
    "lake": Setting("water", (46, 124, 180), "peaks", ("evergreen-tree",), front="grass", horizon=0.5),
    "river": Setting("water", (58, 138, 184), "hills", ("deciduous-tree", "evergreen-tree"), front="grass",
        horizon=0.5),
    "desert": Setting("land", (238, 192, 118), "dunes", (), ("cactus", "cactus", "rock"), "", 0.6),
    "snow": Setting("land", (232, 240, 252), "hills", ("evergreen-tree",), (), "branches", 0.6, density="woods"),
    "mountains": Setting("land", (118, 174, 96), "peaks", ("evergreen-tree",),
        ("evergreen-tree", "rock", "evergreen-tree"), "grass", 0.66),
    "city street": Setting("street", (104, 108, 120), "towers",
        ("office-building", "hotel", "department-store", "bank"), (), "", 0.66, density="houses"),
    "skyline": Setting("water", (40, 84, 150), "towers", horizon=0.64),
    "road": Setting("street", (100, 104, 112), "hills", ("deciduous-tree",), (), "", 0.62),
    "sky": Setting("air", (150, 204, 250), horizon=1.0),
    "space": Setting("space", (40, 24, 84), horizon=1.0),
    "planet surface": Setting("space", (150, 146, 160), "", (), ("rock",), "", 0.7),
    "room": Setting("indoor", (190, 138, 92), "window", (), ("potted-plant",), "", 0.68, wall=(244, 222, 196)),
    "kitchen table": Setting("indoor", (184, 128, 84), "shelves", (), (), "", 0.6, wall=(198, 222, 214)),
    "stage": Setting("indoor", (150, 96, 62), "curtains", (), (), "", 0.7, wall=(58, 20, 40)),
    "studio": Setting("indoor", (214, 222, 236), "", (), (), "", 0.66, wall=(236, 240, 248)),
}  # fmt: skip

# How large a thing stands beside an animal of size 1, by its name, else its subgroup.
SCALES = {
    "castle": 2.0, "japanese-castle": 2.0, "place-building": 1.5, "place-religious": 1.6, "place-other": 1.5,
    "place-geographic": 1.8, "transport-ground": 1.2, "transport-air": 1.15, "transport-water": 1.3, "plant-other": 1.4,
    "animal-bug": 0.5, "animal-amphibian": 0.6, "plant-flower": 0.8, "food-fruit": 0.75, "elephant": 1.35,
    "mammoth": 1.35, "giraffe": 1.4, "mouse": 0.5, "rat": 0.5, "whale": 1.5, "spouting-whale": 1.5, "fish": 0.7,
    "tropical-fish": 0.7, "ant": 0.35, "t-rex": 1.5, "sauropod": 1.5, "dragon": 1.4, "rocket": 1.3, "balloon": 0.9,
    "animal-bird": 0.75, "book-paper": 0.8, "ferris-wheel": 2.0, "full-moon": 0.6, "crescent-moon": 0.6, "sun": 0.6,
    "star": 0.5, "fireworks": 1.7, "bridge-at-night": 5.2, "locomotive": 1.3, "person-climbing": 1.3,
    "man-climbing": 1.3, "woman-climbing": 1.3, "cactus": 1.2,
}  # fmt: skip

FLYING = frozenset(
    """
    airplane airplane-departure airplane-arrival small-airplane helicopter rocket flying-saucer satellite parachute
    bat butterfly honeybee eagle dove dragon balloon kite red-heart star glowing-star comet
    shooting-star ringed-planet cloud rainbow lady-beetle fly mosquito phoenix-bird ghost fireworks sparkler
    person-superhero person-fairy bubbles high-voltage sun-with-face tornado
    """.split()
)
IN_WATER = frozenset(["animal-marine", "transport-water"])
AFLOAT = frozenset("duck swan goose turtle ring-buoy otter beaver hippopotamus crocodile frog lotus".split())
# Pictures cut off at their left side, which stand at the scene's edge.
PINNED = frozenset(["person-climbing", "man-climbing", "woman-climbing"])
# Where one sits on a thing, as a share of its height from the top.
SEATS = {
    "horse": 0.3, "couch-and-lamp": 0.72, "bed": 0.5, "chair": 0.6, "camel": 0.3, "elephant": 0.12, "bicycle": 0.35,
    "motorcycle": 0.4, "skateboard": 0.35, "sailboat": 0.75, "canoe": 0.45, "motor-scooter": 0.4, "sled": 0.5,
    "toilet": 0.5, "bridge-at-night": 0.6,
}  # fmt: skip
# What one sits or lies on: how wide, beside it, those are together.
FURNITURE = {"couch-and-lamp": 0.56, "bed": 0.6, "chair": 0.9, "seat": 0.8}
# What stands on the floor of a room and not on a table.
LARGE = frozenset("couch-and-lamp bed chair door bathtub toilet window fire television teddy-bear broom".split())
# What is open above: where its rim is (a share of its height from the top) and how wide it is inside.
OPEN_ABOVE = {
    "basket": (0.36, 0.8), "bucket": (0.1, 0.7), "nest-with-eggs": (0.4, 0.7), "empty-nest": (0.4, 0.7),
    "bathtub": (0.5, 0.8), "shopping-cart": (0.3, 0.7), "bowl-with-spoon": (0.4, 0.7), "pot-of-food": (0.3, 0.7),
    "amphora": (0.06, 0.4), "top-hat": (0.1, 0.5), "shopping-bags": (0.3, 0.6),
}  # fmt: skip
# The sky's own: drawn by the painter of the sky, not placed as things.
MOONS = frozenset(["full-moon", "full-moon-face", "new-moon-face"])
SUNS = frozenset(["sun", "sun-with-face"])


def needs_footing(plan: Plan) -> bool:
    """Whether something in a scene on the water neither floats nor flies:
    it needs a bank, a quay or ice to stand on.
    """

    def stands(thing: Thing) -> bool:
        floats = artwork.index()[thing.name]["subgroup"] in IN_WATER or thing.name in AFLOAT
        flies = thing.name in FLYING or thing.action in FLYING_ACTIONS
        held = thing.relation and thing.relation["kind"] in ("on", "inside", "above")
        return not (floats or flies or held or is_sky(plan, thing))

    return SETTINGS[plan.setting].ground == "water" and any(stands(thing) for thing in plan.objects)


def is_sky(plan: Plan, thing: Thing) -> bool:
    """Whether a thing is the sun or moon that the painter of the sky draws, since nothing is said of where it is."""
    if SETTINGS[plan.setting].ground in ("indoor", "deep", "space"):
        return False
    first = next(
        (other for other in plan.objects if other.name in MOONS | SUNS), None
    )  # one disc, the others are things
    above = thing.relation is None or thing.relation["kind"] in ("above", "behind")
    placed = any(
        other.relation and other.relation["to"] == thing.name and other.relation["kind"] != "under"
        for other in plan.objects
    )
    return thing == first and thing.count == 1 and thing.color is None and above and not placed


FLYING_ACTIONS = frozenset(["fly", "float", "hover", "soar", "glide", "drift", "levitate"])
# How much larger or smaller than usual a thing is drawn.
SIZES = {"tiny": 0.42, "small": 0.68, "normal": 1.0, "big": 1.35, "giant": 1.9}
# Styles that this illustrator has; another is drawn as the one named.
STYLE_INSTEAD = {"photorealistic": "cinematic"}
# Saturation, contrast, and how much lighter everything is.
GRADES = {
    "plain": (1.0, 1.0, 0.0), "night": (1.0, 1.0, 0.0), "dramatic": (1.12, 1.22, 0.0), "cinematic": (0.9, 1.12, 0.0),
    "watercolour": (0.82, 0.9, 0.1), "paper-cut": (1.05, 1.05, 0.0), "poster": (1.2, 1.2, 0.0),
}  # fmt: skip
